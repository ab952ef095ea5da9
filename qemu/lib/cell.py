"""The private root of a service, made of just its own files: programs, the libraries they need, what is named."""
import os
from functools import cached_property
from pathlib import Path

from . import arch, elf
from .debs import PackageError, Sysroot
from .tree import Tree

# What prior mounts on; a root that is read-only must have them.
MOUNT_POINTS = ("/dev", "/proc", "/sys", "/tmp", "/run")


class Cell:
    """programs, and folders whose every file comes along, are paths inside the packages; files are our own;
    points: what it mounts on, when that is not what every cell does."""

    def __init__(self, packages, programs=(), folders=(), files=None, directories=(), points=None):
        self.packages = packages
        self.programs = programs
        self.folders = folders
        self.files = files or {}
        self.directories = (*(MOUNT_POINTS if points is None else points), *directories)

    @cached_property
    def sysroot(self) -> Sysroot:
        """The packages, fetched when an image is built and not when it is described."""
        return Sysroot(self.packages)

    def _library(self, soname: str, who: str) -> str:
        for folder in arch.current().libraries:
            if self.sysroot.find(f"{folder}/{soname}"):
                return f"{folder}/{soname}"
        raise PackageError(f"{who} needs {soname}: not in any of {', '.join(self.sysroot.names)}")

    def _closure(self) -> dict:
        """path -> host file, of the programs, the files of the folders and every library they need."""
        taken = {}
        queue = [(p, self.sysroot.need(p)) for p in self.programs]
        for folder in self.folders:
            queue += self.sysroot.tree(folder)
        while queue:
            path, host = queue.pop()
            if path in taken:
                continue
            taken[path] = host
            if not elf.is_elf(host):
                continue
            wants = elf.needs(host)
            # libc names the loader as a library too; it is there as the interpreter.
            more = [self._library(s, path) for s in wants.libraries if not s.startswith("ld-linux")]
            if wants.interpreter:
                more.append(wants.interpreter)
            queue += [(p, self.sysroot.need(p)) for p in more]
        return taken

    def place(self, tree: Tree, root: str) -> None:
        """Puts the root below this path of an image."""
        for path, host in self._closure().items():
            tree.put(root + path, Path(os.path.realpath(host)))
        for path in self.directories:
            tree.directory(root + path)
        tree.put_all(self.files, root)
