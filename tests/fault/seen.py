# What can be seen of the machine's network, and whether it is as it was.
# SPDX-License-Identifier: ISC
import contextlib
import json
import os
import subprocess
import time

from world import Broken

VOLATILE = ("handle", "metainfo", "packets", "bytes", "ifindex", "operstate", "link_index", "link_netnsid",
            "gc_timer", "forward_delay_timer", "hello_timer", "tcn_timer", "topology_change_timer", "state")
ASKED = ("addr", "route show table all", "rule", "neigh show nud permanent")


def is_the_kernels(x):
    """It gives addresses of the link, and says what it sees of a carrier, in its own time."""
    return str(x.get("dst", x.get("local"))).startswith(("fe80", "ff00")) if isinstance(x, dict) else \
        x in ("NO-CARRIER", "LOWER_UP", "linkdown")


def by_content(x):
    """What a set has is told in the order of a hash with a seed of its own, new with each set."""
    return sorted(x, key=json.dumps) if isinstance(x, list) else x


def plain(x):
    """Without what the kernel counts, or decides later."""
    if isinstance(x, dict):
        return {k: by_content(plain(v)) if k == "elem" else plain(v) for k, v in x.items() if k not in VOLATILE}
    return [plain(y) for y in x if not is_the_kernels(y)] if isinstance(x, list) else x


def network():
    """All that can be seen of it."""
    def ask(*command):
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    links, nft = ask("ip", "-j", "-d", "-batch", "-"), ask("nft", "-j", "list", "ruleset")
    rules = ask("ip", "-j", "-6", "rule")
    grep = ask("grep", "-rs", "", "/proc/sys/net/ipv4", "/proc/sys/net/ipv6")   # some of these are only for writing
    seen = {"nft": plain(json.loads(nft.communicate()[0])), "settings": sorted(grep.communicate()[0].splitlines())}
    lines = [line for line in links.communicate("\n".join(ASKED))[0].splitlines() if line.strip()]
    seen.update((what, plain(json.loads(line))) for what, line in zip(ASKED, lines, strict=True))
    seen["IPv6 rule"] = plain(json.loads(rules.communicate()[0] or "[]"))
    if links.returncode or nft.returncode or rules.returncode:
        raise Broken("ip or nft fails")
    return seen


def held(w):
    """The networks that PID 1 and the spawner keep alive, or have mounted."""
    found = []
    for pid in (w.pid, w.of("prior-spawner")) if w else ():
        with contextlib.suppress(OSError):
            links = [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]
            found += [link for link in links if link.startswith("net:")]
            with open(f"/proc/{pid}/mountinfo") as f:
                found += [line for line in f if " - nsfs " in line]
    return found


def difference(a, b, at=""):
    """The first one."""
    if isinstance(a, dict) and isinstance(b, dict) and a.keys() == b.keys():
        return next(difference(a[k], b[k], f"{at} {k}") for k in a if a[k] != b[k])
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)) and len(a) == len(b):
        return next(difference(x, y, at) for x, y in zip(a, b) if x != y)
    return f"{at}: was {a}, is {b}"


def is_as(before, w, when):
    """The network that can be seen, and what is held of others: in a moment, for the kernel removes in its own time."""
    end = time.monotonic() + 100
    while (now := (network(), held(w))) != before:
        if time.monotonic() > end:
            raise Broken(f"{when}: {difference(before, now)}"[:1500])
        time.sleep(0.02)
