"""Root in its own network takes the names of others, and reaches nobody by them."""
from lib.image import BRIDGE, Image

kernels = ["6.1", "6.12"]
limit = 120

image = Image(modules=BRIDGE, config="""
version: 1
network:
  bridges: {prior0: {subnets: [10.88.0.0/24, "fd88::/64"], nat: true}}
services:
  left:
    command: [/bin/probe, serve, "7000"]
    isolation: {network: {bridge: prior0}}
  right:
    command: [/bin/probe, stay]
    isolation: {network: {bridge: prior0}}
  hostile:
    command: [/bin/probe, stay]
    isolation: {preset: none, network: {bridge: prior0, address: [10.88.0.66/24, "fd88::66/64"]}}
  limited:
    command: [/bin/probe, stay]
    isolation: {preset: none, network: {bridge: prior0, address: [10.88.0.67/24, "fd88::67/64"], egress: []}}
""")


def run(m):
    for name in ("left", "right", "hostile", "limited"):
        m.wait_state(name, "up")
    left = [a.partition("/")[0] for a in m.status("left")["addresses"]]
    inside = {n: f"nsenter -t {m.pid(n)} -n " for n in ("left", "right", "hostile", "limited")}
    me, mac = inside["hostile"], m.ok("cat /sys/class/net/prior0/address").strip()

    # frames to group addresses would pass the rules by at a port that does not forward them
    ports = m.ok("cat /sys/class/net/*/brport/group_fwd_mask").split()
    assert ports == ["0xfffd"] * 4, ports

    # under its own name it may speak, also by raw frames; under another's it is not heard
    m.ok(me + f"ping -c 1 -W 5 {left[0]}")
    m.ok(inside["left"] + "ping -c 1 -W 5 10.88.0.1")

    def heard() -> int:
        return int([line.split() for line in m.ok(inside["left"] + "cat /proc/net/snmp").splitlines()
                    if line.startswith("Udp:")][1][2])       # NoPorts
    before = heard()
    m.ok(me + f"probe raw-frame host0 10.88.0.99 {left[0]} 9")
    m.ok(me + f"probe raw-frame host0 10.88.0.1 {left[0]} 9")
    m.ok(me + f"probe raw-frame host0 10.88.0.66 {left[0]} 9")
    m.eventually(lambda: heard() > before, 30, "the honest one is heard")
    assert heard() == before + 1

    # with a list, neighbours' messages do not carry data to where the machine would route them
    m.ok("ip -6 addr add fd99::1/64 dev lo")
    for kind in (133, 135, 136, 143):
        def came() -> int:
            return int(m.ok(f"grep 'Icmp6InType{kind} ' /proc/net/snmp6 || echo - 0").split()[1])
        send = f"sh -c 'for i in $(seq 40); do probe icmp6 {kind} fd99::1 %s; done'"
        before = came()
        m.ok(inside["limited"] + send % "fd88::67")
        between = came()
        m.ok(me + send % "fd88::66")
        m.eventually(lambda: came() >= between + 40, 30, "those of the one without a list come")
        assert between < before + 20, kind      # a few are the kernels' own, to the link
    m.ok(inside["limited"] + "sh -c 'ping6 -c 1 -W 1 fd88::1 || true'")
    assert "fd88::1 " in m.ok(inside["limited"] + "ip -6 neigh show") and \
        "FAILED" not in m.ok(inside["limited"] + "ip -6 neigh show fd88::1"), "its neighbours are found all the same"

    # the gateway's ARP, its IPv6 neighbour, a router of its own
    m.sh(me + "arping -c 1 -w 1 -U -I host0 -s 10.88.0.1 10.88.0.1")
    m.sh(me + f"arping -c 1 -w 1 -I host0 -s 10.88.0.1 {left[0]}")
    m.ok(me + "probe rogue-router host0")
    m.ok(me + "sh -c 'ip addr add 10.88.0.1/24 dev host0; ip -6 addr add fd88::1/64 dev host0; "
         "ip addr add 10.88.0.99/24 dev host0'")
    m.fails(me + f"ping -c 1 -W 1 -I 10.88.0.99 {left[0]}")
    m.ok(inside["left"] + "ping -c 1 -W 5 10.88.0.1")
    assert mac in m.ok(inside["left"] + "cat /proc/net/arp")
    assert "fe80" not in m.ok(inside["left"] + "ip -6 route show default")
    m.ok(inside["left"] + "ping6 -c 1 -W 5 fd88::1")
    for where in ("", inside["left"], inside["right"]):
        assert "Icmp6InType134" not in m.ok(where + "cat /proc/net/snmp6"), f"a router is heard: {where}"
    m.ok("probe rogue-router prior0")
    m.eventually(lambda: "Icmp6InType134" in m.ok(inside["left"] + "cat /proc/net/snmp6"), 20, "the machine's own is heard")

    # another MAC
    m.ok(me + "sh -c 'ip link set host0 down; ip link set host0 address 02:00:00:00:00:66; ip link set host0 up'")
    m.fails(me + f"ping -c 1 -W 1 {left[0]}")
    m.ok(inside["right"] + f"timeout 40 probe call {left[0]} 7000")
