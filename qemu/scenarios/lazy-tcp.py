"""A lazy TCP socket: bound from the boot on, the first connection starts the service and is answered by it."""
from lib.image import Image

kernels = ["6.1", "6.12"]

image = Image(config="""
version: 1
services:
  web:
    command: [/bin/probe, answer]
    listen:
      - {name: http, tcp: "0.0.0.0:8080", activate: lazy}
      - {name: admin, tcp: "127.0.0.1:8081", activate: lazy}
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
    m.fails("probe call 127.0.0.1 8080")    # stopped by a person: nobody answers
    m.ok("prior start web")
    assert m.ok("probe call 127.0.0.1 8080").split()[0] != ""
    for _ in range(3):      # killed: the connection waits for the next one
        m.ok(f"kill -9 {m.pid('web')}")
        assert m.ok("probe call 127.0.0.1 8080")
