"""PID 1 idle: its proportional set size is printed, has no heap to speak of, and it does not wake."""
from lib.image import Image

kernels = ["6.1", "6.12"]

image = Image(config="version: 1\nservices:\n" + "".join(
    f"  s{i}: {{command: [/bin/probe, stay]}}\n" for i in range(5)))


def rollup(m) -> dict:
    rows = (line.split() for line in m.ok("cat /proc/1/smaps_rollup").splitlines()[1:])
    return {row[0].rstrip(":"): int(row[1]) for row in rows if len(row) >= 3}


def switches(m) -> int:
    text = m.ok("grep ctxt_switches /proc/1/status")
    return sum(int(line.split()[-1]) for line in text.splitlines())


def run(m):
    m.ok("prior wait")
    m.ok("sleep 2")
    sizes = rollup(m)
    m.note(f"PID 1, idle: PSS {sizes['Pss']} kB, anonymous {sizes['Anonymous']} kB, RSS {sizes['Rss']} kB")
    assert sizes["Pss"] < 2048, sizes
    before = switches(m)
    m.ok("sleep 5")
    assert switches(m) - before <= 4, "PID 1 wakes while nothing happens"
    assert m.ok("ls /proc/1/task").split() == ["1"]
