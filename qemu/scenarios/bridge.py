"""Two cells on a bridge reach each other over IPv4 and IPv6; what was made is gone when they stop."""
from lib.image import BRIDGE, Image

kernels = ["6.1", "6.12"]

image = Image(modules=BRIDGE, config="""
version: 1

network:
  bridges: {prior0: {subnets: [10.88.0.0/24, "fd88::/64"]}}
services:
  left:
    command: [/bin/probe, serve, "7000"]
    isolation:
      network: {bridge: prior0, address: [10.88.0.2/24, "fd88::2/64"]}
  right:
    command:
      - /bin/busybox
      - sh
      - -c
      - >-
        until /bin/probe call 10.88.0.2 7000; do sleep 0.1; done;
        until /bin/probe call fd88::2 7000; do sleep 0.1; done;
        ip -o addr; exec /bin/probe stay both
    depends_on: [left]
    isolation:
      network: {bridge: prior0, address: [10.88.0.3/24, "fd88::3/64"]}
""")


def links(m) -> list:
    return [line.split(":")[1].strip().partition("@")[0] for line in m.ok("ip -o link").splitlines()]


def run(m):
    m.wait_state("left", "up")
    m.wait_state("right", "up")
    m.eventually(lambda: "staying both" in m.ok("prior logs right"), 20, "right reached left over both")
    log = m.ok("prior logs right")
    assert log.count("hello") == 2 and "10.88.0.3/24" in log and "fd88::3/64" in log
    assert "prior0" in links(m)
    assert "10.88.0.1/24" in m.ok("ip -o addr show prior0")
    m.ok("ping -c 1 -W 3 10.88.0.2 && ping6 -c 1 -W 3 fd88::3")       # the machine reaches them too
    assert m.ok("probe call 10.88.0.2 7000") == "hello\n"
    members = len(m.ok("ls /sys/class/net/prior0/brif").split())
    assert members == 2, members
    m.ok("prior stop right left")
    assert m.ok("ls /sys/class/net/prior0/brif").split() == []
    assert set(links(m)) <= {"lo", "prior0"}, links(m)
    m.ok("prior start left right")
    m.eventually(lambda: m.ok("probe call fd88::2 7000") == "hello\n", 5, "left is back")
