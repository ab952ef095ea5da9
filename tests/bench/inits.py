"""The inits whose boots are compared: what each needs in its image to run N times the same service."""
import os
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple, Optional

from lib import cpio, guest, packages, paths
from lib.cell import Cell
from lib.tree import Tree

import programs

MARKS = "/bench/mark"
SHELL = "#!/bin/busybox sh\n"


class Init(NamedTuple):
    name: str
    what: str               # for the reader of the table
    command: object         # command(n) -> how PID 1 is executed
    fill: object            # fill(tree, n): what it needs in the image
    version: object         # version() -> str
    append: str = ""        # kernel command line
    missing: object = lambda: None      # why it cannot be measured; None when it can
    large: bool = True      # with 500 services too
    plain: bool = True      # reaps orphans differently from the others here

    def image(self, n: int, to: Path) -> Path:
        tree = Tree()
        tree.put("/dev/console", cpio.character(5, 1))
        for name in ("dev", "proc", "sys", "run", "tmp", "var/log"):
            tree.put(f"/{name}", cpio.directory())
        tree.put("/bench/first", programs.program("first"))
        tree.put("/bench/hello", programs.program("hello"))
        tree.put(MARKS, cpio.directory())
        for i in range(n):
            tree.put(f"{MARKS}/{i}", "")
        self.fill(tree, n)
        return tree.write(to)


# ---- the floor

def _floor(tree: Tree, n: int) -> None:
    tree.put("/bench/floor_init", programs.program("floor_init"))


# ---- ours

PRIOR_LOCAL = "/etc/prior/prior.yaml"


def services(n: int, preset: str) -> str:
    """The YAML of N services."""
    lines = ["# N times the same service, for the measurement of a boot.", "version: 1", "services:"]
    if not n:
        lines[-1] += " {}"
    lines += [f"  s{i}: {{command: [/bench/hello, {MARKS}/{i}], restart: always, isolation: {{preset: {preset}}}}}"
              for i in range(n)]
    return "\n".join(lines) + "\n"


def _prior(preset: str, libc: str):
    def fill(tree: Tree, n: int) -> None:
        tree.put("/sbin/prior", cpio.regular(programs.prior(libc).read_bytes(), 0o755))
        tree.put(PRIOR_LOCAL, services(n, preset))
    return fill


def _compiled(tree: Tree, n: int) -> None:
    """The plan instead of the YAML: compiled in a folder that is the image's root, where its paths are right."""
    root = paths.build() / f"bench/compile-{n}"
    for name, what in {"prior": programs.prior(), "bench/hello": programs.program("hello")}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(what, root / name)
    (root / "prior.yaml").write_text(services(n, "none"))
    subprocess.run(["chroot", root, "/prior", "compile", "/prior.yaml", "-o", "/plan"], check=True, capture_output=True)
    tree.put("/sbin/prior", cpio.regular(programs.prior().read_bytes(), 0o755))
    tree.put("/etc/prior/plan", root / "plan")
    shutil.rmtree(root)


def _no_prior(libc: str):
    return lambda: None if programs.prior(libc) else f"no program built with {libc}: make LIBC={libc} first"


def prior(name: str, what: str, preset: str, libc: str = "glibc") -> Init:
    return Init(name, what, lambda n: ["/sbin/prior"], _prior(preset, libc),
                lambda: f"{programs.ours()} ({libc})", missing=_no_prior(libc),
                large=libc == "glibc", plain=preset == "none")


# ---- peers: their early mounts are one small static program, their services need no shell

def _shell(tree: Tree) -> None:
    tree.put("/bin/busybox", guest.busybox())
    tree.put("/bin/sh", cpio.symlink("busybox"))
    tree.put("/bench/floor_init", programs.program("floor_init"))


def _busybox(tree: Tree, n: int) -> None:
    _shell(tree)
    tree.put("/sbin/init", cpio.symlink("../bin/busybox"))
    lines = ["::sysinit:/bench/floor_init mounts"]
    lines += [f"::respawn:/bench/hello {MARKS}/{i}" for i in range(n)]
    tree.put("/etc/inittab", "\n".join(lines) + "\n")


def _folders(tree: Tree, n: int) -> None:
    """A service directory each, for runit and s6: run is the program itself."""
    tree.put("/bench/sv", cpio.directory())
    for i in range(n):
        tree.put(f"/bench/sv/s{i}/run", cpio.symlink("/bench/hello"))
        tree.put(f"/bench/sv/s{i}/mark", cpio.symlink(f"{MARKS}/{i}"))


def _debian(tree: Tree, programs_of_it) -> None:
    Cell(packages.section("bench-image"), programs=programs_of_it).place(tree, "")


def _runit(tree: Tree, n: int) -> None:
    _shell(tree)
    _debian(tree, ["/sbin/runit", "/usr/bin/runsvdir", "/usr/bin/runsv"])
    _folders(tree, n)
    tree.put("/etc/runit/1", SHELL + "exec /bench/floor_init mounts\n")
    tree.put("/etc/runit/2", SHELL + "exec /usr/bin/runsvdir /bench/sv\n")


def _s6(tree: Tree, n: int) -> None:
    _shell(tree)
    _debian(tree, ["/usr/bin/s6-svscan", "/usr/bin/s6-supervise"])
    _folders(tree, n)
    tree.put("/bench/s6", SHELL + "/bench/floor_init mounts\nexec /usr/bin/s6-svscan -c 2000 /bench/sv\n")


FLOOR = "floor"
INITS = (
    Init(FLOOR, "4 mounts, fork and exec, in C", lambda n: ["/bench/floor_init", str(n)], _floor,
         lambda: "tests/bench/floor_init.c"),
    Init("floor, vfork", "the same, vfork and exec", lambda n: ["/bench/floor_init", str(n), "vfork"], _floor,
         lambda: "tests/bench/floor_init.c", large=False, plain=False),
    prior("prior, unconfined", "preset none", "none"),
    Init("prior, compiled", "preset none, from a plan", lambda n: ["/sbin/prior"], _compiled,
         lambda: f"{programs.ours()} (glibc)", "prior.config=/etc/prior/plan",
         lambda: None if os.geteuid() == 0 else "needs root: the plan is compiled with chroot", plain=False),
    prior("prior, confined", "preset server, each attested", "server"),
    prior("prior musl, unconfined", "preset none", "none", "musl"),
    prior("prior musl, confined", "preset server, each attested", "server", "musl"),
    Init("busybox init", "inittab, respawn", lambda n: ["/sbin/init"], _busybox,
         lambda: programs.installed("busybox-static")),
    Init("runit", "runit, runsvdir, a runsv each", lambda n: ["/sbin/runit"], _runit,
         lambda: programs.unpacked("runit")),
    Init("s6", "s6-svscan, an s6-supervise each", lambda n: ["/bench/s6"], _s6,
         lambda: programs.unpacked("s6")),
)


def by_name(name: str) -> Optional[Init]:
    return next((i for i in INITS if i.name == name), None)
