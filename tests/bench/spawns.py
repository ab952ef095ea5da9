"""The start of a confined process: ours, a floor that makes the same system calls, bubblewrap and crun."""
from lib import cpio, guest, paths

import cells
import programs
from turns import COUNT, Contestant, Group

FLOOR = "floor"
OURS, UNATTESTED = "prior, attested", "prior, not attested"
CGROUP = "/sys/fs/cgroup/bench"
FILTER_HERE = "@FILTER@"
LOOKS = 50      # lines that a look at a cell has at least


def _cell(program: str, *more):
    return lambda at: [f"{at}/{program}", f"{at}/cell.plan", "bench", CGROUP, str(COUNT), *more]


def _peer(command):
    return lambda at: ["env", f"START_FILE={at}/filter.bpf", f"{at}/start", str(COUNT), *command(at)]


def _files(at: str, limits: bool) -> dict:
    found = {name: programs.program(name) for name in ("floor", "start")}
    found.update({f"root/{name}": cpio.directory() for name in cells.MOUNT_POINTS})
    found["spawn"] = paths.prior().parent / "tests/bench/spawn"
    found["root/busybox"] = guest.busybox()
    found.update({f"root/bin/{tool}": cpio.symlink("/busybox") for tool in cells.TOOLS})
    found["root/hello"] = programs.program("hello")
    found["cell.yaml"] = cells.yaml(f"{at}/root", limits)
    found["bundle/config.json"] = cells.config(f"{at}/root", limits, FILTER_HERE)
    return found


def _prepare(at: str) -> list:
    """The plan; from it the filter for those that are not ours; and whether the floor's cell is our cell."""
    return ["prior compile cell.yaml -o cell.plan >compiled 2>&1 || cat compiled",
            "./floor cell.plan bench filter >filter.bpf",
            f'sed -i "s|{FILTER_HERE}|$(base64 -w 0 filter.bpf)|" bundle/config.json',
            f"./spawn cell.plan look {CGROUP} show >look.ours 2>&1",
            f"./floor cell.plan look {CGROUP} show >look.floor 2>&1",
            f"if [ $(wc -l <look.ours) -lt {LOOKS} ]; then echo the cell cannot be looked at: $(cat look.ours)",
            "elif cmp -s look.ours look.floor; then echo the cell of the floor is ours, by $(wc -l <look.ours) lines",
            "else echo the cell of the floor is not ours: $(diff look.ours look.floor); fi >notes"]


CELLS = Group("start of a confined process", (
    Contestant(FLOOR, "the same system calls, in C", _cell("floor"), lambda: "tests/bench/floor.c"),
    Contestant(UNATTESTED, "preset strict, nothing compared", _cell("spawn", "unattested", "timing"), programs.ours),
    Contestant(OURS, "preset strict", _cell("spawn", "timing"), programs.ours),
    Contestant("bubblewrap", "no cgroup, time namespace, Landlock", _peer(lambda at: cells.bubblewrap(f"{at}/root")),
               lambda: programs.installed("bubblewrap")),
    Contestant("crun", "no time namespace, Landlock", _peer(lambda at: cells.crun(f"{at}/bundle")),
               lambda: programs.installed("crun")),
), ("/usr/bin/bwrap", "/usr/bin/crun"), _files, _prepare)
