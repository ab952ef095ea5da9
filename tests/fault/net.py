# Every netlink message and call about networks fails once, and whoever is at work dies at each: nothing stays of it.
# SPDX-License-Identifier: ISC
import contextlib
import ctypes
import errno
import json
import mmap
import os
import re
import shutil
import signal
import struct
import subprocess
import tempfile
import time

import kinds
from seen import held, is_as, network
from world import PATIENCE, Broken, World, children

PROGRAM = os.path.join(os.environ.get("BUILD", "build"), os.environ.get("LIBC", "glibc"), "tests/fault/net")
REFUSED, LOST, KILLED, HELD = range(4)
OWN, FIRST = range(2)
CLONE_NEWNET = 0x40000000

CONF = """
network:
  bridges:
    f0: {{subnets: [10.88.0.0/24, "fd88::/64"], nat: true, mtu: 1400}}
@SECOND@
services:
  stay: {{command: [sleep, "1002"], isolation: {{preset: none}}}}
  db: {{command: [sleep, "1003"], enabled: false, isolation: {{network: {{bridge: f0}}}}}}
  web:
    command: [sleep, "1001"]
    enabled: false
    restart: "no"
    isolation: {{@ISOLATION@}}
"""
EGRESS = ', egress: [10.88.0.1/32, "10.9.0.0/16:443/tcp"]'
BRIDGED = 'network: {{bridge: f0, ports: ["127.0.0.1:18080:80", "18053:53/udp"], send_max: 1M, receive_max: 1M@EGRESS@}}'
SECOND = "    f1: {{subnets: [10.87.0.0/24]}}"   # only where it is asked for: more messages in each beginning
UPPER = 'network: {{@KIND@: d0, address: [10.89.0.2/24, "fd89::2/64"], gateway: 10.89.0.1}}'
# How web has its network.
KINDS = {
    "bridge": BRIDGED,
    "macvlan": UPPER.replace("@KIND@", "macvlan"),
    "ipvlan": UPPER.replace("@KIND@", "ipvlan"),
    "shared": "network: {{service: db}}",
    "kept": BRIDGED.replace("@EGRESS@", ", keep: true"),
    "several": 'network: [{{bridge: f0, ports: ["127.0.0.1:18080:80"]@EGRESS@}}, {{bridge: f1, send_max: 1M}}]',
    "first_user": "user: first, network: {{bridge: f0}}",
}
FORWARDING = ("/proc/sys/net/ipv4/ip_forward", "/proc/sys/net/ipv6/conf/all/forwarding")
FAILED = "prior: network: "   # it says so on its console, at once
FEW = bool(os.environ.get("FEW"))   # each message is lost once, every third one of a list is refused
tracks = True


class Orders:
    """What tests/fault/net.c reads."""

    def __init__(self):
        self.fd, self.path = tempfile.mkstemp(prefix="prior-net.")
        os.truncate(self.fd, 4096)
        self.map = mmap.mmap(self.fd, 4096)

    def seen(self):
        return struct.unpack_from("I", self.map)[0]

    def give(self, n, what=REFUSED, whom=OWN, sig=signal.SIGKILL):
        """The n-th message from now on; 0: none."""
        struct.pack_into("IIII", self.map, 4, self.seen() + n if n else 0, what, sig, whom)

    def another(self):
        """Supervisor is about to begin."""
        struct.pack_into("I", self.map, 20, 0)

    def about(self, text):
        """Only messages with this in them count from now on; empty: all."""
        struct.pack_into("16s", self.map, 24, text.encode())

    def came(self):
        """It has happened."""
        at = struct.unpack_from("I", self.map, 4)[0]
        return at and self.seen() >= at

    def end(self):
        kinds.note(self.map[40:])
        self.map.close()
        os.close(self.fd)
        os.unlink(self.path)


def world(orders, kind="bridge"):
    isolation = KINDS[kind].replace("@EGRESS@", EGRESS if tracks else "")
    orders.another()
    conf = CONF.replace("@ISOLATION@", isolation).replace("@SECOND@", SECOND if "f1" in isolation else "")
    w = World(conf, prior=PROGRAM, env={"NET_FAULT": orders.path})

    def has_begun():
        """The bridges' helper, which is PID 1's own program, has been reaped."""
        return w.proc.poll() is not None or not any(" up " in f"{n} " or n == "zombie" for n in children(w.pid).values())

    if not w.asks_until(has_begun):
        raise Broken("the network does not begin")
    w.ctl("status")
    return w


