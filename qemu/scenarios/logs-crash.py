"""No line is lost or doubled when the service, the logger or PID 1 dies, nor at the end of the machine."""
from lib import drive

kernels = ["6.1"]     # nothing of it is the kernel's doing
libcs = ["glibc"]
limit = 120

image = drive.logs_on_disk("""
services:
  count:
    command: [/bin/busybox, sh, -c, 'trap "echo last words; exit 0" TERM; i=0; while :; do echo line $i; i=$((i+1)); [ $((i % 20)) != 0 ] || sleep 0.02; done']
    isolation: {preset: none}
  crash:
    command: [/bin/busybox, sh, -c, 'echo first; i=0; while [ $i -lt 300 ]; do echo dying $i; i=$((i+1)); done; printf "cut off here"; kill -SEGV $$$$']
    restart: "no"
    isolation: {preset: none}
  writer:     # goes on in a process that has left its session
    command: [/bin/busybox, sh, -c, 'setsid sh -c "trap : TERM; while :; do echo still here; sleep 0.05; done" & sleep 9999']
    isolation: {preset: none}
""")


def disks(at):
    return [drive.ext4(at, "logs.img")]


def run(m):
    m.wait_state("count", "up")
    # A service that crashes: the last bytes it wrote are there, even without a newline.
    m.eventually(lambda: m.ok("prior logs -n 1 crash").strip() == "cut off here", 10, "the last words of a crash")
    lines = m.ok("prior logs crash").splitlines()
    assert lines == ["first"] + [f"dying {i}" for i in range(300)] + ["cut off here"], len(lines)
    for _ in range(2):
        m.ok(f"kill -9 {m.json('prior status --prior --json')['logger_pid']}; sleep 0.5")
        m.ok("kill -SEGV 1; sleep 1")
        m.ok("prior reexec; sleep 0.3")
    # Nothing of a service writes any more when it is stopped.
    m.ok("prior stop writer")
    before = m.ok("prior logs writer").count("still")
    m.ok("sleep 0.5")
    assert m.ok("prior logs writer").count("still") == before
    assert m.json("prior status --prior --json")["impossible"] == 0
    m.ends("poweroff", "/sbin/poweroff")
    text = ""
    for name in ("count.log.3", "count.log.2", "count.log.1", "count.log"):
        text += drive.read(m.disks[0], f"/prior/{name}").decode()
    lines = [line.split(" ", 2)[2] for line in text.splitlines()]
    assert lines[-1] == "last words", lines[-3:]
    numbers = [int(line.split()[1]) for line in lines[:-1]]
    assert numbers == list(range(len(numbers))), [n for n, k in zip(numbers, range(len(numbers))) if n != k][:3]
    assert len(numbers) > 500, len(numbers)
