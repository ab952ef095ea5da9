"""Services under crun and runc on a whole machine: their limits are the leaf's, they are compared, and nothing is left."""
from lib import packages
from lib.cell import Cell
from lib.image import Image

kernels = ["6.12"]     # what differs between kernels is in cells


class WithRuntimes(Image):
    """The machine's own root has the runtimes."""

    def _program(self, tree, prior):
        super()._program(tree, prior)
        Cell([*packages.section("bench-image"), *packages.section("cell-oci")],
             programs=["/usr/bin/crun", "/usr/sbin/runc"]).place(tree, "")


SAYS = "trap 'echo ended well; exit 0' TERM; echo began as $(id -u); while :; do sleep 0.05; done"

SERVICE = """
  by-{0}:
    command: [/bin/busybox, sh, -c, "{1}"]
    user: "1234"
    isolation: {{network: true}}
    security: {{runtime: {0}}}
    limits: {{nofile: 512, cgroup: {{memory_max: 64M, pids_max: 32}}}}
"""

image = WithRuntimes(config="version: 1\nservices:" + SERVICE.format("crun", SAYS) + SERVICE.format("runc", SAYS))


def run(m):
    for runtime in ("crun", "runc"):
        name = f"by-{runtime}"
        m.wait_state(name, "up", seconds=60)
        assert m.status(name)["attested"], m.status(name)
        assert m.status(name)["runtime"] == runtime
        leaf = f"/sys/fs/cgroup/prior/{name}"
        assert m.ok(f"cat {leaf}/memory.max {leaf}/pids.max").split() == [str(64 << 20), "32"]
        assert m.status(name)["memory"] > 0, m.status(name)
        pid = m.pid(name)
        assert f"/{name}" in m.ok(f"cat /proc/{pid}/cgroup")
        assert "512" in m.ok(f"grep 'open files' /proc/{pid}/limits")
        m.ok(f"prior audit {name}")
        m.ok(f"kill -KILL {pid}")
        m.eventually(lambda: (row := m.status(name))["state"] == "up" and row["pid"] != pid, 60, "there is another one")
        m.eventually(lambda: m.ok(f"prior logs {name}").count("began as 1234") == 2, 60, "and that is what began")
        m.ok(f"prior stop {name}")
        m.says(f"prior logs {name}", "ended well")
        left = m.ok(f"ls /run/prior/bundles /run/prior/oci/state; find /sys/fs/cgroup -type d -name {name}")
        assert name not in left.replace(":", ""), left
