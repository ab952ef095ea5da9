"""An interface gets its address by DHCP and by router advertisements; who needs it waits, and boot does not."""
from ipaddress import IPv6Address

from lib.image import BRIDGE, Image
from lib.machine import Hardware

kernels = ["6.1", "6.12"]
limit = 180
CARD = "52:54:00:00:00:01"
hardware = Hardware(cards=(CARD, "52:54:00:00:00:02"), gateway=True,
                    append="ip=[2001:db8:1::2]::[2001:db8:1::1]:64:edge:eth1:none:192.0.2.53")

# The kernel's own words for what is there; the machine has no addresses but what prior gave it.
image = Image(modules=["virtio_net", "virtio_pci", *BRIDGE], files={"/etc/resolv.conf": ""}, config="""
version: 1
network:
  bridges: {prior0: {subnets: ["fd88::/64"]}}
  nameservers: [192.0.2.52]
  interfaces:
    eth0: {dhcp: true, accept_ra: true}
    eth1: {addresses: [198.51.100.1/24]}
    eth9: {dhcp: true, accept_ra: true, optional: true}
services:
  needs: {command: [/bin/probe, stay], depends_on: [network@all]}
  late: {command: [/bin/probe, stay], depends_on: [network@eth9]}
  free: {command: [/bin/probe, stay]}
  router: {command: [/bin/probe, stay], isolation: {preset: none, network: true}}
  cell: {command: [/bin/probe, stay], isolation: {network: {bridge: prior0, address: "fd88::2/64"}}}
""")
NAMES = "cat /run/prior-names/resolv.conf"


def lent(m) -> str:
    return m.ok("ip -4 addr show eth0")


def run(m):
    m.wait_state("free", "up")
    m.wait_state("needs", "up")
    seen = lent(m)
    assert "10.0.2.15/24" in seen, seen
    assert "default via 10.0.2.2 dev eth0" in m.ok("ip route"), m.ok("ip route")
    # Who waits for the address finds the names. QEMU's router has one of its own where the host has one by IPv6
    listed = [line for line in m.ok(NAMES).splitlines() if "fec0:" not in line]
    assert listed == ["nameserver 192.0.2.52", "nameserver 192.0.2.53", "nameserver 10.0.2.3"], listed
    six = m.ok("ip -6 addr show eth0")
    assert "fec0::" in six, six
    # ip= holds instead of what the configuration says, of its interface alone
    assert "2001:db8:1::2/64" in m.ok("ip addr show eth1") and "198.51.100.1" not in m.ok("ip addr show eth1")
    assert m.ok("hostname").strip() == "edge"
    # an interface that is not there keeps nobody else
    assert m.status("late")["state"] == "waiting"
    m.eventually(lambda: "waiting for eth9: it is not there" in m.ok("prior logs network@eth9"), 30, "it says so")
    assert m.status("dhcp@eth9")["state"] == "waiting"
    assert "network@eth9" in m.ok("prior why late || true")

    # confined: no capability but for its packets; who changes the network has none but for that
    for name, bits in (("dhcp@eth0", 1 << 10 | 1 << 13), ("lease@eth0", 1 << 12)):
        status = m.ok(f"cat /proc/{m.pid(name)}/status")
        assert f"CapBnd:\t{bits:016x}" in status and f"CapEff:\t{bits:016x}" in status, status
        assert m.status(name)["attested"], m.status(name)

    # renewed, given back, and asked for again
    pid = m.pid("dhcp@eth0")
    m.ok(f"kill -USR1 {pid}")
    m.eventually(lambda: m.ok("prior logs lease@eth0").count("10.0.2.15/24 for ") >= 2, 30, "it is renewed")
    assert "10.0.2.15/24" in lent(m)
    m.ok(f"kill -USR2 {pid}")
    m.eventually(lambda: "10.0.2.15" not in lent(m), 30, "given back, it is gone")
    m.eventually(lambda: "default" not in m.ok("ip route"), 30, "and so is its gateway")
    assert "10.0.2.3" not in m.ok(NAMES)
    m.ok(f"kill -USR1 {pid}")
    m.eventually(lambda: "10.0.2.15/24" in lent(m), 30, "asked for again, it is there")

    # PID 1 faults: both go on, and what they did stays
    pids = m.pid("dhcp@eth0"), m.pid("lease@eth0")
    m.ok("kill -SEGV 1")
    m.eventually(lambda: m.json("prior status --prior --json").get("crashes") == 1, 30, "PID 1 is back")
    m.wait_state("dhcp@eth0", "up")
    assert (m.pid("dhcp@eth0"), m.pid("lease@eth0")) == pids and "10.0.2.15/24" in lent(m)

    # nobody but the client's group can lend anything
    assert m.ok("ls -ln /run/prior/lease-eth0").split()[0:4:3] == ["srw-rw----", "61182"]
    routers(m)


def rdnss(seconds: int, *servers: str, units: int = 0) -> str:
    """A router's option with name servers; units: its length, where that is not the true one."""
    addresses = "".join(IPv6Address(s).packed.hex() for s in servers)
    return f"19{units or 1 + 2 * len(servers):02x}0000{seconds:08x}{addresses}"


