"""Cells find each other by name, publish ports, and reach what their list says."""
from lib.image import BRIDGE, Image

kernels = ["6.1", "6.12"]
limit = 120

image = Image(modules=BRIDGE + ("dummy", "8021q"), files={"/etc/hosts": ""}, config="""
version: 1
machine: {modules: [dummy]}
network:
  interfaces:
    dummy0: {addresses: [198.51.100.1/24]}
    dummy0.7: {vlan: 7, parent: dummy0, mtu: 1400, addresses: [203.0.113.1/24, "2001:db8:7::1/64"]}
    dummy0.8: {vlan: 8, parent: dummy0, mtu: 9000, addresses: [198.18.0.1/24]}   # more than its parent takes
  bridges:
    prior0: {subnets: [10.88.0.0/24, "fd88::/64"], nat: true, mtu: 1400}
    other0: {subnets: [10.89.0.0/24]}
defaults:
  restart: always
services:
  left:
    command: [/bin/probe, serve, "7000"]
    isolation: {network: {bridge: prior0, ports: ["8080:7000"]}}
  right:
    command: [/bin/probe, udp-serve, "7001"]
    isolation: {network: {bridge: prior0, ports: ["127.0.0.1:5300:7001/udp", "5301:7001/udp"]}}
  apart:
    command: [/bin/probe, serve, "7000"]
    isolation: {network: {bridge: other0}}
  limited:
    command: [/bin/probe, serve, "7000"]
    isolation: {network: {bridge: prior0, address: [10.88.0.50/24, "fd88::50/64"], egress: ["10.88.0.60:7000/tcp"]}}
  allowed:
    command: [/bin/probe, serve, "7000"]
    isolation: {network: {bridge: prior0, address: [10.88.0.60/24, "fd88::60/64"]}}
  silent:
    command: [/bin/probe, serve, "7000"]
    isolation: {network: {bridge: prior0, egress: []}}
  both:
    command: [/bin/probe, serve, "7000"]
    isolation: {network: [{bridge: prior0, egress: ["10.88.0.60:7000/tcp"]}, {bridge: other0}]}
  hostile:
    command: [/bin/probe, stay]
    isolation: {preset: none, network: {bridge: prior0, address: [10.88.0.66/24, "fd88::66/64"]}}
  outside:
    command: [/bin/probe, serve, "7000"]
    isolation: {preset: none, network: true}
""")

ALL = ("left", "right", "apart", "limited", "allowed", "silent", "both", "hostile", "outside")


def addresses(m, name: str) -> list:
    return [a.partition("/")[0] for a in m.status(name)["addresses"]]


