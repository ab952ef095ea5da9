"""Compares our answers with systemd-analyze's: exposure.py PRIOR FOLDER; the folder has prior.yaml."""
import json
import subprocess
import sys
from pathlib import Path

PRIOR, WORK = sys.argv[1], Path(sys.argv[2])
SERVER = {
    "DynamicUser": "yes", "PrivateTmp": "yes", "PrivateDevices": "yes", "PrivateMounts": "yes", "PrivateUsers": "yes",
    "PrivateIPC": "yes", "ProtectSystem": "strict", "ProtectHome": "yes", "ProtectProc": "invisible", "ProcSubset": "pid",
    "ProtectKernelTunables": "yes", "ProtectKernelModules": "yes", "ProtectKernelLogs": "yes",
    "ProtectControlGroups": "yes", "ProtectHostname": "yes", "ProtectClock": "yes", "RestrictNamespaces": "yes",
    "RestrictRealtime": "yes", "RestrictSUIDSGID": "yes", "NoNewPrivileges": "yes", "CapabilityBoundingSet": "",
    "SystemCallFilter": "@system-service", "SystemCallArchitectures": "native", "LockPersonality": "yes",
    "MemoryDenyWriteExecute": "yes", "RestrictAddressFamilies": "AF_INET AF_INET6 AF_UNIX AF_NETLINK",
    "DevicePolicy": "closed",
}
ALONE = {**SERVER, "PrivateNetwork": "yes", "IPAddressDeny": "any", "IPAddressAllow": "localhost", "UMask": "0077"}
UNITS = {
    "bare": {"KeyringMode": "inherit"},
    "server": SERVER,
    "alone": ALONE,
    "strict": {**ALONE, "RestrictAddressFamilies": "AF_UNIX",
               "SystemCallFilter": "@system-service\nSystemCallFilter=~@privileged"},
    # User=, since DynamicUser= would turn ProtectSystem=full into strict
    "open": {**{k: v for k, v in SERVER.items() if k not in ("DynamicUser", "PrivateTmp", "ProtectProc",
                                                          "ProtectClock", "RestrictRealtime")},
             "User": "daemon", "ProtectHome": "read-only", "ProtectSystem": "full", "ProtectHostname": "no",
             "CapabilityBoundingSet": "CAP_SYS_TIME CAP_NET_RAW CAP_KILL",
             "AmbientCapabilities": "CAP_SYS_TIME CAP_NET_RAW CAP_KILL", "PrivateUsers": "no",
             "RestrictAddressFamilies": "AF_INET AF_INET6 AF_UNIX AF_NETLINK AF_PACKET"},
}
# A question that is answered otherwise on purpose, and why.
OTHERWISE = {
    "DeviceAllow=": "ProtectClock= adds the real-time clock to its list; we add nothing",
    "ProtectHostname=": "its own filter would have to be asked about",
    "RemoveIPC=": "an ipc namespace takes its objects with it; root is not asked",
    "ProtectClock=": "a capability over the clock is what it is about",
    "ProtectHome=": "a folder that is not there is not exposed",
}


def theirs(name: str) -> dict:
    unit = WORK / f"{name}.service"
    lines = "".join(f"{key}={value}\n" for key, value in UNITS[name].items())
    unit.write_text(f"[Service]\nExecStart=/bin/sh\n{lines}")
    said = subprocess.run(["systemd-analyze", "security", "--offline=true", "--json=short", str(unit)],
                          capture_output=True, text=True, timeout=30)
    return {row["name"]: row["exposure"] for row in json.loads(said.stdout)}


def ours(name: str) -> tuple:
    said = subprocess.run([PRIOR, "show", name, "-c", str(WORK / "prior.yaml"), "--exposure", "--json"],
                          capture_output=True, text=True, timeout=30)
    comparable = json.loads(said.stdout)["exposure"]["comparable"]
    return {row["name"]: row for row in comparable["checks"]}, comparable["declared"]


def overall(name: str) -> float:
    said = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", str(WORK / f"{name}.service")],
                          capture_output=True, text=True, timeout=30).stdout
    return float(said.split("Overall exposure level for")[1].split(":")[1].split()[0])


def main() -> int:
    status = 0
    for name in UNITS:
        a, b = theirs(name), ours(name)
        wrong = [f"{q}: only one of them asks" for q in set(a) ^ set(b[0])]
        all_weights = sum(row["weight"] for row in b[0].values() if row["declared"] is not None)
        for q, row in b[0].items():
            share = -(-row["weight"] * (row["declared"] or 0) * 10 // row["range"])
            mine = -(-share * 10 // all_weights) / 10 if share else None     # of ten, rounded up as they do
            their = float(a[q]) if a.get(q) else None
            if mine != their and q not in OTHERWISE:
                wrong.append(f"{q}: {their} there, {mine} here")
        total = overall(name)
        if abs(total - b[1]) > 0.21:
            wrong.append(f"the sum is {total} there and {b[1]} here")
        print(f"{'not ok' if wrong else 'ok'} golden: exposure of {name} is the same as elsewhere ({total}; here {b[1]})")
        for text in wrong:
            print(f"    {text}")
            status = 1
    return status


sys.exit(main())
