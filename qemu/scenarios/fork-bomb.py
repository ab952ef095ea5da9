"""A service that forks to death is held by pids_max; the machine and the others go on, stop ends all of it."""
from lib.image import Image

kernels = ["6.1", "6.12"]

image = Image(config="""
version: 1
services:
  bomb:
    command: [/bin/probe, bomb]
    limits: {cgroup: {pids_max: 50}}
    stop_timeout: 1s
  other:
    command: [/bin/probe, stay]
""")


def run(m):
    m.wait_state("bomb", "up")
    m.eventually(lambda: "refused" in m.ok("prior logs bomb"), 10, "the bomb is refused a fork")
    assert int(m.cgroup("bomb", "pids.current")) <= 50
    assert m.cgroup("bomb", "pids.max") == "50"
    assert m.status("other")["state"] == "up"
    m.ok("prior stop bomb", 15)
    assert m.ok("ps -o args | grep -c '^/bin/probe bomb' || true").strip() == "0"
    assert m.status("other")["state"] == "up"
