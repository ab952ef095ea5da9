"""An initramfs finds the root, on any file system, checks it with dm-verity, lays an overlay over it, goes on in it."""
import re
import shutil
import subprocess

from lib import drive
from lib.image import AGENT_SERVICE, Image
from lib.machine import Hardware

kernels = ["6.1", "6.12"]
limit = 300
hardware = Hardware(scsi=True)

SERVICES = """
version: 1
machine: {hostname: in-the-root, last_boot: /var/prior/last-boot}
services:
  web: {command: [/bin/probe, stay]}
"""
MODULES = ["virtio_blk", "virtio_pci", "erofs", "overlay", "dm_verity"]
DIRECTORIES = ("dev", "proc", "sys", "run", "tmp", "var", "mnt")

LATE = "late.img"       # a disk that is not there yet when the machine starts
PART = "11111111-2222-3333-4444-555555555555"
WHERE = "/prior.yaml"   # the configuration of a root without /etc, /var and /usr
BARE = SERVICES.replace(", last_boot: /var/prior/last-boot", "") + AGENT_SERVICE.partition("\n")[2] + """
  keeper:
    command: [/bin/busybox, sh, -c, "echo kept >$RUNTIME_DIRECTORY/file; exec /bin/probe stay"]
    runtime_directory: keeper
"""

root = Image(config=SERVICES)
image = Image(tools=False, modules=MODULES + ["btrfs", "sd_mod", "squashfs", "virtio_scsi", "xfs"])


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
    drive.ext4(at, LATE, 48, "-d", folder)
    return [checked, drive.made(at, "plain.img", 160, "mkfs.btrfs", "-q", "-L", "plain", "--rootdir", folder),
            drive.ext4(at, "writes.img", 48, "-L", "writes"), parted(at, folder),
            drive.made(at, "xfs.img", 320, "mkfs.xfs", "-q", "-L", "empty")]


def parted(at, folder):
    """A partition with a squashfs and its hashes; the root is read-only, and has no /etc, /var and /usr."""
    for name in ("etc", "var"):
        shutil.rmtree(folder / name)
    (folder / WHERE[1:]).write_text(BARE)
    part, disk = drive.blank(at, "bare.img", 0), drive.blank(at, "parted.img", 64)
    subprocess.run(["mksquashfs", folder, part, "-noappend", "-quiet", "-no-progress", "-all-root"], check=True,
                   capture_output=True)
    disk.with_suffix(".hash").write_text(verity(part))
    subprocess.run(["sfdisk", "-q", disk], input=f"label: gpt\nstart=2048, uuid={PART}\n", text=True, check=True,
                   capture_output=True)
    with open(disk, "r+b") as f:
        f.seek(1 << 20)
        f.write(part.read_bytes())
    return disk


def lives_in(m, kind):
    m.wait_ready()
    m.wait_state("web", "up", seconds=30)
    assert m.ok("hostname").strip() == "in-the-root"
    lines = [line.split() for line in m.ok("cat /proc/mounts").splitlines()]
    assert [line[2] for line in lines if line[1] == "/"][-1] == kind, lines
    m.ok("prior audit web")


def run(m):
    lives_in(m, "overlay")
    m.on_console("the last boot: /var/prior/last-boot is in memory, which no reboot outlives")
    m.ok("echo new >/var/file; mkdir -p /mnt; test -w /etc/prior/prior.yaml")
    m.ok("test ! -e /old; for f in /dev/console /proc/1 /sys/class /run/prior; do test -e $f || exit 1; done")
    m.ends("poweroff", "poweroff")
    plain = "machine: {emergency: poweroff}\n"
    hash = m.disks[3].with_suffix(".hash").read_text()
    with m.boot_again(files={WHERE: plain}, append=f"rdinit=/sbin/prior prior.config={WHERE} root=PARTUUID={PART} "
                      f"prior.verity={hash}", ready=False) as other:
        lives_in(other, "squashfs")
        other.ok("test ! -e /etc -a ! -e /var -a ! -e /usr; grep -q '^/dev/dm-0 / squashfs ro' /proc/mounts")
        assert other.ok("cat /run/keeper/file") == "kept\n"
        other.ok("prior audit keeper")
        other.ends("poweroff", "poweroff")
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
    with m.boot_again(config=plain, append="root=/dev/sda rootfstype=ext4 rootflags=noatime ro",
                      ready=False) as other:
        other.on_console("/dev/sda: there is no such device yet; waiting for it", 60)
        other.machine.plug(m.disks[0].with_name(LATE))
        lives_in(other, "ext4")
        other.fails("touch /var/file")
        assert "noatime" in other.ok("grep ' / ext4 ' /proc/mounts")
        other.ends("poweroff", "poweroff")
    with m.boot_again(config=plain, append="root=LABEL=empty init=/sbin/nothing", ready=False) as other:
        other.on_console("switching off: there is no /sbin/nothing in the root", 60)
        other.ends("poweroff", seconds=30)


run.ready = False
