"""Idle: PID 1 and its helpers are small, no spawner stays, and PID 1 does not wake."""
from lib.image import Image

kernels = ["6.1", "6.12"]
limit = 120

image = Image(config="version: 1\nservices:\n" + "".join(
    f"  s{i}: {{command: [/bin/probe, stay]}}\n" for i in range(5)))

# Who runs our file: name and size. Reapers, and a command of this moment, are no helpers.
OURS = """for p in /proc/[0-9]*; do
    [ "$(readlink $p/exe)" = /sbin/prior ] && echo "$(cat $p/comm) $(grep ^Pss: $p/smaps_rollup)"
done 2>/dev/null | grep -v prior-reaper; true"""
AT_MOST = 500      # KiB


def at_rest(m) -> list:
    """Lines of NAME Pss: N kB, once there are only PID 1 and the logger, and they have what they need."""
    lines = m.ok(OURS).splitlines()
    sizes = [int(line.split()[-2]) for line in lines if line.endswith("kB")]    # one that ends just now has none
    return lines if len(sizes) == len(lines) == 2 and sum(sizes) <= AT_MOST else []


def switches(m) -> int:
    text = m.ok("grep ctxt_switches /proc/1/status")
    return sum(int(line.split()[-1]) for line in text.splitlines())


def run(m):
    m.ok("prior wait")
    m.note("at rest: " + ", ".join(m.eventually(lambda: at_rest(m), 60, "PID 1 and the logger alone, and small")))
    before = switches(m)
    m.ok("sleep 5")
    assert switches(m) - before <= 4, "PID 1 wakes while nothing happens"
    assert m.ok("ls /proc/1/task").split() == ["1"]
    # A spawner is there again; looked for in one go, for it rests before long.
    m.ok("prior restart s0 && grep -q prior-spawner /proc/[0-9]*/comm")
