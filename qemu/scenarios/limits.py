"""Limits are what the configuration says, read back from the cgroup and the process; memory_max is enforced."""
from lib.image import Image

kernels = ["6.1", "6.12"]

image = Image(config="""
version: 1
services:
  held:
    command: [/bin/probe, stay]
    limits:
      nofile: 4096
      core: 0
      oom_score_adj: 300
      cgroup:
        memory_max: 32M
        memory_high: 24M
        pids_max: 17
        cpu_max: "50%"
        cpu_weight: 50
  hungry:
    command: [/bin/busybox, sh, -c, 'exec tail /dev/zero']
    restart: "no"
    limits: {cgroup: {memory_max: 16M}}
""")

WANTED = {
    "memory.max": str(32 << 20),
    "memory.high": str(24 << 20),
    "pids.max": "17",
    "cpu.weight": "50",
    "cpu.max": "50000 100000",
}


def run(m):
    m.wait_state("held", "up")
    for file, value in WANTED.items():
        got = m.cgroup("held", file)
        assert got == value, f"{file}: {got}, wanted {value}"
    pid = m.pid("held")
    limits = m.ok(f"cat /proc/{pid}/limits")
    assert "4096" in next(line for line in limits.splitlines() if line.startswith("Max open files"))
    assert m.ok(f"cat /proc/{pid}/oom_score_adj").strip() == "300"
    m.ok("prior audit held")
    row = m.wait_state("hungry", "failed", "down", seconds=30)
    said = m.ok("prior why hungry || true") + m.ok("prior events")
    assert "oom" in said.lower() or "memory" in said.lower(), (row, said[-500:])
    assert m.status("held")["state"] == "up"
