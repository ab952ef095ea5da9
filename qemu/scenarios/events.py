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
    started = m.eventually(lambda: len(of(m, "one")), 30, "its start is told")
    m.start("prior events -f --json >/run/follow")
    before = m.says("cat /run/follow", '"one"').count('"one"')
    m.ok("prior restart one")
    later = m.eventually(lambda: len(rows := of(m, "one")) >= started + 2 and rows, 30, "the restart is told")
    m.eventually(lambda: m.ok("cat /run/follow").count('"one"') >= before + 2, 30, "events -f follows")
    times = [row["time"] for row in later]
    assert times == sorted(times), times
