"""Profiles from files, pledges and unveil on both kernels: what an older Landlock lacks is covered, and all is attested."""
from lib.image import Image
from lib.paths import QEMU

kernels = ["6.1", "6.12"]
limit = 120

image = Image(config="""
version: 1
services:
  pledged:
    command: [/bin/busybox, sleep, "100000"]
    security: {pledge: "stdio rpath"}
    restart: "no"
  veiled:
    command: [/bin/busybox, sleep, "100000"]
    isolation: {unveil: {/data: r}}
    restart: "no"
  engine:
    command: [/bin/busybox, sleep, "100000"]
    security: {seccomp: /engine.json}
    restart: "no"
  wrong:
    command: [/bin/busybox, sleep, "100000"]
    security: {seccomp: /data/file}
    restart: "no"
""", files={"/data/file": "a text\n", "/engine.json": QEMU.parent / "tests/seccomp/engine.json"})

# What truncate() and O_RDONLY|O_TRUNC say of an unveiled file that may be read: version 2 sees only paths.
CUT = {"6.1": "truncate EPERM open EACCES", "6.12": "truncate EACCES open EACCES"}


def attested(m):
    for name in ("pledged", "veiled", "engine"):
        m.wait_state(name, "up")
        m.ok(f"prior audit {name}")
    assert m.status("wrong")["state"] == "refused"
    assert "/data/file: 7 bytes are neither JSON nor a BPF program" in m.ok("prior why wrong || true")


def act(m, keys, what):
    return m.ok(f"prior run --preset none {keys} -- {what} 2>&1 || true").strip()


def unveil(m):
    kernel = "6.1" if m.ok("uname -r").startswith("6.1.") else "6.12"
    m.ok("cp /data/file /data/other")
    assert act(m, "", "/bin/probe cut /data/other") == "truncate ok open ok"
    got = act(m, "--set 'isolation.unveil={/data: r}'", "/bin/probe cut /data/file")
    assert got.splitlines()[-1] == CUT[kernel], got
    assert m.ok("cat /data/file") == "a text\n"
    assert ("does not see truncation" in got) == (kernel == "6.1"), got


def pledge(m):
    keys = "--set 'security.pledge={}'"
    assert "a text" in act(m, keys.format("stdio rpath"), "/bin/busybox cat /data/file")
    assert "ermi" in act(m, keys.format("stdio"), "/bin/busybox cat /data/file")
    assert "ermi" in act(m, keys.format("stdio rpath"), "/bin/busybox mkdir /data/new")
    act(m, keys.format("stdio rpath cpath"), "/bin/busybox mkdir /data/new")
    m.ok("rmdir /data/new")


def engine(m):
    m.ok("prior run --preset none --set security.seccomp=/engine.json -- /bin/busybox unshare -m /bin/busybox true")
    got = act(m, "--set user=1000 --set security.seccomp=/engine.json", "/bin/busybox unshare -U /bin/busybox true")
    assert "Operation not permitted" in got, got
    act(m, "--set user=1000", "/bin/busybox unshare -U /bin/busybox true")


def run(m):
    attested(m)
    unveil(m)
    pledge(m)
    engine(m)
