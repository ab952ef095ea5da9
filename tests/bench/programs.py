"""Our own small programs for the measurements, and what everything measured is called."""
import gzip
import os
import re
import subprocess
from pathlib import Path

from lib import debs, paths

HERE = Path(__file__).resolve().parent
STATIC = ["cc", "-std=gnu11", "-O2", "-Wall", "-Wextra", "-D_GNU_SOURCE", "-static", f"-I{paths.TOP}"]

# Program -> its sources and what else its compilation needs. None has anything of the program under test in it, but
# that the floor has the same instructions written for the kernel's programs on a cgroup, and the same system calls.
BASE = [f"../../init/base/{name}.c" for name in ("bpf", "clone", "err")]
PROGRAMS = {
    "hello": (["hello.c"], ["-nostdlib", "-nostartfiles", "-ffreestanding", "-fno-stack-protector"]),
    "first": (["first.c", "observe.c", "supervisors.c", "orphans.c"], []),
    "floor_init": (["floor_init.c"], []),
    "floor": (["floor.c", "floor_plan.c", "floor_cell.c", *BASE], []),
    "start": (["start.c"], []),
}


def program(name: str) -> Path:
    """One of ours, compiled when a source is newer than what is there."""
    sources, flags = PROGRAMS[name]
    out = paths.build() / "bench" / name
    newest = max(f.stat().st_mtime for f in (*HERE.glob("*.[ch]"), *(HERE.parents[1] / "services/plan").glob("*.h")))
    with debs.alone(out.parent):
        if not out.exists() or out.stat().st_mtime < newest:
            part = out.with_suffix(".part")
            subprocess.run([*STATIC, *flags, "-o", part, *(HERE / s for s in sources)], check=True)
            subprocess.run(["strip", part], check=True)
            os.replace(part, out)
    return out


def prior(libc: str = "glibc"):
    """The program under test, built with this C library; None when it was not built."""
    built = paths.prior() if libc == (os.environ.get("LIBC") or "glibc") else paths.build() / libc / "prior"
    return built if built.exists() else None


def installed(package: str) -> str:
    """Name and version of a Debian package of this host."""
    done = subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${Version}", package], capture_output=True, text=True)
    return done.stdout if done.returncode == 0 else f"{package} (version unknown)"


def unpacked(package: str) -> str:
    """Name and version of a Debian package that was fetched for an image, from its changelog."""
    for log in (debs.unpack(package) / "usr/share/doc" / package).glob("changelog.[Dd]ebian*.gz"):
        with gzip.open(log, "rt", errors="replace") as f:
            found = re.match(r"\S+ \(([^)]+)\)", f.readline())
            if found:
                return f"{package} {found.group(1)}"
    return f"{package} (version unknown)"


def ours() -> str:
    """What the program under test is: its commit, when this is a repository."""
    git = ["git", "-C", str(paths.TOP)]
    said = subprocess.run([*git, "describe", "--always", "--dirty"], capture_output=True, text=True)
    return f"prior {said.stdout.strip()}" if said.returncode == 0 and said.stdout.strip() else "prior"
