"""Where things are: the tree, the build folder, the program under test."""
import os
from pathlib import Path

from . import arch

TOP = Path(__file__).resolve().parents[2]
QEMU = TOP / "qemu"


def build() -> Path:
    """The build folder: $BUILD or build/ in the tree."""
    return Path(os.environ.get("BUILD") or TOP / "build").resolve()


def out(libc: str) -> Path:
    """Where what was compiled with this C library is."""
    return build() / f"{libc}{arch.suffix()}"


def prior(libc: str = "glibc") -> Path:
    """The program under test: $PRIOR, or the build's for this C library."""
    return Path(os.environ.get("PRIOR") or out(libc) / "prior").resolve()
