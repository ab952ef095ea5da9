"""prior reexec replaces PID 1 by the binary on disk under traffic; services, sockets and logs go on."""
from lib.image import Image

kernels = ["6.1", "6.12"]

image = Image(config="""
version: 1
services:
  web:
    command: [/bin/probe, answer]
    listen: [{name: http, tcp: "127.0.0.1:8080"}]
  talker:
    command: [/bin/busybox, sh, -c, 'i=0; while :; do i=$((i+1)); echo tick $i; sleep 0.2; done']
    isolation: {preset: none}
""".replace("$((i+1))", "$$((i+1))").replace("tick $i", "tick $$i"))


def ticks(m) -> list:
    return [int(line.split()[-1]) for line in m.ok("prior logs talker").splitlines() if "tick" in line]


def run(m):
    for name in ("web", "talker"):
        m.wait_state(name, "up")
    before = {name: m.pid(name) for name in ("web", "talker", "agent")}
    m.start("/bin/probe calls 5 127.0.0.1 8080 >/run/calls.part; mv /run/calls.part /run/calls")
    for _ in range(3):
        m.ok("prior reexec")
    assert {name: m.pid(name) for name in before} == before
    calls = m.eventually(lambda: m.sh("cat /run/calls")[0] == 0 and m.json("cat /run/calls"), 20, "the client is done")
    assert calls["refused"] == 0 and calls["unanswered"] == 0 and calls["answered"] > 50, calls
    seen = ticks(m)
    assert seen == list(range(1, len(seen) + 1)), seen
    m.eventually(lambda: len(ticks(m)) > len(seen), 30, "the log goes on")
    m.ok("prior restart web")
    assert m.pid("web") != before["web"]
