"""stop: the signal, then after stop_timeout SIGKILL to the whole cgroup; nothing of the service survives."""
import time

from lib.image import Image

kernels = ["6.1", "6.12"]

image = Image(config="""
version: 1
defaults: {stop_timeout: 5m}
services:
  deaf:
    command: [/bin/probe, stubborn]
    stop_timeout: 1500ms
  deaf-outside:
    command: [/bin/probe, stubborn]
    stop_timeout: 1500ms
    isolation: {preset: none}
  polite:
    command: [/bin/probe, stay]
    stop_timeout: 80s
""")


def processes(m) -> int:
    return int(m.ok("ps -o args | grep -c '^/bin/probe stubborn' || true"))


def run(m):
    for name in ("deaf", "deaf-outside", "polite"):
        m.wait_state(name, "up")
    m.eventually(lambda: processes(m) == 6, 30, "three processes of each")
    for left, name in ((3, "deaf"), (0, "deaf-outside")):
        start = time.monotonic()
        m.ok(f"prior stop {name}")
        took = time.monotonic() - start
        assert 1.2 < took < 60, took
        assert processes(m) == left
        assert m.status(name)["state"] == "down"
    start = time.monotonic()
    m.ok("prior stop polite")
    assert time.monotonic() - start < 60, "it does not wait for the end of its time"
    m.ok("prior start deaf")
    m.wait_state("deaf", "up")
