"""The root is a folder of the host, by virtiofs: as the command line says it, and as the configuration does."""
import os

from lib.image import Image
from lib.machine import VIRTIOFSD, Hardware

kernels = ["6.1"]       # a module there; built into 6.12
libcs = ["glibc"]
limit = 120
hardware = Hardware(share="shared" if VIRTIOFSD.exists() and os.geteuid() == 0 else "")

root = Image(config="""
version: 1
machine: {hostname: in-the-root}
services:
  web: {command: [/bin/probe, stay]}
""")
image = Image(tools=False, modules=["virtio_pci", "virtiofs"],
              config="machine: {emergency: poweroff, root: {device: shared, type: virtiofs}}\n")


def disks(at):
    root.tree(at.kernel, at.prior).unpack(at.folder / "shared")
    return []


def lives_in_it(m, options):
    m.wait_ready()
    m.wait_state("web", "up", seconds=30)
    assert m.ok("hostname").strip() == "in-the-root"
    line = m.ok("grep ' / ' /proc/mounts").splitlines()[-1].split()
    assert line[0] == "shared" and line[2] == "virtiofs" and options in line[3].split(","), line
    m.ok("prior audit web")


def run(m):
    if not hardware.share:
        m.skip(f"{VIRTIOFSD} (Debian package qemu-system-common), run by root, shares the folder")
    lives_in_it(m, "rw")
    m.ok("echo kept >/kept")
    m.ends("poweroff", "poweroff")
    plain = "machine: {emergency: poweroff}\n"
    with m.boot_again(config=plain, append="root=shared rootfstype=virtiofs ro", ready=False) as other:
        lives_in_it(other, "ro")
        assert other.ok("cat /kept") == "kept\n"
        other.ends("poweroff", "poweroff")
    with m.boot_again(config=plain, append="root=virtiofs:another", ready=False) as other:
        other.on_console("root: mount another (virtiofs) on /.prior/root: no device has this tag, or an option is wrong: Invalid argument", 60)
        other.ends("poweroff", seconds=60)


run.ready = False
