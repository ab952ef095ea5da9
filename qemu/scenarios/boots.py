"""A machine boots, starts services in the order of their dependencies, and lists them."""
from lib.image import Image

kernels = ["6.1", "6.12"]

image = Image(config="""
version: 1
machine: {hostname: testhost}
services:
  after:
    command: [/bin/probe, stay]
    depends_on: [before, once]
  before:
    command: [/bin/probe, stay]
  once:
    command: [/bin/busybox, echo, ran once]
    type: oneshot
""")


def run(m):
    m.ok("prior wait")
    assert m.ok("readlink /proc/1/exe").strip() == "/sbin/prior"
    assert m.ok("hostname").strip() == "testhost"
    rows = {row["service"]: row for row in m.json("prior status --json")}
    assert set(rows) == {"after", "before", "once", "agent"}, set(rows)
    assert rows["once"]["state"] == "done", rows["once"]
    for name in ("before", "after", "agent"):
        assert rows[name]["state"] == "up", rows[name]
        assert m.ok(f"cat /proc/{rows[name]['pid']}/comm").strip() in ("probe", "busybox", "sh")
    assert rows["before"]["attested"] and rows["after"]["attested"]
    assert m.sh("prior status before")[0] == 0
    assert m.sh("prior status once")[0] == 3
    assert m.sh("prior status nothing-like-it")[0] == 4
    for controller in ("cpu", "io", "memory", "pids"):
        assert controller in m.ok("cat /sys/fs/cgroup/cgroup.subtree_control").split()
    assert "UP" in m.ok("ip link show lo")
