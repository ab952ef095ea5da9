# A prior to do harm to: a supervisor of four services, watched from outside; and strace that fails its calls.
# SPDX-License-Identifier: ISC
import ctypes
import json
import os
import re
import select
import shutil
import socket
import subprocess
import tempfile
import time

PRIOR = os.environ["PRIOR"]
TOOL = os.path.join(os.environ.get("BUILD", "build"), os.environ.get("LIBC", "glibc"), "tests/cells/tool")
PATIENCE = float(os.environ.get("PATIENCE", "30"))  # seconds for what takes milliseconds
SERVICES = ["again", "cell", "lazy", "plain"]
CROWD = ["prior-logger", "reaper", "sleep 1001", "sleep 1002", "tool answer", "tool notify READY=1"]

# `again` leaves a child behind when it dies, `cell` has namespaces (a builder, reports), `plain` speaks to the notify socket, `lazy` is started by a connection.
CONF = """
defaults: {{isolation: {{preset: none}}}}
services:
  again:
    command: [sh, -c, "sleep 1003 & exec sleep 1001"]
    backoff: {{initial: 10ms, max: 20ms}}
    max_restarts: 1000
  cell:
    command: [sleep, "1002"]
    isolation: {{preset: server}}
    backoff: {{initial: 10ms, max: 20ms}}
    max_restarts: 1000
  lazy:
    command: [{dir}/tool, answer]
    listen: [{{name: l, tcp: "127.0.0.1:{port}", activate: lazy}}]
    backoff: {{initial: 10ms, max: 20ms}}
    max_restarts: 1000
  plain:
    command: [{dir}/tool, notify, "READY=1"]
    ready: notify
    backoff: {{initial: 10ms, max: 20ms}}
    max_restarts: 1000
"""



def adopt():
    """What a world leaves behind becomes ours. Not inherited: each worker asks for itself."""
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER


class Broken(Exception):
    """What was required and did not happen."""


class Lines:
    """What a descriptor says, line by line, with a deadline."""

    def __init__(self, fd):
        self.fd, self.rest, self.all, self.seen = fd, b"", [], 0

    def more(self, seconds):
        if not select.select([self.fd], [], [], max(0, seconds))[0]:
            return False
        got = os.read(self.fd, 65536)
        *lines, self.rest = (self.rest + got).split(b"\n")
        self.all += [line.decode(errors="replace") for line in lines]
        return bool(got)

    def until(self, pattern, seconds=PATIENCE):
        """The next line that matches, or None. Looks on from the last one found."""
        end = time.monotonic() + seconds
        while True:
            while self.seen < len(self.all):
                self.seen += 1
                if re.search(pattern, self.all[self.seen - 1]):
                    return self.all[self.seen - 1]
            if time.monotonic() >= end or not self.more(end - time.monotonic()):
                return None

    def drain(self):
        while self.more(0):
            pass
        return self.all


