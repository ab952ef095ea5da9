"""The newc cpio format, which the kernel unpacks as its first root. Writes the same bytes for the same tree:
names sorted, inode numbers counted, one time for all. No root needed: owners and device nodes are only numbers here.
"""
import stat
from typing import NamedTuple


class Entry(NamedTuple):
    mode: int               # type and permissions, as in st_mode
    data: bytes = b""       # a file's content or a link's target
    uid: int = 0
    gid: int = 0
    device: tuple = (0, 0)  # major, minor


def directory(mode=0o755, uid=0, gid=0) -> Entry:
    return Entry(stat.S_IFDIR | mode, b"", uid, gid)


def regular(data: bytes, mode=0o644, uid=0, gid=0) -> Entry:
    return Entry(stat.S_IFREG | mode, data, uid, gid)


def symlink(target: str) -> Entry:
    return Entry(stat.S_IFLNK | 0o777, target.encode())


def character(major: int, minor: int, mode=0o600) -> Entry:
    return Entry(stat.S_IFCHR | mode, device=(major, minor))


def _padding(size: int) -> bytes:
    return b"\0" * (-size % 4)


def _record(name: str, inode: int, entry: Entry, links: int, time: int) -> bytes:
    raw = name.encode() + b"\0"
    fields = (inode, entry.mode, entry.uid, entry.gid, links, time, len(entry.data), 0, 0, *entry.device, len(raw), 0)
    head = b"070701" + b"".join(b"%08x" % f for f in fields) + raw
    return head + _padding(len(head)) + entry.data + _padding(len(entry.data))


def write(out, tree: dict, time: int = 0) -> None:
    """The archive of {path without leading slash: Entry} to an open binary file. Parents sort before children."""
    for inode, name in enumerate(sorted(tree), start=1):
        entry = tree[name]
        out.write(_record(name, inode, entry, 2 if stat.S_ISDIR(entry.mode) else 1, time))
    out.write(_record("TRAILER!!!", 0, Entry(0), 1, 0))
