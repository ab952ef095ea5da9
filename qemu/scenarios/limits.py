"""Limits are what the configuration says, read back from the cgroup and the process; each is enforced by the kernel."""
from lib.image import Image

kernels = ["6.1", "6.12"]
limit = 90

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
  every:
    command: [/bin/probe, stay]
    limits:
      nofile: {soft: 512, hard: 1024}
      nproc: 101
      memlock: 64K
      core: {soft: 0, hard: unlimited}
      cpu: 1001
      fsize: 1M
      data: 512M
      stack: {soft: 4M, hard: 16M}
      rss: 32M
      as: 2G
      locks: 99
      sigpending: 102
      msgqueue: 800K
      rlimit_nice: 21
      rtprio: 3
      rttime: unlimited
      cgroup: {memory_max: 20000000, cpu_max: "100000 50000", pids_max: max}
  hungry:
    command: [/bin/busybox, sh, -c, 'exec tail /dev/zero']
    restart: "no"
    limits: {cgroup: {memory_max: 16M}}
  shared:
    command: [/bin/probe, stay]
    limits: {cgroup: {io_weight: 77}}
    restart: "no"
  below:
    command: [/bin/probe, stay]
    limits: {cgroup: {root: /sys/fs/cgroup/given, memory_max: 24M, pids_max: 9}}
    restart: "no"
""")

WANTED = {
    "held": {"memory.max": str(32 << 20), "memory.high": str(24 << 20), "pids.max": "17", "cpu.weight": "50",
             "cpu.max": "50000 100000"},
    "every": {"memory.max": str(20000000 // 4096 * 4096), "cpu.max": "100000 50000", "pids.max": "max"},
}

EVERY = {
    "Max open files": "512 1024", "Max processes": "101 101", "Max locked memory": "65536 65536",
    "Max core file size": "0 unlimited", "Max cpu time": "1001 1001", "Max file size": "1048576 1048576",
    "Max data size": "536870912 536870912", "Max stack size": "4194304 16777216",
    "Max resident set": "33554432 33554432", "Max address space": "2147483648 2147483648",
    "Max file locks": "99 99", "Max pending signals": "102 102", "Max msgqueue size": "819200 819200",
    "Max nice priority": "21 21", "Max realtime priority": "3 3", "Max realtime timeout": "unlimited unlimited",
}


def read_back(m):
    for service, files in WANTED.items():
        m.wait_state(service, "up")
        for file, value in files.items():
            got = m.cgroup(service, file)
            assert got == value, f"{service}: {file}: {got}, wanted {value}"
        m.ok(f"prior audit {service}")
    pid = m.pid("held")
    assert "4096" in next(line for line in m.ok(f"cat /proc/{pid}/limits").splitlines() if "open files" in line)
    assert m.ok(f"cat /proc/{pid}/oom_score_adj").strip() == "300"
    lines = m.ok(f"cat /proc/{m.pid('every')}/limits").splitlines()
    for name, halves in EVERY.items():
        (line,) = [line for line in lines if line.startswith(name)]
        assert " ".join(line[len(name):].split()[:2]) == halves, line


def acts(m):
    """An act that a limit forbids, without it and with it."""
    run = "prior run --preset none {} -- /bin/busybox sh -c '{}' 2>&1 || true"
    for keys, limit_key, act, says in (
            ("", "fsize=4096", "dd if=/dev/zero of=/tmp.big bs=8k count=1 || echo refused", "refused"),
            ("", "nofile=5", "exec 3</init 4</init 5</init 6</init && echo fine", "Too many open files"),
            ("--set user=4001", "nproc=1", "(true); (true) && echo fine", "Resource temporarily unavailable")):
        without, held = m.ok(run.format(keys, act)), m.ok(run.format(f"{keys} --set limits.{limit_key}", act))
        assert says not in without, (limit_key, without)
        assert says in held, (limit_key, held)


def rounding(m):
    m.says("prior events", "memory.max: 20000000 became 19996672")
    assert "20000000 is not a whole number of pages: the kernel makes it 19996672" in m.ok("prior status every")


def delegated(m):
    m.wait_state("below", "failed", "down")
    assert "/sys/fs/cgroup/given" in m.ok("prior why below || true")
    m.ok("mkdir /sys/fs/cgroup/given")
    m.ok("prior start below")
    assert m.ok("cat /sys/fs/cgroup/given/below/memory.max").strip() == str(24 << 20)
    assert m.ok("cat /sys/fs/cgroup/given/below/pids.max").strip() == "9"
    m.ok("prior audit below")
    m.ok("echo 30M >/sys/fs/cgroup/given/below/memory.max")
    assert "memory.max" in m.fails("prior audit below", 1)


def shared(m):
    """Weights of disks are a matter of the kernel's configuration: the limit holds, or the start is refused by name."""
    row = m.wait_state("shared", "up", "failed", "down")
    if row["state"] == "up":
        assert m.cgroup("shared", "io.weight") == "default 77"
        m.ok("prior audit shared")
    else:
        assert "io.weight: no such limit here" in m.ok("prior why shared || true")
        m.note("io.weight: this kernel has none, the start was refused")


def run(m):
    read_back(m)
    m.wait_state("hungry", "failed", "down", seconds=30)
    m.says("prior why hungry || true; prior events", "oom")
    assert m.status("held")["state"] == "up"
    rounding(m)
    delegated(m)
    acts(m)
    shared(m)
