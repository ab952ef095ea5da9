"""A disk with two slots that boots by BIOS (GRUB) and by UEFI (systemd-boot): what is where is in docs/IMAGES.md.

No root, no loop device: every file system is made in a file of its own and copied to its place. Same input, same bytes.
"""
import hashlib
import os
import shutil
from pathlib import Path
from typing import NamedTuple

from . import arch, debs, grub, root
from .folder import Described, FolderError
from .image import Image
from .kernels import Kernel
from .modules import Modules
from .root import identity, tool
from .tree import epoch

MIB = 1 << 20
SLOTS = ("a", "b")
TRIES = 3           # boots that a new slot has to show that it is good

# Drivers of what a root can be on; those that this kernel has come into the initramfs.
DRIVERS = ("virtio_pci", "virtio_blk", "virtio_scsi", "sd_mod", "ahci", "ata_piix", "nvme", "usb_storage", "uas",
           "xhci_pci", "ehci_pci", "mmc_block", "sdhci_pci", "hv_storvsc", "xen_blkfront", "vmw_pvscsi")

FAT = ("vfat", "nls_cp437", "nls_ascii")

TYPES = {"bios": "21686148-6449-6E6F-744E-656564454649", "boot": "C12A7328-F81F-11D2-BA4B-00A0C93EC93B",
         "slot": "0FC63DAF-8483-4772-8E79-3D69D8477DE4"}


class Partition(NamedTuple):
    name: str
    type: str
    start: int      # MiB
    size: int