def children(pid):
    """Its children by name, as the kernel has them."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as f:
            pids = [int(p) for p in f.read().split()]
    except OSError:
        return {}
    names = {}
    for p in pids:
        try:
            with open(f"/proc/{p}/cmdline") as f:
                names[p] = f.read().replace("\0", " ").strip() or "reaper"
            with open(f"/proc/{p}/comm") as f:
                if f.read().strip() == "prior-spawner":  # the same program, not executed again
                    names[p] = "prior-spawner"
            with open(f"/proc/{p}/stat") as f:
                if f.read().rsplit(")", 1)[1].split()[0] == "Z":
                    names[p] = "zombie"
        except OSError:
            pass
    return names


class World:
    live = set()

    def __init__(self, conf=CONF, user=None, prior=PRIOR, env=None):
        self.dir = tempfile.mkdtemp(prefix="prior-fault.")
        os.chmod(self.dir, 0o755)
        for source, name in ((prior, "prior"), (TOOL, "tool")):
            shutil.copy(source, f"{self.dir}/{name}")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        with open(f"{self.dir}/conf.yaml", "w") as f:
            f.write(conf.format(dir=self.dir, port=self.port))
        enter = []
        if user is not None:
            os.chown(self.dir, user, user)
            enter = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"]
        self.proc = subprocess.Popen(
            # In its own user namespace it could not tell root, who asks, from anybody else.
            enter + [f"{self.dir}/prior", "up", *(["--no-userns"] if user else []), "-c", f"{self.dir}/conf.yaml",
                     "--run-dir", f"{self.dir}/run", "--log-dir", ""], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env=dict(os.environ, **(env or {})))
        World.live.add(self)
        self.said = Lines(self.proc.stdout.fileno())
        self.pid, self.strace = self.proc.pid, 0
        if not self.said.until(r"\bsettled\b"):
            self.end()
            raise Broken("it does not settle: " + " / ".join(self.said.all[-4:]))

    def ctl(self, *args, seconds=PATIENCE):
        """Exit code and text; -1: no answer in time."""
        try:
            done = subprocess.run([f"{self.dir}/prior", *args, "--run-dir", f"{self.dir}/run"], timeout=seconds,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        except subprocess.TimeoutExpired:
            return -1, f"prior {' '.join(args)}: no answer within {seconds} s"
        return done.returncode, done.stdout.decode(errors="replace").strip()

    def status(self):
        code, text = self.ctl("status", "--json")
        if code != 0:
            raise Broken(f"status: {text}")
        return {s["service"]: s for s in json.loads(text)}

    def self_status(self):
        code, text = self.ctl("status", "--prior", "--json")
        if code != 0:
            raise Broken(f"status --prior: {text}")
        return json.loads(text)

    def call(self, seconds=PATIENCE):
        """A connection to the lazy service: what it answers."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=seconds) as s:
            return s.recv(64)

    def fds(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def of(self, word):
        """The pid, from here, of the child whose command ends with this."""
        return next((p for p, name in children(self.pid).items() if name.endswith(word)), 0)

    def kill(self, pid, sig):
        """A signal, and wait until the process has ended."""
        if not pid:
            return
        fd = os.pidfd_open(pid)
        try:
            os.kill(pid, sig)
            select.select([fd], [], [], PATIENCE)
        finally:
            os.close(fd)

    def settle(self):
        """Everything up, as a person would bring it back."""
        for _ in range(3):
            code, text = self.ctl("start", *SERVICES)
            states = {n: s["state"] for n, s in self.status().items()}
            if code == 0 and all(s == "up" for s in states.values()):
                return
        raise Broken(f"not all is up again: {text} {states}")

    def asks_until(self, is_so, seconds=PATIENCE):
        """PID 1 has turned with each answer that it gives: asks until something is so."""
        end = time.monotonic() + seconds
        while not (so := is_so()) and time.monotonic() < end:
            self.ctl("status")
        return so

    def least_fds(self, want):
        """Clients of the moment before may still be there."""
        self.asks_until(lambda: self.fds() <= want)
        return self.fds()

    def crowd(self):
        """Its children once all is up, but for the spawner, which is not there when nothing starts for a while."""
        names = children(self.pid).values()
        return sorted(name.replace(f"{self.dir}/", "").rsplit("exec ", 1)[-1] for name in names if name != "prior-spawner")

    def end(self, sig=None):
        """Ends it; with a signal it must go in order, with code 0, and leave no process. What it left in its folder."""
        try:
            if sig is not None:
                os.kill(self.pid, sig)
                self.ended()
            return [f for f in ("control.sock", "notify") if os.path.exists(f"{self.dir}/run/{f}")]
        finally:
            if self.proc.poll() is None:
                self.proc.kill()
                self.proc.wait()
            while orphans := children(os.getpid()):  # what it left is ours, for we are a subreaper
                for p in orphans:
                    os.kill(p, 9)
                os.waitpid(-1, 0)  # any: the first process of a pid namespace ends when we have reaped the others
            World.live.discard(self)
            self.proc.stdout.close()
            shutil.rmtree(self.dir, ignore_errors=True)

    def ended(self):
        """Waits for its end, which must be a good one."""
        try:
            code = self.proc.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            raise Broken("it does not end: " + " / ".join(self.said.drain()[-4:])) from None
        if code != 0:
            raise Broken(f"it ends with code {code}: " + " / ".join(self.said.drain()[-4:]))
        if left := {p: name for p, name in children(os.getpid()).items() if p != self.strace}:
            raise Broken(f"it leaves {', '.join(left.values())}")


class Strace:
    """Attached to PID 1 alone, never to its children; fails the chosen calls."""

    def __init__(self, world, *options):
        self.path = f"{world.dir}/trace"
        self.proc = subprocess.Popen(["strace", "-p", str(world.pid), "-o", self.path, *options],
                                     stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.said = Lines(self.proc.stderr.fileno())
        world.strace = self.proc.pid
        if not self.said.until("attached"):
            self.leave()
            raise Broken("strace: " + " / ".join(self.said.all))

    def leave(self):
        self.proc.terminate()
        self.proc.wait()
        self.proc.stderr.close()
        try:
            with open(self.path) as f:
                return f.read().splitlines()
        except OSError:
            return []
