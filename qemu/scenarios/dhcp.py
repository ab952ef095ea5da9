"""An interface gets its address by DHCP and by router advertisements; who needs it waits, and boot does not."""
from lib.image import Image
from lib.machine import Hardware

kernels = ["6.1", "6.12"]
limit = 180
CARD = "52:54:00:00:00:01"
hardware = Hardware(cards=(CARD, "52:54:00:00:00:02"), gateway=True,
                    append="ip=[2001:db8:1::2]::[2001:db8:1::1]:64:edge:eth1:none:192.0.2.53")

# The kernel's own words for what is there; the machine has no addresses but what prior gave it.
image = Image(modules=["virtio_net", "virtio_pci"], files={"/etc/resolv.conf": ""}, config="""
version: 1
network:
  nameservers: [192.0.2.52]
  interfaces:
    eth0: {dhcp: true, accept_ra: true}
    eth1: {addresses: [198.51.100.1/24]}
    eth9: {dhcp: true, optional: true}
services:
  needs: {command: [/bin/probe, stay], depends_on: [network@all]}
  late: {command: [/bin/probe, stay], depends_on: [network@eth9]}
  free: {command: [/bin/probe, stay]}
""")


def lent(m) -> str:
    return m.ok("ip -4 addr show eth0")


def run(m):
    m.wait_state("free", "up")
    m.wait_state("needs", "up")
    seen = lent(m)
    assert "10.0.2.15/24" in seen, seen
    assert "default via 10.0.2.2 dev eth0" in m.ok("ip route"), m.ok("ip route")
    assert m.ok("cat /run/prior-names/resolv.conf") == "nameserver 192.0.2.52\nnameserver 192.0.2.53\nnameserver 10.0.2.3\n"
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
    assert "default" not in m.ok("ip route")
    assert "10.0.2.3" not in m.ok("cat /run/prior-names/resolv.conf")
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
