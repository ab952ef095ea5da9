"""A service with a /dev of its own: a program on its cgroup is the second wall, and what devices: says is enforced."""
from lib.image import Image

kernels = ["6.1", "6.12"]

LOOK = ("echo full-r $(head -c 1 /dev/full | wc -c); echo x 2>/dev/null >/dev/full; echo full-w $?; "
        "echo x >/dev/null; echo null $?; ls /dev/kmsg; echo kmsg $?; exec /bin/probe stay looked")

image = Image(config=f"""
version: 1
services:
  web:
    command: [/bin/busybox, sh, -c, '{LOOK}']
    isolation: {{devices: ["/dev/full:r"]}}
  strict:
    command: [/bin/probe, stay]
    isolation: {{preset: strict}}
    security: {{restrict_address_families: [unix]}}
  maker:
    command: [/bin/busybox, sh, -c, 'mknod /tmp/mem c 1 1; echo made $?; exec /bin/probe stay looked']
    user: "0"
    isolation: {{preset: minimal, private_devices: true}}
    security: {{cap_add: [MKNOD], seccomp: none}}
""")


def run(m):
    for name in ("web", "strict", "maker"):
        m.wait_state(name, "up")
        audit = m.ok(f"prior audit {name}")
        assert "✓ device policy: tag " in audit, audit
    assert "✓ socket policy: tag " in m.ok("prior audit strict")
    m.eventually(lambda: "staying looked" in m.ok("prior logs web"), 10, "it looked around")
    said = m.ok("prior logs web")
    assert "full-r 1" in said and "full-w 1" in said and "null 0" in said and "kmsg 1" in said, said
    # CAP_MKNOD is there, and so is the program.
    m.eventually(lambda: "staying looked" in m.ok("prior logs maker"), 10, "it tried")
    assert "made 1" in m.ok("prior logs maker"), m.ok("prior logs maker")
    m.ok("prior restart web")
    m.ok("prior audit web")
