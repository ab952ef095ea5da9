"""Programs that start the same process in turns: in one guest that counts instructions, and on this host."""
import os
import re
import subprocess
from pathlib import Path
from typing import NamedTuple

from lib import cpio, debs, guest, kernels, packages, paths
from lib.cell import Cell
from lib.machine import Hardware, Machine
from lib.tree import Tree

import boots
import programs

COUNT = 5           # starts per turn; the first warms up and does not count
LIMIT = 500         # seconds of real time for the guest


class Contestant(NamedTuple):
    name: str
    what: str               # for the reader of the table
    command: object         # command(folder) -> list; prints a line per start, see start.c
    version: object
    memory: object = None   # memory(folder) -> list; prints PSS and RSS
    size: object = None     # () -> bytes of the program
    missing: object = lambda: ""


class Group(NamedTuple):
    """Those that are compared with each other; the first is the floor."""
    name: str
    members: tuple
    debian: tuple           # programs of Debian packages that the guest needs
    files: object           # files(folder, limits) -> {path below the folder: content}
    prepare: object         # prepare(folder) -> lines of shell, run there before the first turn


class Turn(NamedTuple):
    name: str
    round: int
    first: float            # microseconds to the first instruction: the fastest start of this turn
    gone: float             # until nothing of it is left: likewise
    attest: float           # of these, the comparison; 0 when it is not said


class Outcome(NamedTuple):
    where: str
    turns: list
    memory: dict            # name -> (PSS, RSS) in KiB
    missing: dict           # name -> why
    notes: list = []        # what the preparation had to say


def _turn(name: str, number: int, lines) -> Turn:
    """Each line ends with first and gone; ours has setup and comparison before. What else a machine does only ever
    makes a start slower, so the fastest says most about the program."""
    rows = [[float(w) for w in line.split()] for line in lines][1:]
    return Turn(name, number, min(r[-2] for r in rows), min(r[-1] for r in rows),
                min(r[1] for r in rows) if len(rows[0]) == 4 else 0.0)


def order(members, rounds: int):
    """(round, member): each round begins with the next one."""
    for r in range(rounds):
        for i in range(len(members)):
            yield r, members[(r + i) % len(members)]


def _split(groups) -> tuple:
    """(members that can be measured, why the others cannot)."""
    missing = {m.name: m.missing() for g in groups for m in g.members if m.missing()}
    return [m for g in groups for m in g.members if m.name not in missing], missing


# ---- in the guest

INIT = """\
#!/bin/busybox sh
# PID 1 of the guest: makes it a machine, prepares what is measured, lets all start in turns, prints, turns off.
export PATH=/bin
cd /
if [ "$1" != again ]; then
	# A root that can be pivoted away from: the initramfs is none.
	busybox mkdir -p /new && busybox mount --bind / /new && cd /new && busybox mount --move . / || exit
	exec busybox chroot . /bench/turns again
fi
/bin/busybox --install -s /bin
mount -t proc proc /proc && mount -t sysfs sysfs /sys && mount -t devtmpfs dev /dev
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mkdir -p /sys/fs/cgroup/init /sys/fs/cgroup/bench
echo 1 >/sys/fs/cgroup/init/cgroup.procs
echo +cpu +memory +pids >/sys/fs/cgroup/cgroup.subtree_control
echo +cpu +memory +pids >/sys/fs/cgroup/bench/cgroup.subtree_control
cd /bench
take() {
	which=$1
	shift
	if "$@" >out 2>err; then
		sed "s/^/@$which /" out
	else
		echo "@failed $which $(tr '\\n' ' ' <err)"
	fi
}
"""


def _numbered(members, rounds: int) -> list:
    number = {m.name: i for i, m in enumerate(members)}
    lines = [" ".join(["take", f"memory:{number[m.name]}", *m.memory("/bench")]) for m in members if m.memory]
    return lines + [" ".join(["take", f"turn:{r}:{number[m.name]}", *m.command("/bench")])
                    for r, m in order(members, rounds)]


def image(groups, lines, to: Path) -> Path:
    """An initramfs that prepares what the groups need and then runs these lines of shell."""
    tree = Tree()
    tree.put("/dev/console", cpio.character(5, 1))
    for name in ("proc", "sys", "run", "tmp", "etc"):
        tree.put(f"/{name}", cpio.directory())
    tree.put("/bin/busybox", guest.busybox())
    tree.put("/bin/prior", cpio.regular(paths.prior().read_bytes(), 0o755))
    script = [INIT]
    for g in groups:
        tree.put_all(g.files("/bench", True), "/bench/")
        Cell(packages.section("bench-image"), programs=g.debian).place(tree, "")
        script += g.prepare("/bench")
    script.append("[ ! -e notes ] || sed 's/^/@note /' notes")
    tree.put("/bench/turns", "\n".join([*script, *lines, "poweroff -f", ""]))
    return tree.write(to)


