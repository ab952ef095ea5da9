"""The confined process whose start is compared: one cell, said in each program's own words."""
import json

UID = 61000         # in the cell; mapped to itself, as ours does
HOSTNAME = "bench"
MOUNT_POINTS = ("dev", "proc", "sys", "tmp", "run", "var/tmp")      # a read-only root must have them


TOOLS = ("sh", "cat", "cut", "env", "grep", "hostname", "ls", "readlink", "sort")
# What a process can see of its own cell; mounts without their numbers.
LOOK = ("grep -E '^(Umask|.id|Groups|NSpid|Sig|Cap|NoNew|Secc)' /proc/self/status; cut -d' ' -f4- /proc/self/mountinfo; "
        "cat /proc/self/limits /proc/self/cgroup /proc/self/uid_map /proc/self/gid_map /proc/self/oom_score_adj; "
        "env | sort; hostname; pwd; ls -ln /dev /dev/pts /dev/shm; ls /proc/self/fd; ls /proc; cat /proc/net/dev; "
        "readlink /proc/self/ns/user | cut -d: -f1")


def yaml(root: str, limits: bool) -> str:
    """Ours, and through the compiled plan the floor's too. `look` is the same cell with a service that describes it."""
    cgroup = "    limits: {cgroup: {memory_max: 64M, pids_max: 64}}\n" if limits else ""
    rest = (f"    restart: \"no\"\n    isolation: {{preset: strict, rootfs: {root}, hostname: {HOSTNAME}}}\n"
            f"    user: \"{UID}\"\n    group: \"{UID}\"\n{cgroup}")
    return ("# The cell whose start is measured.\nversion: 1\nservices:\n"
            f"  bench:\n    command: [/hello]\n{rest}"
            f"  look:\n    command: [/busybox, sh, -c, {json.dumps(LOOK)}]\n{rest}")


def bubblewrap(root: str) -> list:
    """Every namespace it has; it has no time namespace, cgroup or Landlock. The same filter on descriptor 9."""
    kinds = [f"--unshare-{k}" for k in ("user", "ipc", "pid", "net", "uts", "cgroup")]
    return ["/usr/bin/bwrap", *kinds, "--uid", str(UID), "--gid", str(UID), "--hostname", HOSTNAME,
            "--ro-bind", root, "/", "--dev", "/dev", "--mqueue", "/dev/mqueue", "--proc", "/proc", "--tmpfs", "/tmp",
            "--tmpfs", "/var/tmp", "--new-session", "--die-with-parent", "--cap-drop", "ALL", "--clearenv",
            "--seccomp", "9", "--", "/hello"]


def crun(bundle: str) -> list:
    return ["/usr/bin/crun", "--cgroup-manager=cgroupfs", "run", "--bundle", bundle, "bench-@"]


def _mount(where: str, kind: str, *options) -> dict:
    return {"destination": where, "type": kind, "source": kind, "options": list(options)}


def config(root: str, limits: bool, program: str) -> str:
    """crun's config.json for the same cell. program: the same filter in base64, which crun takes as it is. It has no
    Landlock. Its user namespace needs a uid 0, so more ids are mapped than ours has."""
    spec = {
        "ociVersion": "1.0.2",
        "process": {"user": {"uid": UID, "gid": UID}, "args": ["/hello"], "env": [], "cwd": "/",
                    "capabilities": {}, "noNewPrivileges": True,
                    "rlimits": [{"type": "RLIMIT_CORE", "hard": 0, "soft": 0}]},
        "root": {"path": root, "readonly": True},
        "hostname": HOSTNAME,
        "mounts": [
            _mount("/proc", "proc", "nosuid", "nodev", "noexec", "subset=pid", "hidepid=invisible"),
            _mount("/dev", "tmpfs", "nosuid", "noexec", "mode=755", "size=64k"),
            _mount("/dev/pts", "devpts", "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"),
            _mount("/dev/shm", "tmpfs", "nosuid", "nodev", "noexec", "mode=1777", "size=64m"),
            _mount("/dev/mqueue", "mqueue", "nosuid", "nodev", "noexec"),
            _mount("/tmp", "tmpfs", "nosuid", "nodev", "noexec", "mode=1777"),
            _mount("/var/tmp", "tmpfs", "nosuid", "nodev", "noexec", "mode=1777"),
        ],
        "linux": {
            "namespaces": [{"type": k} for k in ("pid", "network", "ipc", "uts", "mount", "cgroup", "user")],
            "uidMappings": [{"containerID": 0, "hostID": 100000, "size": 65536}],
            "gidMappings": [{"containerID": 0, "hostID": 100000, "size": 65536}],
            "cgroupsPath": "/bench/crun",
        },
        "annotations": {"run.oci.seccomp_bpf_data": program},
    }
    if limits:
        spec["linux"]["resources"] = {"memory": {"limit": 64 << 20}, "pids": {"limit": 64}}
    return json.dumps(spec, indent=1)
