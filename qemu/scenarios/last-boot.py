"""How the boot before ended is known, however it did; a loop of reboots for failure comes to an end."""
from lib import drive
from lib.image import Image

kernels = ["6.12"]
libcs = ["glibc"]
limit = 420


def machine(more, service="critical: true", shell="echo the shell is here"):
    return f"""
version: 1
machine:
  console: {{shell: [/bin/busybox, sh, -c, "{shell}"]}}
  mounts: [{{source: LABEL=data, target: /var/lib, timeout: 60s}}]
  {more}
services:
  main:
    command: [/bin/probe, stay]
    restart: "no"
    isolation: {{preset: none}}
    {service}
"""


FILE = "last_boot: /var/lib/prior/last-boot\n  brake: {reboots: 2, within: 1h}"
LOST = """last_boot: /dev/vdb
  emergency: reboot
  brake: {reboots: 1, within: 1h, then: shell}
  fstab: true"""

FAULTS = """modules: [softdog]
  last_boot: /dev/vdb
  watchdog: {device: /dev/watchdog, timeout: 20s}
  brake: {reboots: 1, within: 1h, then: shell}"""

image = Image(modules=["virtio_blk", "virtio_pci", "softdog"], config=machine(FILE))


def disks(at):
    return [drive.ext4(at, "data.img", 32, "-L", "data"), drive.blank(at, "record.img", 1)]


def fails(m):
    m.wait_state("main", "up")
    m.start("prior signal SIGKILL main")


def run(m):
    m.wait_state("main", "up")
    assert "nothing is known of the boot before" in m.fails("prior last-boot 2>&1", code=1)
    m.ends("reboot", "reboot")
    with m.boot_again() as other:
        other.wait_state("main", "up")
        said = other.json("prior last-boot --json")
        assert (said["ended"], said["how"], said["boot"], said["failures"]) == ("asked for", "reboot", 1, 0), said
        assert any('"event":"started","service":"main"' in line for line in said["events"]), said
        assert said["at"] and said["uptime_ms"] > 0 and not said["braked"], said
    with m.boot_again() as other:       # the machine before was cut off
        assert "boot 2 was cut off" in other.ok("prior last-boot")
        fails(other)
        other.ends("reboot")
    with m.boot_again() as other:
        said = other.json("prior last-boot --json")
        assert (said["ended"], said["how"], said["failures"]) == ("failure", "reboot", 1), said
        assert said["why"] == "service main: it has ended, and it is critical: killed by SIGKILL", said
        fails(other)
        other.on_console("emergency: standing still: 2 reboots for failure within 3600 s; not once more", 30)
        other.on_console("reboot: System halted", 30)
    with m.boot_again(config=machine(LOST), files={"/etc/fstab": "LABEL=lost /lost ext4 x-systemd.device-timeout=1s\n"}
                      ) as other:
        other.on_console("emergency: rebooting: /etc/fstab:1: mount on /lost: LABEL=lost: no such device came")
        other.on_console("emergency: a shell: 1 reboots for failure within 3600 s; not once more")
        other.on_console("the shell is here")
        other.wait_state("main", "up")  # the shell has ended, so boot goes on
        said = other.json("prior last-boot --json")
        assert said["why"].startswith("/etc/fstab:1: mount on /lost") and said["braked"], said
        other.ends("poweroff", "poweroff")
    # too many faults of PID 1: the brake holds, and the watchdog does not do what it forbids
    with m.boot_again(config=machine(FAULTS, "", "sleep 30; echo nobody was reset")) as other:
        other.wait_state("main", "up")
        other.start("i=0; while [ $i -lt 60 ]; do kill -SEGV 1; sleep 0.5; i=$((i+1)); done")
        other.on_console("emergency: a shell: 1 reboots for failure within 3600 s; not once more", 60)
        other.on_console("nobody was reset", 60)
        assert "softdog" not in other.console, "it was stopped"
    with m.boot_again(config=machine("modules: []", "on_failure: reboot")) as other:
        fails(other)
        other.on_console("reboots for failure are not counted: the next one begins in 30 s", 30)
    with m.boot_again(config=machine("emergency: reboot\n  fstab: true"), ready=False,
                      files={"/etc/fstab": "LABEL=lost /lost ext4 x-systemd.device-timeout=1s\n"}) as other:
        other.on_console("emergency: rebooting: /etc/fstab:1: mount on /lost", 60)
        other.on_console("emergency: reboots for failure are not counted: the next one begins in 30 s", 30)
