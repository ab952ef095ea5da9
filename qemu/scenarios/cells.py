"""The tests of cells, inside: controls on, off and taken away, as this kernel keeps them. Each line counts by itself."""
import time

from lib import cells
from lib.image import BRIDGE, Image
from lib.machine import Hardware

kernels = ["6.1", "6.12"]
limit = 600
hardware = Hardware(memory=384)

image = Image(config=f"version: 1\nmachine: {{modules: [{', '.join(BRIDGE)}]}}\n", modules=BRIDGE, files=cells.files())


def run(m):
    cells.prepare(m)
    for name in cells.INSIDE:
        began = time.monotonic()
        m.ladder(f"cd {cells.TOP} && {cells.ENVIRONMENT} {name}", 300)
        m.note(f"{name}: {time.monotonic() - began:.0f} s")
