"""The tests of tests/cells that also run inside a machine, where the kernel is one of those that count."""
import os
import subprocess
import tempfile
from pathlib import Path

from . import arch, cpio, paths

TOP = "/t"
ENVIRONMENT = f"PRIOR=/sbin/prior BUILD={TOP}/build LIBC=guest FEW=1"

# What is run there, in this order; tests/golden/controls.py takes from here what is shown on both kernels.
PROGRAMS = ("owner", "spaces", "policies", "hostile", "mutants")
SCRIPTS = ("controls.sh", "walls.sh", "taken.sh", "identity.sh")
INSIDE = [f"build/guest/tests/cells/{name}" for name in PROGRAMS] + [f"tests/cells/{name}" for name in SCRIPTS]
HELPERS = ("inside", "acts", "reach", "without")    # what those start


def _built() -> Path:
    return paths.out(os.environ.get("LIBC") or "glibc") / "tests/cells"


def missing() -> str:
    """What of it is not built; empty when nothing."""
    return " ".join(name for name in PROGRAMS + HELPERS if not (_built() / name).exists())


def stripped(program: Path) -> cpio.Entry:
    """The machine unpacks half of it: what debuggers want stays here."""
    with tempfile.TemporaryDirectory() as folder:
        to = Path(folder) / program.name
        subprocess.run([arch.tool("strip"), "-o", to, program], check=True)
        return cpio.regular(to.read_bytes(), 0o755)


def files() -> dict:
    """All of it, laid out as in the tree."""
    sources = paths.QEMU.parent / "tests"
    tree = {} if missing() else {f"{TOP}/build/guest/tests/cells/{name}": stripped(_built() / name)
                                 for name in PROGRAMS + HELPERS}
    for file in [*(sources / "cells" / name for name in SCRIPTS), *(sources / "cells/lib").iterdir(),
                 sources / "seccomp/engine.json"]:
        tree[f"{TOP}/tests/{file.relative_to(sources)}"] = file
    tree["/etc/passwd"] = "root:x:0:0::/root:/bin/sh\ndaemon:x:1:1::/:/bin/false\nnobody:x:65534:65534::/:/bin/false\n"
    tree["/etc/group"] = "root:x:0:\ndaemon:x:1:\nnogroup:x:65534:\n"
    return tree


def prepare(m) -> None:
    """The places that a machine has and a small image has not."""
    if missing():
        m.skip(f"not built: {missing()} (make check-boot builds them)")
    m.ok("mkdir -p /mnt /tmp /srv /var/lib /home /root /opt /usr/local /boot /media /etc/opt /var/tmp /var/cache /var/log && chmod 1777 /tmp /var/tmp")
