"""Netlink messages that take a kernel with all its modules fail one by one: ipvlan, VLAN, an egress list's rules."""
import os
import py_compile
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from lib import arch, cells, cpio, paths
from lib.image import BRIDGE, Image
from lib.machine import Hardware

kernels = ["6.12"]
libcs = ["glibc"]
limit = 300
hardware = Hardware(memory=384)

MODULES = (*BRIDGE, "ipvlan", "8021q")
TOP = "/t"
SOURCES = paths.QEMU.parent / "tests/fault"
HELPERS = [paths.out("glibc") / "tests" / name for name in ("fault/net", "fault/stages", "cells/tool")]
PROGRAMS = ("ip", "nft")
PYTHON = os.path.realpath(sys.executable)
ENVIRONMENT = f"PATH={TOP}:$PATH PRIOR=/sbin/prior BUILD={TOP}/build LIBC=guest FEW=1 PATIENCE=60"

IMPORTED = "import sys; sys.path.insert(0, sys.argv[1]); import machine, encodings.ascii, encodings.latin_1; " \
    "print(*(m.__file__ for m in sys.modules.values() if getattr(m, '__file__', None)), sep='\\n')"


def lacks():
    """What this host has not got for it; empty when nothing."""
    if arch.suffix():
        return "this host's programs do not run there"
    lost = [p for p in PROGRAMS if not shutil.which(p)] + [str(p) for p in HELPERS if not p.exists()]
    return "needs " + " and ".join(lost) if lost else ""


def compiled(source: str) -> bytes:
    """There it would take longer than the tests."""
    with tempfile.NamedTemporaryFile() as to:
        mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
        py_compile.compile(source, to.name, doraise=True, invalidation_mode=mode)
        return Path(to.name).read_bytes()


class Tests:
    """Placed as a Cell is, when the image is made."""

    def place(self, tree, root):
        if not lacks():
            tree.put_all(files(), root)


def files():
    """Our tests, the host's Python and as much of its library as they import, what looks at networks, and libraries."""
    modules = subprocess.run([PYTHON, "-ISB", "-c", IMPORTED, SOURCES], env={"PRIOR": ""}, text=True,
                             stdout=subprocess.PIPE, check=True).stdout.split()
    tree = {f"{TOP}/build/guest/tests/{p.parent.name}/{p.name}": cells.stripped(p) for p in HELPERS}
    tree |= {f"{TOP}/tests/fault/{p.name}": p for p in [*SOURCES.glob("*.py"), SOURCES / "inside"]}
    tree |= {f"{TOP}/{name}": Path(shutil.which(name)) for name in PROGRAMS}
    tree |= {f"{TOP}/python3": cpio.symlink(PYTHON), PYTHON: Path(PYTHON)}
    tree |= {m + "c" if m.endswith(".py") else m: compiled(m) if m.endswith(".py") else Path(m) for m in modules}
    binaries = [str(p) for p in tree.values() if isinstance(p, Path) and p.suffix != ".py"]
    said = subprocess.run(["ldd", *binaries], text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    return tree | {p: Path(p) for p in re.findall(r"(/\S+) \(0x", said)}


image = Image(config=f"version: 1\nmachine: {{modules: [{', '.join(MODULES)}]}}\n", modules=MODULES, own=Tests())


def run(m):
    if why := lacks():
        m.skip(why)
    m.ok("mkdir -p /tmp && mount -t tmpfs none /tmp")
    m.ladder(f"{ENVIRONMENT} python3 -ISB {TOP}/tests/fault/inside", 250)
