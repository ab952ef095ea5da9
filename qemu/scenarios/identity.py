"""Directories, credentials, keyrings and AppArmor labels: each on and off, attested, and refused where it is missing."""
import shutil
import subprocess

from lib.image import Image

kernels = ["6.1", "6.12"]
limit = 120

PROFILE = """
abi <abi/3.0>,
profile web {
  / r,
  /** rix,
  deny /secret r,
}
profile lax flags=(complain) {
  /** rwix,
}
"""

image = Image(config="""
version: 1
services:
  web:
    command: [/bin/busybox, sleep, "100000"]
    security: {apparmor_profile: web}
    restart: "no"
  lax:
    command: [/bin/busybox, sleep, "100000"]
    security: {apparmor_profile: lax}
    restart: "no"
  other:
    command: [/bin/busybox, sleep, "100000"]
    security: {selinux_context: "system_u:system_r:web_t:s0"}
  kept:
    command: [/bin/busybox, sh, -c, "cat $CREDENTIALS_DIRECTORY/key; touch $STATE_DIRECTORY/file && exec sleep 100000"]
    state_directory: kept
    runtime_directory: kept
    credentials: {key: /secret}
""", files={"/secret": "s3cret-text\n"})


def compiled() -> bytes:
    """The profiles as the kernel takes them; nothing where they cannot be compiled."""
    if not shutil.which("apparmor_parser"):
        return b""
    return subprocess.run(["apparmor_parser", "-Q", "-K", "-S"], input=PROFILE.encode(), stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, check=True).stdout


def keyring(m):
    run = "/bin/probe with-key 'prior run {} -- /bin/probe has-key'"
    assert m.ok(run.format("--preset none")).strip() == "found"
    private = m.ok(run.format("--preset minimal --set security.seccomp=none --set user=0")).strip()
    assert private == "ENOKEY", private


def kept(m):
    m.wait_state("kept", "up")
    m.ok("prior audit kept")
    pid = m.pid("kept")
    assert "s3cret" not in m.ok(f"cat /proc/{pid}/environ; prior show kept; prior events")
    # Of that service alone: neither the machine nor a neighbour has the mount.
    assert "s3cret" in m.ok(f"cat /proc/{pid}/root/dev/credentials/key")
    m.fails("cat /dev/credentials/key")
    assert "s3cret" not in m.ok("prior run -- /bin/busybox cat /dev/credentials/key 2>&1 || true")
    id_before = m.ok(f"stat -c %u /proc/{pid}")
    m.ok("prior reexec")
    m.ok("prior audit kept")
    assert m.pid("kept") == pid
    for where in ("state", "runtime"):
        path = {"state": "/var/lib/private/kept", "runtime": "/run/kept"}[where]
        assert m.ok(f"stat -c %u {path}") == m.ok(f"stat -c %u /proc/{pid}"), where
    m.ok("chown 0:0 /var/lib/private/kept")
    assert "directory /var/lib/private/kept" in m.fails("prior audit kept", 1)
    m.ok("prior restart kept")
    m.wait_state("kept", "up")
    m.ok("prior audit kept")
    assert m.ok(f"stat -c %u /proc/{m.pid('kept')}") == id_before
    assert m.ok(f"readlink /var/lib/prior/uids/{id_before.strip()}").strip() == "kept"
    m.ok("prior stop kept")
    m.fails("ls /run/kept")
    m.ok("ls /var/lib/private/kept/file")


def run(m):
    kept(m)
    keyring(m)
    other(m)
    if not image.files["/profile"]:
        m.skip("apparmor_parser is not installed: no profile to load")
    apparmor(m)


def other(m):
    assert m.status("other")["state"] == "refused"
    assert "SELinux is not active in this kernel" in m.ok("prior why other || true")


def apparmor(m):
    m.wait_state("web", "failed", "down")
    assert "there is no such profile" in m.ok("prior why web || true")
    m.ok("mount -t securityfs securityfs /sys/kernel/security")
    m.ok("cat /profile >/sys/kernel/security/apparmor/.load")
    assert "web (enforce)" in m.ok("cat /sys/kernel/security/apparmor/profiles")
    m.ok("prior start web")
    pid = m.pid("web")
    assert m.ok(f"cat /proc/{pid}/attr/apparmor/current").strip() == "web (enforce)"
    assert "apparmor" in m.ok("prior audit web")
    m.fails("prior start lax")
    assert "lax (enforce); the kernel says lax (complain)" in m.ok("prior why lax || true")
    # The forbidden act, without the profile and with it.
    cat = "prior run --preset minimal {} -- /bin/busybox cat /secret"
    assert "s3cret" in m.ok(cat.format(""))
    assert "Permission denied" in m.ok(cat.format("--set security.apparmor_profile=web") + " 2>&1 || true")


image.files["/profile"] = compiled()
