"""`prior enter` on a terminal: called by enter.sh: PRIOR RUN-DIR."""
import fcntl
import os
import signal
import struct
import sys
import termios

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from on_terminal import Checks, Terminal  # noqa: E402

prior, run_dir = sys.argv[1:3]
is_ = Checks("enter")


def resize(t: Terminal, rows: int, columns: int) -> None:
    fcntl.ioctl(t.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


# What has to be computed is what is waited for: the terminal shows what is typed, too.
os.environ["SECRET"] = "of-the-operator"
os.environ["TERM"] = "vt100"
t = Terminal("sh", "-c", 'tty; stty -g >"$1"; "$0" enter web --run-dir "$2"; echo code=$((100 + $?)); stty -g >"$1.2"; echo written-$((1 + 1)); cat',
             prior, run_dir + "/stty", run_dir)
own = t.wait(r"(/dev/pts/\d+)")
resize(t, 31, 91)
t.type("echo is-$((40 + 2))\n")
is_("without a command there is a shell", "is-42", t.wait(r"(is-42)"))
t.type("stty size; echo.\n")
is_("in a terminal of the size of ours", "31 91", t.wait(r"(\d+ \d+)\r"))
resize(t, 32, 92)
t.type("while [ \"$(stty size)\" != '32 92' ]; do :; done; echo size-$((1 + 1))\n")
is_("which follows ours", "size-2", t.wait(r"(size-2)"))
t.type("readlink /proc/self/fd/0 | tr 'a-z' 'A-Z'\n")
is_("it is not ours", True, t.wait(r"(/DEV/PTS/\d+)").lower() not in ("", own))
t.type(f"(echo no >{own}) 2>/dev/null || echo closed-$((2 * 21))\n")
is_("which cannot be opened in there", "closed-42", t.wait(r"(closed-42)"))
t.type("echo term=$TERM,${SECRET:-none}.\n")
is_("nothing of our environment goes in but TERM", "vt100,none", t.wait(r"term=(\w+,\S+)\.\r"))
t.type("sh -c 'trap \"echo int-$((3 + 4)); exit\" INT; echo set-$((1 + 2)); while :; do sleep 0.05; done'\n")
t.wait(r"(set-3)")
t.type("\x03")
is_("Ctrl-C is for who is in there", "int-7", t.wait(r"(int-7)"))
t.type("exit 9\n")
is_("the shell's exit code is ours", "109", t.wait(r"code=(\d+)"))
t.wait(r"(written-2)")
is_("our terminal is as it was", open(run_dir + "/stty").read(), open(run_dir + "/stty.2").read())
t.type("\x04")
t.end()

# It has ended, and what it leaves behind shares the terminal and writes without end.
t = Terminal(prior, "enter", "web", "--run-dir", run_dir, "--", "sh", "-c",
             'trap "exit 6" USR1; setsid sh -c "kill -USR1 $$; yes & yes & exec yes" & while :; do wait; done')
is_("what goes on writing in its terminal is not waited for", 6, t.end())

# Whoever ends us ends what we have started, and gives the terminal back.
t = Terminal(prior, "enter", "web", "--run-dir", run_dir, "--", "sh", "-c", "echo begun-$((5 + 6)); exec sleep 1000")
t.wait(r"(begun-11)")
os.kill(t.pid, signal.SIGTERM)
is_("SIGTERM ends it, and us", 128 + signal.SIGTERM, t.end())
sys.exit(is_.failed)
