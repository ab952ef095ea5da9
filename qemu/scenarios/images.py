"""A service's root is a squashfs or erofs image: modules come when needed, a device is shared and let go."""
import shutil
import subprocess
import tempfile
from pathlib import Path

from lib import guest
from lib.image import Image
from lib.session import Skip

kernels = ["6.1", "6.12"]

TOOLS = [t for t in ("mksquashfs", "mkfs.erofs") if not shutil.which(t)]


def packed() -> dict:
    """The two images: a folder with busybox and a user."""
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        for folder in ("bin", "etc", "proc", "dev", "sys", "tmp"):
            (work / "tree" / folder).mkdir(parents=True)
        shutil.copy(guest.busybox(), work / "tree/bin/busybox")
        (work / "tree/etc/passwd").write_text("app:x:1234:1234::/:/bin/sh\n")
        run = dict(check=True, capture_output=True)
        subprocess.run(["mksquashfs", work / "tree", work / "a", "-all-root", "-comp", "xz"], **run)
        subprocess.run(["mkfs.erofs", work / "b", work / "tree"], **run)
        return {"/srv/a.squashfs": (work / "a").read_bytes(), "/srv/b.erofs": (work / "b").read_bytes()}


SLEEP = "[/bin/busybox, sleep, '1000']"

image = Image(modules=("loop", "squashfs", "erofs"), files={} if TOOLS else packed(), config=f"""
version: 1
services:
  one: {{command: {SLEEP}, user: app, isolation: {{rootfs: /srv/a.squashfs}}}}
  two: {{command: {SLEEP}, isolation: {{rootfs: /srv/a.squashfs, preset: strict}}}}
  three: {{command: {SLEEP}, user: app, isolation: {{rootfs: /srv/b.erofs}}}}
""")


def run(m):
    if TOOLS:
        raise Skip(f"no {' and no '.join(TOOLS)} here (see tools/packages.txt)")
    for name in ("one", "two", "three"):
        m.wait_state(name, "up")
        audit = m.ok(f"prior audit {name}")
        assert "✓ image: file" in audit, audit
    assert m.ok(f"stat -c %u /proc/{m.pid('one')}").strip() == "1234"
    assert m.ok(f"ls /proc/{m.pid('three')}/root").split() == ["bin", "dev", "etc", "proc", "sys", "tmp"]
    assert m.ok("cat /sys/block/loop*/loop/backing_file | sort").split() == ["/srv/a.squashfs", "/srv/b.erofs"]
    m.ok("prior restart one")
    m.ok("prior stop one two three")
    m.eventually(lambda: m.sh("cat /sys/block/loop*/loop/backing_file")[0] != 0, 10, "no loop device is left")