def run(m):
    for name in ALL:
        m.wait_state(name, "up")
    left, right, apart = (addresses(m, n) for n in ("left", "right", "apart"))
    assert len(left) == 2 and left[0].startswith("10.88.0.") and left[1].startswith("fd88::"), left
    inside = {n: f"nsenter -t {m.pid(n)} -n " for n in ALL}

    # by name, over both families; every cell of the bridge sees the same names
    hosts = m.ok(f"cat /proc/{m.pid('right')}/root/etc/hosts")
    assert f"{left[0]} left\n" in hosts and f"{left[1]} left\n" in hosts and "apart" not in hosts, hosts
    for ip in left:
        m.eventually(lambda: m.sh(inside["allowed"] + f"timeout 5 probe call {ip} 7000")[1] == "hello\n", 20, ip)
    for ping in ("ping", "ping6"):
        m.ok(f"nsenter -t {m.pid('allowed')} -m -n /bin/busybox {ping} -c 1 -W 10 left")
    m.fails(inside["allowed"] + f"timeout 3 probe call {apart[0]} 7000")
    m.fails(inside["apart"] + f"timeout 3 probe call {left[0]} 7000")
    assert "mtu 1400" in m.ok("ip link show prior0") and "mtu 1400" in m.ok(inside["left"] + "ip link show host0")

    # the machine's own
    assert "VID: 7" in m.ok("cat /proc/net/vlan/dummy0.7")
    seen = m.ok("ip addr show dummy0.7")
    assert "mtu 1400" in seen and "203.0.113.1/24" in seen and "2001:db8:7::1/64" in seen, seen

    seen = m.ok("ip addr show dummy0.8")
    assert "mtu 1500" in seen and "198.18.0.1/24" in seen, seen
    m.on_console("interface dummy0.8: set its MTU to 9000")

    # published, from the machine itself and from outside
    assert m.ok("timeout 40 probe call 127.0.0.1 8080") == "hello\n"
    assert m.ok("timeout 40 probe call 10.88.0.1 8080") == "hello\n"
    m.eventually(lambda: m.ok("probe udp-call 127.0.0.1 5300") == "hello\n", 30, "a datagram is answered")
    assert m.ok(inside["allowed"] + "timeout 40 probe call 10.88.0.1 8080") == "hello\n"
    m.ok("ip link add type veth")
    m.ok(f"ip link set veth1 netns {m.pid('outside')}")
    m.ok("ip addr add 192.0.2.1/24 dev veth0 && ip -6 addr add 2001:db8::1/64 dev veth0 && ip link set veth0 up")
    m.ok(inside["outside"] + "sh -c 'ip addr add 192.0.2.2/24 dev veth1; ip -6 addr add 2001:db8::2/64 dev veth1; "
         "ip link set veth1 up; ip route add default via 192.0.2.1'")
    for ip in ("192.0.2.1", "2001:db8::1"):     # an IPv6 address is tentative for some seconds
        m.eventually(lambda: m.sh(inside["outside"] + f"timeout 5 probe call {ip} 8080")[1] == "hello\n", 30, ip)
        for call in (inside["outside"] + f"probe udp-call {ip} 5301", f"timeout 5 probe call {ip} 8080",
                     f"probe udp-call {ip} 5301"):
            m.eventually(lambda: m.sh(call)[1] == "hello\n", 30, call)
    m.fails(inside["outside"] + f"timeout 2 probe call {left[0]} 7000")      # not published: no way in
    m.fails(inside["outside"] + "probe udp-call 192.0.2.1 5300")             # for 127.0.0.1 alone
    # a cell reaches out under the machine's address: 192.0.2.2 has no way back to 10.88
    m.ok(inside["outside"] + "ip route del default")
    assert m.ok(inside["left"] + "timeout 40 probe call 192.0.2.2 7000") == "hello\n"

    # what may be reached
    assert m.ok(inside["limited"] + "timeout 40 probe call 10.88.0.60 7000") == "hello\n"
    assert m.ok(inside["allowed"] + "timeout 40 probe call 10.88.0.50 7000") == "hello\n"    # it answers everybody
    calls = (f"timeout 3 probe call {left[0]} 7000", f"timeout 3 probe call {left[1]} 7000",
             f"probe udp-call {right[0]} 7001", f"probe udp-call {right[1]} 7001",
             f"ping -c 1 -W 2 {left[0]}", "ping -c 1 -W 2 10.88.0.60", f"ping6 -c 1 -W 2 {left[1]}",
             "timeout 3 probe call 10.88.0.1 8080", "timeout 3 probe call 192.0.2.2 7000")
    tried = m.sh("(" + "".join(f"({inside[n]} {c} >/dev/null 2>&1 && echo 'reached {n} {c}') & "
                               for n in ("limited", "silent") for c in calls) + "wait)")[1]
    assert "reached" not in tried, tried
    m.eventually(lambda: m.ok(inside["allowed"] + f"probe udp-call {right[0]} 7001") == "hello\n", 30, "as others may")
    silent = addresses(m, "silent")
    for ip in silent:
        assert m.ok(inside["allowed"] + f"timeout 40 probe call {ip} 7000") == "hello\n"

    # on two bridges: the first one's list holds on the other, too; it passes nothing on, as the machine does
    on = addresses(m, "both")
    assert len(on) == 3 and on[2].startswith("10.89.0."), on
    assert m.ok(inside["both"] + "timeout 40 probe call 10.88.0.60 7000") == "hello\n"
    assert m.ok(inside["apart"] + f"timeout 40 probe call {on[2]} 7000") == "hello\n"
    m.fails(inside["both"] + f"timeout 2 probe call {apart[0]} 7000")
    hosts = m.ok(f"cat /proc/{m.pid('both')}/root/etc/hosts")
    assert f"{apart[0]} apart\n" in hosts and f"{left[0]} left\n" in hosts, hosts
    forward = "cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding"
    assert (m.ok(forward).split(), m.ok(inside["both"] + forward).split()) == (["1", "1"], ["0", "0"])
    m.ok("prior audit both")

    # a raw frame past the rules of its own kernel's sockets does not arrive either
    def heard() -> int:
        return int([line.split() for line in m.ok(inside["right"] + "cat /proc/net/snmp").splitlines()
                    if line.startswith("Udp:")][1][1])       # InDatagrams
    before = heard()
    m.ok(inside["limited"] + f"probe raw-frame host0 10.88.0.50 {right[0]} 7001")
    m.ok(inside["allowed"] + f"probe raw-frame host0 10.88.0.60 {right[0]} 7001")
    m.eventually(lambda: heard() > before, 30, "that of a free cell is heard")
    assert heard() == before + 1

    # what people see of all that, and what they see when somebody else has changed it
    seen = m.json("prior network --json")
    cells = {c["service"]: c for c in seen["cells"]}
    assert seen["rules"]["match"] and [b["bridge"] for b in seen["bridges"]] == ["prior0", "other0"]
    assert cells["left"]["ports"] == ["8080:7000"] and cells["left"]["sent_bytes"] > 0
    assert cells["limited"]["egress"] == ["10.88.0.60/32:7000/tcp"] and cells["silent"]["egress"] == []
    assert any(d["service"] == "silent" and d["packets"] > 0 for d in seen["rules"]["dropped"])
    text = m.ok("prior network")
    assert "in effect, as they were made" in text and "not on the egress list of silent" in text, text
    assert f"{left[0]}/24" in m.ok("prior status left")

    # another configuration: a new name is seen by those that stay, and they do not notice otherwise
    pid = m.pid("allowed")
    memory = m.ok("ls /var/lib/prior/addresses /run/prior/addresses 2>/dev/null || true").split()[0]
    assert left[0] in m.ok(f"cat {memory}")
    m.ok(f"echo newcomer 10.88.0.77 >>{memory}")      # as if it had been here before
    m.ok("sed 's/^  apart:/  newcomer:/; s/other0}}$/prior0}}/; s/10.88.0.50/10.88.0.51/' /etc/prior/prior.yaml "
         ">/etc/prior/n && mv /etc/prior/n /etc/prior/prior.yaml && prior reload-config")
    assert m.pid("allowed") == pid and addresses(m, "left") == left
    new = addresses(m, "newcomer")[0]
    assert new == "10.88.0.77", new
    hosts = m.ok(f"cat /proc/{pid}/root/etc/hosts")
    assert f"{new} newcomer\n" in hosts and "10.88.0.51 limited\n" in hosts and "10.88.0.50 " not in hosts, hosts
    m.eventually(lambda: m.sh(inside["allowed"] + f"timeout 5 probe call {new} 7000")[1] == "hello\n", 20, new)
