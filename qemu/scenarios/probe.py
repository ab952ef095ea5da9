"""prior probe: what this kernel supports, found by trial; what a service needs of it; exit 1 when that is missing."""
from lib.image import Image

kernels = ["6.1", "6.12"]

image = Image(config="""
version: 1
services:
  web:
    command: [/bin/probe, stay]
    limits: {cgroup: {memory_max: 32M, pids_max: 10}}
  image:
    command: [/bin/probe, stay]
    isolation: {preset: strict, unveil: {/: rx}}
    restart: "no"
""")

# Works on one of the kernels only: Debian's are known.
NEWER = {"6.1": {"no new executable memory (PR_SET_MDWE)": False, "Landlock": "ABI 2"},
         "6.12": {"no new executable memory (PR_SET_MDWE)": True, "Landlock": "ABI 6"}}
MAY_LACK = ("SELinux", "idmapped mounts", "loop devices", "squashfs", "erofs")


def run(m):
    m.wait_state("web", "up")
    rows = {row["name"]: row for row in m.json("prior probe --json")}
    kernel = "6.12" if m.ok("uname -r").startswith("6.12") else "6.1"
    for name, row in rows.items():
        want = NEWER[kernel].get(name, True)
        if isinstance(want, str):
            assert row["works"] and row["detail"] == want, row
        elif name not in MAY_LACK:
            assert row["works"] == want, row
        assert row["works"] or row["takes"], row
    assert rows["memory"]["needed_by"] == ["web"], rows["memory"]
    assert set(rows["pid namespace"]["needed_by"]) == {"web", "image"}, rows["pid namespace"]
    text = m.ok("prior probe web")
    assert "✓ memory" in text and "web has all that it needs" in text and "Landlock" not in text, text
    m.fails("prior probe nobody", 4)

    # The same without the privilege: each line says so, and what is needed is missing.
    m.ok("mkdir -p /tmp/p && mount --bind /tmp/p /sys/fs/cgroup")
    said = m.fails("prior probe web", 1)
    assert "✗ memory: /sys/fs/cgroup is not cgroup2" in said and "missing" in said, said
    assert "it takes" in said, said
    m.ok("umount /sys/fs/cgroup")
