"""The kernel's last words before a panic outlive it in memory that the next boot reads; a module gets its parameters."""
import base64

from lib import arch, drive
from lib.image import Image
from lib.machine import Hardware

kernels = ["6.12"]
libcs = ["glibc"]
limit = 300
# A piece of memory that the kernel does not use, where this machine has some.
KEPT = {"amd64": "memmap=1M$0x8000000 ramoops.mem_address=0x8000000",
        "arm64": "mem=254M ramoops.mem_address=0x4fe00000"}
hardware = Hardware(resets=True, append=f"{KEPT[arch.current().name]} ramoops.mem_size=0x100000 "
                                        "ramoops.record_size=0x10000")

image = Image(modules=["virtio_blk", "virtio_pci", "ramoops"], config="""
version: 1
machine: {modules: [ramoops], last_boot: /dev/vda}
""")


def disks(at):
    return [drive.blank(at, "record.img", 1)]


def run(m):
    m.ends("poweroff", "poweroff")
    with m.boot_again() as other:
        said = other.json("prior last-boot --json")
        assert said["ended"] == "asked for" and said["kernel"] is None, said
        before = other.machine.second.size
        panic = base64.b64encode(b"echo the last thing that it said >/dev/kmsg; echo c >/proc/sysrq-trigger").decode()
        other.machine.second.send(f"0 {panic}\n")      # nothing answers
        other.wait_ready(120, before)
        said = other.json("prior last-boot --json")
        assert said["ended"] == "cut off" and said["boot"] == 2, said
        assert "the last thing that it said" in said["kernel"] and "sysrq triggered crash" in said["kernel"], said
        other.ok("test -d /sys/fs/pstore; test -z \"$(ls /sys/fs/pstore)\"")     # its place is given back
