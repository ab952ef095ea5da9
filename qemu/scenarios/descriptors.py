"""PID 1 holds the descriptors that its ledger names and no others, before and after everything happened."""
from lib.image import Image

kernels = ["6.1", "6.12"]

image = Image(modules=["bridge", "veth"], config="""
version: 1
machine: {modules: [bridge, veth]}
network: {bridges: {prior0: {subnets: [10.88.0.0/24]}}}
services:
  web:
    command: [/bin/probe, answer]
    listen: [{name: http, tcp: "127.0.0.1:8080"}, {name: ctl, unix: /run/web.sock}]
  netted:
    command: [/bin/probe, stay]
    isolation: {network: {bridge: prior0, address: 10.88.0.2/24}}
  noted: {command: [/bin/probe, notify, READY=1], ready: notify}
  absent: {command: [/bin/not-there], backoff: 50ms, max_restarts: 20}
  ender: {command: [/bin/busybox, "false"], backoff: 50ms, max_restarts: 20}
""")


def held(m) -> int:
    return len(m.ok("ls /proc/1/fd").split())


def named(m) -> int:
    return m.json("prior status --prior --json")["descriptors"]


def same(m) -> int:
    m.eventually(lambda: held(m) == named(m), 5, "as many descriptors as the ledger names")
    return held(m)


def run(m):
    for name in ("absent", "ender"):
        m.wait_state(name, "failed", "refused", seconds=20)
    m.wait_state("noted", "up")
    m.wait_state("web", "up")
    before = same(m)
    for _ in range(5):
        m.ok("prior restart web netted noted")
        m.ok("probe call 127.0.0.1 8080")
        m.ok("prior status >/dev/null; prior logs web >/dev/null; prior events >/dev/null")
    assert same(m) == before
    m.ok("prior reexec")
    assert same(m) == before
    print("    descriptors:", before)