def find_tracking(orders):
    """Without a kernel that knows a bridge's connections there is no egress list, and who needs one is told."""
    global tracks
    for tracks in (True, False):
        with running(orders) as w:
            said = [line for line in w.said.drain() if line.startswith(FAILED)]
        if not said:
            return
        if "nf_conntrack_bridge" not in said[0]:
            raise Broken(f"the beginning fails, and no module is named: {said[0]}")


def each(turn, step=1):
    """Message 1, 2, 3 ... until a turn has none of that number: how many there were."""
    n = 1
    while turn(n):
        n += step
    return (n - 1) // step


def good(w, verb, name="web"):
    code, text = w.ctl(verb, name)
    if code:
        raise Broken(f"{verb}: {text}")


def names_reason(text):
    """WHO: WHILE WHAT: an errno's words, and perhaps the kernel's."""
    return any(re.search(rf"\S.*: .*\S: .*{re.escape(os.strerror(code))}", text) for code in errno.errorcode)


@contextlib.contextmanager
def running(orders, kind="bridge"):
    """Ends in order when all is well."""
    w = world(orders, kind)
    try:
        yield w
        orders.give(0)
        if w.proc.poll() is None:
            w.end(signal.SIGTERM)
    finally:
        orders.give(0)
        w.end()


def starts_fail(orders, kind):
    """By name; nothing of them stays, and the next one is good."""
    verb = "restart" if kind == "kept" else "start"

    def turn(w, before, what, n):
        if kind == "kept":
            good(w, "start")
        orders.give(n, what)
        code, text = w.ctl(verb, "web")
        came = orders.came()
        orders.give(0)
        if not came and code:
            raise Broken(f"message {n} was none, and the start failed: {text}")
        if not came:
            good(w, "stop")
        elif code == 0 or "web is failed: " not in text or not (names_reason(text) or what == KILLED):
            raise Broken(f"message {n} failed ({what}), and the start says {code}: {text}")
        is_as(before, w, f"after message {n} of a start failed ({text})")
        return came

    with running(orders, kind) as w:
        if kind == "shared":
            good(w, "start", "db")
        for name in ("web", "db")[:1 + kind.endswith("vlan")]:   # the bridge has seen a port
            good(w, "start", name)
            good(w, "stop", name)
        if kind.endswith("vlan"):
            wait_for_parent()
        before = network(), held(w)
        # the others differ in calls
        ways = (LOST,) if FEW else (REFUSED, LOST, KILLED) if kind in ("bridge", "macvlan") else (REFUSED,)
        return [each(lambda n, what=what: turn(w, before, what, n)) for what in ways]


def stops_go_on(orders):
    """A stop does not fail; what it leaves the next start takes away."""
    def turn(w, before, what, n):
        good(w, "start")
        orders.give(n, what)
        code, text = w.ctl("stop", "web")
        came = orders.came()
        orders.give(0)
        if code:
            raise Broken(f"message {n} of a stop failed, and so did the stop: {text}")
        if came:
            good(w, "start")
            good(w, "stop")
        is_as(before, w, f"after message {n} of a stop failed, a start and a stop")
        return came

    with running(orders) as w:
        good(w, "start")
        good(w, "stop")
        before = network(), held(w)
        return [each(lambda n, what=what: turn(w, before, what, n)) for what in (REFUSED, LOST, KILLED)]


def oddly_well(w):
    """What a killed run has left could not be looked for: that is an event with its reason, and the network is there."""
    def told():
        return [x["why"] for x in map(json.loads, w.ctl("events", "--json")[1].splitlines()) if x["event"] == "network-odd"]

    return w.asks_until(told) and names_reason(told()[0])


def set_forwarding(on):
    for path in FORWARDING:
        with open(path, "w") as f:
            f.write("01"[on])


