"""The architectures that images and machines are made for: $ARCH, in Debian's words, or this host's."""
import os
import platform
from typing import NamedTuple

NATIVE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())


class Arch(NamedTuple):
    name: str           # Debian's
    triple: str         # the compiler's prefix, and the folder of libraries
    qemu: str           # the program
    machine: tuple      # what it emulates: arguments, serial ports left out
    serials: tuple      # the arguments that make serial0 and serial1 the ports ttyS0 and ttyS1
    words: str          # more of the kernel's command line
    qemu_package: str
    libraries: tuple    # where the loader looks without a cache, in its order
    loader: tuple       # systemd-boot: its file, and its name on the boot partition
    uefi: tuple         # the package of its firmware, and in there: code, variables
    has_bios: bool
    has_keyboard: bool  # and a power button, as a PC has them
    slower: int         # limits are so many times what is enough for this host's own processor, with nothing beside it


def _libraries(triple: str) -> tuple:
    return (f"/lib/{triple}", f"/usr/lib/{triple}", "/lib", "/usr/lib")


ROWS = {row.name: row for row in (
    # q35 and not microvm: microvm has one serial port and, under TCG, loses its timer when the host is busy
    # (tsc_early_khz is given all the same; no_timer_check spares another wait for a late tick).
    Arch("amd64", "x86_64-linux-gnu", "qemu-system-x86_64", ("-machine", "q35,sata=off,smbus=off", "-cpu", "max"),
         ("-device", "isa-serial,chardev=serial0", "-device", "isa-serial,chardev=serial1"),
         "tsc_early_khz=2600000 no_timer_check", "qemu-system-x86", _libraries("x86_64-linux-gnu"),
         ("systemd-bootx64.efi", "BOOTX64.EFI"),
         ("ovmf", "usr/share/OVMF/OVMF_CODE_4M.fd", "usr/share/OVMF/OVMF_VARS_4M.fd"), True, True, 4),
    # Its own port is not of the kind that x86 has; with a card both have the names that they have there.
    Arch("arm64", "aarch64-linux-gnu", "qemu-system-aarch64", ("-machine", "virt", "-cpu", "cortex-a57"),
         ("-device", "pci-serial-2x,chardev1=serial0,chardev2=serial1"),
         "", "qemu-system-arm", _libraries("aarch64-linux-gnu"), ("systemd-bootaa64.efi", "BOOTAA64.EFI"),
         ("qemu-efi-aarch64", "usr/share/AAVMF/AAVMF_CODE.fd", "usr/share/AAVMF/AAVMF_VARS.fd"), False, False, 8),
)}


def current() -> Arch:
    name = os.environ.get("ARCH") or NATIVE
    if name not in ROWS:
        raise SystemExit(f"no architecture {name}: there are {', '.join(ROWS)}")
    return ROWS[name]


def suffix() -> str:
    """Of folders that hold what is made for another architecture than this host's."""
    return "" if current().name == NATIVE else f"-{current().name}"


def tool(name: str) -> str:
    """gcc, strip and the like that make programs for it."""
    return f"{current().triple}-{name}" if suffix() else name
