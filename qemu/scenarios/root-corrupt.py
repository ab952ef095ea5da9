"""A root image with one flipped bit is refused, and so is one with another hash, whatever the command line says."""
import re
from pathlib import Path

from lib import paths
from lib.scenario import load

kernels = ["6.1", "6.12"]
limit = 240

_good = load(paths.QEMU / "scenarios/root-switch.py")
image = _good.image


def disks(at):
    made = _good.disks(at)
    with open(made[0], "r+b") as f:
        f.seek(1024 + 64)       # the label in the superblock: the first block that is read
        byte = f.read(1)[0]
        f.seek(1024 + 64)
        f.write(bytes([byte ^ 1]))
    return made[:1]


def run(m):
    m.on_console("emergency: switching off: root: verity: mount /dev/dm-0 (erofs)", 60)
    m.ends("poweroff", seconds=30)
    disk = Path(m.disks[0])
    data = bytearray(disk.read_bytes())
    data[1024 + 64] ^= 1
    disk.write_bytes(data)
    with m.boot_again(append="prior.verity=" + "0" * 64, ready=False) as other:
        other.wait_ready(60)    # the configuration's hash counts
        other.ends("poweroff", "poweroff")
    with m.boot_again(config=re.sub("verity: [0-9a-f]+", "verity: " + "0" * 64, image.config), ready=False) as other:
        other.on_console("emergency: switching off: root: verity: mount /dev/dm-0 (erofs)", 60)


run.ready = False
