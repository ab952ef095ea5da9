"""network: true is a network of its own with the loopback alone; the services' user ids differ from root."""
from lib.image import Image

kernels = ["6.1", "6.12"]

LOOK = "ip -o link | cut -d: -f2; ip -o addr show lo; id -u; cat /proc/net/route | wc -l; exec /bin/probe stay looked"

image = Image(config=f"""
version: 1
services:
  alone:
    command: [/bin/busybox, sh, -c, '{LOOK}']
    isolation: {{network: true}}
  strict:
    command: [/bin/busybox, sh, -c, '{LOOK}']
    isolation: {{preset: strict, network: true}}
""")


def run(m):
    for name in ("alone", "strict"):
        m.wait_state(name, "up")
        m.eventually(lambda: "staying looked" in m.ok(f"prior logs {name}"), 10, "it looked around")
        inside = m.ok(f"nsenter -t {m.pid(name)} -n ip -o link")
        assert [line.split(":")[1].strip() for line in inside.splitlines()] == ["lo"], inside
        assert "UP" in inside
        assert m.ok(f"stat -c %u /proc/{m.pid(name)}").strip() != "0"
        assert m.ok(f"readlink /proc/{m.pid(name)}/ns/net") != m.ok("readlink /proc/1/ns/net")
        m.ok(f"prior audit {name}")
    assert "127.0.0.1/8" in m.ok("prior logs alone")
    assert "Address family not supported" in m.ok("prior logs strict")      # no netlink in strict
