# Every netlink message of a start fails once, and PID 1 dies at each: the machine's network is as before.
# SPDX-License-Identifier: ISC
import ctypes
import json
import mmap
import os
import shutil
import signal
import struct
import subprocess
import tempfile
import time

from world import PRIOR, Broken, World, children

PROGRAM = os.path.join(os.environ.get("BUILD", "build"), os.environ.get("LIBC", "glibc"), "tests/fault/net")
REFUSED, LOST, KILLED, HELD = range(4)
CLONE_NEWNET = 0x40000000

CONF = """
network:
  bridges: {{f0: {{subnets: [10.88.0.0/24, "fd88::/64"], nat: true, mtu: 1400}}}}
services:
  stay: {{command: [sleep, "1002"], isolation: {{preset: none}}}}
  web:
    command: [sleep, "1001"]
    restart: "no"
    isolation:
      network: {{bridge: f0, ports: ["127.0.0.1:18080:80", "18053:53/udp"], send_max: 1M@EGRESS@}}
"""
EGRESS = ', egress: [10.88.0.1/32, "10.9.0.0/16:443/tcp"]'
tracks = True
VOLATILE = ("handle", "metainfo", "packets", "bytes", "ifindex", "operstate", "link_index", "link_netnsid",
            "gc_timer", "hello_timer", "tcn_timer", "topology_change_timer", "state")


def is_the_kernels(x):
    """It gives addresses of the link, and says what it sees of a carrier, in its own time."""
    return str(x.get("dst", x.get("local"))).startswith(("fe80", "ff00")) if isinstance(x, dict) else \
        x in ("NO-CARRIER", "LOWER_UP", "linkdown")


def plain(x):
    """Without what the kernel counts, or decides later."""
    if isinstance(x, dict):
        return {k: plain(v) for k, v in x.items() if k not in VOLATILE}
    return [plain(y) for y in x if not is_the_kernels(y)] if isinstance(x, list) else x


def network():
    """All that can be seen of it."""
    seen = {}
    for what in ("ip -j -d link", "ip -j addr", "ip -j route show table all", "ip -j -6 route show table all",
                 "ip -j rule", "nft -j list ruleset"):
        text = subprocess.run(what.split(), check=True, capture_output=True, text=True).stdout
        seen[what] = plain(json.loads(text or "[]"))
    return seen


def difference(a, b, at=""):
    """The first one."""
    if isinstance(a, dict) and isinstance(b, dict) and a.keys() == b.keys():
        return next(difference(a[k], b[k], f"{at} {k}") for k in a if a[k] != b[k])
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        return next(difference(x, y, at) for x, y in zip(a, b) if x != y)
    return f"{at}: was {a}, is {b}"


def is_as(before, when):
    end = time.monotonic() + 10
    while (now := network()) != before:  # the kernel removes in its own time
        if time.monotonic() > end:
            raise Broken(f"{when}: {difference(before, now)}"[:1500])
        time.sleep(0.02)


class Orders:
    """What tests/fault/net.c reads."""

    def __init__(self):
        self.fd, self.path = tempfile.mkstemp(prefix="prior-net.")
        os.truncate(self.fd, 4096)
        self.map = mmap.mmap(self.fd, 4096)

    def seen(self):
        return struct.unpack_from("I", self.map)[0]

    def give(self, n, what, whom=0, sig=0):
        """The n-th message from now on; 0: none."""
        struct.pack_into("IIII", self.map, 4, self.seen() + n if n else 0, what, whom, sig)

    def came(self):
        """It has happened."""
        at = struct.unpack_from("I", self.map, 4)[0]
        return at and self.seen() >= at

    def end(self):
        self.map.close()
        os.close(self.fd)
        os.unlink(self.path)


def world(orders):
    return World(CONF.replace("@EGRESS@", EGRESS if tracks else ""), prior=PROGRAM, env={"NET_FAULT": orders.path})


def find_tracking(orders):
    """Without a kernel that knows a bridge's connections there is no egress list, and who needs one is told."""
    global tracks
    tracks = True   # asked with a list, whoever was here before
    w = world(orders)
    said = " / ".join(w.said.drain())
    w.end(signal.SIGTERM)
    tracks = "network failed" not in said
    if not tracks and "nf_conntrack_bridge" not in said:
        raise Broken(f"the beginning fails, and no module is named: {said}")


def each(turn):
    """Message 1, 2, 3 ... until a turn has none of that number: how many there are."""
    n = 1
    while turn(n):
        n += 1
    return n - 1


def good(w, verb):
    code, text = w.ctl(verb, "web")
    if code:
        raise Broken(f"{verb}: {text}")


def starts_fail(w, orders, before, what):
    def turn(n):
        orders.give(n, what)
        code, text = w.ctl("start", "web")
        came = orders.came()
        orders.give(0, 0)
        if not came:
            if code:
                raise Broken(f"message {n} was none, and the start failed: {text}")
            good(w, "stop")
            return False
        if code == 0 or "web" not in text:
            raise Broken(f"message {n} failed, and the start says {code}: {text}")
        is_as(before, f"after message {n} of a start failed ({text})")
        return True

    return each(turn)


def stops_go_on(w, orders, before, what):
    """A stop does not fail; what it leaves the next start takes away."""
    def turn(n):
        good(w, "start")
        orders.give(n, what)
        code, text = w.ctl("stop", "web")
        came = orders.came()
        orders.give(0, 0)
        if code:
            raise Broken(f"message {n} of a stop failed, and so did the stop: {text}")
        if came:
            good(w, "start")
            good(w, "stop")
        is_as(before, f"after message {n} of a stop failed, a start and a stop")
        return came

    return each(turn)


