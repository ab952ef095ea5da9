"""A program on a pseudo-terminal of its own, typed at and read from by a test, with deadlines."""
import os
import pty
import re
import select
import time


class Checks:
    """What a test says: a line a check; its exit code is `failed`."""

    def __init__(self, who: str):
        self.who, self.failed = who, False

    def __call__(self, what: str, want, got) -> None:
        good = want == got
        seen = "" if good else f" (want {want!r}, got {got!r})"
        print(f"{'ok' if good else 'not ok'} {self.who}: {what}{seen}", flush=True)
        self.failed |= not good


class Terminal:
    """A shell with job control on a terminal of its own."""

    def __init__(self, *command: str):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ["PS1"] = "$ "
            os.environ["ENV"] = ""
            os.execvp(command[0], command)
        self.seen = ""

    def type(self, text: str) -> None:
        os.write(self.fd, text.encode())

    def wait(self, pattern: str, seconds: float = 120) -> str:
        """Until the pattern has been seen behind what was seen before; its first group."""
        end = time.monotonic() + seconds
        while not (m := re.search(pattern, self.seen)):
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.fd], [], [], left)[0]:
                return f"nothing but {self.seen[-200:]!r}"
            try:
                self.seen += os.read(self.fd, 4096).decode(errors="replace")
            except OSError:
                return f"the end, after {self.seen[-200:]!r}"
        self.seen = self.seen[m.end():]
        return m.group(1)

    def end(self) -> int:
        try:
            while os.read(self.fd, 4096):
                pass
        except OSError:
            pass
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
