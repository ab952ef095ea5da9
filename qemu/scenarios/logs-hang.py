"""The disk of the log files hangs (frozen) or is full: all services go on; lines are in memory, and return to files."""
from lib import drive

kernels = ["6.12"]     # nothing of it is the kernel's doing
libcs = ["glibc"]
limit = 120

image = drive.logs_on_disk("""
services:
  flood:
    command: [/bin/busybox, sh, -c, 'i=0; while :; do echo line $i; i=$((i+1)); [ $((i % 50)) != 0 ] || sleep 0.02; done']
    isolation: {preset: none}
  quiet:
    command: [/bin/busybox, sh, -c, 'while :; do echo tick; sleep 0.3; done']
    isolation: {preset: none}
""")


def disks(at):
    return [drive.ext4(at, "logs.img")]


def numbers(m):
    return [int(line.split()[-1]) for line in m.ok("prior logs flood").splitlines() if line.startswith("line ")]


def told(m, what: str) -> int:
    return m.ok("prior events --json").count(f'"event":"{what}"')


def full(m):
    """Told, and nobody stops; files again when there is room, at the latest with the next logger."""
    m.ok("prior start flood")
    m.fails("dd if=/dev/zero of=/var/log/filler bs=64k")
    m.eventually(lambda: "flood: logs in memory: flood.log: No space left on device" in m.ok("prior events"), 40,
                 "that the disk is full is told")
    last = numbers(m)[-1]
    m.eventually(lambda: numbers(m)[-1] > last + 500, 40, "who writes much goes on, and is read")
    m.ok("rm /var/log/filler")
    m.ok(f"kill -9 {m.json('prior status --prior --json')['logger_pid']}")
    size = int(m.ok("stat -c %s /var/log/prior/flood.log"))
    m.eventually(lambda: int(m.ok("stat -c %s /var/log/prior/flood.log")) > size, 40, "lines go to files again")


def run(m):
    m.wait_state("flood", "up")
    m.eventually(lambda: m.sh("grep -q tick /var/log/prior/quiet.log")[0] == 0, 20, "lines go to files")
    m.ok("fsfreeze --freeze /var/log")
    m.eventually(lambda: told(m, "logs-hang") == 1, 40, "that the disk hangs is told")
    last = numbers(m)[-1]
    m.eventually(lambda: numbers(m)[-1] > last + 500, 40, "who writes much goes on")
    m.ok("prior restart quiet")         # PID 1 answers, starts and stops
    m.eventually(lambda: m.sh("grep -q tick /run/prior/logs/quiet.log")[0] == 0, 20, "lines are in memory")
    m.ok("prior reexec")                # and comes back with the hung logger still there
    m.ok("sleep 1")
    last = numbers(m)[-1]
    m.eventually(lambda: numbers(m)[-1] > last + 200, 40, "and goes on after that")
    assert told(m, "logs-hang") == 1
    m.ok("fsfreeze --unfreeze /var/log")
    m.eventually(lambda: told(m, "logs-answer") == 1, 30, "that the disk is back is told")
    size = int(m.ok("stat -c %s /var/log/prior/flood.log"))
    m.eventually(lambda: int(m.ok("stat -c %s /var/log/prior/flood.log")) > size, 30, "lines go to files again")
    m.ok("prior stop flood")
    got = numbers(m)
    assert sorted(set(got)) == list(range(got[-1] + 1)), "a line is lost"
    assert len(got) - len(set(got)) < 400, f"{len(got) - len(set(got))} lines are twice"
    full(m)
    assert m.json("prior status --prior --json")["impossible"] == 0
    # Hung at the end: the machine still ends.
    m.ok("fsfreeze --freeze /var/log")
    m.ends("poweroff", "/sbin/poweroff")
