"""Debian's cloud kernels, unpacked: the image to boot and the modules that belong to it."""
from pathlib import Path
from typing import NamedTuple

from . import debs, paths

# What people type -> the metapackage whose one linux-image dependency is the kernel.
PACKAGES = {
    "6.1": "linux-image-cloud-amd64",
    "6.12": "linux-image-6.12-cloud-amd64",
}


class Kernel(NamedTuple):
    name: str           # "6.1"
    release: str        # "6.1.0-56-cloud-amd64"
    vmlinuz: Path
    modules: Path       # the folder lib/modules/RELEASE


def fetch(name: str) -> Kernel:
    """This kernel, downloading it the first time. BUILD/kernels/NAME is a link to the unpacked package."""
    if name not in PACKAGES:
        raise debs.PackageError(f"kernel {name}: not known; there are {', '.join(PACKAGES)}")
    link = paths.build() / "kernels" / name
    with debs.alone(link.parent):
        if not link.exists():
            package = debs.unpack(debs.depends(PACKAGES[name], "linux-image-"))
            link.unlink(missing_ok=True)
            link.symlink_to(package)
    (vmlinuz,) = link.glob("boot/vmlinuz-*")
    release = vmlinuz.name.removeprefix("vmlinuz-")
    modules = link / "lib/modules" / release
    if not modules.is_dir():
        modules = link / "usr/lib/modules" / release
    return Kernel(name, release, vmlinuz, modules)
