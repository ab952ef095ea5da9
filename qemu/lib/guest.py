"""Programs that run inside test images beside the one under test."""
import os
import shutil
import subprocess
from pathlib import Path

from . import debs, paths

BUSYBOX = Path(shutil.which("busybox") or "/bin/busybox")     # Debian's busybox-static


def probe() -> Path:
    """qemu/guest/probe.c, compiled statically when it is newer than what is there."""
    source, program = paths.QEMU / "guest/probe.c", paths.build() / "qemu/probe"
    with debs.alone(program.parent):
        if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
            part = program.with_suffix(".part")
            subprocess.run(["cc", "-std=gnu11", "-O2", "-Wall", "-Wextra", "-static", "-o", part, source], check=True)
            os.replace(part, program)
    return program
