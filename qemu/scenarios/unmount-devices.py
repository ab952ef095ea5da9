"""At the end swap, loop and device-mapper devices and their mounts go in the order this takes: disks are clean."""
import subprocess

from lib import drive
from lib.image import Image

kernels = ["6.1", "6.12"]

image = Image(modules=["virtio_blk", "virtio_pci", "loop", "dm_mod"], config="""
version: 1
machine:
  modules: [virtio_pci, virtio_blk, loop, dm_mod]
  mounts: [{source: /dev/vda, target: /data, type: ext4}]
""")


def disks(at):
    return [drive.ext4(at, "data.img")]


def run(m):
    m.ok("grep -q ' /data ext4 ' /proc/mounts")
    m.ok("dd if=/dev/zero of=/data/inner bs=1M count=8; mke2fs -F /data/inner >/dev/null 2>&1")
    m.ok("mkdir /inner; losetup /dev/loop0 /data/inner; mount -t ext4 /dev/loop0 /inner; echo kept >/inner/file")
    # a mount on a device-mapper device on a loop device on that disk
    m.ok("dd if=/dev/zero of=/data/lowest bs=1M count=4; losetup /dev/loop1 /data/lowest; probe linear deep /dev/loop1")
    m.ok("mke2fs -F /dev/dm-0 >/dev/null 2>&1; mkdir /deep; mount -t ext4 /dev/dm-0 /deep; echo kept >/deep/file")
    m.ok("dd if=/dev/zero of=/data/swap bs=1M count=4; mkswap /data/swap >/dev/null; swapon /data/swap")
    m.ok("mkdir /data/below; mount -t tmpfs none /data/below")
    m.ends("poweroff", "poweroff")
    assert "left read-only" not in m.console
    said = subprocess.run(["dumpe2fs", "-h", m.disks[0]], capture_output=True, text=True, check=True).stdout
    assert "needs_recovery" not in said and "Filesystem state:         clean" in said, said
    for name in ("inner", "lowest"):
        copy = f"{m.disks[0]}.{name}"
        subprocess.run(["debugfs", "-R", f"dump /{name} {copy}", m.disks[0]], check=True, capture_output=True)
        assert drive.read(copy, "/file") == b"kept\n"