def beginnings_fail(orders, kind=""):
    """The bridge and the rules: nothing of them stays, and the service is refused by name. egress: a list's rules."""
    def turn(before, what, n):
        orders.give(n, what)
        with running(orders) as w:
            came = orders.came()
            orders.give(0)
            said = next((line for line in w.said.drain() if line.startswith(FAILED)), "")
            odd = came and not said and oddly_well(w)
            if odd:
                good(w, "start")
                good(w, "stop")
            elif came and not (names_reason(said) or what == KILLED and said):
                raise Broken(f"message {n} of the beginning failed ({what}), and this is said of it: {said or 'nothing'}")
            elif came:
                code, text = w.ctl("start", "web")
                if code == 0 or "web" not in text:
                    raise Broken(f"message {n} of the beginning failed, and the start of web says {code}: {text}")
                is_as((before, held(w)), w, f"after message {n} of the beginning failed ({said})")
        if odd:
            set_forwarding(what == KILLED)  # which stays on after a network that was there
        return came

    counts = []
    orders.about("out-" if kind == "egress" else "")    # the chain of a list
    for what in (REFUSED,) if kind else (REFUSED, LOST, KILLED):
        set_forwarding(what == KILLED)  # who removes what the killed one has made leaves it on
        before = network()
        counts.append(each(lambda n, what=what, before=before: turn(before, what, n), 3 if FEW else 1))
    return counts


def spawners_die(orders):
    """At each message of a start: another one is made, and starts it."""
    def turn(w, before, n):
        orders.give(n, KILLED, w.of("prior-spawner"))
        w.ctl("start", "web")
        came = orders.came()
        orders.give(0)
        if not w.asks_until(lambda: w.ctl("start", "web")[0] == 0):
            raise Broken(f"the spawner was killed at message {n}: {w.ctl('why', 'web')[1]}")
        good(w, "stop")
        is_as(before, w, f"the spawner was killed at message {n}, and web was started and stopped")
        return came

    with running(orders) as w:
        good(w, "start")
        good(w, "stop")
        before = network(), held(w)
        return [each(lambda n: turn(w, before, n))]


def faults_are_survived(orders):
    """It is executed anew in the middle of a start, and the start goes on or is told to have failed."""
    def turn(n):
        with running(orders) as w:
            good(w, "start")    # the bridge has seen a port
            good(w, "stop")
            before = network(), held(w)
            orders.give(n, KILLED, w.pid, sig=signal.SIGSEGV)
            w.ctl("start", "web")
            came = orders.came()
            orders.give(0)
            if came and not w.asks_until(lambda: w.self_status()["generation"] == 2):
                raise Broken(f"no second generation after a fault at message {n}")
            good(w, "start")
            good(w, "stop")
            is_as(before, w, f"after a fault at message {n} and a stop")
        is_as(empty, None, f"a fault at message {n}, and all has ended")
        return came

    empty = network(), []
    return [each(turn)]


def like_a_clean_run(orders, kind, clean, empty, when):
    """The next one adopts or removes what is left: it runs as if nothing had been, and leaves nothing."""
    with running(orders, kind) as w:
        code, text = w.ctl("start", "web")
        if code:
            raise Broken(f"{when}, and then: {text}; {w.said.drain()}")
        is_as((clean, held(w)), w, f"{when}, and the next one runs")
    is_as(empty, None, f"{when}, and the next one has ended")


def leftovers_are_taken(orders, kind, verb):
    """PID 1 is killed in the middle of its beginning, of a start, of its end; or cannot remove something then."""
    def turn(clean, empty, what, n):
        if verb == "begin":
            orders.give(n, KILLED, FIRST)
        try:
            w = world(orders, kind)
        except Broken:
            w = None
            if not orders.came():
                raise
        if w and verb == "start":
            orders.give(n, KILLED, FIRST)
        if w:
            w.ctl("start", "web")
        if w and verb == "end":
            orders.give(n, what, FIRST)
            w.kill(w.pid, signal.SIGTERM)
        came = orders.came()
        orders.give(0)
        if w:
            w.end()
        like_a_clean_run(orders, kind, clean, empty, f"message {n} of {verb} ({what})")
        return came

    empty = network(), []
    with running(orders, kind) as w:
        w.ctl("start", "web")
        clean = network()
    return [each(lambda n, what=what: turn(clean, empty, what, n)) for what in (KILLED, REFUSED)[:1 + (verb == "end")]]


