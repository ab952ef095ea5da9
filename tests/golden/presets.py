"""Prints docs/PRESETS.md; on standard error, whether each preset keeps its promise: presets.py PRIOR FOLDER."""
import json
import subprocess
import sys
from pathlib import Path

PRIOR, WORK = sys.argv[1], Path(sys.argv[2])
PRESETS = {
    "none": "testing only",
    "minimal": "old programs that need root",
    "server": "HTTP and other network services; the default",
    "strict": "code that is not trusted, and what security hangs on",
    "worker": "background jobs, queue consumers",
    "database": "databases: descriptors, locked and shared memory, time to stop",
    "contained": "the part of server that needs no namespace and no mount",
}
# How systemd calls it, our key, and what is at least in effect for it. The order is that of the promise.
CONTROLS = (
    ("DynamicUser=", "security.dynamic_user", True),
    ("PrivateTmp=", "isolation.private_tmp", True),
    ("PrivateDevices=", "isolation.private_devices", True),
    ("PrivateIPC=", "isolation.private_ipc", True),
    ("ProtectSystem=", "isolation.protect_system", "strict"),
    ("ProtectHome=", "isolation.protect_home", True),
    ("ProtectProc=", "isolation.protect_proc", "invisible"),
    ("ProcSubset=", "isolation.proc_subset", "pid"),
    ("ProtectKernelTunables=", "isolation.protect_kernel_tunables", True),
    ("ProtectKernelModules=", "isolation.protect_kernel_modules", True),
    ("ProtectKernelLogs=", "isolation.protect_kernel_logs", True),
    ("ProtectControlGroups=", "isolation.protect_control_groups", True),
    ("ProtectHostname=", "isolation.protect_hostname", True),
    ("ProtectClock=", "isolation.protect_clock", True),
    ("RestrictNamespaces=", "security.restrict_namespaces", True),
    ("RestrictRealtime=", "security.restrict_realtime", True),
    ("RestrictSUIDSGID=", "security.restrict_suid_sgid", True),
    ("NoNewPrivileges=", "security.no_new_privileges", True),
    ("LockPersonality=", "security.lock_personality", True),
    ("MemoryDenyWriteExecute=", "security.memory_deny_write_execute", True),
    # further than the promise, but for the namespaces
    ("PrivateUsers=", "isolation.user", True),
    ("PrivatePIDs=", "isolation.pid", True),
    ("PrivateMounts=", "isolation.mount", True),
    ("PrivateNetwork=", "isolation.network", None),
    ("(ipc namespace)", "isolation.ipc", True),
    ("(uts namespace)", "isolation.uts", True),
    ("(cgroup namespace)", "isolation.cgroup", True),
    ("(time namespace)", "isolation.time", None),
    ("RestrictAddressFamilies=", "security.restrict_address_families", None),
)
FULL = ("server", "strict", "worker", "database")     # what promises all of the above
MOST_CAPS = 20      # of 41, that "most" is at least
# At least this, where the row above would ask for too much.
LEAST = {"minimal": {"security.seccomp": "default", "isolation.mount": True, "security.no_new_privileges": True}}
SCORES = {"server": 1.3, "strict": 0.3, "worker": 1.3, "database": 1.3}
RANK = {"none": 0, "default": 1, "strict": 2}


def ask(*words) -> dict:
    said = subprocess.run([PRIOR, *words, "-c", str(WORK / "prior.yaml"), "--json"], capture_output=True, text=True, timeout=30)
    return json.loads(said.stdout)


def value(config: dict, key: str):
    at = config
    for part in key.split("."):
        at = at.get(part) if isinstance(at, dict) else None
    return at


def holds(got, least) -> bool:
    return got == least or (least is True and got in ("yes", "strict"))


def seccomp(config: dict) -> str:
    got = value(config, "security.seccomp")
    return got["profile"] if isinstance(got, dict) else got


def caps(config: dict) -> set:
    known = {"CAP_" + name for name in ask_all_caps}
    dropped = set(value(config, "security.cap_drop") or [])
    return set() if {"ALL", "CAP_ALL"} & dropped else known - dropped


# linux/capability.h, without CAP_
ask_all_caps = """CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE
NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT
SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE
MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE""".split()


