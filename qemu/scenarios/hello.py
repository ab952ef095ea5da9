"""The folder examples/image as an initramfs: no boot loader, no slot, no disk, and it serves."""

from lib import folder, paths

kernels = ["6.1"]
libcs = ["glibc"]
limit = 120

_www = folder.load(paths.TOP / "examples/image")
image = _www.image
image.tools = True


def run(m):
    m.wait_ready(60)
    m.wait_state("web", "up", seconds=30)
    m.says("wget -q -O - http://127.0.0.1/", "Hello")       # it is up before it listens
    assert "which slot runs is not known" in m.fails("prior slot mark-good 2>&1", code=1)
    m.ends("poweroff", "poweroff")


run.ready = False
