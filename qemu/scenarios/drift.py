"""prior audit: a running service that is changed from outside is named with what differs, and its exposure follows."""
from lib.image import Image

kernels = ["6.1", "6.12"]

image = Image(config="""
version: 1
services:
  held:
    command: [/bin/probe, stay]
    isolation: {preset: server}
    limits:
      nofile: 1024
      cgroup: {memory_max: 32M, pids_max: 17}
""")


def is_named(m, fact: str) -> None:
    said = m.fails("prior audit held", 1)
    assert f"✗ {fact}" in said, said
    row = m.fails("prior audit held --json", 1)
    assert '"ok": false' in row and '"equal": false' in row, row


def run(m):
    m.wait_state("held", "up")
    pid = m.pid("held")
    assert "all as planned" in m.ok("prior audit held --threshold 1.3")
    leaf = "/sys/fs/cgroup" + m.ok(f"cat /proc/{pid}/cgroup").strip().split("::")[1]

    m.ok(f"echo 64M >{leaf}/memory.max")
    is_named(m, "memory.max")
    m.ok(f"echo 32M >{leaf}/memory.max && echo max >{leaf}/pids.max")
    is_named(m, "pids.max")
    m.ok(f"echo 17 >{leaf}/pids.max && prior audit held")

    m.ok(f"probe rlimit {pid} 7 4096")
    is_named(m, "Max open files")
    m.ok(f"probe rlimit {pid} 7 1024 && prior audit held")

    m.ok(f"probe mounts {pid} rw /")
    is_named(m, "mount /:")
    said = m.fails("prior audit held --threshold 1.3 --exposure", 1)
    assert "1.2 OK declared" in said and "ProtectSystem=" in said, said
    m.ok(f"probe mounts {pid} ro / && prior audit held --threshold 1.3")

    m.ok(f"probe mounts {pid} cover /etc")
    is_named(m, "mount /etc")
    m.ok(f"probe mounts {pid} uncover /etc && probe mounts {pid} uncover /proc")
    is_named(m, "mount /proc")
    assert m.pid("held") == pid     # looking at it did not disturb it
