"""A killed service comes back; one that keeps ending waits longer each time and has failed in the end."""
from lib.image import Image

kernels = ["6.1", "6.12"]

image = Image(config="""
version: 1
services:
  steady:
    command: [/bin/probe, stay]
  short:
    command: [/bin/busybox, sh, -c, 'cut -d" " -f1 /proc/uptime; exit 3']
    restart: always
    backoff: {initial: 200ms, max: 2s}
    max_restarts: 4
    restart_window: 60s
    isolation: {preset: none}
  once-only:
    command: [/bin/busybox, sh, -c, exit 0]
    restart: on-failure
""")


def run(m):
    before = m.wait_state("steady", "up")
    m.ok(f"kill -9 {before['pid']}")
    m.eventually(lambda: m.status("steady").get("pid") not in (0, None, before["pid"]), 10, "steady is back")
    assert m.wait_state("steady", "up")["restarts"] == 1
    m.wait_state("once-only", "down", "done")
    row = m.wait_state("short", "failed", seconds=25)
    assert row["restarts"] == 4, row

    def seen():
        words = [line.split()[-1:] for line in m.ok("prior logs short").splitlines()]
        return [float(word) for line in words for word in line if word.replace(".", "").isdigit()]
    times = m.eventually(lambda: len(t := seen()) == 5 and t, 30, "each start has written")
    gaps = [b - a for a, b in zip(times, times[1:])]
    # never sooner, with 10 ms of the clock that the service reads; later, where the machine is slow
    assert all(gap >= wait - 0.02 for gap, wait in zip(gaps, (0.2, 0.4, 0.8, 1.6))), gaps
    m.fails("prior status short", 3)
    assert "3" in m.ok("prior why short || true")
