"""A plan compiled beforehand boots: prior.config=PLAN, and no YAML is read."""
from lib.image import Image

kernels = ["6.1", "6.12"]

image = Image(config="""
version: 1
services:
  web:
    command: [/bin/probe, answer]
    listen: [{name: http, tcp: "127.0.0.1:8080", activate: lazy}]
  one: {command: [/bin/probe, stay]}
""")


def run(m):
    m.ok("prior compile /etc/prior -o /run/plan")
    first = m.read("/run/plan")
    m.ok("prior compile /etc/prior -o /run/again && cmp /run/plan /run/again")     # the same bytes
    m.ends("poweroff", "/sbin/poweroff")
    files = {"/plan": first, "/etc/prior/prior.yaml": "version: 1\nservices: {this is not: [yaml\n"}
    with m.boot_again(files=files, append="prior.config=/plan") as n:
        n.wait_state("one", "up")
        assert n.wait_state("web", "listening")
        assert n.ok("probe call 127.0.0.1 8080")
        n.ends("poweroff", "/sbin/poweroff")
    broken = bytearray(first)
    broken[len(broken) // 2] ^= 0xff
    with m.boot_again(files={"/plan": bytes(broken)}, append="prior.config=/plan", ready=False) as n:
        n.on_console("/plan", 20)       # a damaged plan is refused with its name
        assert "Kernel panic" not in n.console
