# What PID 1 does when it has too little of something, and when it dies under traffic.
# SPDX-License-Identifier: ISC
import contextlib
import os
import resource
import signal
import socket
import subprocess
import threading
import time

from world import PATIENCE, CONF, CROWD, SERVICES, Broken, World

NOBODY = 54321  # a user that nothing else runs as

PLAIN = """
defaults: {{isolation: {{preset: none}}, backoff: {{initial: 10ms, max: 20ms}}, max_restarts: 1000}}
services:
  again: {{command: [sleep, "1001"]}}
  other: {{command: [sleep, "1002"]}}
"""
FLOOD = CONF + """
  flood: {{command: ["yes", "a line of a service that never stops"]}}
"""


@contextlib.contextmanager
def limit(w, what, n, user=0):
    """A soft limit of PID 1, for a while. Its own user sets it: root in a container may not have the capability."""
    option = {resource.RLIMIT_NOFILE: "--nofile", resource.RLIMIT_NPROC: "--nproc"}[what]
    name = {resource.RLIMIT_NOFILE: "Max open files", resource.RLIMIT_NPROC: "Max processes"}[what]
    with open(f"/proc/{w.pid}/limits") as f:
        was = next(line for line in f if line.startswith(name)).split()[3 if what == resource.RLIMIT_NOFILE else 2]

    # Processes are made by the spawner, when there is one already.
    spawner = w.of("prior-spawner") if what == resource.RLIMIT_NPROC else 0
    whose = [w.pid] + [spawner] * bool(spawner)

    def put(soft):
        for pid in whose:
            subprocess.run(["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "prlimit",
                            f"--pid={pid}", f"{option}={soft}:"], check=pid == w.pid)

    put(n)
    try:
        yield
    finally:
        put(was)


@contextlib.contextmanager
def few_descriptors(w):
    """What it closes it can have again, and one more: the gaps are filled with idle clients."""
    taken = [int(fd) for fd in os.listdir(f"/proc/{w.pid}/fd")]
    with contextlib.ExitStack() as idle, limit(w, resource.RLIMIT_NOFILE, max(taken) + 1):
        for _ in range(max(taken) - len(taken)):
            s = idle.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET))
            s.connect(f"{w.dir}/run/control.sock")
        yield


def with_free(w, n):
    """The limit of descriptors that leaves so many to be had."""
    taken, at = {int(fd) for fd in os.listdir(f"/proc/{w.pid}/fd")}, 0
    while n:
        n -= at not in taken
        at += 1
    return max(at, 3)


def require(so, text):
    if not so:
        raise Broken(text)


def refused(w, words, *args):
    code, text = w.ctl(*args)
    require(code > 0 and any(word in text for word in words), f"prior {' '.join(args)}: code {code}: {text}")


def restarted_without_descriptors(w, name):
    """Whether it is, against all limits: the spawner may end between counting and asking, and give one back."""
    with few_descriptors(w):
        code, text = w.ctl("restart", name)
        if code == 0:
            return True
        require(code > 0 and "Too many open files" in text, f"prior restart {name}: code {code}: {text}")
        states = {other: s["state"] for other, s in w.status().items() if other != name}
        require(set(states.values()) == {"up"}, f"without descriptors for {name} the others are {states}")
    return False


def descriptors_run_out(w):
    before = w.fds()
    for name in SERVICES:
        tries = 0
        while restarted_without_descriptors(w, name):
            tries += 1
            require(tries < 5, f"{name} is restarted without descriptors")
            w.settle()
        w.settle()
    require(w.asks_until(lambda: w.crowd() == CROWD), f"its children were {CROWD}, are {w.crowd()}")
    require(w.least_fds(before) <= before, f"{before} descriptors before, {w.fds()} after")


def no_descriptor_for_a_client(w):
    with limit(w, resource.RLIMIT_NOFILE, 3):
        code, _ = w.ctl("status", seconds=0.3)
        require(code == -1, "a status without a descriptor")
        require(w.said.until("control.*Too many open files"), "nothing is said of it")
    require(w.ctl("status")[0] == 0, "no status when there are descriptors again")


def processes_run_out(w):
    before = w.fds()
    with limit(w, resource.RLIMIT_NPROC, 1, NOBODY):
        refused(w, ["Resource temporarily unavailable"], "restart", "again")
        require(w.status()["other"]["state"] == "up", "the other one is not up")
    code, text = w.ctl("start", "again", "other")
    require(code == 0, f"no start when there may be processes again: {text}")
    require(w.least_fds(before) <= before, f"{before} descriptors before, {w.fds()} after")