def boot(initrd: Path, kernel) -> tuple:
    """(what the console said, how it ended)."""
    hw = Hardware(512, append="rdinit=/bench/turns", icount=boots.SHIFT)
    with Machine(kernel, initrd, initrd.parent, hw, LIMIT) as machine:
        machine.wait_end(LIMIT)
        return machine.console.text, machine.ending()


def in_guest(groups, rounds: int, kernel_name: str) -> Outcome:
    kernel = kernels.fetch(kernel_name)
    where = f"guest, {kernel.release}, instructions"
    members, missing = _split(groups)
    try:
        initrd = image(groups, _numbered(members, rounds), paths.build() / "bench/turns/initramfs")
    except (debs.PackageError, OSError) as e:
        return Outcome(where, [], {}, {**missing, **{m.name: str(e) for m in members}})
    text, ending = boot(initrd, kernel)
    lines, memory = {}, {}
    for r, i, line in re.findall(r"^@turn:(\d+):(\d+) (.*)$", text, re.M):
        lines.setdefault((int(r), int(i)), []).append(line)
    for i, pss, rss in re.findall(r"^@memory:(\d+) (\d+) (\d+)$", text, re.M):
        memory[members[int(i)].name] = (int(pss), int(rss))
    for i, why in re.findall(r"^@failed \w+:(?:\d+:)?(\d+) (.*)$", text, re.M):
        missing[members[int(i)].name] = why.strip()
    turns = [_turn(members[i].name, r, those) for (r, i), those in lines.items() if len(those) == COUNT]
    said = [line for line in text.splitlines() if not line.startswith(("@", "["))]
    for m in members:
        if not any(t.name == m.name for t in turns):
            missing.setdefault(m.name, f"the guest ended by {ending}: {' | '.join(said[-3:])}")
    return Outcome(where, turns, memory, missing, re.findall(r"^@note (.*)$", text, re.M))


# ---- on this host

def _lacks() -> str:
    if os.geteuid() != 0:
        return "needs root: namespaces, a cgroup, id maps"
    if subprocess.run(["unshare", "-m", "mount", "-t", "cgroup2", "cgroup2", "/sys/fs/cgroup"],
                      capture_output=True).returncode:
        return "no cgroup2 can be mounted on /sys/fs/cgroup"
    return ""


# cgroup2 where every program looks for it, for them alone; limits are left to the guest. Other work disturbs less.
APART = ["nice", "-n", "-20", "unshare", "-m", "sh", "-c",
         'mount -t cgroup2 cgroup2 /sys/fs/cgroup && mkdir -p /sys/fs/cgroup/bench && exec "$@"', "sh"]


def _prepare(groups, folder: Path) -> None:
    subprocess.run(["rm", "-rf", folder], check=True)
    for g in groups:
        for name, what in g.files(str(folder), False).items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(what, cpio.Entry):
                os.symlink(what.data, path) if what.data else path.mkdir(exist_ok=True)
            else:
                path.write_bytes(what.read_bytes() if isinstance(what, Path) else what.encode())
                path.chmod(0o755 if isinstance(what, Path) else 0o644)
    env = dict(os.environ, PATH=f"{paths.prior().parent}:{os.environ['PATH']}")
    for g in groups:
        script = "\n".join(["set -e", f"cd {folder}", *g.prepare(str(folder))])
        subprocess.run([*APART, "sh", "-c", script], env=env, check=True)


def on_host(groups, rounds: int) -> Outcome:
    where = f"host, {os.uname().release}"
    members, missing = _split(groups)
    folder = paths.build() / "bench/host"
    lack = _lacks()
    try:
        if not lack:
            _prepare(groups, folder)
    except (subprocess.CalledProcessError, OSError) as e:
        lack = str(e)
    if lack:
        return Outcome(where, [], {}, {**missing, **{m.name: lack for m in members}})
    turns = []
    for r, one in order(members, rounds):
        done = subprocess.run([*APART, *one.command(str(folder))], capture_output=True, text=True)
        lines = done.stdout.splitlines()
        if done.returncode or len(lines) != COUNT:
            missing[one.name] = done.stderr.strip() or f"exit {done.returncode}"
        else:
            turns.append(_turn(one.name, r, lines))
    notes = folder / "notes"
    return Outcome(where, turns, {}, missing, notes.read_text().splitlines() if notes.exists() else [])


def size_of(path) -> int:
    return path.stat().st_size if path and path.exists() else 0


def version(member: Contestant) -> str:
    return member.version()
