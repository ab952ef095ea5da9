"""Mounts by label, UUID, partition; fstab, swap, bind, overlay; packed drivers by modalias; fsck; machine-id; a getty."""
import subprocess

from lib import drive
from lib.image import Image

kernels = ["6.1", "6.12"]
limit = 240

UUID = "6f1f2a3b-0c4d-4e5f-8a9b-0123456789ab"
PART = "11111111-2222-3333-4444-555555555555"

FSCK = """#!/bin/busybox sh
echo "$@" >/run/checked
exit 1
"""

FSTAB = f"""
# a comment
LABEL=swapped none swap sw 0 0
PARTUUID={PART} /part\\040one ext4 ro,nodev 0 2
tmpfs /scratch tmpfs size=1M,nosuid 0 0
/dev/vdz /never ext4 nofail,x-systemd.device-timeout=1 0 0
/dev/vdy /notnow ext4 noauto 0 0
proc /proc proc defaults 0 0
"""

image = Image(modules=["virtio_blk", "virtio_pci", "overlay", "xfs", "libcrc32c"], files={
    "/etc/fstab": FSTAB, "/etc/hostname": "from-file\n", "/sbin/fsck.ext4": FSCK,
    "/login": "#!/bin/sh\necho who is there; read -r line; echo it was $line of $(tty); exec /bin/probe stay\n",
}, packed=True, config=f"""
version: 1
machine:
  fstab: true
  console: {{device: ttyS0, baud: 57600, shell: [/bin/busybox, sh, -c, "true"]}}
  mounts:
    - {{source: LABEL=data, target: /data/here, options: [noatime]}}
    - {{source: UUID={UUID}, target: /x, type: xfs, options: [ro]}}
    - {{source: /data/here, target: /bound, options: [bind, ro]}}
    - {{source: overlay, target: /over, type: overlay,
        options: [lowerdir=/etc, upperdir=/data/here/up/per, workdir=/data/here/work]}}
    - {{source: LABEL=absent, target: /absent, optional: true, timeout: 200ms}}
services:
  web: {{command: [/bin/probe, stay]}}
""")


def disks(at):
    parted = drive.blank(at, "parted.img", 16)
    subprocess.run(["sfdisk", "-q", parted], input=f"label: gpt\nstart=2048, size=16384, uuid={PART}\n", text=True,
                   check=True, capture_output=True)
    part = drive.ext4(at, "part.img", 8)
    with open(parted, "r+b") as f:
        f.seek(1 << 20)
        f.write(part.read_bytes())
    return [drive.ext4(at, "data.img", 32, "-L", "data"),
            drive.made(at, "x.img", 320, "mkfs.xfs", "-q", "-m", f"uuid={UUID}"), parted,
            drive.made(at, "swap.img", 8, "mkswap", "-L", "swapped")]


def flags(m, target):
    return m.ok(f"grep -F ' {target} ' /proc/mounts").split()[3]


def run(m):
    assert "noatime" in flags(m, "/data/here") and "errors=remount-ro" in flags(m, "/data/here")
    assert flags(m, "/x").startswith("ro") and flags(m, "/bound").startswith("ro")
    m.fails("touch /bound/new")
    m.ok("touch /over/new; test -e /data/here/up/per/new")
    assert "nodev" in flags(m, r"/part\040one") and "nosuid" in flags(m, "/scratch")
    assert m.ok("cat /run/checked").split()[0] == "-p"
    m.ok("test ! -e /notnow; grep -q vdd /proc/swaps")
    m.on_console("LABEL=absent: no such device came within 200 ms (optional; going on)")
    m.on_console("/etc/fstab:6: mount on /never: /dev/vdz: no such device came within 1000 ms (nofail")
    assert "speed 57600 baud" in m.ok("stty -a </dev/ttyS0")
    assert m.ok("hostname").strip() == "from-file"
    assert len(m.ok("cat /etc/machine-id").strip()) == 32
    m.wait_state("web", "up")
    m.ends("poweroff", "poweroff")
    wanted = """
machine:
  emergency: poweroff
  console: {shell: [/bin/busybox, sh, -c, "echo the shell is here"]}
  mounts: [{source: LABEL=wanted, target: /wanted, timeout: 300ms}]
services:
  web: {command: [/bin/probe, stay]}
"""
    with m.boot_again(config=wanted, append="quiet", ready=False) as other:
        other.on_console("emergency: switching off: mount on /wanted: LABEL=wanted: no such device came", 60)
        other.ends("poweroff", seconds=30)
        assert "prior: cgroup2" not in other.console, "quiet"
    getty = """
  getty: {command: [/bin/busybox, getty, -n, -l, /login, "57600", ttyS0], restart: always, isolation: {preset: none}}
"""
    with m.boot_again(config=wanted + getty, append="prior.emergency=shell rescue") as other:
        other.eventually(lambda: other.console.count("the shell is here") == 2, 30, "the emergency's, and rescue's")
        other.wait_state("web", "up")
        other.wait_state("getty", "up")
        other.on_console("who is there")
        other.machine.console.send("typed\n")
        other.on_console("it was typed of /dev/ttyS0")
        other.ends("poweroff", "poweroff")