def broken(name: str, config: dict, score: float) -> list:
    """The promises that this preset does not keep."""
    found = []
    if name in FULL:
        found += [f"{directive} ({key}) is {value(config, key)}, not {least}"
                  for directive, key, least in CONTROLS if least is not None and not holds(value(config, key), least)]
        if caps(config):
            found.append(f"CapabilityBoundingSet= has {', '.join(sorted(caps(config)))}")
    for key, least in LEAST.get(name, {}).items():
        got = seccomp(config) if key == "security.seccomp" else value(config, key)
        if got != least:
            found.append(f"{key} is {got}, not {least}")
    want = {"none": "none", "strict": "strict"}.get(name, "default")
    if RANK[seccomp(config)] < RANK[want]:
        found.append(f"seccomp is {seccomp(config)}, not {want}")
    if name == "minimal" and not MOST_CAPS <= len(caps(config)) < 41:
        found.append(f"it keeps {len(caps(config))} capabilities, not most of 41")
    if score > SCORES.get(name, 10):
        found.append(f"its exposure is {score}, above {SCORES[name]}")
    return found


def text(got) -> str:
    if isinstance(got, list):
        return ", ".join(got)
    if isinstance(got, str):
        return "" if got in ("no", "default", "all", "none") else got
    return "yes" if got is True else ""


def caps_text(config: dict) -> str:
    n = len(caps(config))
    return "none" if n == 0 else "all" if n == 41 else f"{n} of 41"


def table(head: list, rows: list) -> str:
    lines = ["| " + " | ".join(head) + " |", "| " + " | ".join("---" for _ in head) + " |"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def main() -> int:
    services = "".join(f"  {p}: {{command: [/bin/sh], isolation: {{preset: {p}}}}}\n" for p in PRESETS)
    (WORK / "prior.yaml").write_text("services:\n" + services)
    config = {p: ask("show", p)["config"] for p in PRESETS}
    scores = {p: ask("show", p, "--exposure")["exposure"] for p in PRESETS}
    head = ["", *PRESETS]
    rows = [["dynamic user", *(text(value(c, "security.dynamic_user")) for c in config.values())],
            ["seccomp profile", *(seccomp(c) for c in config.values())],
            ["capabilities", *(caps_text(c) for c in config.values())],
            ["exposure", *(str(scores[p]["comparable"]["declared"]) for p in PRESETS)],
            ["further questions", *(str(scores[p]["further"]["declared"]) for p in PRESETS)]]
    controls = [[directive, f"`{key}`", *(text(value(c, key)) for c in config.values())] for directive, key, _ in CONTROLS]
    print("# Presets\n\nPrinted by `make golden` from what `prior show` says of a service that has a preset and nothing "
          "else.\n`isolation.preset` chooses one; any key of a service is stronger than its preset. Empty: not in effect.\n")
    print(table(["preset", "for"], [[f"`{p}`", about] for p, about in PRESETS.items()]), end="\n\n")
    print(table(head, rows), end="\n\n")
    print("Exposure is the number of `systemd-analyze security` (0 is best, 10 is worst), by the same questions and weights,\n"
          "for a service in the machine's own root; with a `rootfs` it is a little lower. The further questions are our own:\n"
          "`prior show SERVICE --exposure` lists both.\n")
    print(table(["as systemd calls it", "key", *PRESETS], controls), end="\n\n")
    print("- Root in `none` and `minimal` is the machine's root, so a service there should have a `user`.\n"
          "- `strict` has a network with loopback only, and therefore no internet sockets; a service whose file says\n"
          "  anything about `isolation.network` gets `inet` and `inet6` back.\n"
          "- Every preset but `none` allows no core dumps, has a session keyring of its own, and is compared with the kernel\n"
          "  before the service's first instruction.")
    status = 0
    for p in PRESETS:
        wrong = broken(p, config[p], scores[p]["comparable"]["declared"])
        print(f"{'not ok' if wrong else 'ok'} golden: preset {p} is not weaker than promised", file=sys.stderr)
        for what in wrong:
            print(f"    {what}", file=sys.stderr)
            status = 1
    return status


sys.exit(main())
