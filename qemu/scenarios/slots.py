"""Two roots take turns: a root with one flipped bit is refused, the other one boots and knows why; all three formats."""
import struct
import zlib

from lib import paths
from lib.image import Image
from lib.scenario import load

kernels = ["6.12"]     # nothing of it is the kernel's doing
libcs = ["glibc"]
limit = 360

_root = load(paths.QEMU / "scenarios/root-switch.py")
_build = _root.disks.__globals__        # its way of making a root

COUNTED = """
  last_boot: /dev/vdd
  slots:
    at: /dev/vdc
    good_after: 300ms
"""
SERVICES = """
services:
  web: {command: [/bin/probe, stay]}
"""
HOOK = """    hook: [/bin/busybox, sh, -c, 'echo "$@" >>/run/hook; test ! -e /run/no', hook]
"""

image = Image(tools=True, modules=_build["MODULES"])


def disks(at):
    root = Image(config=f"machine:{COUNTED}    list: [{{name: a}}, {{name: b}}]\n{HOOK}{SERVICES}")
    _build["root"] = root
    made = _root.disks(at)[0]
    hash = _root.image.config.partition("verity: ")[2].partition(",")[0]
    slots, record, other = (at.folder / name for name in ("slots.img", "record.img", "b.img"))
    other.write_bytes(made.read_bytes())
    for disk in (slots, record):
        disk.write_bytes(bytes(1 << 20))
    image.config = f"""
machine:
  emergency: poweroff
  root: {{overlay: tmpfs}}{COUNTED}    list:
      - {{name: a, device: /dev/vda, verity: {hash}}}
      - {{name: b, device: /dev/vdb, verity: {hash}}}
"""
    return [made, other, slots, record]


def flip(disk):
    with open(disk, "r+b") as f:
        f.seek(1024 + 64)
        byte = f.read(1)[0]
        f.seek(1024 + 64)
        f.write(bytes([byte ^ 1]))


def runs(m, name):
    m.wait_ready(60)
    m.wait_state("web", "up")
    said = m.eventually(lambda: (s := m.json("prior slot --json"))["slots"] and
                        next(v for v in s["slots"] if v["booted"])["good"] and s, 20, "the slot that runs is good")
    assert said["booted"] == name, said
    return {v["slot"]: v for v in said["slots"]}


def by_files(m):
    assert runs(m, "a") == {"a": {"slot": "a", "booted": True, "good": True, "tries_left": 3},
                            "b": {"slot": "b", "booted": False, "good": False, "tries_left": 3}}
    m.says("cat /run/hook", "mark-good a")      # it is told once the mark is kept
    release = m.ok("uname -r")
    m.ok("prior slot switch b")
    m.ends("reboot", "/sbin/reboot 'to b'")
    assert "Restarting system with command 'to b'" in m.console, "the kernel hands it on to the firmware"
    with m.boot_again(ready=False) as other:
        runs(other, "b")
        assert "there is no slot c" in other.fails("prior slot mark-good c 2>&1", code=1)
        assert "a                 on trial  3\n" in other.ok("prior slot mark-bad a; prior slot switch a; prior slot")
        other.ok("touch /run/no")
        assert ("slot b is marked good, but machine.slots.hook was not told: hook: ended with code 1"
                in other.fails("prior slot mark-good 2>&1", code=1))
        other.ends("reboot", "kill -TERM 1")
    flip(m.disks[0])
    with m.boot_again(ready=False) as other:
        other.on_console("emergency: rebooting: slot a: root: verity: mount /dev/dm-0 (erofs)", 60)
        other.ends("reboot")
    # root= names the slot that is bad, prior.slot= one that is none: it is prior that chooses, and counts
    with m.boot_again(append="root=/dev/vda prior.slot=c", ready=False) as other:
        assert runs(other, "b")["a"]["tries_left"] == 0
        other.on_console("prior.slot=c: machine.slots.list has no such slot; choosing as without it")
        said = other.json("prior last-boot --json")
        assert (said["ended"], said["how"]) == ("failure", "reboot"), said
        assert said["why"].startswith("slot a: root: verity: mount /dev/dm-0"), said
        other.ends("poweroff", "poweroff")
    return release


