"""`prior run` on a terminal: job control, the foreground, Ctrl-C and Ctrl-Z. Called by run_command.sh: PRIOR DUMB-INIT."""
import os
import pty
import re
import select
import sys
import time

prior, dumb_init = sys.argv[1:3]
failed = False


def is_(what: str, want, got) -> None:
    global failed
    if want == got:
        print(f"ok run: {what}", flush=True)
    else:
        print(f"not ok run: {what} (want {want!r}, got {got!r})", flush=True)
        failed = True


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

    def wait(self, pattern: str, seconds: float = 20) -> str:
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


t = Terminal("bash", "--norc", "-i")
t.type(f"{prior} run -- sh -c 'trap \"echo got-int; exit 9\" INT; echo rea''dy; while :; do sleep 0.01; done'\n")
is_("a command on a terminal starts", "ready", t.wait("(ready)"))
t.type("\x03")
is_("Ctrl-C reaches it", "got-int", t.wait("(got-int)"))
t.type("echo code=$?\n")
is_("its code is ours", "9", t.wait(r"code=(\d+)"))
t.type(f"{prior} run -- sh -c 'echo rea''dy; read x; echo got-$x'\n")
t.wait("(ready)")
t.type("\x1a")
is_("Ctrl-Z stops it, and the shell that waits for us goes on", "Stopped", t.wait("(Stopped)"))
t.type("fg\n")
t.wait("(run -- sh)")
t.type("hello\n")
is_("fg gives it the terminal back", "got-hello", t.wait("(got-hello)"))
t.type("exit 0\n")
t.end()

t = Terminal(dumb_init, "bash", "--norc", "-i")
t.type("echo 'flags:'$-\n")
is_("under dumb-init's name a shell has job control", True, "m" in t.wait(r"flags:(\w+)"))
t.type("exit 3\n")
is_("and its code is ours", 3, t.end())

t = Terminal(prior, "run", "--session", "--", "bash", "--norc", "-i")
t.type("echo 'flags:'$-\n")
is_("--session: a shell has job control", True, "m" in t.wait(r"flags:(\w+)"))
t.type("exit 4\n")
is_("--session: and its code is ours", 4, t.end())
sys.exit(failed)
