"""cron and every on a clock that is set: what is jumped over is told, summer time begins and ends, an overlap is told."""
import json

from lib.image import Image

kernels = ["6.12"]     # nothing of it is the kernel's doing
libcs = ["glibc"]

ZONE = "CET-1CEST,M3.5.0,M10.5.0/3"

image = Image(config=f"""
version: 1
services:
  night:
    type: oneshot
    command: [/bin/busybox, echo, ran]
    cron: {{expression: "0 30 2 * * *", timezone: "{ZONE}"}}
  often:
    type: oneshot
    command: [/bin/busybox, echo, tick]
    every: 2s
  slow:
    type: oneshot
    command: [/bin/busybox, sleep, '5']
    every: 2s
  seconds:
    type: oneshot
    command: [/bin/busybox, echo, second]
    cron: "*/3 * * * * *"
""")


def events(m, service: str, what: str) -> list:
    rows = [json.loads(line) for line in m.ok("prior events --json").splitlines()]
    return [row for row in rows if row.get("service") == service and row["event"] == what]


def runs(m) -> int:
    return len(events(m, "night", "started"))


def set_clock(m, when: str) -> None:
    m.ok(f"/bin/busybox date -u -s '{when}' >/dev/null")


def run(m):
    m.eventually(lambda: len(events(m, "often", "started")) >= 3, 30, "every runs again and again")
    m.eventually(lambda: len(events(m, "seconds", "started")) >= 2, 30, "cron has seconds")
    m.eventually(lambda: events(m, "slow", "overlap"), 30, "that it still runs is told")
    assert runs(m) == 0

    # The night in which 2:30 does not exist: it is made up for when the clock goes from 2 to 3 (1:00 in UTC).
    before = runs(m)
    set_clock(m, "2027-03-28 00:59:55")
    m.eventually(lambda: runs(m) == before + 1, 30, "the time that was left out is made up for")
    assert m.ok("/bin/busybox date -u +%H").strip() == "01"

    # The night in which 2:30 comes twice: once is enough.
    before = runs(m)
    set_clock(m, "2027-10-31 00:29:55")
    m.eventually(lambda: runs(m) == before + 1, 30, "it runs at the first 2:30")
    set_clock(m, "2027-10-31 01:29:56")
    m.eventually(lambda: m.ok("/bin/busybox date -u +%H:%M").strip() == "01:30", 20)
    m.ok("sleep 2")
    assert runs(m) == before + 1, "it ran at the second 2:30 too"

    # A jump over three nights: told, not run.
    told = len(events(m, "night", "missed"))
    set_clock(m, "2027-11-03 12:00:00")
    m.eventually(lambda: len(events(m, "night", "missed")) == told + 1, 20, "what was missed is told")
    assert runs(m) == before + 1
    assert "runs were missed" in m.ok("prior why night"), m.ok("prior why night")
    assert " missed  " in m.fails("prior status night", 3)

    # Back in time: planned anew, and every does not mind either.
    set_clock(m, "2027-11-03 01:29:57")
    m.eventually(lambda: runs(m) == before + 2, 30, "it runs again after the clock was set back")
    ticks = len(events(m, "often", "started"))
    m.eventually(lambda: len(events(m, "often", "started")) >= ticks + 2, 20, "every goes by the time that passes")
    assert m.json("prior status --prior --json")["impossible"] == 0
