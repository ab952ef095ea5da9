"""A kernel's modules reduced to those named and what they depend on, with the index files a loader reads.

Debian packages carry no modules.dep (depmod makes it at installation), so it is made here, from what
each module says in its .modinfo.
"""
import lzma
from pathlib import Path

from . import elf
from .kernels import Kernel


class ModuleError(Exception):
    """A module asked for is neither a file nor built in."""


def _key(name: str) -> str:
    """Module names are the same with - and _."""
    return name.replace("-", "_")


def _files(kernel: Kernel) -> dict:
    found = {}
    for path in (kernel.modules / "kernel").rglob("*.ko*"):
        found[_key(path.name.partition(".ko")[0])] = path
    return found


def _builtin(kernel: Kernel) -> dict:
    lines = (kernel.modules / "modules.builtin").read_text().split()
    return {_key(Path(line).stem): line for line in lines}


class Modules:
    """files: path below lib/modules/RELEASE -> host path or text."""

    def __init__(self, kernel: Kernel, names, packed=False):
        self.kernel = kernel
        self.packed = packed        # compressed, whatever the kernel's own are
        self.files = {}
        self._on_disk = _files(kernel)
        self._built_in = _builtin(kernel)
        self._info = {}     # name -> modinfo, of those taken
        builtin = [n for n in map(_key, names) if self._take(n, "the image")]
        self._index(builtin)

    @staticmethod
    def those_of(kernel: Kernel, names) -> list:
        """Of these, the ones that this kernel has as files."""
        there = _files(kernel)
        return [n for n in names if _key(n) in there]

    def _take(self, name: str, who: str) -> bool:
        """Adds a module and what it needs; True when it is built into the kernel."""
        if name in self._info:
            return False
        if name in self._built_in:
            return True
        if name not in self._on_disk:
            raise ModuleError(f"kernel {self.kernel.release}: no module {name}, which {who} needs")
        self._info[name] = elf.modinfo(self._on_disk[name])
        for other in self._direct(name):
            self._take(other, name)
        return False

    def _direct(self, name: str) -> list:
        return [_key(d) for d in ",".join(self._info[name].get("depends", [])).split(",") if d]

    def _closure(self, name: str) -> list:
        """All a module depends on; the deepest last, the order in which depmod writes them."""
        order = []

        def visit(one):
            for other in self._direct(one):
                if other in self._info:
                    if other in order:
                        order.remove(other)
                    order.append(other)
                    visit(other)
        visit(name)
        return order

    def _packs(self, name: str) -> bool:
        return self.packed and self._on_disk[name].suffix == ".ko"

    def _place(self, name: str) -> str:
        return f"{self._on_disk[name].relative_to(self.kernel.modules)}{'.xz' if self._packs(name) else ''}"

    def _content(self, name: str):
        file = self._on_disk[name]
        return lzma.compress(file.read_bytes(), check=lzma.CHECK_CRC32, preset=1) if self._packs(name) else file

    def _index(self, builtin: list) -> None:
        names = sorted(self._info)
        for name in names:
            self.files[self._place(name)] = self._content(name)
        self.files["modules.dep"] = "".join(
            f"{self._place(n)}:{''.join(' ' + self._place(d) for d in self._closure(n))}\n" for n in names)
        self.files["modules.alias"] = "".join(
            f"alias {alias} {n}\n" for n in names for alias in self._info[n].get("alias", []))
        self.files["modules.builtin"] = "".join(f"{self._built_in[n]}\n" for n in sorted(set(builtin)))
        self.files["modules.order"] = ""
