"""10,000 orphans in a burst are all reaped by PID 1, and by the reaper of a cell that has its own."""
from lib.image import Image

kernels = ["6.1"]     # nothing of it is the kernel's doing
libcs = ["glibc"]
limit = 240

image = Image(config="""
version: 1
services:
  nursery:
    command: [/bin/busybox, sh, -c, '/bin/probe orphans 1000 && exec /bin/probe stay done']
    isolation: {preset: server, pid: true}
""")


def zombies(m) -> int:
    return int(m.ok("cat /proc/[0-9]*/stat 2>/dev/null | grep -c ') Z ' || true"))


def run(m):
    assert m.ok("probe orphans 10000", 180).strip() == "10000"
    m.eventually(lambda: zombies(m) == 0, 20, "no zombie is left")
    reaped = m.json("prior status --prior --json")["orphans"]
    assert reaped >= 10000, reaped
    m.eventually(lambda: "staying done" in m.ok("prior logs nursery"), 120, "the cell's orphans are made")
    m.eventually(lambda: zombies(m) == 0, 20, "no zombie is left in the cell")
    assert m.status("agent")["restarts"] == 0 and m.status("nursery")["restarts"] == 0
