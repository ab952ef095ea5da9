"""`prior run` on a terminal: job control, the foreground, Ctrl-C and Ctrl-Z. Called by run_command.sh: PRIOR DUMB-INIT."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from on_terminal import Checks, Terminal  # noqa: E402

prior, dumb_init = sys.argv[1:3]
is_ = Checks("run")


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
sys.exit(is_.failed)
