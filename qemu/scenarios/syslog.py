"""Lines go to a syslog server and to the kernel's log too; a server that is late, gone or hung holds nobody up."""
from lib.image import Image

kernels = ["6.1"]     # nothing of it is the kernel's doing
libcs = ["glibc"]

image = Image(config="""
version: 1
machine:
  sysctl: {kernel.printk_devkmsg: "on"}
services:
  syslogd:
    command: [/bin/busybox, syslogd, -n, -O, /run/messages]
    isolation: {preset: none}
    conditions: {path_exists: /run/go}
  web:
    command: [/bin/busybox, sh, -c, 'echo "<3>first words"; while :; do sleep 0.2; echo tick; done']
    logs: {forward: [syslog, kmsg], syslog_identifier: www, syslog_facility: local3}
    isolation: {preset: none}
  flood:
    command: [/bin/busybox, sh, -c, 'i=0; while [ $i -lt 5000 ]; do echo line $i; i=$((i+1)); done; echo flooded; sleep 9999']
    logs: {forward: syslog}
    isolation: {preset: none}
    conditions: {path_exists: /run/go}
""")


def has(m, text: str) -> bool:
    return m.sh(f"/bin/busybox grep -q '{text}' /run/messages")[0] == 0


def run(m):
    m.wait_state("web", "up")
    m.eventually(lambda: "www: first words" in m.ok("/bin/busybox dmesg"), 20, "the kernel's log has it")
    m.eventually(lambda: "forward-failed" in m.ok("prior events --json"), 30, "that nobody listens is told")
    m.says("prior events", "/dev/log")
    # What was written while there was no server comes when there is one.
    m.ok(": >/run/go; prior start syslogd")
    m.eventually(lambda: has(m, "local3.err www: first words"), 60, "syslog has the first line")
    m.eventually(lambda: "forward-resumed" in m.ok("prior events --json"), 20, "that it works again is told")
    assert m.ok("prior events --json").count("forward-failed") == 1
    # A server that is stopped: the flood runs to its end all the same, and is in the files whole.
    m.ok("prior signal SIGSTOP syslogd")
    m.ok("prior start flood")
    m.eventually(lambda: "flooded" in m.ok("prior logs -n 1 flood"), 60, "the flood is not held up")
    numbers = [int(line.split()[-1]) for line in m.ok("prior logs flood").splitlines() if line.startswith("line ")]
    assert numbers == list(range(5000)), len(numbers)
    before = m.ok("prior logs web").count("tick")
    m.eventually(lambda: m.ok("prior logs web").count("tick") > before, 20, "nor is anybody else")
    m.ok("prior signal SIGCONT syslogd")
    m.eventually(lambda: has(m, "flood: line 100$"), 30, "what had waited comes")
