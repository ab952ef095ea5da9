"""kexec stops everything in order and boots the kernel that was named; without one it is refused."""
from lib.image import Image
from lib.machine import Hardware

kernels = ["6.1", "6.12"]
limit = 240
hardware = Hardware(memory=512)

image = Image(kernel=True, compress=True, config="""
version: 1
services:
  web: {command: [/bin/probe, stay]}
""")


def run(m):
    m.wait_state("web", "up")
    first = m.ok("cat /proc/sys/kernel/random/boot_id")
    assert "no kernel is loaded; name one" in m.fails("prior kexec", code=1)
    assert "open the kernel /boot/nothing" in m.fails("prior kexec /boot/nothing", code=1)
    since = m.machine.second.size
    m.start("prior kexec /boot/vmlinuz --initrd /boot/initrd --append \"$(cat /proc/cmdline) prior.second=1\"")
    m.wait_ready(60, since)
    m.wait_state("web", "up", seconds=30)
    assert m.ok("cat /proc/sys/kernel/random/boot_id") != first
    assert "prior.second=1" in m.ok("cat /proc/cmdline")
    m.ends("poweroff", "poweroff")