def _mib(size: int, step: int = 1) -> int:
    """Whole steps of so many MiB."""
    return -(-size // (step * MIB)) * step


def _initramfs(what: Described, kernel: Kernel, prior: Path, made: root.Root, to: Path) -> Path:
    """What finds the root, checks it and goes on in it. The slot is on the command line, the hash is in here.

    The boot partition is mounted only for a good slot whose root fails: its entry is counted again.
    """
    overlay = f", overlay: {what.overlay}" if what.overlay else ""
    slots = ", ".join(f"{{name: prior-{slot}}}" for slot in SLOTS)
    fat = Modules.those_of(kernel, FAT)     # nothing loads the two tables by itself
    image = Image(
        config=f"""machine:
  emergency: reboot
  modules: [{", ".join(fat)}]
  root: {{type: {made.kind}, verity: {made.hash}{overlay}}}
  mounts: [{{source: PARTLABEL=boot, target: /boot, options: [nosuid, nodev, noexec]}}]
  slots: {{by: systemd, at: /boot/loader/entries, tries: {TRIES}, list: [{slots}]}}
""",
        modules=[*Modules.those_of(kernel, DRIVERS), *fat, made.kind, "dm_verity", *(["overlay"] if overlay else [])],
        tools=False, compress=True)
    return image.build(to, kernel, prior)


def _cmdline(what: Described, slot: str) -> str:
    return f"root=PARTLABEL=prior-{slot} prior.slot=prior-{slot} panic=10 {what.cmdline}".strip()


def _entry(what: Described, slot: str) -> tuple:
    """systemd-boot's entry of a slot: (name, text). The first slot counts down, the other one is the way back."""
    counter = f"+{TRIES}" if slot == SLOTS[0] else ""
    version = what.version if slot == SLOTS[0] else f"{what.version}~{slot}"     # ~ sorts before the same without
    return f"prior-{slot}{counter}.conf", (
        f"title prior {what.version} ({slot})\nversion {version}\nsort-key prior\n"
        f"linux /{slot}/vmlinuz\ninitrd /{slot}/initramfs\noptions {_cmdline(what, slot)}\n")


def _boot_files(what: Described, kernel: Kernel, initramfs: Path) -> dict:
    """The boot partition: path -> text, bytes or a host file."""
    file, name = arch.current().loader
    systemd_boot = debs.unpack("systemd-boot-efi") / "usr/lib/systemd/boot/efi" / file
    files = {f"EFI/BOOT/{name}": systemd_boot, "loader/loader.conf": "timeout 0\neditor no\n",
             "grub/grub.cfg": grub.CONFIG, "grub/grubenv": grub.environment({})}
    for slot in SLOTS:
        name, text = _entry(what, slot)
        files[f"loader/entries/{name}"] = text
        files[f"{slot}/vmlinuz"] = kernel.vmlinuz
        files[f"{slot}/initramfs"] = initramfs
        files[f"{slot}/grub.cfg"] = grub.slot(what.version, _cmdline(what, slot))
    return files


def _boot_partition(files: dict, size: int, seed: bytes, to: Path) -> None:
    """FAT32 by mtools. FAT knows no time before 1980."""
    folder = to.with_name(to.name + ".files")
    shutil.rmtree(folder, ignore_errors=True)
    to.unlink(missing_ok=True)
    env = {"SOURCE_DATE_EPOCH": str(max(epoch(), 315532800))}
    tool("mkfs.vfat", "-C", "-F", "32", "-s", "1", "--invariant", "-n", "PRIOR-BOOT", "-i",
         identity(seed, "boot")[:8], to, size // 1024, env=env)
    for path, what in sorted(files.items()):
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(what.read_bytes() if isinstance(what, Path) else
                         what.encode() if isinstance(what, str) else what)
    for path in sorted(folder.rglob("*")):      # one by one: mtools would take them as the host's folder has them
        place = f"::/{path.relative_to(folder)}"
        if path.is_dir():
            tool("mmd", "-i", to, place, env=env)
        else:
            tool("mcopy", "-i", to, path, place, env=env)
    shutil.rmtree(folder)


def layout(what: Described, boot: int, size: int) -> list:
    slot = what.slot or _mib(2 * size, 16)
    if size > slot * MIB:
        raise FolderError(f"slot: the root takes {_mib(size)} MiB, a slot has {slot}")
    rows, at = [], 1
    for name, kind, mib in (("bios", "bios", 1), ("boot", "boot", boot // MIB),
                            *((f"prior-{s}", "slot", slot) for s in SLOTS)):
        rows.append(Partition(name, kind, at, mib))
        at += mib
    return rows


def _table(rows: list, seed: bytes, disk: Path) -> None:
    script = f"label: gpt\nlabel-id: {identity(seed, 'disk')}\nunit: sectors\n" + "".join(
        f"start={p.start * MIB // 512}, size={p.size * MIB // 512}, type={TYPES[p.type]}, "
        f"uuid={identity(seed, p.name)}, name={p.name}\n" for p in rows)
    tool("sfdisk", "--quiet", "--no-reread", "--no-tell-kernel", disk, input=script)


def _copy(what: Path, disk: Path, at: int) -> None:
    """A file to its place on the disk; blocks of zeros stay holes."""
    with open(what, "rb") as source, open(disk, "r+b") as to:
        to.seek(at * MIB)
        while block := source.read(MIB):
            if block.count(0) == len(block):
                to.seek(len(block), os.SEEK_CUR)
            else:
                to.write(block)


def build(what: Described, kernel: Kernel, prior: Path, to: Path) -> root.Root:
    """The disk, and beside it its root and its initramfs: what an update brings."""
    made = root.build(what.image.tree(kernel, prior), what.kind, to.with_suffix(".root"))
    initramfs = _initramfs(what, kernel, prior, made, to.with_suffix(".initramfs"))
    files = _boot_files(what, kernel, initramfs)
    seed = hashlib.sha256(f"{what.version} {made.hash} {hashlib.sha256(initramfs.read_bytes()).hexdigest()}".encode())
    seed = seed.digest()
    # Twice what is there: an update writes its kernel before it removes the old one.
    boot = max(64, _mib(2 * (kernel.vmlinuz.stat().st_size + initramfs.stat().st_size) * len(SLOTS), 16)) * MIB
    fat, part = to.with_name(to.name + ".boot"), to.with_name(to.name + ".part")
    _boot_partition(files, boot, seed, fat)
    rows = layout(what, boot, made.file.stat().st_size)
    part.unlink(missing_ok=True)
    with open(part, "wb") as f:
        f.truncate((rows[-1].start + rows[-1].size + 1) * MIB)
    _table(rows, seed, part)
    for p in rows:
        if p.type != "bios":
            _copy(fat if p.type == "boot" else made.file, part, p.start)
    if arch.current().has_bios:
        grub.install(part, rows[0].start * MIB // 512, rows[0].size * MIB)
    fat.unlink()
    part.replace(to)
    return made
