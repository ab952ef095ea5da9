#!/bin/sh
# The console: for programs through a pipe, for people on a terminal of its own.
# SPDX-License-Identifier: ISC
set -u
export LC_ALL=C.UTF-8
bin=${PRIOR:?the binary to ask}
status=0

want="prior: there is no verb 'statsu' (did you mean 'status'?); \`prior --help\` lists them
exit: 64
prior: a double quote is not closed
exit: 64
exit: 0
there is no verb 'a b'
exit: 64"
got=$(printf '%s\n' statsu 'help "x' '' 'prior help "a b"' exit version | "$bin" console --batch 2>&1 |
	sed 's/^prior: help: //')
if [ "$got" = "$want" ]; then
	echo "ok golden: console --batch tells the exit code of each command"
else
	printf 'not ok golden: console --batch tells the exit code of each command\n%s\n' "$got" | sed '2,$s/^/    /'
	status=1
fi

python3 - "$bin" <<'E2' || status=1
import os, pty, select, signal, sys, time

ours, theirs = pty.openpty()
pid = os.fork()
if pid == 0:
    os.setsid()
    os.close(ours)
    os.execv(sys.argv[1], ["prior", "console", "--device", os.ttyname(theirs)])

said = b""

def until(text, seconds=60):
    """Reads up to and with the text; what follows is kept for the next."""
    global said
    end = time.monotonic() + seconds
    while text not in said and time.monotonic() < end:
        if select.select([ours], [], [], 0.1)[0]:
            said += os.read(ours, 4096)
    found = text in said
    said = said.partition(text)[2]
    return found

def check(name, good):
    print(("ok" if good else "not ok") + " golden: " + name, flush=True)
    return good

good = check("console prompts on its device", until(b"prior> "))
os.close(theirs)
os.write(ours, b"version\n")
good &= check("console runs a verb there", until(b"\r\nprior 0.") and until(b"prior> "))
os.write(ours, b"run -- /bin/sh -c 'echo here; exec sleep 100'\n")
until(b"\r\nhere")
os.write(ours, b"\x03")
good &= check("^C ends what runs, not the console", until(b"prior> "))
os.write(ours, b"exit\n")
end = time.monotonic() + 60
ended = (0, 0)
while not ended[0] and time.monotonic() < end:
    ended = os.waitpid(pid, os.WNOHANG)
    time.sleep(0.02)
good &= check("exit leaves it", ended == (pid, 0))
if not ended[0]:
    os.kill(pid, signal.SIGKILL)
sys.exit(not good)
E2
exit $status