def beginnings_fail(orders, before, what):
    """The bridge and the rules: nothing of them stays, and the service is refused by name."""
    def turn(n):
        orders.give(n, what)
        w = world(orders)
        try:
            orders.give(0, 0)
            state, said = w.status()["web"]["state"], [line for line in w.said.drain() if "network failed" in line]
            if said and state != "failed":
                raise Broken(f"message {n} of the beginning failed, and web is {state}; {said[0]}")
            if said:
                is_as(before, f"after message {n} of the beginning failed ({said[0]})")
            w.end(signal.SIGTERM)
        except BaseException:
            w.end()
            raise
        if not said:
            is_as(before, "all has ended")
        return said  # what comes behind is a start's

    return each(turn)


def faults_are_survived(orders, empty):
    """It is executed anew in the middle of a start, and the start goes on or is told to have failed."""
    def turn(n):
        w = world(orders)
        try:
            good(w, "stop")
            before = network()
            orders.give(n, KILLED, w.pid, signal.SIGSEGV)
            w.ctl("start", "web")
            came = orders.came()
            orders.give(0, 0)
            if came and not w.asks_until(lambda: w.self_status()["generation"] == 2, 10):
                raise Broken(f"no second generation after a fault at message {n}")
            good(w, "start")
            good(w, "stop")
            is_as(before, f"after a fault at message {n} and a stop")
            w.end(signal.SIGTERM)
        except BaseException:
            w.end()
            raise
        is_as(empty, f"a fault at message {n}, and all has ended")
        return came

    return each(turn)


def leftovers_are_taken(orders, empty):
    """Killed in the middle: the next one finds what is left, and leaves nothing."""
    def turn(n):
        w = world(orders)
        try:
            w.ctl("stop", "web")
            orders.give(n, KILLED, w.pid, signal.SIGKILL)
            w.ctl("start", "web", seconds=2)
            came = orders.came()
            orders.give(0, 0)
        finally:
            w.end()
        if not came:
            w = world(orders)
            w.end(signal.SIGTERM)
        w = world(orders)
        try:
            if w.status()["web"]["state"] != "up":
                raise Broken(f"killed at message {n}: the next one does not start web: {w.ctl('why', 'web')[1]}")
            w.end(signal.SIGTERM)
        except BaseException:
            w.end()
            raise
        is_as(empty, f"killed at message {n}, and the next one has ended")
        return came

    return each(turn)


def stopped_child(w):
    for pid in children(w.pid):
        with open(f"/proc/{pid}/stat") as f:
            if f.read().rsplit(")", 1)[1].split()[0] == "T":
                return pid
    return 0


def pid_1_waits_for_nobody(orders, empty):
    """Who removes the network stands still: PID 1 answers all the same, and ends when it is told of the end."""
    w = world(orders)
    try:
        good(w, "stop")
        orders.give(1, HELD)
        os.kill(w.pid, signal.SIGTERM)
        if not w.asks_until(lambda: orders.came() and stopped_child(w), 10):
            raise Broken("the network is not removed at the end")
        if w.ctl("status")[0]:
            raise Broken("PID 1 does not answer while the network is being removed")
        os.kill(stopped_child(w), signal.SIGKILL)
        w.ended()
    finally:
        orders.give(0, 0)
        w.end()
    w = world(orders)
    w.end(signal.SIGTERM)
    is_as(empty, "killed while it removed the network, and the next one has ended")
    return 1


def missing():
    for program in ("ip", "nft"):
        if not shutil.which(program):
            return f"needs {program} to look from outside"
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) < 0:
        return "no network namespace can be made here: " + os.strerror(ctypes.get_errno())
    subprocess.run("ip link set lo up".split(), check=True)
    if subprocess.run("ip link add f1 type bridge".split(), capture_output=True).returncode:
        return "this kernel has no bridges"
    subprocess.run("ip link del f1".split(), check=True)
    return None


def one(name):
    """In a process of its own, which moves to a network of its own. [(verdict, name, why)]"""
    title, orders, home = "fault: netlink: " + name.replace("_", " "), Orders(), os.open("/proc/self/ns/net", os.O_RDONLY)
    try:
        if why := missing():
            return [("skip", title, why)]
        find_tracking(orders)
        empty = network()
        n = []
        if name in ("faults_are_survived", "leftovers_are_taken", "pid_1_waits_for_nobody"):
            n.append(globals()[name](orders, empty))
        elif name == "beginnings_fail":
            n += [beginnings_fail(orders, empty, what) for what in (REFUSED, LOST)]
        else:
            w = world(orders)
            try:
                good(w, "stop")  # it has been up: the bridge has seen a port
                before = network()
                n += [globals()[name](w, orders, before, what) for what in (REFUSED, LOST)]
            finally:
                w.end()
        return [("ok", f"{title} ({' and '.join(map(str, n))} messages)", "")]
    except Exception as e:
        return [("not ok", title, f"{'' if isinstance(e, Broken) else type(e).__name__ + ': '}{e}")]
    finally:
        ctypes.CDLL(None).setns(home, CLONE_NEWNET)
        os.close(home)
        orders.end()


TESTS = ("starts_fail", "stops_go_on", "beginnings_fail", "faults_are_survived", "leftovers_are_taken",
         "pid_1_waits_for_nobody")
