"""The start of a confined process: ours, the floor, bubblewrap and crun, in turns; in the guest and on this host."""
import base64
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

from lib import cpio, debs, guest, kernels, packages, paths
from lib.cell import Cell
from lib.machine import Hardware, Machine
from lib.tree import Tree

import boots
import cells
import programs

CGROUP = "/sys/fs/cgroup/bench"
COUNT = 4           # starts per turn; the first warms up and does not count
LIMIT = 400         # seconds of real time for the guest
FILTER_HERE = "@FILTER@"


class Contestant(NamedTuple):
    name: str
    what: str
    command: object     # command(folder) -> list
    version: object


FLOOR = "floor"
OURS, UNATTESTED = "prior, attested", "prior, not attested"


def _cell(program: str, *more):
    return lambda at: [f"{at}/{program}", f"{at}/cell.plan", "bench", CGROUP, str(COUNT), *more]


CONTESTANTS = (
    Contestant(FLOOR, "the same system calls, in C", _cell("floor"), lambda: "tests/bench/floor.c"),
    Contestant(UNATTESTED, "preset strict, no comparison", _cell("spawn", "unattested", "timing"), programs.ours),
    Contestant(OURS, "preset strict", _cell("spawn", "timing"), programs.ours),
    Contestant("bubblewrap", "no cgroup, time namespace, Landlock",
               lambda at: [f"{at}/start", str(COUNT), *cells.bubblewrap(f"{at}/root")],
               lambda: programs.installed("bubblewrap")),
    Contestant("crun", "no time namespace, Landlock",
               lambda at: [f"{at}/start", str(COUNT), *cells.crun(f"{at}/bundle", True)],
               lambda: programs.installed("crun")),
)


class Turn(NamedTuple):
    name: str
    round: int
    first: float        # median microseconds to the first instruction, of this turn
    gone: float         # until nothing of it is left
    attest: float       # of these, the comparison; 0 when it is not said


class Outcome(NamedTuple):
    where: str
    turns: list
    why: str            # why there are none, or not all


