"""ready: notify holds back what depends on it until READY=1 is said; without it the start fails in time."""
from lib.image import Image

kernels = ["6.1", "6.12"]

image = Image(config="""
version: 1
services:
  slow: {command: [/bin/probe, notify, "READY=1\\nSTATUS=fine"], ready: notify}
  after: {command: [/bin/probe, stay], depends_on: [slow]}
  mute: {command: [/bin/probe, stay], ready: notify, start_timeout: 2s, restart: "no"}
""")


def run(m):
    m.wait_state("after", "up")
    slow = m.status("slow")
    assert slow["state"] == "up" and slow["ready"], slow
    assert m.status("after")["since"] >= slow["since"]
    m.wait_state("mute", "failed", seconds=15)
    assert "ready" in m.ok("prior why mute || true").lower()
