"""A mount covers the configuration: what was planned before it starts, and the console says why and what to do."""
from lib.image import Image

kernels = ["6.12"]     # nothing of it is the kernel's doing
libcs = ["glibc"]

image = Image(config="""
version: 1
machine:
  mounts: [{source: tmpfs, type: tmpfs, target: /etc/prior}]
services:
  good: {command: [/bin/probe, stay]}
""")


def run(m):
    m.wait_state("good", "up")
    m.on_console("services start as planned before the mounts (mend it, then `prior reload-config`): "
                 "/etc/prior/prior.yaml: No such file or directory")
    m.fails("prior reload-config")
    m.ok("umount /etc/prior && prior reload-config")
    m.wait_state("good", "up")
