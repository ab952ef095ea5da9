"""The power is cut at random moments of boot, update and end: it always boots again, and no file system is lost.

CUTS=30 cuts so often, SEED=N at other moments; `make soak` does.
"""
import os
import random
import shutil
import subprocess
import time

from lib import drive
from lib.image import Image
from lib.machine import Hardware

CUTS, SEED = int(os.environ.get("CUTS", "4")), int(os.environ.get("SEED", "6"))
kernels = ["6.12"]
libcs = ["glibc"]
limit = 120 + 40 * CUTS
hardware = Hardware(append="prior.slot=a")

# The longest a phase is left alone, in seconds; the moment within it is random.
PHASES = {"boot": 3.0, "update": 1.5, "end": 0.7}

image = Image(modules=["virtio_blk", "virtio_pci"], config="""
version: 1
machine:
  emergency: halt
  mounts: [{source: LABEL=data, target: /var, timeout: 60s}]
  random_seed: /var/prior/random-seed
  last_boot: /var/prior/last-boot
  slots: {by: files, at: /var/prior/slots, good_after: 100ms, list: [{name: a}, {name: b}]}
services:
  writer:
    command: [/bin/busybox, sh, -c, 'while :; do echo line $((i=i+1)); usleep 20000; done']
    logs: {sink: file, max_bytes: 64K, max_files: 2}
""")

UPDATE = ("i=0; while :; do i=$((i+1)); prior slot switch b; seq $i $((i+999)) >/var/new; sync; mv /var/new /var/current;"
          " sync; prior slot switch a; prior disable writer; prior enable writer; done")


def disks(at):
    return [drive.ext4(at, "data.img", 24, "-L", "data")]


def check(disk):
    """The journal makes a copy whole, and then nothing is wrong with it."""
    copy = disk.with_name("copy.img")
    shutil.copyfile(disk, copy)
    for how, worst in (("-p", 1), ("-fn", 0)):
        done = subprocess.run(["e2fsck", how, copy], capture_output=True, text=True)
        assert done.returncode <= worst, f"e2fsck {how}: {done.stdout}{done.stderr}"


def is_well(m):
    """All that prior keeps can be read, and what was replaced is the old one or the new one."""
    m.wait_ready(60)
    if m.status("writer")["enabled"]:
        m.wait_state("writer", "up", seconds=30)
    else:       # cut between `disable` and `enable`
        assert m.ok("cat /var/lib/prior/enabled/writer") == "no\n"
        m.ok("prior enable --now writer")
    assert {s["slot"] for s in m.json("prior slot --json")["slots"]} == {"a", "b"}
    m.ok("test ! -e /var/current || test $(wc -l </var/current) = 1000")
    m.ok("test -w /var")
    return m.json("prior last-boot --json") if m.sh("prior last-boot")[0] == 0 else None


def cut(m, phase, moment):
    with m.boot_again(ready=False) as machine:
        if phase != "boot":
            is_well(machine)
            machine.start(UPDATE if phase == "update" else "prior poweroff")
        time.sleep(moment)
    check(m.disks[0])


def run(m):
    assert is_well(m) is None
    m.ok("mkdir -p /var/lib && prior disable writer && prior enable writer")    # as the updates will
    m.ends("poweroff", "poweroff")
    chance = random.Random(SEED)
    for n in range(CUTS):
        phase = list(PHASES)[n % len(PHASES)]
        moment = chance.uniform(0, PHASES[phase])
        try:
            cut(m, phase, moment)
        except Exception as e:
            raise AssertionError(f"cut {n} (SEED={SEED}), {moment:.3f} s into {phase}: {e}") from e
    with m.boot_again(ready=False) as last:
        assert is_well(last)["boot"] > 1
        assert "emergency" not in last.console
        last.ends("poweroff", "poweroff")
    m.note(f"{CUTS} cuts, SEED={SEED}")


run.ready = False
