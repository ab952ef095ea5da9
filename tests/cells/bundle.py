#!/usr/bin/env python3
"""Writes DIR/config.json for an OCI runtime, as CASE has it, from what `RUNTIME spec` wrote there: DIR IMAGE CASE ARGS..."""
# SPDX-License-Identifier: ISC
import json
import re
import sys

where, image, case, *args = sys.argv[1:]
path = f"{where}/config.json"
c = json.load(open(path))
process, linux = c["process"], c["linux"]
ORDINARY = ["CAP_" + n for n in ("CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP "
                                 "NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE").split()]
ALL = ("CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE "
       "NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN "
       "SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP")


def caps(names):
    process["capabilities"] = {k: names for k in ("bounding", "effective", "permitted")}


def without(*kinds):
    linux["namespaces"] = [n for n in linux["namespaces"] if n["type"] not in kinds]


process.update(terminal=False, rlimits=[], args=args, noNewPrivileges=False)
c["root"] = {"path": image, "readonly": case in ("nothing", "places")}
caps(ORDINARY)
# No control group is the runtime's to make here.
c["mounts"] = [m for m in c["mounts"] if m["type"] != "cgroup"]
without("cgroup")
linux.pop("resources", None)
linux.pop("seccomp", None)
if case == "nothing":           # an arbitrary user (OpenShift), nothing to write to, no rights
    caps([])
    process["user"] = {"uid": 1000640000, "gid": 0}
    process["noNewPrivileges"] = True
    c["mounts"] = [m for m in c["mounts"] if m["destination"] not in ("/dev/shm", "/dev/mqueue")]
elif case == "places":          # nothing below / but what runtimes mount
    c["mounts"] = [m for m in c["mounts"] if m["destination"] not in ("/dev/shm", "/dev/mqueue")]
elif case == "filter":          # the capability, and a filter that forbids what it is for
    caps(ORDINARY + ["CAP_SYS_ADMIN"])
    linux["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64"], "syscalls": [
        {"names": ["unshare", "setns", "mount", "fsopen", "fsmount", "open_tree", "move_mount", "pivot_root"],
         "action": "SCMP_ACT_ERRNO", "errnoRet": 1},
        {"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38},
        {"names": ["clone"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1, "args": [
            {"index": 0, "value": 0x7E020000, "valueTwo": 0x10000000, "op": "SCMP_CMP_MASKED_EQ"}]}]}
elif case == "all":
    have = int(re.search(r"CapBnd:\s*(\w+)", open("/proc/self/status").read())[1], 16)
    caps(["CAP_" + n for k, n in enumerate(ALL.split()) if have >> k & 1])
    linux["maskedPaths"] = linux["readonlyPaths"] = []
elif case == "shared":          # another PID 1
    without("pid")
    c["mounts"] = [m for m in c["mounts"] if m["destination"] != "/proc"] + [
        {"destination": "/proc", "type": "bind", "source": "/proc", "options": ["rbind"]}]
    linux["maskedPaths"] = linux["readonlyPaths"] = []
json.dump(c, open(path, "w"))
