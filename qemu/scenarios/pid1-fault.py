"""PID 1 is killed by SIGSEGV under traffic: it is back with every service, and no connection was refused."""
from lib.image import Image

kernels = ["6.1", "6.12"]

image = Image(config="""
version: 1
services:
  web:
    command: [/bin/probe, answer]
    listen: [{name: http, tcp: "127.0.0.1:8080"}]
  lazy:
    command: [/bin/probe, answer]
    listen: [{name: http, tcp: "127.0.0.1:8081", activate: lazy}]
  one: {command: [/bin/probe, stay]}
  two: {command: [/bin/probe, lines, "5"], isolation: {preset: none}}
""")

SERVICES = ("web", "one", "two", "agent")


def run(m):
    for name in SERVICES:
        m.wait_state(name, "up")
    before = {name: m.pid(name) for name in SERVICES}
    m.start("/bin/probe calls 6 127.0.0.1 8080 >/run/calls.part; mv /run/calls.part /run/calls")
    for signal in ("SEGV", "BUS", "SEGV"):
        m.ok(f"kill -{signal} 1")
        m.ok("sleep 1")
        assert {name: m.pid(name) for name in SERVICES} == before
    about = m.json("prior status --prior --json")
    assert about["crashes"] == 3 and about["impossible"] == 0, about
    calls = m.eventually(lambda: m.sh("cat /run/calls")[0] == 0 and m.json("cat /run/calls"), 20, "the client is done")
    assert calls["refused"] == 0 and calls["unanswered"] == 0 and calls["answered"] > 50, calls
    assert m.ok("probe call 127.0.0.1 8081")        # its socket was kept, and still starts it
    m.says("prior logs two", "line 5")
    m.ok("prior restart one")                       # and it is in charge as before
    assert m.pid("one") != before["one"]
    m.ok(f"kill -9 {before['two']}")
    m.eventually(lambda: m.status("two").get("pid") not in (0, None, before["two"]), 10, "two is back")
    m.ends("poweroff", "/sbin/poweroff")
