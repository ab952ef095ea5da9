"""prior events: one JSON object a line, in order, for every change of every service; -f follows."""
import json

from lib.image import Image

kernels = ["6.1", "6.12"]

image = Image(config="""
version: 1
services:
  one: {command: [/bin/probe, stay]}
""")


def of(m, service: str) -> list:
    rows = [json.loads(line) for line in m.ok("prior events --json").splitlines()]
    assert all("time" in row and "event" in row for row in rows), rows
    return [row for row in rows if row.get("service") == service]


def run(m):
    m.wait_state("one", "up")
    started = len(of(m, "one"))
    assert started >= 1
    m.start("prior events -f --json >/run/follow")
    m.ok("sleep 0.5; prior restart one")
    later = of(m, "one")
    assert len(later) >= started + 2, later
    m.eventually(lambda: '"one"' in m.sh("cat /run/follow")[1], 5, "events -f follows")
    times = [row["time"] for row in later]
    assert times == sorted(times), times
