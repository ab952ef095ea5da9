"""The clock is never earlier than the build or the last end; the seed is used once; the watchdog resets a sick machine."""
from lib import drive
from lib.image import Image
from lib.machine import Hardware

kernels = ["6.12"]     # nothing of it is the kernel's doing
libcs = ["glibc"]
limit = 300
hardware = Hardware(memory=256, clock="2001-02-03T04:05:06")     # as without a battery

image = Image(modules=["virtio_blk", "virtio_pci", "softdog"], config="""
version: 1
machine:
  modules: [softdog]
  mounts: [{source: LABEL=data, target: /var/lib}]
  random_seed: /var/lib/prior/random-seed
  rtc: utc
  watchdog: {device: /dev/watchdog, timeout: 8s, pretimeout: 2s}
services:
  main:
    command: [/bin/probe, stay]
    critical: true
    restart: "no"
    isolation: {preset: none}
    healthcheck: {test: [CMD, /bin/busybox, test, "!", -e, /run/ill], interval: 200ms, retries: 2}
  other: {command: [/bin/probe, stay]}
  carried: {command: [/var/lib/probe, stay]}
""")

SEED = "/var/lib/prior/random-seed"


def disks(at):
    return [drive.ext4(at, "data.img", 32, "-L", "data")]


def on_disk(m, name):
    return drive.read(m.disks[0], f"/prior/{name}")


def run(m):
    m.wait_state("main", "up")
    m.ok("ls -l /proc/1/fd | grep -q watchdog")
    assert m.ok("cat /sys/class/watchdog/watchdog0/pretimeout").strip() == "2"
    m.fails(f"test -e {SEED}")      # the first boot has none
    assert int(m.ok("date +%Y")) >= 2026, "earlier than the build"
    m.ok("date -s '2036-02-03 04:05:06'")
    assert m.status("carried")["state"] == "refused", "there is no such program yet"
    m.ok("cp /bin/probe /var/lib/probe && chmod 755 /var/lib/probe")
    m.ok("prior disable other")
    m.ends("poweroff", "poweroff")
    assert "watchdog did not stop" not in m.console
    first = on_disk(m, "random-seed")
    assert len(first) == 512 and "random seed" not in m.console, "the end makes one"
    with m.boot_again() as other:
        other.wait_state("main", "up")
        other.wait_state("carried", "up")   # its program is on a mount
        assert "services refused" not in other.console and "No such file" not in other.console
        assert other.ok("date +%Y").strip() == "2036", "not before the machine last ended"
        other.ok(f"test $(stat -c %a:%s {SEED}) = 600:512")
        assert other.status("other")["state"] == "down", "what was disabled starts, for a mount has it"
        other.ok("prior enable other")
        second = other.read(SEED)
        assert second != first, "replaced before anybody could use it twice"
        other.ok("sleep 10")        # longer than the watchdog's time
        other.ok("prior reexec; sleep 9")
        other.ends("reboot", "reboot")
        other.on_console("watchdog did not stop")   # it watches over the reboot
    assert on_disk(m, "random-seed") not in (first, second)
    with m.boot_again() as other:
        other.wait_state("main", "up")
        other.wait_state("other", "up")
        other.ok("touch /run/ill")
        other.on_console("a critical service is not well: the machine will be reset", 20)
        other.on_console("softdog: Initiating system reboot", 40)
