"""A UNIX stream socket, eager: with the mode that is asked for, handed over with its name."""
from lib.image import Image

kernels = ["6.1", "6.12"]

image = Image(config="""
version: 1
services:
  admin:
    command: [/bin/probe, answer]
    listen:
      - {name: ctl, unix: /run/admin.sock, mode: "0640"}
""")


def run(m):
    m.wait_state("admin", "up")
    assert m.ok("stat -c '%A %u' /run/admin.sock").split() == ["srw-r-----", "0"]
    assert m.ok("probe call /run/admin.sock").split()[1] == "ctl"
    before = m.pid("admin")
    m.ok("prior restart admin")
    assert m.pid("admin") != before
    assert m.ok("probe call /run/admin.sock").split()[1] == "ctl"
    inode = m.ok("stat -c %i /run/admin.sock")
    m.ok(f"kill -9 {m.pid('admin')}")
    assert m.ok("probe call /run/admin.sock").split()[1] == "ctl"
    assert m.ok("stat -c %i /run/admin.sock") == inode
