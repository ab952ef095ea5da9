"""What a scenario holds while a machine runs: commands through the agent, waits, endings."""
import base64
import json
import shlex
import time
from collections import deque

from . import arch
from .machine import Machine
from .port import NotSaid, PortClosed


class Failed(Exception):
    """Something was not as the scenario demands."""


class Skip(Exception):
    """The scenario cannot be tried here; the text says why."""


class Session:
    def __init__(self, machine: Machine, another, disks=()):
        self.machine = machine
        self.disks = disks              # host files
        self.boot_again = another       # (files=…, append=…, config=…) -> a context manager of a new Session
        self.notes = []                 # figures to show beside the verdict
        self.lines = []                 # what tests inside have said, each to count by itself
        self.history = deque(maxlen=4)  # the last commands, for the report
        self._count = 0

    # ---- commands

    def wait_ready(self, seconds: float = 120, since: int = 0) -> None:
        """The agent has been started; since: behind this many bytes of the second port."""
        try:
            self.machine.second.wait("@ready\n", seconds, since)
        except PortClosed:
            raise Failed(f"ended by {self.machine.ending()} before the agent was started") from None
        except NotSaid:
            raise Failed(f"the agent was not started within {seconds:g} s") from None

    def sh(self, command: str, seconds: float = 30) -> tuple:
        """Runs a shell command in the guest: (exit code, what it printed)."""
        self._count += 1
        port, mark = self.machine.second, f"{self._count}"
        start = port.size
        port.send(f"{mark} {base64.b64encode(command.encode()).decode()}\n")
        try:
            body = port.wait(f"@{mark} ", seconds, start)
            end = port.wait(f"@end {mark}\n", seconds, body)
        except NotSaid:
            raise Failed(f"no answer within {seconds:g} s: {command}") from None
        except PortClosed:
            raise Failed(f"the machine ended ({self.machine.ending()}) during: {command}") from None
        code, _, coded = port.said(body, end - len(f"@end {mark}\n")).partition(b"\n")
        text = base64.b64decode(coded).decode(errors="replace")
        self.history.append((command, int(code), text))
        return int(code), text

    def ok(self, command: str, seconds: float = 30) -> str:
        """Like sh, and the command must succeed."""
        code, text = self.sh(command, seconds)
        if code:
            raise Failed(f"exit {code}: {command}\n{text.rstrip()}")
        return text

    def fails(self, command: str, code: int = None, seconds: float = 30) -> str:
        """Like sh, and the command must fail (with this code)."""
        got, text = self.sh(command, seconds)
        if got == 0 or (code is not None and got != code):
            raise Failed(f"exit {got}, not {code if code is not None else 'a failure'}: {command}\n{text.rstrip()}")
        return text

    def json(self, command: str, seconds: float = 30):
        """What the command prints, as JSON; its exit code may be anything (status says 3 of a stopped service)."""
        code, text = self.sh(command, seconds)
        try:
            return json.loads(text)
        except ValueError:
            raise Failed(f"exit {code} and not JSON: {command}\n{text.rstrip()}") from None

    def ladder(self, command: str, seconds: float = 60) -> None:
        """Runs tests inside; what they say of each of their names counts by itself."""
        code, text = self.sh(command, seconds)
        said = [line for line in text.splitlines() if line.startswith(("ok ", "not ok ", "skip ", "    "))]
        self.lines += said
        words = {line.partition(" ")[0] for line in said}
        if code > 1 or (code == 1) != ("not" in words) or not words & {"ok", "skip"}:
            raise Failed(f"exit {code}: {command}\n{text.rstrip()}")

    def start(self, command: str) -> None:
        """Leaves a command running in the background of the guest."""
        self.ok(f"setsid sh -c {shlex.quote(command)} </dev/null >/dev/null 2>&1 &")

    def read(self, path: str) -> bytes:
        """A file of the guest."""
        return base64.b64decode(self.ok(f"base64 {shlex.quote(path)}"))

    def eventually(self, what, seconds: float = 10, why: str = ""):
        """What the function returns, once that is true; asks again until then, also where a command in it fails."""
        deadline = time.monotonic() + seconds * arch.current().slower
        while True:
            try:
                got = what()
            except (Failed, AssertionError) as e:
                if self.machine.console.closed or time.monotonic() > deadline:
                    raise
                got = e
            else:
                if got:
                    return got
            if time.monotonic() > deadline:
                raise Failed(f"not within {seconds:g} s: {why or what}; last: {got!r}")
            time.sleep(0.1)

    # ---- services

    def status(self, service: str) -> dict:
        """The row of `prior status --json` about a service; {} when there is none."""
        rows = self.json(f"prior status --json {shlex.quote(service)}")
        rows = [rows] if isinstance(rows, dict) else rows
        return next((row for row in rows if row.get("service") == service), {})

    def pid(self, service: str) -> int:
        pid = self.status(service).get("pid")
        if not pid:
            raise Failed(f"service {service} has no process")
        return int(pid)

    def says(self, command: str, *words: str, seconds: float = 30) -> str:
        """What the command prints, once all of these are in it: what is logged or told is there a moment later."""
        def look():
            code, text = self.sh(command)
            return text if code == 0 and all(word in text for word in words) else None
        return self.eventually(look, seconds, f"{command} says {', '.join(words)}")

    def wait_state(self, service: str, *states, seconds: float = 15) -> dict:
        return self.eventually(lambda: (row := self.status(service)).get("state") in states and row, seconds,
                               f"service {service} is {' or '.join(states)}")

    def cgroup(self, service: str, file: str) -> str:
        """A file of the service's cgroup, found through its process."""
        place = self.ok(f"cat /proc/{self.pid(service)}/cgroup").strip().rpartition("::")[2]
        return self.ok(f"cat /sys/fs/cgroup{shlex.quote(place)}/{file}").strip()

    # ---- the console and the end

    @property
    def console(self) -> str:
        return self.machine.console.text

    def on_console(self, text: str, seconds: float = 10) -> None:
        try:
            self.machine.console.wait(text, seconds)
        except (NotSaid, PortClosed) as e:
            raise Failed(f"console: {e}") from None

    def ends(self, how: str, command: str = None, seconds: float = 30) -> None:
        """The machine ends this way, after this command."""
        if command:
            self.machine.second.send(f"0 {base64.b64encode(command.encode()).decode()}\n")
        ending = self.machine.wait_end(seconds * arch.current().slower)
        if ending != how:
            raise Failed(f"{command or 'the machine'}: wanted {how}, came {ending or f'no end in {seconds:g} s'}")

    def note(self, text: str) -> None:
        """A figure that is shown with the verdict."""
        self.notes.append(text)

    def skip(self, reason: str) -> None:
        raise Skip(reason)
