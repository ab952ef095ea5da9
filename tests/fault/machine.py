# The machine's own interfaces: each message of a boot's stages and of a lease fails once; what was half done is undone.
# SPDX-License-Identifier: ISC
import os
import re
import socket
import struct
import subprocess
import tempfile

import net
from net import FEW, LOST, PROGRAM, REFUSED, names_reason
from seen import difference, is_as, network
from world import PATIENCE, Broken, Lines

STAGES = os.path.join(os.path.dirname(PROGRAM), "stages")
FIXED = 'd0: {addresses: [192.0.2.1/24, "2001:db8::1/64"], gateway: 192.0.2.9}'
# What network.interfaces says, what the kernel's command line, which stage it is, and whether a failure undoes all.
BOOTS = {
    "names": ("d1: {match: {name: d0}}", None, "names", True),
    "addresses": (FIXED, None, "network", True),
    "ip_option": (FIXED, "192.0.2.7::192.0.2.8:255.255.255.128::d0:none", "network", True),
    "vlan": ("d2: {parent: d0, vlan: 5, addresses: [192.0.2.1/24]}", None, "network", True),
    "settings": ("d0: {mtu: 1400, accept_ra: true, addresses: [192.0.2.1/24]}, d1: {addresses: [192.0.2.65/26]}", None,
                 "network", False),
}


def another_network():
    net.leave_for_another()
    net.make_parent()


def boots_fail(orders, kind):
    """By name. What is one thing is done whole or not at all; the same once more, without a failure, completes it."""
    interfaces, ip, stage, whole = BOOTS[kind]
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as conf:
        conf.write(f"network: {{interfaces: {{{interfaces}}}}}\nservices: {{}}\n")
        conf.flush()

        def boot():
            done = subprocess.run(["unshare", "-m", "sh", "-c", 'mount -t sysfs none /sys && exec "$@"', "sh",
                                   STAGES, conf.name, stage, *([ip] if ip else [])], stdout=subprocess.PIPE, text=True,
                                  env=dict(os.environ, NET_FAULT=orders.path), timeout=60)
            return done.returncode, done.stdout

        def turn(what, n):
            another_network()
            before = network()
            orders.another()
            orders.give(n, what)
            code, text = boot()
            came = orders.came()
            orders.give(0)
            when = f"message {n} failed ({what}): {text}"
            if came and (code == 0 or not re.search(r"\bd[0-2]\b|netlink socket", text) or not names_reason(text)):
                raise Broken(f"{when}; it says {code}")
            if came and whole:
                is_as((before, []), None, when)
            code, text = boot() if came else (code, text)
            if code:
                raise Broken(f"{when}; and then without a failure: {text}")
            is_as((clean, []), None, f"{when}; and then without a failure")
            return came

        another_network()
        boot()
        clean = network()
        return [net.each(lambda n, what=what: turn(what, n)) for what in (REFUSED, LOST)[FEW:]]


# --- leases

LIFE = 600  # seconds
LEASE = struct.Struct("=8sIII4s4s4s4s4s4s")


def lease(ip=None, gateway="192.0.2.1"):
    return LEASE.pack(b"lease-1", bool(ip), LIFE, 24, *(socket.inet_aton(a) for a in (
        ip or "0.0.0.0", gateway, "192.0.2.3", "0.0.0.0", "0.0.0.0", "0.0.0.0")))


class Carrier:
    """`prior network-lease`, with a /run of its own."""

    def __init__(self, orders):
        self.to, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.proc = subprocess.Popen(
            ["unshare", "-m", "sh", "-c", 'mount -t tmpfs none /run && mkdir /run/prior-names && exec "$@" 3<&0', "sh",
             PROGRAM, "network-lease", "d0", ""], stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env=dict(os.environ, NET_FAULT=orders.path))
        theirs.close()
        self.said = Lines(self.proc.stdout.fileno())

    def carry(self, message):
        """What it says of it."""
        self.to.send(message)
        line = self.said.until(r"^d0: ", PATIENCE)
        if not line:
            raise Broken("nothing is said of a lease: " + " / ".join(self.said.all))
        return line

    def end(self):
        self.proc.kill()
        self.proc.wait()
        self.proc.stdout.close()
        self.to.close()


def without_time(seen):
    """An address is lent for so many seconds from now."""
    if isinstance(seen, dict):
        return {k: without_time(v) for k, v in seen.items() if not k.endswith("_life_time")}
    return [without_time(x) for x in seen] if isinstance(seen, list) else seen


# What there is before, what comes, and whether all is as before when it fails.
LEASES = {
    "first": (None, lease("192.0.2.7"), True),
    "renewed": (lease("192.0.2.7"), lease("192.0.2.7"), True),
    "other": (lease("192.0.2.7"), lease("192.0.2.8", "192.0.2.2"), False),
    "over": (lease("192.0.2.7"), lease(), False),
}


def leases_fail(orders, kind):
    """Each says so by name, and the next one is carried out."""
    first, message, whole = LEASES[kind]

    def carried_out(what, n):
        """(was there a message of that number, the network after it was carried out)"""
        another_network()
        carrier = Carrier(orders)
        try:
            for known in [lease(), first] if first else [lease()]:
                carrier.carry(known)
            before = without_time(network())
            orders.give(n, what)
            line = carrier.carry(message)
            came = orders.came()
            orders.give(0)
            if came and not ("not carried out: " in line and names_reason(line)):
                raise Broken(f"message {n} failed ({what}), and it says: {line}")
            if came and whole and (now := without_time(network())) != before:
                raise Broken(f"message {n} failed ({what}; {line}): {difference(before, now)}")
            if came and "not carried out" in (line := carrier.carry(message)):
                raise Broken(f"message {n} failed ({what}), and the next one, too: {line}")
            return came, without_time(network())
        finally:
            carrier.end()

    def turn(what, n):
        came, now = carried_out(what, n)
        if now != clean:
            raise Broken(f"message {n} failed ({what}), and the next one is another: {difference(clean, now)}")
        return came

    clean = carried_out(REFUSED, 0)[1]
    return [net.each(lambda n, what=what: turn(what, n)) for what in (REFUSED, LOST)]


TESTS = [(boots_fail, (kind,)) for kind in BOOTS] + [(leases_fail, (kind,)) for kind in LEASES]
