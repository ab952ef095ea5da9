"""A disk with two slots: built twice the same, boots by BIOS and by UEFI, and goes back when a slot's root is corrupt."""
import json
import os
import subprocess

from lib import arch, cpio, debs, disk, folder, grub, paths, root, tree
from lib.image import Image
from lib.machine import Hardware

# What differs between kernels is in root-switch; nothing here depends on the C library.
kernels = ["6.1"]
libcs = ["glibc"]
limit = 600
hardware = Hardware(firmware="uefi")

image = Image()         # never booted by itself
_www = folder.load(paths.TOP / "examples/image")
_www.image.tools = True
_what = _www._replace(cmdline=f"{_www.cmdline} {arch.current().words}")


def refusal(what, *given):
    """What it says when it cannot be made."""
    try:
        what(*given)
    except (folder.FolderError, debs.PackageError) as e:
        return str(e)
    raise AssertionError("was taken")


def disks(at):
    assert refusal(disk.layout, _what._replace(slot=1), 64, 2 * disk.MIB) == "slot: the root takes 2 MiB, a slot has 1"
    theirs = tree.Tree()
    theirs.put("/x", cpio.regular(b"", uid=4001))
    assert "/x: is owned by 4001:0: in a root for a disk all" in refusal(root.build, theirs, "erofs", at.folder / "no")
    packed = [root.build(_what.image.tree(at.kernel, at.prior), "squashfs", at.folder / name) for name in ("1", "2")]
    assert packed[0].hash == packed[1].hash, "root-switch boots such a one"
    made, again = at.folder / "one/disk.img", at.folder / "two/disk.img"
    for to, umask, zone in ((made, 0o022, "UTC"), (again, 0o077, "Asia/Tokyo")):
        to.parent.mkdir(parents=True, exist_ok=True)
        old = os.umask(umask)
        try:
            disk.build(_what, at.kernel, at.prior, to)
        finally:
            os.umask(old)
    subprocess.run(["cmp", made, again], check=True)
    subprocess.run(["cmp", made.with_suffix(".root"), again.with_suffix(".root")], check=True)
    return [made]


def start_of(m, name):
    """The first byte of a partition."""
    said = subprocess.run(["sfdisk", "--json", m.disks[0]], check=True, capture_output=True, text=True).stdout
    rows = json.loads(said)["partitiontable"]["partitions"]
    return next(row["start"] * 512 for row in rows if row["name"] == name)


def mtools(m, command, *words, **more):
    """On the boot partition."""
    return subprocess.run([command, "-i", f"{m.disks[0]}@@{start_of(m, 'boot')}", *words], check=True,
                          capture_output=True, **more).stdout.decode()


def entries(m):
    return sorted(line.rpartition("/")[2] for line in mtools(m, "mdir", "-b", "::/loader/entries").split())


def corrupt(m, slot):
    """One bit of what is read first."""
    with open(m.disks[0], "r+b") as f:
        f.seek(start_of(m, f"prior-{slot}") + 1024 + 64)
        byte = f.read(1)[0]
        f.seek(-1, os.SEEK_CUR)
        f.write(bytes([byte ^ 1]))


def serves(m, slot):
    m.wait_ready(120)
    m.ok("prior wait", 60)
    assert f"root=PARTLABEL=prior-{slot}" in m.ok("cat /proc/cmdline").split()
    assert "/dev/dm-0 / erofs ro" in m.ok("cat /proc/mounts")
    m.says("wget -q -O - http://127.0.0.1/", "Hello")       # it is up before it listens
    assert m.status("web")["attested"]
    m.eventually(lambda: next(v for v in m.json("prior slot --json")["slots"] if v["booted"])["good"], 60, "it is good")
    m.ends("poweroff", "poweroff", 60)


def refuses(m):
    m.on_console("root: verity: mount /dev/dm-0 (erofs)", 120)
    m.ends("reboot", seconds=60)


def by_bios(m):
    mtools(m, "mren", "::/loader/entries/prior-a+0-3.conf", "prior-a+3.conf")
    mtools(m, "mcopy", "-D", "o", "-", "::/grub/grubenv",
           input=grub.environment({"trial": "/loader/entries/prior-a+3.conf 1", "tries": "11", "current": "a"}))
    with m.boot_again(ready=False, firmware="bios") as other:
        refuses(other)
    assert "tries=111\n" in mtools(m, "mtype", "::/grub/grubenv")
    with m.boot_again(ready=False, firmware="bios") as other:
        serves(other, "b")


def run(m):
    serves(m, "a")
    assert entries(m) == ["prior-a.conf", "prior-b.conf"], entries(m)
    # A good slot that rots is counted again; of the three tries of each loader the last: the other slot.
    corrupt(m, "a")
    with m.boot_again(ready=False) as other:
        refuses(other)
    assert entries(m) == ["prior-a+2-1.conf", "prior-b.conf"], entries(m)
    mtools(m, "mren", "::/loader/entries/prior-a+2-1.conf", "prior-a+1-2.conf")
    with m.boot_again(ready=False) as other:
        refuses(other)
    assert entries(m) == ["prior-a+0-3.conf", "prior-b.conf"], entries(m)
    with m.boot_again(ready=False) as other:
        serves(other, "b")
    if arch.current().has_bios:
        by_bios(m)


run.ready = False
