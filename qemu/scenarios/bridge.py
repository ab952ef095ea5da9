"""Cells reach each other over a bridge, in one network, on top of an interface; what was made is gone when they stop."""
from lib.image import BRIDGE, Image

kernels = ["6.1", "6.12"]

image = Image(modules=(*BRIDGE, "macvlan", "ipvlan"), config="""
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
  beside:
    command: [/bin/busybox, sh, -c, "until /bin/probe call 127.0.0.1 7000; do sleep 0.1; done; exec /bin/probe stay one"]
    isolation: {network: {service: left}}
  mac:
    command: [/bin/probe, serve, "7001"]
    restart: "no"
    enabled: false
    isolation:
      network: {macvlan: d0, address: [192.0.2.2/24, "2001:db8::2/64"], gateway: 192.0.2.1}
  mac2:
    command:
      - /bin/busybox
      - sh
      - -c
      - >-
        until /bin/probe call 192.0.2.2 7001; do sleep 0.1; done;
        until /bin/probe call 2001:db8::2 7001; do sleep 0.1; done; ip route; exec /bin/probe stay both
    enabled: false
    isolation:
      network: {macvlan: d0, address: [192.0.2.3/24, "2001:db8::3/64"], gateway: 192.0.2.1}
  ip:
    command: [/bin/probe, serve, "7001"]
    enabled: false
    isolation:
      network: {ipvlan: veth0, mode: l3, address: 192.0.3.2/24}
  ip2:
    command:
      - /bin/busybox
      - sh
      - -c
      - until /bin/probe call 192.0.3.2 7001; do sleep 0.1; done; exec /bin/probe stay there
    enabled: false
    isolation:
      network: {ipvlan: veth0, mode: l3, address: 192.0.3.3/24}
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
    m.eventually(lambda: "staying one" in m.ok("prior logs beside"), 20, "beside reached left by its loopback")
    assert len({m.ok(f"readlink /proc/{m.pid(name)}/ns/net") for name in ("left", "beside")}) == 1
    m.ok("prior stop right left")
    m.wait_state("beside", "down")
    assert m.ok("ls /sys/class/net/prior0/brif").split() == []
    assert set(links(m)) <= {"lo", "prior0"}, links(m)
    m.ok("prior start left right")
    # It is up before it listens.
    m.eventually(lambda: m.ok("probe call fd88::2 7000") == "hello\n", 30, "left is back")
    on_top(m)


def on_top(m):
    """macvlan and ipvlan: their modules come by themselves, and they go with their cells."""
    assert m.sh("prior start mac")[0] and "of d0: the machine has no interface of that name" in m.sh("prior status mac")[1]
    m.ok("ip link add d0 type veth")
    assert m.sh("prior start mac")[0] and "of d0: that interface is down" in m.sh("prior status mac")[1]
    before = links(m)
    m.ok("ip link set d0 up && ip link set veth0 up && prior start mac mac2 ip ip2")
    m.eventually(lambda: "staying both" in m.ok("prior logs mac2"), 20, "two macvlans reach each other over both")
    assert "default via 192.0.2.1 dev host0" in m.ok("prior logs mac2")
    there = f"/bin/busybox nsenter -t {m.pid('mac2')} -n"
    assert m.ok(f"{there} cat /proc/sys/net/ipv6/conf/host0/accept_ra").strip() == "0", "any router is believed"
    assert m.ok("cat /sys/class/net/d0/address").strip() not in m.ok(f"{there} ip link show host0")
    m.eventually(lambda: "staying there" in m.ok("prior logs ip2"), 20, "two ipvlans reach each other")
    assert links(m) == before, (links(m), before)       # none is in the machine's own network
    assert "macvlan of d0" in m.ok("prior status mac") and '"kind": "ipvlan"' in m.ok("prior network --json")
    for _ in range(3):              # the MAC and the addresses of the cell before are free again
        m.ok("prior restart mac ip")
        m.wait_state("mac", "up")
        m.wait_state("ip", "up")
    m.ok("prior stop mac mac2 ip ip2 && ip link del d0")
    assert set(links(m)) <= {"lo", "prior0", "p-left", "p-right"}, links(m)