def uncounted(m):
    """Where the tries are counted is something else: no reason not to boot."""
    flip(m.disks[0])
    with open(m.disks[2], "r+b") as f:
        f.write(b"no slots at all")
        f.seek(4096)
        f.write(b"no slots at all")
    with m.boot_again(ready=False) as other:
        other.on_console("something else is kept there; not overwriting it (its first 4608 bytes have to be zero); "
                         "taking the first slot, and not counting it", 60)
        other.wait_ready(60)
        other.wait_state("web", "up")
        assert other.ok("cat /run/prior/slot") == "a"
        assert "something else is kept there" in other.fails("prior slot 2>&1", code=1)
        other.on_console("all is well, and that cannot be kept, or the hook of the slots has failed; "
                         "`prior boot-good` says why", 30)
        assert "something else is kept there" in other.fails("prior boot-good 2>&1", code=1)
        other.ends("poweroff", "poweroff")
    with m.boot_again(config=image.config.replace("at: /dev/vdc", "at: /run/slots"), ready=False) as other:
        other.on_console("slots: /run/slots is in memory, which no reboot outlives; taking the first slot", 60)


ENV = 4096
UBOOT = f"""
machine:
  slots:
    by: uboot
    env: ["/dev/vdc 0x10000 {ENV:#x}", "/dev/vdc 0x20000 {ENV:#x}"]
    good_after: 300ms
    list: [{{name: a}}, {{name: b}}]
{SERVICES}"""
SYSTEMD = f"""
machine:
  slots: {{by: systemd, at: /entries, good_after: 300ms, list: [{{name: a}}, {{name: b}}]}}
{SERVICES}"""


def made(flags, text):
    data = text.encode().ljust(ENV - 5, b"\0")
    return struct.pack("<IB", zlib.crc32(data), flags) + data


def in_force(disk):
    """The newer copy that is whole, as U-Boot takes it."""
    with open(disk, "rb") as f:
        copies = [(f.seek(at), f.read(ENV))[1] for at in (0x10000, 0x20000)]
    whole = [c for c in copies if struct.unpack("<I", c[:4])[0] == zlib.crc32(c[5:])]
    return max(whole, key=lambda c: c[4]), len(whole)


def by_uboot(m):
    with open(m.disks[2], "r+b") as f:
        f.seek(0x10000)
        f.write(made(7, "arch=arm\0BOOT_ORDER=b a rescue\0BOOT_a_LEFT=3\0BOOT_b_LEFT=1\0bootcmd=run it\0"))
        f.seek(0x20000)
        f.write(made(6, "stale=1\0"))
    with m.boot_again(config=UBOOT, append="prior.slot=b") as other:
        runs(other, "b")
        other.ok("prior slot switch a")
        assert other.json("prior slot --json")["slots"][0]["slot"] == "a"
        other.ends("poweroff", "poweroff")
    copy, whole = in_force(m.disks[2])
    values = dict(v.split("=", 1) for v in copy[5:].decode().split("\0") if v)
    assert whole == 2 and copy[4] == 9, (whole, copy[4])    # two changes
    assert values == {"arch": "arm", "bootcmd": "run it", "BOOT_ORDER": "a b rescue", "BOOT_a_LEFT": "3",
                      "BOOT_b_LEFT": "3"}, values


def by_systemd(m):
    with m.boot_again(config=SYSTEMD, files={"/entries/a-1.2+2-1.conf": "title a\n", "/entries/b.conf": "title b\n"},
                      append="prior.slot=a") as other:
        runs(other, "a")
        assert other.ok("ls /entries").split() == ["a-1.2.conf", "b.conf"]
        other.ok("prior slot mark-bad b")
        assert other.ok("ls /entries").split() == ["a-1.2.conf", "b+0.conf"]
        assert "takes the newest entry" in other.fails("prior slot switch b 2>&1", code=1)
        other.ends("poweroff", "poweroff")


def run(m):
    if by_files(m).startswith(kernels[-1]):     # the rest is not the kernel's
        uncounted(m)
        by_uboot(m)
        by_systemd(m)


run.ready = False