def stopped_child(w):
    for pid in children(w.pid):
        with open(f"/proc/{pid}/stat") as f:
            if f.read().rsplit(")", 1)[1].split()[0] == "T":
                return pid
    return 0


def pid_1_waits_for_nobody(orders):
    """Who removes the network stands still: PID 1 answers all the same, and ends when it is told of the end."""
    empty = network(), []
    with running(orders) as w:
        good(w, "start")
        good(w, "stop")
        orders.give(1, HELD)
        os.kill(w.pid, signal.SIGTERM)
        if not w.asks_until(lambda: orders.came() and stopped_child(w)):
            raise Broken("the network is not removed at the end")
        if w.ctl("status")[0]:
            raise Broken("PID 1 does not answer while the network is being removed")
        os.kill(stopped_child(w), signal.SIGKILL)
        w.ended()
    with running(orders):
        pass
    is_as(empty, None, "killed while it removed the network, and the next one has ended")
    return [1]


def leave_for_another():
    """Network namespace, with a loopback."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) < 0:
        return "no network namespace can be made here: " + os.strerror(ctypes.get_errno())
    ip("link set lo up")
    return None


def missing():
    for program in ("ip", "nft"):
        if not shutil.which(program):
            return f"needs {program} to look from outside"
    if why := leave_for_another():
        return why
    if knows("f2 type bridge"):
        return None
    return "this kernel has no bridges"


def ip(line):
    subprocess.run(["ip", *line.split()], check=True)


def knows(link):
    """The kernel can make such a one."""
    if subprocess.run(["ip", "link", "add", *link.split()], capture_output=True).returncode:
        return False
    ip("link del " + link.split(" type ", maxsplit=1)[0].rsplit(" ", maxsplit=1)[-1])
    return True


def make_parent():
    """d0, which macvlan, ipvlan and VLANs lie on."""
    ip("link add d0 address 02:00:00:00:00:01 type veth peer name d1 address 02:00:00:00:00:02")
    ip("link set d1 up")
    ip("link set d0 up")


def wait_for_parent():
    """Until nothing is on it any more."""
    end = time.monotonic() + 100
    show = "ip -j -d link show d0".split()
    while json.loads(subprocess.run(show, check=True, capture_output=True).stdout)[0]["promiscuity"]:
        if time.monotonic() > end:
            raise Broken("d0 is still promiscuous")
        time.sleep(0.02)


def lacks_kind(args):
    kind = args[0] if args and args[0].endswith("vlan") else None
    if not kind:
        return None
    make_parent()
    known = knows(f"link d0 name d2 type {kind}" + " id 5" * (kind == "vlan"))
    return None if known else f"this kernel has no {kind}"


def one(test):
    """In a process of its own, which moves to a network of its own. [(verdict, name, why)]"""
    function, args = test
    title = " ".join(["fault: netlink:", *function.__name__.split("_"), *args]).replace("_", " ")
    orders, home = Orders(), os.open("/proc/self/ns/net", os.O_RDONLY)
    try:
        if why := missing() or lacks_kind(args):
            return [("skip", title, why)]
        find_tracking(orders)
        n = function(orders, *args)
        if not any(n):
            raise Broken("there was no such message")
        return [("ok", f"{title} ({' and '.join(map(str, n))} messages)", "")]
    except Exception as e:
        return [("not ok", title, f"{'' if isinstance(e, Broken) else type(e).__name__ + ': '}{e}")]
    finally:
        ctypes.CDLL(None).setns(home, CLONE_NEWNET)
        os.close(home)
        orders.end()


TESTS = [(starts_fail, (kind,)) for kind in KINDS] + [
    (stops_go_on, ()), (beginnings_fail, ()), (spawners_die, ()), (faults_are_survived, ()),
    *((leftovers_are_taken, ("bridge", verb)) for verb in ("begin", "start", "end")), (pid_1_waits_for_nobody, ())]
