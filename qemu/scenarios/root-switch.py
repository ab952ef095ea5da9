"""An initramfs finds the root by its label, checks it with dm-verity, lays an overlay over it and goes on in it."""
import re
import subprocess

from lib import drive
from lib.image import Image

kernels = ["6.1", "6.12"]
limit = 300

SERVICES = """
version: 1
machine: {hostname: in-the-root, last_boot: /var/prior/last-boot}
services:
  web: {command: [/bin/probe, stay]}
"""
MODULES = ["virtio_blk", "virtio_pci", "erofs", "overlay", "dm_verity"]
DIRECTORIES = ("dev", "proc", "sys", "run", "tmp", "var", "mnt")

root = Image(config=SERVICES)
image = Image(tools=False, modules=MODULES)


def verity(disk):
    size = (disk.stat().st_size + 4095) // 4096 * 4096
    said = subprocess.run(["veritysetup", "format", f"--hash-offset={size}", f"--data-blocks={size // 4096}",
                           "--salt=5a17", disk, disk], check=True, capture_output=True, text=True).stdout
    return re.search(r"Root hash:\s*(\w+)", said).group(1)


def disks(at):
    tree = root.tree(at.kernel, at.prior)
    folder = at.folder / "root"
    tree.unpack(folder)
    for name in DIRECTORIES:
        (folder / name).mkdir(exist_ok=True)
    checked = drive.blank(at, "root.img", 0)
    subprocess.run(["mkfs.erofs", "-T0", "--all-root", "-U", "6f1f2a3b-0c4d-4e5f-8a9b-0123456789ab", checked, folder],
                   check=True, capture_output=True)
    hash = verity(checked)
    image.config = f"""
machine:
  emergency: poweroff
  root: {{device: UUID=6f1f2a3b-0c4d-4e5f-8a9b-0123456789ab, verity: {hash}, overlay: tmpfs}}
"""
    return [checked, drive.ext4(at, "plain.img", 48, "-L", "plain", "-d", folder),
            drive.ext4(at, "writes.img", 48, "-L", "writes")]


def lives_in(m, kind):
    m.wait_ready()
    m.wait_state("web", "up", seconds=30)
    assert m.ok("hostname").strip() == "in-the-root"
    lines = [line.split() for line in m.ok("cat /proc/mounts").splitlines()]
    assert [line[2] for line in lines if line[1] == "/"][-1] == kind, lines
    m.ok("prior audit web")


def run(m):
    lives_in(m, "overlay")
    m.on_console("the last boot: /var/prior/last-boot is in memory, which no reboot outlives", 5)
    m.ok("echo new >/var/file; mkdir -p /mnt; test -w /etc/prior/prior.yaml")
    m.ok("test ! -e /old; for f in /dev/console /proc/1 /sys/class /run/prior; do test -e $f || exit 1; done")
    m.ends("poweroff", "poweroff")
    with m.boot_again(ready=False) as other:
        lives_in(other, "overlay")
        other.ok("test ! -e /var/file")     # it was memory
        other.ends("poweroff", "poweroff")
    plain = "machine: {emergency: poweroff}\n"
    with m.boot_again(config=plain, append="root=LABEL=plain rw init=/sbin/prior prior.overlay=LABEL=writes",
                      ready=False) as other:
        lives_in(other, "overlay")
        other.ok("echo kept >/var/file; sync")
        other.ends("poweroff", "poweroff")
    with m.boot_again(config=plain, append="root=LABEL=plain rw prior.overlay=LABEL=writes", ready=False) as other:
        lives_in(other, "overlay")
        assert other.ok("cat /var/file") == "kept\n"
        assert other.json("prior last-boot --json")["ended"] == "asked for"
        other.ends("poweroff", "poweroff")
    with m.boot_again(config=plain, append="root=LABEL=plain rootfstype=ext4 rootflags=noatime ro",
                      ready=False) as other:
        lives_in(other, "ext4")
        other.fails("touch /var/file")
        other.ends("poweroff", "poweroff")
    with m.boot_again(config=plain, append="root=LABEL=plain init=/sbin/nothing", ready=False) as other:
        other.on_console("switching off: there is no /sbin/nothing in the root", 60)
        other.ends("poweroff", seconds=30)


run.ready = False
