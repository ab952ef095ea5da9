"""Capabilities: every spelling, low ports in both kinds of network, and what is without effect is said."""
from lib.image import Image

kernels = ["6.1", "6.12"]

HTTPD = "/bin/busybox, httpd, -f, -h, /etc, -p"
image = Image(config=f"""
version: 1
services:
  machine:
    command: [{HTTPD}, "80"]
    security: {{cap_add: [NET_BIND_SERVICE]}}
  private:
    command: [{HTTPD}, "80"]
    isolation: {{network: true}}
    security: {{cap_add: [cap_net_bind_service]}}
  listed:
    command: [{HTTPD}, "82"]
    capabilities: [CAP_NET_BIND_SERVICE]
  compose:
    command: [{HTTPD}, "83"]
    cap_drop: [ALL]
    cap_add: [net_bind_service]
  without:
    command: [{HTTPD}, "84"]
    restart: "no"
  inert:
    command: [/bin/probe, stay]
    isolation: {{user: true}}
    security: {{cap_add: [NET_ADMIN]}}
""")

BIND = 1 << 10


def caps(m, name: str) -> int:
    return int(m.ok(f"sed -n 's/^CapEff:.//p' /proc/{m.pid(name)}/status"), 16)


def run(m):
    for name in ("machine", "private", "listed", "compose", "inert"):
        m.wait_state(name, "up")
    for port in (80, 82, 83):
        m.eventually(lambda: "version" in m.ok(f"wget -q -O - http://127.0.0.1:{port}/prior/prior.yaml || true"), 10,
                     f"port {port} is served")
    inside = f"nsenter -t {m.pid('private')} -n wget -q -O - http://127.0.0.1:80/prior/prior.yaml || true"
    m.eventually(lambda: "version" in m.ok(inside), 10, "port 80 of the private network is served")
    for name in ("machine", "private", "listed", "compose"):
        assert caps(m, name) == BIND, (name, hex(caps(m, name)))
        m.ok(f"prior audit {name}")
    m.wait_state("without", "failed", "down")
    m.says("prior logs without", "ermission denied")

    said = m.ok("prior check")
    assert "CAP_NET_ADMIN: inert" in said, said
    assert "service private" in said and "CAP_NET_BIND_SERVICE: inert" in said, said
    # as the note says: the capability is there, and does nothing to the machine
    assert caps(m, "inert") == 1 << 12
