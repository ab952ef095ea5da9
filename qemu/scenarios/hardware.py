"""Interfaces have the names that their cards are to have, device files owners and links; services wait for them."""
import subprocess

from lib import arch, drive
from lib.image import Image
from lib.machine import Hardware

kernels = ["6.12"]
limit = 240
CARDS = ("52:54:00:00:00:01", "52:54:00:00:00:02")
hardware = Hardware(cards=CARDS, append="dummy.numdummies=4")

image = Image(modules=["virtio_net", "virtio_pci", "virtio_blk", "dummy", "button", "evdev"], config=f"""
version: 1
machine:
  modules: [dummy]
  sysctl: {{net.ipv6.conf.wan.accept_ra: "0"}}
  devices:
    - {{subsystem: tty, name: ttyS1, group: "20", mode: "0640", links: ["serial/port-%n"]}}
    - {{subsystem: block, driver: virtio_*, attributes: {{size: "*"}}, properties: {{DEVTYPE: disk}}, owner: "7",
       links: [store, "by/%k", "by/size-%s{{size}}", "by/no-%s{{serial}}", "null", "by/%e{{DEVTYPE}}"]}}
    - {{name: "vd*", mode: "0604"}}
    - {{subsystem: block, links: ["disk/by-partlabel/%e{{PARTNAME}}"]}}
network:
  interfaces:
    eth0: {{match: {{mac: "{CARDS[1].upper()}", driver: virtio_*, path: "*pci*/virtio*"}}, addresses: [192.0.2.1/24]}}
    eth1: {{addresses: [198.51.100.1/24]}}
    wan: {{match: {{name: dummy0}}, addresses: [203.0.113.1/24]}}
    both: {{match: {{driver: virtio_net}}}}
    dummy1: {{match: {{name: dummy2}}}}
    dummy2: {{match: {{name: dummy1}}}}
    one: {{match: {{name: dummy3}}}}
    other: {{match: {{name: "d*3"}}}}
    none: {{match: {{mac: "52:54:00:00:00:03"}}}}
services:
  stops:
    command: [/bin/probe, stay]
    needs_device: [/dev/store, /sys/class/net/wan]
    isolation: {{devices: ["/dev/store:r"]}}
    hooks: {{post_stop: [/bin/busybox, sh, -c, "test -b /dev/store || echo swept without it"]}}
  keeps:
    command: [/bin/probe, stay]
    needs_device: {{paths: /dev/store, gone: keep}}
    isolation: {{devices: ["/dev/store:r"]}}
  late:
    command: [/bin/probe, stay]
    needs_device: {{paths: /dev/by/never, timeout: 300ms}}
  behind:
    command: [/bin/probe, stay]
    depends_on: [stops]
  ever:
    command: [/bin/probe, stay]
    needs_device: {{paths: /dev/some/day, timeout: 0s}}
  after:
    command: [/bin/probe, stay]
    depends_on: [ever]
""")

BIND = "/sys/bus/virtio/drivers/virtio_blk"


def disks(at):
    disk = drive.blank(at, "store.img", 4)
    subprocess.run(["sfdisk", "-q", disk], input="label: gpt\nsize=1MiB, name=\"../e vil\"\nname=\"..\"\n", check=True,
                   capture_output=True, text=True)
    return [disk]


def names(m):
    # The second card is eth0; who had the name is eth1.
    for name, mac, address in (("eth0", CARDS[1], "192.0.2.1/24"), ("eth1", CARDS[0], "198.51.100.1/24"),
                               ("wan", "link/ether", "203.0.113.1/24")):
        seen = m.ok(f"ip addr show {name}")
        assert address in seen and mac in seen, seen
    assert m.ok("cat /proc/sys/net/ipv6/conf/wan/accept_ra").strip() == "0"
    # Names that are exchanged are, once: a match is about those of before.
    first, second = (int(m.ok(f"cat /sys/class/net/{name}/ifindex")) for name in ("dummy1", "dummy2"))
    assert first == second + 1, (first, second)
    m.ok("test -e /sys/class/net/dummy3")
    for row, rival in (("one", "other"), ("other", "one")):
        m.on_console(f"network.interfaces.{row}.match: network.interfaces.{rival}.match matches the same one; "
                     "it keeps its name")
    # What cannot be found, or is not one, is told with what there is; the others have their names.
    m.eventually(lambda: "network.interfaces.both.match: both eth0 and eth1 match" in
                 m.console.replace("eth1 and eth0", "eth0 and eth1"))
    m.on_console("network.interfaces.none.match: none matches; there are ")


def files(m):
    assert m.ok("stat -c '%a %u %g' /dev/ttyS1").split() == ["640", "0", "20"]
    assert m.ok("readlink /dev/serial/port-1").strip() == "../ttyS1"
    assert m.ok("stat -c '%a %u' /dev/vda").split() == ["604", "7"]
    links = m.ok("for i in store by/vda by/size-8192 by/disk; do readlink /dev/$i; done").split()
    assert links == ["vda"] + 3 * ["../vda"]
    # Whoever has made a partition has named it: "../e vil", and "..". The kernel tells of the disk first.
    m.eventually(lambda: m.ok("cd /dev/disk/by-partlabel && ls -A && readlink .._e_vil").split() ==
                 [".._e_vil", "../../vda1"], 30, "the partition that can have a link has it")
    m.ok("test ! -e /dev/by/no- && test -c /dev/null")      # an empty part is none; what is there is nobody's link
    m.on_console("/dev/null, a link to vda: File exists")


