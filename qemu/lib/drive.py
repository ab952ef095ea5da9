"""Disks of a scenario's machine, made anew for each run, and what is on them afterwards."""
import subprocess


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