def a_routers_prefix_takes_no_bridges_traffic(m, says):
    """A part of the bridge's subnet is on its link, it says; a kernel, which takes the longest prefix, believes so."""
    part = f"030450800000ffff0000ffff00000000{IPv6Address('fd88::').packed.hex()}"      # /80, on the link, no address
    m.wait_state("cell", "up")
    says(part)
    m.eventually(lambda: "fd88::/80 dev eth9" in m.ok("ip -6 route"), 30, "it is believed")
    m.ok("ping6 -c 1 -W 10 fd88::2")
    assert "fd88::2" in m.ok("ip -6 neigh show dev prior0") and "fd88::2" not in m.ok("ip -6 neigh show dev eth9")


def taken_in(m) -> bool:
    """The kernel holds nothing back for who hears of routers, and that one waits for more."""
    queued = [line.split()[4] for line in m.ok("cat /proc/net/netlink").splitlines()[1:]
              if line.split()[1] == "0" and int(line.split()[3], 16) & 1 << 19]     # RTNLGRP_ND_USEROPT
    pid = m.pid("router-names")
    asleep = [line.split()[1] for line in m.ok(f"cat /proc/{pid}/status").splitlines() if line.startswith("State:")]
    return queued != [] and set(queued) == {"0"} and asleep == ["S"]


def routers(m):
    """A believed router's name servers, for as long as it says."""
    m.ok("ip link add eth9 type veth")
    m.ok(f"ip link set veth0 netns {m.pid('router')}")
    far = f"nsenter -t {m.pid('router')} -n "
    m.ok("cd /proc/sys/net/ipv6/conf/eth9 && echo 2 >accept_ra && echo 0 >accept_dad && ip link set eth9 up")
    m.ok(far + "sh -c 'echo 0 >/proc/sys/net/ipv6/conf/veth0/accept_dad && ip link set veth0 up'")

    def are_there(name: str) -> None:
        m.eventually(lambda: all("LOWER_UP" in a and "fe80" in a and "tentative" not in a for a in (
            m.ok(far + "ip addr show veth0"), m.ok(f"ip addr show {name}"))), 30, "both have their address")

    def says(*options: str) -> None:
        m.ok(far + f"probe rogue-router veth0 {''.join(options)}")

    def names(*servers: str) -> bool:
        found = [line.split()[1] for line in m.ok(NAMES).splitlines()]
        # QEMU may have one of its own
        return [s for s in found if ":" in s and not s.startswith("fec0:")] == list(servers)

    are_there("eth9")
    two = ("2001:db8::53", "fe80::53%eth9")
    says(rdnss(1800, "2001:db8::53", "fe80::53"))
    m.eventually(lambda: names(*two), 30, "they are there")
    status = m.ok(f"cat /proc/{m.pid('router-names')}/status")
    assert "CapBnd:\t0000000000000000" in status and m.status("router-names")["attested"], status
    # what is no option, no host, or too much; the last one is heard, so all were
    for bad in (rdnss(1800, "2001:db8::66", units=2), rdnss(1800, "2001:db8::66", units=0xff), rdnss(1800, units=1),
                rdnss(1800, "ff02::66", "::1", "::ffff:10.0.0.66"), "1900" + 22 * "41"):
        says(bad)
    says(rdnss(1800, *(f"2001:db8::1:{i}" for i in range(20))))
    # eight at most: in the places of those that would have been over first
    m.eventually(lambda: names(*(f"2001:db8::1:{i}" for i in (6, 7, *range(6)))), 30, "the newest eight")
    says(rdnss(0, *(f"2001:db8::1:{i}" for i in range(8))))
    m.eventually(lambda: names(), 30, "no time is none")
    says(rdnss(1800, "2001:db8::53", "fe80::53"))
    m.eventually(lambda: names(*two), 30, "there is room again")
    says(rdnss(0, "fe80::53"))
    m.eventually(lambda: names(two[0]), 30, "no time is none for one, too")
    m.says("prior logs router-names", "fe80::53%eth9 is no name server any more")
    a_routers_prefix_takes_no_bridges_traffic(m, says)
    # nobody says it again: it is over by itself, also for who did not hear it said
    m.ok(f"kill -KILL {m.pid('router-names')}")
    says(rdnss(2, "2001:db8::54"))
    m.eventually(lambda: "2001:db8::54 for 2 s" in m.ok("prior logs router-names"), 30, "it is heard after a crash")
    m.eventually(lambda: names(two[0]), 30, "and is over")
    # where the configuration says nothing of routers
    m.ok("ip link set eth9 down && ip link set eth9 name other && ip link set other up")
    are_there("other")
    said = m.ok("prior logs router-names")
    says(rdnss(1800, "2001:db8::66"))
    m.eventually(lambda: taken_in(m), 30, "it has heard that, while the interface has the other name")
    m.ok("ip link set other down && ip link set other name eth9 && ip link set eth9 up")
    are_there("eth9")
    says(rdnss(0, two[0]))
    m.eventually(lambda: names(), 30, "it believes again")
    assert "::66" not in m.ok("prior logs router-names")[len(said):]
