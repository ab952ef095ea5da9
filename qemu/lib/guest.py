"""Programs that run inside test images beside the one under test."""
import os
import shutil
import subprocess
from pathlib import Path

from . import arch, debs, paths

_HOST = shutil.which("busybox") or "/bin/busybox"     # Debian's busybox-static


def busybox() -> Path:
    """The host's, or of its kind for another architecture."""
    return debs.unpack("busybox-static") / "bin/busybox" if arch.suffix() else Path(_HOST)


def applets() -> set:
    """What it is called: Debian's is the same everywhere."""
    listed = subprocess.run([_HOST, "--list"], capture_output=True, text=True, check=True)
    return set(listed.stdout.split())


def probe() -> Path:
    """qemu/guest/*.c, compiled statically when one is newer than what is there."""
    sources, program = sorted((paths.QEMU / "guest").glob("*.[ch]")), paths.build() / f"qemu/probe{arch.suffix()}"
    with debs.alone(program.parent):
        if not program.exists() or any(program.stat().st_mtime < s.stat().st_mtime for s in sources):
            part = program.with_suffix(".part")
            subprocess.run([arch.tool("gcc"), "-std=gnu11", "-O2", "-Wall", "-Wextra", "-static", "-o", part,
                            *(s for s in sources if s.suffix == ".c")], check=True)
            os.replace(part, program)
    return program
