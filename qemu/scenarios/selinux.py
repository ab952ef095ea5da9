"""SELinux, active and with a policy: the context is set at the exec, read back, and holds; one the policy lacks is refused."""
import shutil
import subprocess
import tempfile
from pathlib import Path

from lib.image import Image
from lib.machine import Hardware
from lib.paths import QEMU

kernels = ["6.1", "6.12"]
hardware = Hardware(append="lsm=landlock,selinux")

CONTEXT = "system_u:system_r:web_t"
image = Image(config=f"""
version: 1
services:
  web:
    command: [/bin/busybox, sleep, "100000"]
    security: {{selinux_context: "{CONTEXT}"}}
    restart: "no"
  unknown:
    command: [/bin/busybox, sleep, "100000"]
    security: {{selinux_context: "system_u:system_r:other_t"}}
    restart: "no"
""")


def compiled() -> bytes:
    if not shutil.which("secilc"):
        return b""
    with tempfile.TemporaryDirectory() as folder:
        policy = Path(folder) / "policy"
        subprocess.run(["secilc", "-o", policy, "-f", "/dev/null", QEMU / "guest/web.cil"], check=True)
        return policy.read_bytes()


def run(m):
    if not image.files["/policy"]:
        m.skip("secilc is not installed: no policy to load")
    # Before there is a policy the kernel takes any context, and gives another.
    m.wait_state("web", "failed", "down")
    assert "selinux context: the kernel did not do what it said" in m.ok("prior why web || true")

    m.ok("mount -t selinuxfs selinuxfs /sys/fs/selinux && cat /policy >/sys/fs/selinux/load")
    m.ok("echo 1 >/sys/fs/selinux/enforce")
    assert "✓ SELinux" in m.ok("prior probe || true")
    m.ok("prior start web")
    assert m.ok(f"cat /proc/{m.pid('web')}/attr/current").strip("\0\n") == CONTEXT
    assert f"selinux: {CONTEXT}" in m.ok("prior audit web")
    m.fails("prior start unknown")
    assert "the loaded policy has no such context" in m.ok("prior why unknown || true")

    # The forbidden act, without the context and with it.
    act = "prior run --preset none --set user=0 {} -- /bin/busybox touch /made"
    m.ok(act.format("") + " && rm /made")
    said = m.fails(act.format(f"--set security.selinux_context={CONTEXT}") + " 2>&1")
    assert "Permission denied" in said, said


image.files["/policy"] = compiled()
