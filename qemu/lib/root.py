"""A root for a disk: the tree as a read-only file system, with dm-verity's hashes behind it. Same tree, same bytes."""
import hashlib
import re
import shutil
import subprocess
import uuid
from pathlib import Path
from typing import NamedTuple

from . import tree as trees
from .debs import PackageError
from .tree import Tree

KINDS = ("erofs", "squashfs")
BLOCK = 4096        # bytes, of hashes and data

# A read-only root must have what is mounted on.
MOUNT_POINTS = ("/dev", "/proc", "/sys", "/run", "/tmp", "/var", "/mnt", "/boot")


class Root(NamedTuple):
    file: Path
    kind: str
    hash: str       # verity's root hash


def identity(seed: bytes, what: str) -> str:
    """A UUID that follows from the input, so that the same input gives the same one."""
    return str(uuid.UUID(bytes=hashlib.sha256(seed + b"\0" + what.encode()).digest()[:16], version=5))


def tool(*command, **more) -> str:
    """Runs a program of the host, in no time zone or language; what it printed."""
    env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "TZ": "UTC0", **more.pop("env", {})}
    try:
        done = subprocess.run([str(c) for c in command], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env=env, **more)
    except FileNotFoundError:
        raise PackageError(f"no program {command[0]}: tools/need image says what to install") from None
    if done.returncode:
        raise PackageError(f"{' '.join(map(str, command))}: exit {done.returncode}\n{done.stdout.strip()}")
    return done.stdout


def _file_system(kind: str, folder: Path, to: Path, seed: bytes) -> None:
    time = trees.epoch()
    if kind == "erofs":
        tool("mkfs.erofs", "-zlz4hc", f"-T{time}", "--all-root", "-U", identity(seed, "root"), to, folder)
    else:
        tool("mksquashfs", folder, to, "-noappend", "-quiet", "-no-progress", "-no-xattrs", "-all-root",
             "-mkfs-time", time, "-all-time", time)


def build(tree: Tree, kind: str, to: Path) -> Root:
    """The tree in `to`, owned by root throughout, and behind it verity's superblock and hashes."""
    for path in MOUNT_POINTS:
        tree.directory(path)
    for path, entry in tree.entries.items():
        if entry.uid or entry.gid:
            raise PackageError(f"/{path}: is owned by {entry.uid}:{entry.gid}: in a root for a disk all is root's")
    seed = tree.digest()
    folder, part = to.with_name(to.name + ".files"), to.with_name(to.name + ".part")
    tree.unpack(folder)
    part.unlink(missing_ok=True)
    _file_system(kind, folder, part, seed)
    shutil.rmtree(folder)
    size = -(-part.stat().st_size // BLOCK) * BLOCK
    with open(part, "r+b") as f:
        f.truncate(size)
    said = tool("veritysetup", "format", f"--uuid={identity(seed, 'verity')}", f"--salt={seed.hex()}",
                f"--data-blocks={size // BLOCK}", f"--hash-offset={size}", part, part)
    part.replace(to)
    return Root(to, kind, re.search(r"Root hash:\s*([0-9a-f]+)", said).group(1))
