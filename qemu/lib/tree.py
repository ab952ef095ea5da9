"""A file tree being put together for an image: absolute paths, parents made as needed."""
import gzip
import hashlib
import os
import shutil
import stat
from pathlib import Path

from . import cpio


def _content(what):
    """Text, bytes, a host file (with its permissions) or a ready entry -> an entry."""
    if isinstance(what, cpio.Entry):
        return what
    if isinstance(what, Path):
        return cpio.regular(what.read_bytes(), stat.S_IMODE(what.stat().st_mode))
    data = what.encode() if isinstance(what, str) else what
    return cpio.regular(data, 0o755 if data.startswith(b"#!") else 0o644)


def epoch() -> int:
    """The time that everything in an image bears: $SOURCE_DATE_EPOCH or 0."""
    return int(os.environ.get("SOURCE_DATE_EPOCH") or "0")


class Tree:
    def __init__(self):
        self.entries = {}

    def directory(self, path: str) -> None:
        """A folder, when there is nothing of that name yet."""
        if os.path.normpath(path).lstrip("/") not in self.entries:
            self.put(path, cpio.directory())

    def digest(self) -> bytes:
        """What stands for the tree: two that differ in anything but times have two."""
        return hashlib.sha256(repr(sorted(self.entries.items())).encode()).digest()

    def put(self, path: str, what) -> None:
        """One path: str or bytes is a file's content, a Path is a host file, else a cpio.Entry."""
        name = os.path.normpath(path).lstrip("/")
        parent = os.path.dirname(name)
        while parent and parent not in self.entries:
            self.entries[parent] = cpio.directory()
            parent = os.path.dirname(parent)
        self.entries[name] = _content(what)

    def put_all(self, files: dict, below: str = "") -> None:
        for path, what in files.items():
            self.put(below + path, what)

    def folder(self, path: str, host: Path) -> None:
        """Every file below a host folder."""
        for file in sorted(host.rglob("*")):
            if file.is_file():
                self.put(f"{path}/{file.relative_to(host)}", file)

    def unpack(self, to: Path) -> None:
        """The files in a folder of the host, for programs that make file systems; device nodes are left out."""
        shutil.rmtree(to, ignore_errors=True)
        to.mkdir(parents=True)
        to.chmod(0o755)
        for name, entry in sorted(self.entries.items()):
            if stat.S_ISDIR(entry.mode):
                (to / name).mkdir()
            elif stat.S_ISLNK(entry.mode):
                (to / name).symlink_to(entry.data.decode())
            elif stat.S_ISREG(entry.mode):
                (to / name).write_bytes(entry.data)
            if not stat.S_ISLNK(entry.mode) and (to / name).exists():
                (to / name).chmod(stat.S_IMODE(entry.mode))

    def write(self, to: Path, compress: bool = False) -> Path:
        """The initramfs. The same tree gives the same bytes; files bear $SOURCE_DATE_EPOCH or 0."""
        time = epoch()
        to.parent.mkdir(parents=True, exist_ok=True)
        part = to.with_name(to.name + ".part")
        with open(part, "wb") as raw:
            if compress:
                with gzip.GzipFile(filename="", mode="wb", compresslevel=1, fileobj=raw, mtime=time) as out:
                    cpio.write(out, self.entries, time)
            else:
                cpio.write(raw, self.entries, time)
        os.replace(part, to)
        return to
