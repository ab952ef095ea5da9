"""kexec stops everything in order and boots the kernel that was named; without one it is refused."""
from lib.image import Image
from lib.machine import Hardware
from lib.session import Skip

kernels = ["6.1", "6.12"]
libcs = ["glibc"]
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
    said = m.fails("echo no kernel >/run/bad; prior kexec /run/bad 2>&1", code=1)
    if "is built without CONFIG_KEXEC_FILE" in said:    # Debian's for arm64
        m.ends("poweroff", "poweroff")
        raise Skip("this kernel has no kexec_file_load(2)")
    assert "load the kernel /run/bad: Exec format error" in said, said
    since = m.machine.second.size
    m.start("prior kexec /boot/vmlinuz --initrd /boot/initrd --append \"$(cat /proc/cmdline) prior.second=1\"")
    m.wait_ready(60, since)
    m.wait_state("web", "up", seconds=30)
    assert m.ok("cat /proc/sys/kernel/random/boot_id") != first
    assert "prior.second=1" in m.ok("cat /proc/cmdline")
    m.ends("poweroff", "poweroff")
