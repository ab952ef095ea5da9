"""GRUB for BIOS, put on a disk without a device: its two parts, what it reads, and where it counts the boots."""
import struct
from pathlib import Path

from . import debs
from .root import tool

MODULES = ("biosdisk", "part_gpt", "fat", "normal", "linux", "test", "true", "loadenv", "regexp", "configfile", "echo",
           "sleep", "reboot")

# A slot whose entry counts down (its name has a +) is tried three times; who finds it good takes the counter out of the
# name, as for systemd-boot. GRUB cannot rename files: it counts in grubenv, by name and version of what it tries.
CONFIG = r"""# Which slot is booted: one that is to be tried, and has tries left; else the good one that was booted last.
load_env trial tries current
for s in a b; do
	source /$s/grub.cfg
	for e in /loader/entries/prior-$s.conf /loader/entries/prior-$s+*.conf; do
		if [ ! -f "$e" ]; then
			true
		elif regexp '[+]0' "$e"; then
			true
		elif regexp '[+]' "$e"; then
			if [ -z "$chosen" ]; then
				if [ "$trial" != "$e $version" ]; then set trial="$e $version"; set tries=; fi
				if [ "$tries" != 111 ]; then set tries="1$tries"; set chosen=$s; fi
			fi
		elif [ -z "$good" -o "$s" = "$current" ]; then
			set good=$s
		fi
	done
done
if [ -n "$chosen" ]; then
	set current=$chosen
	save_env trial tries current
else
	set chosen=$good
	if [ -z "$chosen" ]; then set chosen=a; fi
	if [ "$chosen" != "$current" ]; then
		set current=$chosen
		save_env current
	fi
fi
echo "prior: slot $chosen"
source /$chosen/grub.cfg
linux /$chosen/vmlinuz $cmdline
initrd /$chosen/initramfs
boot
echo "prior: slot $chosen cannot be booted"
sleep 5
reboot
"""


def slot(version: str, cmdline: str) -> str:
    """What is known of a slot; an update brings its own."""
    return f"set version='{version}'\nset cmdline='{cmdline}'\n"


def environment(values: dict) -> bytes:
    """The file that GRUB reads and writes in place."""
    return ("# GRUB Environment Block\n" + "".join(f"{k}={v}\n" for k, v in values.items())).encode().ljust(1024, b"#")


def install(disk: Path, sector: int, room: int) -> None:
    """The first part into the first sector (the partition table stays), the other into the partition from `sector`."""
    images = debs.unpack("grub-pc-bin") / "usr/lib/grub/i386-pc"
    made = disk.with_name(disk.name + ".grub")
    tool(debs.unpack("grub-common") / "usr/bin/grub-mkimage", "-O", "i386-pc", "-d", images, "-o", made,
         "-p", "(,gpt2)/grub", *MODULES)
    core = bytearray(made.read_bytes())
    made.unlink()
    if len(core) > room:
        raise debs.PackageError(f"GRUB is larger than its partition: {len(core)} bytes")
    # The first part loads one sector; that one has a list of where the others are: where, how many (is there already).
    struct.pack_into("<Q", core, 0x1f4, sector + 1)
    first = bytearray((images / "boot.img").read_bytes())
    struct.pack_into("<Q", first, 0x5c, sector)
    first[0x66:0x68] = b"\x90\x90"      # some BIOSes pass a wrong drive number: 0x80 is meant
    with open(disk, "r+b") as f:
        f.write(first[:440])
        f.seek(sector * 512)
        f.write(core)