def _median(values) -> float:
    values = sorted(values)
    return values[len(values) // 2]


def _turn(name: str, number: int, lines) -> Turn:
    """Each line ends with first and gone; ours has setup and comparison before."""
    rows = [[float(w) for w in line.split()] for line in lines][1:]
    return Turn(name, number, _median(r[-2] for r in rows), _median(r[-1] for r in rows),
                _median(r[1] for r in rows) if len(rows[0]) == 4 else 0.0)


def _order(rounds: int):
    """(round, contestant): each round begins with the next one."""
    for r in range(rounds):
        for i in range(len(CONTESTANTS)):
            yield r, (r + i) % len(CONTESTANTS)


def _files(at: str, limits: bool) -> dict:
    """Path below the folder -> content."""
    found = {name: programs.program(name) for name in ("floor", "start")}
    found["spawn"] = paths.prior().parent / "tests/bench/spawn"
    found["root/hello"] = programs.program("hello")
    found["cell.yaml"] = cells.yaml(f"{at}/root", limits)
    found["bundle/config.json"] = cells.Bundle(f"{at}/root", limits, FILTER_HERE).config()
    return found


# ---- in the guest

PREPARE = f"""\
#!/bin/busybox sh
# PID 1 of the guest: makes it a machine, prepares the cell, lets all start in turns, prints and turns off.
export PATH=/bin
cd /
if [ "$1" != again ]; then
	# A root that can be pivoted away from: the initramfs is none.
	busybox mkdir -p /new && busybox mount --bind / /new && cd /new && busybox mount --move . / || exit
	exec busybox chroot . /bench/rounds again
fi
busybox mount -t proc proc /proc && busybox mount -t sysfs sysfs /sys && busybox mount -t devtmpfs dev /dev
busybox mount -t cgroup2 cgroup2 /sys/fs/cgroup
busybox mkdir -p /sys/fs/cgroup/init {CGROUP} /run/crun
echo 1 >/sys/fs/cgroup/init/cgroup.procs
echo +cpu +memory +pids >/sys/fs/cgroup/cgroup.subtree_control
echo +cpu +memory +pids >{CGROUP}/cgroup.subtree_control
cd /bench
prior compile cell.yaml -o cell.plan || busybox poweroff -f
./floor cell.plan bench filter >filter.bpf
busybox sed -i "s|{FILTER_HERE}|$(busybox base64 -w 0 filter.bpf)|" bundle/config.json
export START_FILE=/bench/filter.bpf
turn() {{
	which=$1
	shift
	if "$@" >out 2>err; then
		busybox sed "s/^/@turn $which /" out
	else
		echo "@failed $which $(busybox tr '\\n' ' ' <err)"
	fi
}}
"""


def _guest_image(rounds: int, to: Path) -> Path:
    tree = Tree()
    tree.put("/dev/console", cpio.character(5, 1))
    for name in ("proc", "sys", "run", "tmp", "etc", *(f"bench/root/{p}" for p in cells.MOUNT_POINTS)):
        tree.put(f"/{name}", cpio.directory())
    tree.put("/bin/busybox", guest.BUSYBOX)
    tree.put("/bin/prior", cpio.regular(paths.prior().read_bytes(), 0o755))
    tree.put_all(_files("/bench", limits=True), "/bench/")
    Cell(packages.section("bench-image"), programs=["/usr/bin/bwrap", "/usr/bin/crun"]).place(tree, "")
    lines = [" ".join(["turn", f"{r}:{i}", *CONTESTANTS[i].command("/bench")]) for r, i in _order(rounds)]
    script = PREPARE + "\n".join(lines) + "\nbusybox poweroff -f\n"
    tree.put("/bench/rounds", script)
    return tree.write(to)


def in_guest(rounds: int, kernel_name: str) -> Outcome:
    kernel = kernels.fetch(kernel_name)
    where = f"guest, {kernel.release}"
    folder = paths.build() / "bench/spawn-guest"
    try:
        initrd = _guest_image(rounds, folder / "initramfs")
    except (debs.PackageError, OSError) as e:
        return Outcome(where, [], str(e))
    hw = Hardware(512, append="rdinit=/bench/rounds", icount=boots.SHIFT)
    with Machine(kernel, initrd, folder, hw, LIMIT) as machine:
        machine.wait_end(LIMIT)
        text, ending = machine.console.text, machine.ending()
    said = {}
    for r, i, line in re.findall(r"^@turn (\d+):(\d+) (.*)$", text, re.M):
        said.setdefault((int(r), int(i)), []).append(line)
    turns = [_turn(CONTESTANTS[i].name, r, lines) for (r, i), lines in said.items() if len(lines) == COUNT]
    failed = dict((CONTESTANTS[int(i)].name, why) for i, why in re.findall(r"^@failed \d+:(\d+) (.*)$", text, re.M))
    why = "; ".join(f"{name}: {said}" for name, said in failed.items())
    if not turns or ending != "poweroff":
        why = f"{ending}: {why or text[-400:]}"
    return Outcome(where, turns, why)


# ---- on this host

def _host_lacks() -> str:
    if os.geteuid() != 0:
        return "needs root: namespaces, a cgroup, id maps"
    if subprocess.run(["unshare", "-m", "mount", "-t", "cgroup2", "cgroup2", "/sys/fs/cgroup"],
                      capture_output=True).returncode:
        return "no cgroup2 can be mounted on /sys/fs/cgroup"
    return ""


def _prepare_host() -> Path:
    folder = paths.build() / "bench/cell"
    shutil.rmtree(folder, ignore_errors=True)
    for name in cells.MOUNT_POINTS:
        (folder / "root" / name).mkdir(parents=True)
    for name, what in _files(str(folder), limits=False).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        if isinstance(what, Path):
            shutil.copy(what, folder / name)
        else:
            (folder / name).write_text(what)
    subprocess.run([paths.prior(), "compile", "cell.yaml", "-o", "cell.plan"], cwd=folder, check=True)
    said = subprocess.run(["./floor", "cell.plan", "bench", "filter"], cwd=folder, check=True, stdout=subprocess.PIPE)
    (folder / "filter.bpf").write_bytes(said.stdout)
    config = folder / "bundle/config.json"
    config.write_text(config.read_text().replace(FILTER_HERE, base64.b64encode(said.stdout).decode()))
    return folder


def on_host(rounds: int) -> Outcome:
    where = f"host, {os.uname().release}"
    lack = _host_lacks()
    if lack:
        return Outcome(where, [], lack)
    try:
        folder = _prepare_host()
    except (subprocess.CalledProcessError, OSError) as e:
        return Outcome(where, [], str(e))
    env = dict(os.environ, START_FILE=str(folder / "filter.bpf"))
    # cgroup2 where every program looks for it, for them alone; limits are left to the guest.
    apart = ["unshare", "-m", "sh", "-c", f'mount -t cgroup2 cgroup2 /sys/fs/cgroup && mkdir -p {CGROUP} && exec "$@"', "sh"]
    turns, failed = [], {}
    for r, i in _order(rounds):
        one = CONTESTANTS[i]
        done = subprocess.run([*apart, *one.command(str(folder))], env=env, capture_output=True, text=True)
        lines = done.stdout.splitlines()
        if done.returncode or len(lines) != COUNT:
            failed[one.name] = done.stderr.strip() or f"exit {done.returncode}"
        else:
            turns.append(_turn(one.name, r, lines))
    return Outcome(where, turns, "; ".join(f"{name}: {why}" for name, why in failed.items()))