def logger_stands_still(w):
    """And a service floods it. Nobody waits for it but the service."""
    def ready():
        return sum('"event":"ready","service":"plain"' in line for line in w.ctl("events", "--json")[1].splitlines())

    logger, before = w.of("prior-logger"), ready()
    os.kill(logger, signal.SIGSTOP)
    try:
        for _ in range(200):  # more events than their pipe takes
            require(w.ctl("signal", "CONT", "plain", seconds=10)[0] == 0, "a signal takes more than 10 s")
        for _ in range(3):
            require(w.ctl("restart", "plain", "again", "flood", seconds=20)[0] == 0, "a restart takes more than 20 s")
            require(w.ctl("status", seconds=10)[0] == 0, "a status takes more than 10 s")
    finally:
        os.kill(logger, signal.SIGCONT)
    # In the log: a console that cannot keep up with the flood misses lines.
    require(w.asks_until(lambda: ready() > before, 2 * PATIENCE), "the events do not come later")


def logger_stands_still_at_the_end(w):
    """Shutdown does not wait for it for ever, and does not leave it behind."""
    os.kill(w.of("prior-logger"), signal.SIGSTOP)


def idle_clients(w):
    before, crowd = w.fds(), []
    try:
        for _ in range(33):
            s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            crowd.append(s)
            s.connect(f"{w.dir}/run/control.sock")
        require(w.ctl("status")[0] == 0, "33 idle clients keep another one out")
    finally:
        for s in crowd:
            s.close()
    require(w.least_fds(before) <= before, f"{before} descriptors before, {w.fds()} after")


def an_end_without_a_descriptor(w):
    """What a service forked is not looked after until there are descriptors; that is said, and nothing stays."""
    with limit(w, resource.RLIMIT_NOFILE, 3):
        w.kill(w.of("sleep 1001"), signal.SIGKILL)
        require(w.said.until("again.*Too many open files"), "nothing is said of it")
    code, text = w.ctl("restart", "again")
    require(code == 0, f"no restart when there are descriptors again: {text}")
    require(not w.of("sleep 1003"), "what it forked is still there")


class Clients(threading.Thread):
    """Calls the service, over and over."""

    def __init__(self, w):
        super().__init__()
        self.w, self.calls, self.failed, self.stop = w, 0, [], False

    def run(self):
        while not self.stop:
            self.calls += 1
            try:
                if not self.w.call():
                    raise OSError("no answer")
            except OSError as e:
                self.failed.append(str(e))


def faults_under_traffic(w):
    pids = {name: s["pid"] for name, s in w.status().items()}
    before = w.fds()
    clients = Clients(w)
    clients.start()
    try:
        for n, sig in enumerate([signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGFPE]):
            seen = clients.calls
            os.kill(w.pid, sig)
            require(w.asks_until(lambda: w.self_status()["generation"] == n + 2), f"no generation {n + 2}")
            require(w.asks_until(lambda: clients.calls > seen + 2), "no calls")
    finally:
        clients.stop = True
        clients.join()
    require(not clients.failed, f"{len(clients.failed)} of {clients.calls} calls failed: {clients.failed[:2]}")
    now = {name: s["pid"] for name, s in w.status().items()}
    require(now == pids, f"the services were {pids}, are {now}")
    require(w.least_fds(before) <= before, f"{before} descriptors before, {w.fds()} after")


TESTS = [descriptors_run_out, an_end_without_a_descriptor, no_descriptor_for_a_client, processes_run_out, logger_stands_still,
         logger_stands_still_at_the_end, idle_clients, faults_under_traffic]
SPECIAL = {processes_run_out: (PLAIN, NOBODY), logger_stands_still: (FLOOD, None),
           logger_stands_still_at_the_end: (FLOOD, None)}


def one(test):
    name, w = "fault: " + test.__name__.replace("_", " "), None
    began = time.monotonic()
    try:
        conf, user = SPECIAL.get(test, (CONF, None))
        w = World(conf, user)
        if not user:
            w.settle()
        test(w)
        left = w.end(signal.SIGTERM)
        require(not left, f"left: {left}")
    except Exception as e:
        if w:
            w.end()
        return [("not ok", name, f"{'' if isinstance(e, Broken) else type(e).__name__ + ': '}{e}")]
    return [("ok", f"{name} ({time.monotonic() - began:.1f} s)" if os.environ.get("VERBOSE") else name, "")]
