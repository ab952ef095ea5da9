"""A soft reboot starts all services anew under the same kernel, from the binary on disk; then a real end follows."""
from lib.image import Image
from lib.machine import Hardware

kernels = ["6.1", "6.12"]
limit = 90
hardware = Hardware(append="dummy.numdummies=3")

image = Image(modules=["dummy"], config="""
version: 1
machine: {hostname: again, modules: [dummy], mounts: [{source: tmpfs, target: /scratch, type: tmpfs}]}
network:
  interfaces: {dummy0: {match: {name: dummy1}}, dummy1: {match: {name: dummy0}}, wan: {match: {name: dummy2}}}
services:
  web: {command: [/bin/probe, stay]}
""")


def run(m):
    m.wait_state("web", "up")
    kernel = m.ok("cat /proc/sys/kernel/random/boot_id")
    indices = "cd /sys/class/net && cat dummy0/ifindex dummy1/ifindex wan/ifindex"
    named = m.ok(indices)
    m.ok("touch /scratch/gone /left; cp /sbin/prior /sbin/new; mv /sbin/new /sbin/prior")
    for turn in range(2):
        since = m.machine.second.size
        m.machine.second.send("0 " + "cHJpb3Igc29mdC1yZWJvb3Q=" + "\n")     # prior soft-reboot
        m.wait_ready(40, since)
        m.wait_state("web", "up", seconds=30)
        m.ok("prior wait")
        assert m.ok("cat /proc/sys/kernel/random/boot_id") == kernel, "another kernel"
        m.ok("test -e /left && ! test -e /scratch/gone && grep -q ' /scratch ' /proc/mounts")
        assert m.ok("readlink /proc/1/exe").strip() == "/sbin/prior"
        assert m.ok(indices) == named, "interfaces keep the names that they have got"
        assert m.json("prior status --prior --json")["generation"] == 1
        assert int(m.ok("grep -c ' / / ' /proc/self/mountinfo")) <= 2, "roots pile up"
    m.ok("prior audit web")
    m.ends("poweroff", "poweroff")
