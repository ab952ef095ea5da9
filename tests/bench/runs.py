"""`prior run` beside tini, catatonit and dumb-init: each as PID 1 of a namespace, with one child that ends at once."""
import shutil
from pathlib import Path

from lib import paths

import programs
from turns import COUNT, Contestant, Group, size_of

BARE = "bare exec"


def _which(program: str):
    return lambda: Path(found) if (found := shutil.which(program)) else None


def _supervisor(name: str, binary, version, *options) -> Contestant:
    """binary: () -> Path; the same path in the guest and on the host, but for ours, which lie in the folder."""
    ours = name.startswith("prior")

    def command(at: str) -> list:
        return [f"{at}/{binary().parent.name}-prior" if ours else str(binary()), *options, "--", f"{at}/hello"]
    return Contestant(name, "", lambda at: [f"{at}/start", "-1", str(COUNT), *command(at)], version,
                      lambda at: [f"{at}/start", "-m", *command(at), "stay"], lambda: size_of(binary()),
                      lambda: "" if binary() else "is not built" if ours else "is not installed")


def _ours(libc: str):
    return lambda: programs.prior(libc)


def _small():
    built = paths.build() / "run-only" / "prior-run"
    return built if built.exists() else None


def _files(at: str, limits: bool) -> dict:
    found = {name: programs.program(name) for name in ("start", "hello")}
    found.update({f"{libc}-prior": programs.prior(libc) for libc in ("glibc", "musl") if programs.prior(libc)})
    if _small():
        found["run-only-prior"] = _small()
    return found


RUNS = Group("one command", (
    Contestant(BARE, "execve of the child", lambda at: [f"{at}/start", "-1", str(COUNT), f"{at}/hello"],
               lambda: "tests/bench/hello.c", lambda at: [f"{at}/start", "-m", f"{at}/hello", "stay"],
               lambda: size_of(programs.program("hello"))),
    _supervisor("prior run", _ours("glibc"), lambda: f"{programs.ours()} (glibc)", "run"),
    _supervisor("prior run, musl", _ours("musl"), lambda: f"{programs.ours()} (musl)", "run"),
    _supervisor("prior run, small", _small, lambda: f"{programs.ours()} (make run-only)"),
    _supervisor("tini", _which("tini"), lambda: programs.installed("tini")),
    _supervisor("tini-static", _which("tini-static"), lambda: programs.installed("tini")),
    _supervisor("catatonit", _which("catatonit"), lambda: programs.installed("catatonit")),
    _supervisor("dumb-init", _which("dumb-init"), lambda: programs.installed("dumb-init")),
), ("/usr/bin/tini", "/usr/bin/tini-static", "/usr/bin/catatonit", "/usr/bin/dumb-init"), _files, lambda at: [])
