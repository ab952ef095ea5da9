"""Interfaces have the names that their cards are to have."""
from lib.image import Image
from lib.machine import Hardware

kernels = ["6.1", "6.12"]
CARDS = ("52:54:00:00:00:01", "52:54:00:00:00:02")
hardware = Hardware(cards=CARDS)

image = Image(modules=["virtio_net", "virtio_pci", "dummy"], config=f"""
version: 1
machine:
  modules: [dummy]
  sysctl: {{net.ipv6.conf.wan.accept_ra: "0"}}
network:
  interfaces:
    eth0: {{match: {{mac: "{CARDS[1].upper()}", driver: virtio_*, path: "pci*/virtio*"}}, addresses: [192.0.2.1/24]}}
    eth1: {{addresses: [198.51.100.1/24]}}
    wan: {{match: {{name: dummy0}}, addresses: [203.0.113.1/24]}}
    both: {{match: {{driver: virtio_net}}}}
    none: {{match: {{mac: "52:54:00:00:00:03"}}}}
""")


def run(m):
    # The second card is eth0; who had the name is eth1.
    for name, mac, address in (("eth0", CARDS[1], "192.0.2.1/24"), ("eth1", CARDS[0], "198.51.100.1/24"),
                               ("wan", "link/ether", "203.0.113.1/24")):
        seen = m.ok(f"ip addr show {name}")
        assert address in seen and mac in seen, seen
    assert m.ok("cat /proc/sys/net/ipv6/conf/wan/accept_ra").strip() == "0"
    # What cannot be found, or is not one, is told with what there is; the others have their names.
    said = m.console.replace("eth1 and eth0", "eth0 and eth1")
    assert "network.interfaces.both.match: both eth0 and eth1 match" in said
    assert "network.interfaces.none.match: none matches; there are " in said
