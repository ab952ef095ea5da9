"""PID 1 holds the descriptors that its ledger names and no others, before and after everything happened."""
from lib.image import BRIDGE, Image

kernels = ["6.1"]     # nothing of it is the kernel's doing

image = Image(modules=BRIDGE, config="""
version: 1
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


# What is made anew at each start of PID 1, and the three that it was born with.
UNNAMED = ("anon_inode:[eventpoll]", "anon_inode:[signalfd]", "anon_inode:[timerfd]", "anon_inode:inotify")


def strangers(m) -> dict:
    """Descriptors of PID 1 that neither the ledger names nor the loop makes: number -> what it is."""
    named = {row["fd"] for row in m.json("prior status --prior --json")["fds"]}
    held = {}
    for line in m.ok("cd /proc/1/fd && for f in *; do echo $f $(readlink $f); done").splitlines():
        fd, _, what = line.partition(" ")
        held[int(fd)] = what
    assert named <= set(held), f"named and not held: {named - set(held)}"
    return {fd: what for fd, what in held.items() if fd > 2 and fd not in named and what not in UNNAMED}


def settled(m, wanted=None) -> int:
    """How many there are, once every one is named, and there are as many as wanted."""
    def look():
        n = len(m.ok("ls /proc/1/fd").split())
        return not strangers(m) and wanted in (None, n) and n
    return m.eventually(look, 60, f"every descriptor is named, and there are {wanted or 'as many as there are'}")


def run(m):
    for name in ("absent", "ender"):
        m.wait_state(name, "failed", "refused", seconds=20)
    m.wait_state("noted", "up")
    m.wait_state("netted", "up")
    m.wait_state("web", "up")
    before = settled(m)
    for _ in range(5):
        m.ok("prior restart web netted noted")
        m.ok("probe call 127.0.0.1 8080")
        m.ok("prior status >/dev/null; prior logs web >/dev/null; prior events >/dev/null")
    settled(m, before)
    m.ok("prior reexec")
    settled(m, before)
    m.note(f"PID 1 holds {before} descriptors for {len(m.json('prior status --json'))} services")
