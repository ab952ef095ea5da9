"""What callers of other init systems send to PID 1 ends the machine as they mean it; a later end can be cancelled."""
import re

from lib import arch
from lib.image import Image

kernels = ["6.12"]     # nothing of it is the kernel's doing
libcs = ["glibc"]
limit = 300

image = Image(config="""
version: 1
services:
  web: {command: [/bin/probe, stay]}
""")

# magic, command 1 (runlevel), '6', no time: what sysvinit's telinit writes.
INITCTL = r"printf '\151\031\011\003\001\000\000\000\066\000\000\000\000\000\000\000'; head -c 368 /dev/zero"

INTERRUPT = "kill -INT 1"       # what the kernel does when Ctrl-Alt-Del is pressed
ENDS = [("kill -USR2 1", "poweroff"), ("kill -PWR 1", "poweroff"), ("kill -48 1", "poweroff"),
        (INTERRUPT, "reboot"), (f"({INITCTL}) | dd of=/dev/initctl bs=384 iflag=fullblock", "reboot")]


# No service, and deaf; and one that takes its time.
ORPHAN = "echo $$ >/sys/fs/cgroup/cgroup.procs; trap '' TERM; touch /run/deaf; while :; do sleep 1; done"
SLOW = """
version: 1
machine: {shutdown_timeout: 6s}
services:
  slow: {command: [/bin/probe, stubborn], stop_timeout: 60s}
"""


def names_who_blocks(m):
    with m.boot_again(config=SLOW) as other:
        other.wait_state("slow", "up")
        other.start(ORPHAN)
        other.eventually(lambda: other.sh("test -e /run/deaf")[0] == 0)
        other.machine.second.send("0 a2lsbCAtVVNSMSAx\n")       # kill -USR1 1
        other.on_console("slow: waiting: shutdown waits for it to stop, pid ", 30)
        other.on_console("slow: killed: everything is to end now", 30)
        other.on_console("reboot: System halted", 30)
        assert re.search(r"killing what does not heed SIGTERM: .*\bsh \(\d", other.console)


def run(m):
    m.wait_state("web", "up")
    m.ok("shutdown -r +60 the disk is full")
    m.on_console("shutdown: the disk is full")
    m.on_console("reboot in 3600 s")
    assert m.json("prior status --prior --json")["planned"] == "reboot"
    m.ok("prior reexec")
    m.ok("prior reload-config")
    assert m.json("prior status --prior --json")["planned"] == "reboot", "kept over an exec"
    m.ok("shutdown -c")
    assert m.json("prior status --prior --json")["planned"] == "no"
    assert "nothing was planned" in m.fails("shutdown -c")
    m.ok("printf rubbish >/dev/initctl")
    m.eventually(lambda: "no request of sysvinit" in m.ok("prior events"))
    assert m.ok("stat -c %a /run/initctl").strip() == "600"
    m.ends(ENDS[0][1], ENDS[0][0])
    for command, how in ENDS[1:]:
        with m.boot_again() as other:
            if command == INTERRUPT and arch.current().has_keyboard:
                other.machine.press("ctrl", "alt", "delete")
                command = None
            other.ends(how, command)
    names_who_blocks(m)
