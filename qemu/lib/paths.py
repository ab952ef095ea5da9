"""Where things are: the tree, the build folder, the program under test."""
import os
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
QEMU = TOP / "qemu"


def build() -> Path:
    """The build folder: $BUILD or build/ in the tree."""
    return Path(os.environ.get("BUILD") or TOP / "build").resolve()


def prior(libc: str = "glibc") -> Path:
    """The program under test: $PRIOR, or the build's for this C library."""
    return Path(os.environ.get("PRIOR") or build() / libc / "prior").resolve()
