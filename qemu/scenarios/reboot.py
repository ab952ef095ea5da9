"""reboot ends in a restart; a service that ignores its signal delays it only by its stop_timeout."""
import time

from lib.image import Image

kernels = ["6.1", "6.12"]

image = Image(config="""
version: 1
defaults: {stop_timeout: 5m}
services:
  deaf:
    command: [/bin/probe, stubborn]
    stop_timeout: 2s
""")


def run(m):
    m.wait_state("deaf", "up")
    start = time.monotonic()
    m.ends("reboot", "prior reboot")
    assert time.monotonic() - start < 50, "not the 60 s that all services together have"
