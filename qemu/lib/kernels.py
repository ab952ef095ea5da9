"""Debian's cloud kernels, unpacked: the image to boot and the modules that belong to it."""
import re
from pathlib import Path
from typing import NamedTuple

from . import arch, debs, packages, paths

NAMES = ["6.1", "6.12"]


class Kernel(NamedTuple):
    name: str           # "6.1"
    release: str        # "6.1.0-56-cloud-amd64"
    vmlinuz: Path
    modules: Path       # the folder lib/modules/RELEASE


def fetch(name: str) -> Kernel:
    """This kernel, one of NAMES or a Debian package of one, downloading it the first time.
    BUILD/kernels/NAME is a link to the unpacked package."""
    # A package without a release in its name has one linux-image dependency, which is the kernel.
    meta = packages.section(f"kernel-{name}{arch.suffix()}")[0] if name in NAMES else name
    link = paths.build() / f"kernels{arch.suffix()}" / name
    with debs.alone(link.parent):
        if not link.exists():
            package = debs.unpack(meta if re.match(r"linux-image-\d+\.\d+\.\d", meta) else
                                  debs.depends(meta, "linux-image-"))
            link.unlink(missing_ok=True)
            link.symlink_to(package)
    (vmlinuz,) = link.glob("boot/vmlinuz-*")
    release = vmlinuz.name.removeprefix("vmlinuz-")
    modules = link / "lib/modules" / release
    if not modules.is_dir():
        modules = link / "usr/lib/modules" / release
    return Kernel(name, release, vmlinuz, modules)
