"""Disks of a scenario's machine, made anew for each run, and what is on them afterwards."""
import subprocess

from .image import Image


def blank(at, name: str, mib: int):
    """A file full of zeros in the folder of this run."""
    disk = at.folder / name
    disk.unlink(missing_ok=True)
    with open(disk, "wb") as f:
        f.truncate(mib << 20)
    return disk


def made(at, name: str, mib: int, *command):
    """The same, given to that program as its last argument."""
    disk = blank(at, name, mib)
    subprocess.run([*command, disk], check=True, capture_output=True)
    return disk


def ext4(at, name: str, mib: int = 64, *options):
    return made(at, name, mib, "mke2fs", "-q", "-F", "-t", "ext4", *options)


def read(disk, path: str) -> bytes:
    """A file of an ext4; nothing of one that is not there."""
    return subprocess.run(["debugfs", "-R", f"cat {path}", disk], check=True, capture_output=True).stdout


def logs_on_disk(services: str) -> Image:
    """The image of a machine whose log files lie on its first disk, an ext4."""
    return Image(modules=["virtio_blk", "virtio_pci"], files={"/var/here": ""}, config="""
version: 1
machine:
  modules: [virtio_pci, virtio_blk]
  mounts: [{source: /dev/vda, target: /var/log, type: ext4}]
""" + services)
