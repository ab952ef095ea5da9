"""Bad input of every kind is one clear message with its place; everything else runs and PID 1 goes on."""
from lib import cpio, guest
from lib.image import Image

kernels = ["6.1", "6.12"]

CASES = {
    # file of services.d: (its text, the service that must not run, words that its message must have)
    "unknown-key.yaml": ("services:\n  typo:\n    command: [/bin/probe, stay]\n    restrat: always\n",
                         "typo", ("unknown-key.yaml:4", "restrat", "restart")),
    "no-user.yaml": ("services:\n  nobody-like-it:\n    command: [/bin/probe, stay]\n    user: nosuchuser\n",
                     "nobody-like-it", ("no-user.yaml:4", "nosuchuser")),
    "cycle.yaml": ("services:\n  hen:\n    command: [/bin/probe, stay]\n    depends_on: [egg]\n"
                   "  egg:\n    command: [/bin/probe, stay]\n    depends_on: [hen]\n",
                   "hen", ("cycle.yaml", "hen", "egg")),
    "absent.yaml": ("services:\n  absent:\n    command: [/bin/not-there]\n    restart: 'no'\n",
                    "absent", ("absent", "/bin/not-there")),
    "leads-out.yaml": ("services:\n  leads-out:\n    command: [/bin/busybox, sleep, '1000']\n    restart: 'no'\n"
                       "    isolation:\n      rootfs: /srv/box\n"
                       "      volumes: ['/data/out:/srv:rw']\n",
                       "leads-out", ("leads-out.yaml:7", "/data/out", "symbolic link", "/etc")),
    "no-dependency.yaml": ("services:\n  lonely:\n    command: [/bin/probe, stay]\n    depends_on: [missing]\n",
                           "lonely", ("no-dependency.yaml:4", "missing")),
}

# A link in a service's root means a place inside that root, never one of the machine's.
STAYS_IN = """services:
  stays-in:
    command: [/bin/busybox, sleep, '1000']
    isolation: {rootfs: /srv/box, volumes: ['/data:/out/here:rw']}
"""

_box = {"/bin/busybox": guest.busybox(), "/out": cpio.symlink("/etc"), "/etc": cpio.directory(),
        "/proc": cpio.directory(), "/dev": cpio.directory(), "/tmp": cpio.directory()}

image = Image(
    config="version: 1\nservices:\n  good:\n    command: [/bin/probe, stay]\n",
    services={**{name: text for name, (text, _, _) in CASES.items()},
              "stays-in.yaml": STAYS_IN,
              "malformed.yaml": "services:\n  broken: {command: [/bin/probe\n"},
    files={"/data/mark": "here", "/data/out": cpio.symlink("/etc"),
           **{f"/srv/box{path}": what for path, what in _box.items()}},
)


def everything_said(m, service: str) -> str:
    return m.console + m.sh("prior events")[1] + m.sh(f"prior why {service}")[1]


def run(m):
    m.wait_state("good", "up")
    m.eventually(lambda: "malformed.yaml:" in m.console + m.ok("prior events"), 30, "the malformed file is named")
    for file, (_, service, words) in CASES.items():
        row = m.wait_state(service, "refused", "failed", "down", "waiting")
        assert not row.get("pid"), row
        m.eventually(lambda: any(all(word in line for word in words) for line in
                                 everything_said(m, service).splitlines()), 30, f"{file}: a line has all of {words}")
    assert m.status("good")["state"] == "up"
    code, text = m.sh("prior check /etc/prior")
    assert code == 1, (code, text)
    for word in ("malformed.yaml:", "restrat", "nosuchuser", "missing"):
        assert word in text, f"prior check does not say {word}"
    assert m.ok("ls /etc").split() == ["machine-id", "prior"], "a volume was mounted outside of its service's root"
    inside = m.wait_state("stays-in", "up")["pid"]
    assert m.ok(f"cat /proc/{inside}/root/etc/here/mark") == "here"
    assert m.status("good")["restarts"] == 0
    m.ends("poweroff", "/sbin/poweroff")
