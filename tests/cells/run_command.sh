#!/bin/sh
# `prior run`: one command under a subreaper and as PID 1 of a pid namespace; exit codes, signals, orphans, sockets.
# SPDX-License-Identifier: ISC
set -u
cd "$(dirname "$0")/../.." || exit 2
: "${PRIOR:?the binary}"
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
passed=0 failed=0 skipped=0
ok() { echo "ok run: $1"; passed=$((passed + 1)); }
not_ok() { echo "not ok run: $1 ($2)"; failed=$((failed + 1)); }
is() { if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "want '$2', got '$3'"; fi; }

code() { "$@" >"$work/out" 2>"$work/err"; echo $?; }

is "the command's exit code is ours" 3 "$(code "$PRIOR" run -- sh -c 'exit 3')"
is "a command that dies of signal N gives 128+N" 137 "$(code "$PRIOR" run -- sh -c 'kill -9 $$')"
is "a command that is not there gives 127" 127 "$(code "$PRIOR" run -- /nonexistent/command)"
is "and says so" "prior: run: /nonexistent/command: No such file or directory" "$(cat "$work/err")"
is "a command that cannot be run gives 126" 126 "$(code "$PRIOR" run -- /etc/passwd)"
is "no command is a usage error" 125 "$(code "$PRIOR" run --)"
is "an unknown option is named" "prior: run: unknown option --colour; the command comes after --" \
	"$("$PRIOR" run --colour -- true 2>&1)"
is "arguments reach the command as they are" 'a b|$HOME|-x' "$("$PRIOR" run -- sh -c 'printf "%s|%s|%s" "$@"' sh 'a b' '$HOME' -x)"
is "its standard input is ours" hello "$(echo hello | "$PRIOR" run -- cat)"

# A signal sent to us reaches the command. The fifo is the event: the command opens it when its trap is set.
mkfifo "$work/ready"
"$PRIOR" run -- sh -c 'trap "exit 7" TERM; echo >"$0"; while :; do read x <"$0" || :; done' "$work/ready" &
pid=$!
read -r _ <"$work/ready"
kill -TERM $pid
wait $pid
is "SIGTERM is passed on" 7 $?

if unshare -pf --mount-proc true 2>/dev/null; then
	# 300 orphans end while the command lives: none may stay behind as a zombie.
	is "as PID 1 it reaps what it did not start" 0 "$(unshare -pf --mount-proc "$PRIOR" run -- sh -c '
		for i in $(seq 300); do (sh -c "exit 0" & ) ; done
		n=1; tries=0
		while [ "$n" != 0 ] && [ $tries -lt 2000 ]; do
			n=$(cat /proc/[0-9]*/stat 2>/dev/null | grep -c ") Z "); tries=$((tries + 1)); done
		echo $n')"
	is "as PID 1 it ends with its command's code" 5 "$(code unshare -pf --mount-proc "$PRIOR" run -- sh -c 'exit 5')"
else
	echo "skip run: as PID 1: no pid namespace can be made here"
	skipped=$((skipped + 2))
fi

is "LISTEN_PID that names us names the command" same "$(sh -c 'export LISTEN_FDS=1 LISTEN_PID=$$; exec "$0" run -- sh -c "
	[ \$LISTEN_PID = \$\$ ] && echo same"' "$PRIOR")"

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
