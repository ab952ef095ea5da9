"""Boots each init with N services in QEMU and collects what the observer in the guest says."""
import json
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import BoundedSemaphore
from typing import NamedTuple

from lib import debs, kernels, paths
from lib.machine import Hardware, Machine

from inits import Init

SHIFT = 1           # each instruction is 2 ns of guest time
MEMORY = 2048       # MiB: the kernel then allows 10,000 orphans at once
LIMIT = 900         # seconds of real time for one boot: 500 attested cells take half a minute on a quiet machine
AT_ONCE = 2
SAID = re.compile(r"@bench (\{.*\})\s*$", re.M)


class Boot(NamedTuple):
    init: Init
    services: int
    orphans: int        # 0: they are not measured in this boot
    round: int


class Result(NamedTuple):
    boot: Boot
    said: dict          # the observer's line; empty when there is none
    why: str            # then: why not


def _tail(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return " | ".join(line[:100] for line in lines[-3:]) or "the console is empty"


def run(boot: Boot, kernel, keep: Path = None) -> Result:
    """keep: where what the console said is to be left."""
    init = boot.init
    why = init.missing()
    if why:
        return Result(boot, {}, why)
    folder = paths.build() / "bench/boots" / re.sub(r"\W+", "-", f"{init.name}-{boot.services}-{boot.round}")
    command = ["/bench/first", str(boot.services), str(boot.orphans), *init.command(boot.services)]
    append = f"{init.append} rdinit={command[0]} -- {' '.join(command[1:])}".strip()
    try:
        initrd = init.image(boot.services, folder / "initramfs")
    except (debs.PackageError, subprocess.CalledProcessError, OSError) as e:
        return Result(boot, {}, str(e))
    with Machine(kernel, initrd, folder, Hardware(MEMORY, append=append, icount=SHIFT), LIMIT) as machine:
        machine.wait_end(LIMIT)
        text, ending = machine.console.text, machine.ending()
    initrd.unlink()
    if keep:
        keep.write_text(text)
    found = SAID.search(text)
    if not found:
        return Result(boot, {}, f"{ending}, nothing measured: {_tail(text)}")
    said = json.loads(found.group(1))
    if said["reported"] < said["services"]:
        return Result(boot, said, f"only {said['reported']} of {said['services']} services reported: "
                                  f"{_tail(text[:found.start()])}")
    return Result(boot, said, "")


def run_all(boots, kernel_name: str, tell, others=None) -> list:
    """All of them, two at a time with what else is going on (a future): the guest's time does not depend on the load."""
    kernel = kernels.fetch(kernel_name)
    done = []
    room = BoundedSemaphore(AT_ONCE)
    if others:
        room.acquire()
        others.add_done_callback(lambda _: room.release())

    def one(boot: Boot) -> Result:
        with room:
            result = run(boot, kernel)
        done.append(result)
        tell(len(done), len(boots), result)
        return result
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(one, boots))
