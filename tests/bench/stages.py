"""The demo appliance from the kernel's start until all its services are ready, stage by stage."""
import re
from typing import NamedTuple

from lib import debs, folder, kernels, modules, paths
from lib.machine import Hardware, Infrastructure, Machine
from lib.port import NotSaid, PortClosed

from figures import table

SHIFT = 1           # each instruction is 2 ns of guest time
LIMIT = 180         # seconds of real time
STAGE = re.compile(r"prior: ([a-z0-9]+) +(\d+) us")
SETTLED = re.compile(r"settled ([\d.]+) (m?s) after the kernel's start")


class Stages(NamedTuple):
    us: dict            # stage -> microseconds; the services are the last
    why: str = ""       # why not


def measure(kernel_name: str) -> Stages:
    kernel = kernels.fetch(kernel_name)
    place = paths.build() / "bench/stages"
    try:
        initrd = folder.load(paths.TOP / "configs/demo").image.build(place / "initramfs", kernel, paths.prior("glibc"))
        with Machine(kernel, initrd, place, Hardware(icount=SHIFT), LIMIT) as machine:
            machine.console.wait("after the kernel's start", LIMIT)
            said = machine.console.text
    except (debs.PackageError, modules.ModuleError, folder.FolderError, Infrastructure, NotSaid, PortClosed,
            OSError) as e:
        return Stages({}, str(e) or type(e).__name__)
    us = {name: int(n) for name, n in STAGE.findall(said)}
    number, unit = SETTLED.search(said).groups()
    return Stages({**us, "services": round(float(number) * {"s": 1e6, "ms": 1e3}[unit]) - sum(us.values())})


def text(s: Stages) -> str:
    if s.why:
        return f"the demo appliance: not measured: {s.why}"
    rows = [(name, f"{us / 1000:.1f}") for name, us in s.us.items() if us >= 100]
    return ("the demo appliance, from the kernel's start until all services are ready (guest, instructions); what takes\n"
            "less than 0.1 ms is left out\n" + table(("", "ms"), [*rows, ("all", f"{sum(s.us.values()) / 1000:.1f}")]))
