"""Lazy sockets, TCP and vsock: bound from the boot on; the first connection starts the service, which answers it."""
from lib.image import Image

kernels = ["6.1", "6.12"]

image = Image(modules=["vsock_loopback"], config="""
version: 1
machine: {modules: [vsock_loopback]}
services:
  web:
    command: [/bin/probe, answer]
    listen:
      - {name: http, tcp: "0.0.0.0:8080", activate: lazy}
      - {name: admin, tcp: "127.0.0.1:8081", activate: lazy}
  guest:
    command: [/bin/probe, answer]
    listen:
      - {name: any, vsock: ":1024", activate: lazy}
      - {name: local, vsock: "1:1025"}
  each:
    command: [/bin/sh, -c, "echo from $REMOTE_ADDR"]
    listen: [{vsock: ":1026", activate: connection}]
    connections: {pass: stdio}
""")


def run(m):
    assert m.wait_state("web", "listening")["state"] == "listening"
    assert not m.status("web").get("pid")
    text = m.ok("nc 127.0.0.1 8080 </dev/null")
    pid, names = text.split()
    assert names == "http:admin", names
    row = m.wait_state("web", "up")
    assert row["attested"]
    assert m.ok("nc 127.0.0.1 8081 </dev/null").split()[0] == pid
    m.ok("prior stop web")
    m.fails("timeout 10 probe call 127.0.0.1 8080")     # stopped by a person: nobody answers
    m.ok("prior start web")
    assert m.ok("probe call 127.0.0.1 8080").split()[0] != ""
    for _ in range(3):      # killed: the connection waits for the next one
        m.ok(f"kill -9 {m.pid('web')}")
        assert m.ok("probe call 127.0.0.1 8080")
    vsock(m)


def vsock(m):
    """CID 1 is this machine itself, by way of the kernel's own transport."""
    assert m.wait_state("guest", "listening")["state"] == "listening"
    assert m.ok("probe call vsock:1 1024").split()[1] == "any:local"
    pid = m.pid("guest")
    assert m.ok("probe call vsock:1 1025").split()[1] == "any:local" and m.pid("guest") == pid
    m.ok("prior restart guest")
    assert m.ok("probe call vsock:1 1024").split()[1] == "any:local" and m.pid("guest") != pid
    m.ok("prior reexec")
    assert m.ok("probe call vsock:1 1025").split()[1] == "any:local"
    assert m.ok("probe call vsock:1 1026") == "from 1\n"
    m.fails("probe call vsock:1 1027")
