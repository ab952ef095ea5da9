"""Debian packages, downloaded and unpacked under the build folder, never installed.

Root is not needed. Each package is unpacked once, into BUILD/pkgs/NAME/; a Sysroot looks a
path up in several of them as if they were one root.
"""
import fcntl
import os
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path

from . import arch, paths


def _options() -> list:
    """For apt. When root runs it, it would drop to a user that cannot write into the build folder. Packages of another
    architecture are asked of the same sources; dpkg's architectures stay as they are."""
    foreign = [f"APT::Architecture={arch.current().name}", f"APT::Architectures={arch.current().name}"]
    return [word for o in ("APT::Sandbox::User=", *(foreign if arch.suffix() else ())) for word in ("-o", o)]


def _store() -> Path:
    return paths.build() / f"pkgs{arch.suffix()}"


class PackageError(Exception):
    """A package cannot be had; the text says which, and what apt said."""


@contextmanager
def alone(folder: Path):
    """Only one process at a time fills this folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _run(command: list, **more) -> str:
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)
    if done.returncode:
        raise PackageError(f"{' '.join(map(str, command))}: exit {done.returncode}\n{done.stderr.strip()}")
    return done.stdout


def _own_lists() -> list:
    """apt options for package lists of our own: the system's may be empty and only root may fill them."""
    state = _store() / ".apt"
    (state / "lists" / "partial").mkdir(parents=True, exist_ok=True)
    options = ["-o", f"Dir::State::lists={state}/lists", "-o", f"Dir::Cache::pkgcache={state}/pkgcache.bin",
               "-o", f"Dir::Cache::srcpkgcache={state}/srcpkgcache.bin"]
    if not (state / "updated").exists():
        _run(["apt-get", *_options(), *options, "-q", "update"])
        (state / "updated").touch()
    return options


def _lists_for(name: str) -> list:
    """The apt options under which this package is known."""
    if arch.suffix():
        return _own_lists()
    known = subprocess.run(["apt-cache", "show", "--no-all-versions", name], capture_output=True, text=True)
    return [] if known.returncode == 0 and known.stdout else _own_lists()


def depends(name: str, prefix: str) -> str:
    """The one dependency of a package whose name starts like this: how a metapackage names the real one."""
    found = _run(["apt-cache", *_options(), *_lists_for(name), "depends", "--important", name])
    names = [line.split()[1] for line in found.splitlines() if line.strip().startswith("Depends:")]
    fit = [n for n in names if n.startswith(prefix)]
    if len(fit) != 1:
        raise PackageError(f"package {name}: wanted one dependency like {prefix}*, found {fit or 'none'}")
    return fit[0]


def unpack(name: str) -> Path:
    """The folder this package is unpacked in, downloading it when it is not there yet."""
    store = _store()
    folder = store / name
    if folder.exists():
        return folder
    with alone(store):
        if folder.exists():
            return folder
        fresh = store / f".{name}.part"
        shutil.rmtree(fresh, ignore_errors=True)
        (fresh / "root").mkdir(parents=True)
        _run(["apt-get", *_options(), *_lists_for(name), "-q", "download", name], cwd=fresh)
        (deb,) = fresh.glob("*.deb")
        _run(["dpkg-deb", "-x", str(deb), str(fresh / "root")])
        os.replace(fresh / "root", folder)
        shutil.rmtree(fresh)
    return folder


class Sysroot:
    """Several unpacked packages looked at as one root. Absolute symlinks stay inside it."""

    def __init__(self, names):
        self.names = list(names)
        self.roots = [unpack(n) for n in self.names]

    def _here(self, path: str):
        """The host path of an absolute path, unresolved; None when no package has it.
        A merged /usr is assumed, as Debian has it: /lib is /usr/lib."""
        for one in (path, "/usr" + path, path.removeprefix("/usr")):
            for root in self.roots:
                host = root / one.lstrip("/")
                if host.is_symlink() or host.exists():
                    return host
        return None

    def find(self, path: str):
        """The host path of the file an absolute path leads to, symlinks followed; None when it is in no package."""
        for _ in range(16):
            host = self._here(path)
            if host is None or not host.is_symlink():
                return host
            target = os.readlink(host)
            path = os.path.normpath(os.path.join(os.path.dirname(path), target))
        return None

    def need(self, path: str) -> Path:
        host = self.find(path)
        if host is None:
            raise PackageError(f"{path}: not in any of {', '.join(self.names)}")
        return host

    def tree(self, path: str):
        """Every regular file below a directory: (absolute path, host path), sorted."""
        found = {}
        for root in self.roots:
            top = root / path.lstrip("/")
            for host in top.rglob("*") if top.is_dir() else ():
                if host.is_file() or host.is_symlink():
                    found.setdefault(f"/{host.relative_to(root)}", host)
        for name in sorted(found):
            target = self.find(name)
            if target is not None and target.is_file():
                yield name, target
