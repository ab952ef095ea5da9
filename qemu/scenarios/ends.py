"""Ends are told apart: memory, filter, watchdog, health check, signal; hooks around a cell with an address."""
from lib.image import BRIDGE, Image

kernels = ["6.1", "6.12"]

image = Image(modules=BRIDGE, config="""
version: 1
network: {bridges: {prior0: {subnets: [10.88.0.0/24]}}}
defaults: {restart: "no"}
services:
  eats:
    command: [/bin/sh, -c, "x=0123456789abcdef; while :; do x=$$x$$x; done"]
    limits: {cgroup: {memory_max: 16M}}
  banned: {command: [/bin/sh, -c, "kill -SYS $$$$; sleep 1"], security: {seccomp: default}}
  hit: {command: [/bin/sh, -c, "kill -SEGV $$$$; sleep 1"]}
  dog: {command: [/bin/probe, notify, "READY=1"], ready: notify, watchdog: 500ms}
  ill:
    command: [/bin/probe, stay]
    restart: on-failure
    max_restarts: 1
    backoff: 100ms
    healthcheck: {tcp: "127.0.0.1:9", interval: 100ms, retries: 2}
  far:
    command: [/bin/probe, stay]
    isolation: {network: {bridge: prior0, address: 10.88.0.2/24}}
    hooks: {pre_start: [/bin/true], post_start: [/bin/true], pre_stop: [/bin/true], post_stop: [/bin/true]}
    healthcheck: {test: [CMD, /bin/true], interval: 200ms}
    ready: healthcheck
""")


def run(m):
    for service, kind in [("eats", "oom"), ("banned", "violation"), ("dog", "watchdog"), ("ill", "unhealthy")]:
        row = m.wait_state(service, "failed", seconds=30)
        assert row["exit"]["kind"] == kind, row
    assert m.wait_state("hit", "failed")["exit"]["kind"] in ("signal", "core")
    assert m.status("ill")["restarts"] == 1
    m.says("prior events", "violation", "oom")
    assert m.wait_state("far", "up")["health"] == "healthy"
    for _ in range(3):
        m.ok("prior restart far")
    assert m.status("far")["state"] == "up"
    m.ok("prior stop far")
    assert m.status("far")["state"] == "down"
    assert "in time" not in m.ok("prior events")
    m.ok("test ! -d /sys/fs/cgroup/prior/far")
