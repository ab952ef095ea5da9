"""nginx and redis from Debian's packages, each in a private root: lazily started, counting over the bridge."""
import re

from lib import folder, paths
from lib.image import Image

kernels = ["6.1", "6.12"]
limit = 120

_demo = folder.load(paths.TOP / "configs/demo").image
image = Image(config=_demo.config, cells=_demo.cells, modules=_demo.modules)     # and the test tools


def visits(m) -> int:
    return int(re.search(r"id=visits>(\d+)<", m.ok("wget -q -O - http://127.0.0.1/", 40)).group(1))


def run(m):
    m.wait_state("db", "up", seconds=30)
    m.wait_state("web", "listening")
    first = visits(m)
    assert visits(m) == first + 1
    for name, program in (("web", "nginx"), ("db", "redis-server")):
        row = m.status(name)
        assert row["attested"], row
        m.ok(f"prior audit {name}")
        assert program in m.ok(f"cat /proc/{row['pid']}/cmdline")
        assert m.ok(f"stat -c %u /proc/{row['pid']}").strip() not in ("0", "")
        inside = m.ok(f"cd /proc/{row['pid']}/root; ls . bin usr/bin || true")
        assert "busybox" not in inside and "prior" not in inside, inside
    assert "exposure 1." in m.ok("prior audit web --threshold 1.3"), "preset server, while it serves"
    # from the kernel's start until all services are ready, stage by stage
    rows = re.findall(r'text-anchor="end">([\w-]+)</text><text [^>]*>([\d.]+) ms<', m.ok("prior chart"))
    names = [name for name, _ in rows]
    assert names[:2] == ["kernel", "rootfs"] and names.index("network") < names.index("db"), names
    assert "web" in names and float(dict(rows)["kernel"]) > 0, rows
    m.ok("prior restart db web")
    assert visits(m) == 1       # redis keeps it in memory
    m.ends("poweroff", "/sbin/poweroff")