def waits(m):
    for name in ("stops", "keeps", "behind"):
        m.wait_state(name, "up")
    m.wait_state("late", "failed")
    m.ok("prior wait --timeout 100s")      # not for who waits without an end, nor for who waits for it
    assert m.status("ever")["state"] == m.status("after")["state"] == "waiting"
    assert "the device /dev/by/never did not come within 300 ms" in m.ok("prior why late")
    # In its cell there is that device, which was not there when it was planned, and no other.
    def sees():
        inside = f"/proc/{m.pid('stops')}/root/dev"
        said = m.ok(f"cd {inside} && stat -c %t:%T store && ls | grep -c -e vda -e ttyS || true")
        assert said.split() == ["fe:0", "0"]
        m.ok("prior audit stops")
    sees()
    kept = m.pid("keeps")
    reads = "prior enter keeps -- /bin/busybox dd if=/dev/store of=/dev/null count=1 2>&1"
    m.ok(reads)
    disk = m.ok(f"cd {BIND} && ls -d virtio*").strip()
    m.ok(f"echo {disk} >{BIND}/unbind")
    m.wait_state("stops", "waiting")
    m.wait_state("behind", "waiting")
    said = m.ok("prior why stops")
    assert "the device /dev/store is not there" in said and "it has failed, until they come" in said, said
    assert m.pid("keeps") == kept
    assert "Permission denied" in m.fails(reads)
    m.eventually(lambda: "swept without it" in m.ok("prior logs stops"))
    assert "hook-failed" not in m.ok("prior events --json")
    m.ok("test ! -e /dev/by && test ! -L /dev/store && test -L /dev/serial/port-1")
    # A fault, or another binary, in between loses nothing.
    m.ok("prior reexec")
    m.wait_state("stops", "waiting")
    m.ok(f"echo {disk} >{BIND}/bind")
    for name in ("stops", "behind"):
        m.wait_state(name, "up")
    files(m)
    assert "Permission denied" in m.fails(reads), "whatever has its number now is not for who has kept it"
    assert m.pid("keeps") == kept
    m.says("prior events", "device gone: /dev/store")
    # Whoever ends the helper gets another one, and that one finds drivers for what has none.
    pid = m.json("prior status --prior --json")["devices_pid"]
    # Without it the first one, if it looks late, does not load it.
    aliases = "/lib/modules/$(uname -r)/modules.alias"
    m.ok(f"mv {aliases} {aliases}.off && rmmod virtio_blk")
    m.wait_state("stops", "waiting")
    m.ok(f"mv {aliases}.off {aliases} && kill -9 {pid}")
    m.wait_state("stops", "up", seconds=30)
    m.ok("test -d /sys/module/virtio_blk")
    sees()
    stays = m.pid("stops")
    # Another configuration: a device that it names is there, one that was missing is not needed, links go with rules.
    m.ok("sed -i 's,/dev/by/never,/dev/seen/vda,; s,by/%k,seen/%k,; s,300ms,60s,' /etc/prior/prior.yaml && "
         "prior reload-config")
    m.wait_state("late", "up")
    m.ok("test ! -e /dev/by/vda && test -b /dev/by/disk")
    assert m.pid("stops") == stays
    m.ok("prior reexec")
    m.wait_state("late", "up")
    assert m.pid("stops") == stays


def buttons(m):
    """PID 1 hears of one key of all, and of nothing where it is to ignore that."""
    name = m.ok("cd /sys/class/input && grep -l AT.Translated event*/device/name").split("/")[0]
    held = "ls -l /proc/1/fd | grep -c /dev/input/event || true"
    asleep = "grep ^voluntary_ctxt_switches /proc/1/status"

    def press(keys):
        """They have all come to who reads the keyboard; returns how often PID 1 has woken meanwhile."""
        events = 6 * len(keys)      # each has a scan code, a key and an end, down and up
        m.start(f"{asleep} >/run/slept; dd if=/dev/input/{name} of=/dev/null bs=24 count={events} iflag=fullblock; "
                f"{asleep} >>/run/slept; touch /run/came")
        m.eventually(lambda: m.ok(f"ls -l /proc/[0-9]*/fd 2>/dev/null | grep -c /dev/input/{name}$ || true").strip() ==
                     str(1 + (m.ok(held).strip() != "0")))
        for key in keys:
            m.machine.press(key)
        m.eventually(lambda: m.sh("rm /run/came")[0] == 0)
        before, after = (int(line.split()[1]) for line in m.ok("cat /run/slept").splitlines())
        return after - before

    def holds(n):
        m.eventually(lambda: m.ok(held).strip() == str(n), why=f"PID 1 holds {n} of the devices")
    holds(2)        # the machine's and the keyboard's
    woken = press("abcdefgh")
    m.note(f"PID 1 has woken {woken} times while eight keys were pressed")
    assert woken < 8, woken
    m.ok("sed -i 's,^machine:,&\\n  power_button: ignore,' /etc/prior/prior.yaml && prior reload-config")
    holds(0)
    press(["power"])
    m.ok("sed -i 's,power_button: ignore,power_button: poweroff,' /etc/prior/prior.yaml && prior reload-config")
    holds(2)
    m.ok("rmmod button")
    holds(1)
    m.ok("prior reexec; modprobe button")
    holds(2)
    m.machine.control("system_powerdown")
    m.ends("poweroff")


def run(m):
    names(m)
    files(m)
    waits(m)
    if arch.current().has_keyboard:
        buttons(m)
