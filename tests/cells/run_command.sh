#!/bin/sh
# `prior run`: one command under a subreaper and as PID 1 of a pid namespace; exit codes, signals, orphans, sockets, terminals.
# SPDX-License-Identifier: ISC
set -u
cd "$(dirname "$0")/../.." || exit 2
: "${PRIOR:?the binary}"
tool=${BUILD:-build}/${LIBC:-glibc}/tests/cells/signals
small=${BUILD:-build}/run-only/prior-run
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
failed=0
ok() { echo "ok $who: $1"; }
is() { if [ "$2" = "$3" ]; then ok "$1"; else echo "not ok $who: $1 (want '$2', got '$3')"; failed=1; fi; }
code() { "$@" >"$work/out" 2>"$work/err"; echo $?; }
mkfifo "$work/ready" "$work/never" && exec 9<>"$work/never"
# A command that says that its trap is set, and then waits; the fifo is the event.
trap_and_wait() { echo "trap \"$1\" $2; echo >\"$work/ready\"; while :; do read x <\"$work/never\" || :; done"; }
start() { "$@" & pid=$!; read -r _ <"$work/ready"; }
bits() { sed -n "s/^$1:[[:space:]]*//p"; }

plain() { # BINARY: what every build does
	is "the command's exit code is ours" 3 "$(code "$1" run -- sh -c 'exit 3')"
	is "a command that dies of signal N gives 128+N" 137 "$(code "$1" run -- sh -c 'kill -9 $$')"
	is "a command that is not there gives 127" 127 "$(code "$1" run -- /nonexistent/command)"
	is "and says so" "prior: run: /nonexistent/command: No such file or directory" "$(cat "$work/err")"
	is "a command that cannot be run gives 126" 126 "$(code "$1" run -- /etc/passwd)"
	is "no command is a usage error" 125 "$(code "$1" run --)"
	is "and says so" "prior: run: no command; write it after --" "$(cat "$work/err")"
	is "an unknown option is named" "prior: run: unknown option --colour; the command comes after --" \
		"$("$1" run --colour -- true 2>&1)"
	is "an option without its value is named" "prior: run: -p: its value is missing" "$("$1" run -p 2>&1)"
	is "arguments reach the command as they are" 'a b|$HOME|-x' \
		"$("$1" run -- sh -c 'printf "%s|%s|%s" "$@"' sh 'a b' '$HOME' -x)"
	is "its standard input is ours" hello "$(echo hello | "$1" run -- cat)"
	is "its directory is ours, and we do not stay in it" "/ $work" \
		"$(cd "$work" && "$1" run -- sh -c 'echo "$(readlink /proc/$PPID/cwd) $(pwd -P)"')"
	is "what others left open is not kept by us" "0 1 2" \
		"$("$1" run -- sh -c 'n=0; while [ "$(ls /proc/$PPID/fd | wc -l)" != 3 ] && [ $n -lt 3000 ]; do n=$((n + 1)); done
		echo $(ls /proc/$PPID/fd)' 8<"$work/never")"
	is "and goes to the command" yes "$("$1" run -- sh -c '[ -e /proc/self/fd/8 ] && echo yes' 8<"$work/out")"
	is "LISTEN_PID that names us names the command" same "$(sh -c 'export LISTEN_FDS=1 LISTEN_PID=$$ LISTEN_PIDFDID=7
		exec "$0" run -- sh -c "[ \$LISTEN_PID = \$\$ ] && [ \"\$LISTEN_PIDFDID\" != 7 ] && echo same"' "$1")"
	is "LISTEN_PID that names somebody else stays" 1 "$(LISTEN_PID=1 "$1" run -- sh -c 'echo $LISTEN_PID')"
	exits "$1"
	signals "$1"
	masks "$1"
	as_pid_1 "$1"
}

exits() {
	is "-e: a code becomes 0" 0 "$(code "$1" run -e 143 -- sh -c 'kill $$')"
	is "-e CODE:OTHER: or another one" 9 "$(code "$1" run -e 1 -e 3:9 -- sh -c 'exit 3')"
	is "another code stays" 4 "$(code "$1" run -e 1 -e3:9 -- sh -c 'exit 4')"
	is "a code that is none is refused" 125 "$(code "$1" run -e 256 -- true)"
	is "and said" "prior: run: --exit-code 256: write it as CODE or CODE:CODE, each from 0 to 255" "$(cat "$work/err")"
}

signals() {
	start "$1" run -- sh -c "$(trap_and_wait 'exit 7' TERM)"
	kill -TERM $pid
	wait $pid
	is "SIGTERM is passed on" 7 $?
	is "every signal is passed on, the C library's own and the real-time ones among them" "" "$("$tool" each "$1")"
	start "$1" run -r TERM:USR1 --rewrite 2:0 -- sh -c "$(trap_and_wait 'exit 7' USR1)"
	kill -INT $pid
	kill -TERM $pid
	wait $pid
	is "--rewrite sends another signal, or none" 7 $?
	is "a rewriting that makes no sense is refused" \
		"prior: run: --rewrite 15:herp: write it as SIGNAL:SIGNAL, by number or by name; 0 as the second drops it" \
		"$("$1" run -r 15:herp -- true 2>&1)"
	start "$1" run -g -- sh -c "trap : USR1; sh -c 'echo >\"$work/ready\"; exec sleep 100'; exit 5"
	kill -USR1 $pid
	wait $pid
	is "-g: signals go to the whole group" 5 $?
	start "$1" run --session -- sh -c "[ \$(ps -o sid= -p \$\$) -eq \$\$ ] && $(trap_and_wait 'exit 6' TERM)"
	kill -TERM $pid
	wait $pid
	is "--session: the command leads one" 6 $?
	# Somebody's child that is to end with its parent, and does.
	sh -c '"$0" run -p TERM -- sh -c "$1" & read -r _ <"$2"; kill -9 $$' \
		"$1" "$(trap_and_wait "echo ended >\"$work/never\"; exit" TERM)" "$work/ready" 2>/dev/null &
	is "-p: the end of our parent is passed on" ended "$(timeout 120 head -1 <&9)"
	wait $!
	is "--pause runs nothing and ends on SIGTERM" 0 "$(timeout -s TERM 0.2 "$1" run --pause; [ $? = 124 ]; echo $?)"
	is "--pause with a command is refused" "prior: run: --pause runs no command" "$("$1" run --pause -- true 2>&1)"
}

masks() { # SIGTERM and a real-time signal blocked, SIGCHLD and SIGHUP ignored: as it is found, so it is given on
	"$tool" masked "$1" run -- cat /proc/self/status >"$work/status"
	is "the code comes through an ignored SIGCHLD" 0 $?
	is "the signal mask is given on as it was found" 0000008000004000 "$(bits SigBlk <"$work/status")"
	is "and so are ignored signals" 0000000000210001 "$(bits SigIgn <"$work/status")"
}

as_pid_1() {
	if ! unshare -pf --mount-proc true 2>/dev/null; then
		echo "skip $who: as PID 1: no pid namespace can be made here"
		return
	fi
	# 300 orphans end while the command lives: none may stay behind as a zombie.
	is "as PID 1 it reaps what it did not start" 0 "$(unshare -pf --mount-proc "$1" run -- sh -c '
		for i in $(seq 300); do (sh -c "exit 0" & ) ; done
		n=1; tries=0
		while [ "$n" != 0 ] && [ $tries -lt 12000 ]; do
			n=$(cat /proc/[0-9]*/stat 2>/dev/null | grep -c ") Z "); tries=$((tries + 1)); done
		echo $n')"
	is "as PID 1 it ends with its command's code" 5 "$(code unshare -pf --mount-proc "$1" run -- sh -c 'exit 5')"
	# The orphan ends when its parent has: it waits at the fifo until then.
	cat >"$work/orphan" <<-'SH'
		p=$(sh -c 'sh -c "read _ <\"$0\"" "$0" >/dev/null & echo $!' "$0")
		echo >"$0"
		n=0; while [ -d /proc/$p ] && [ $n -lt 1200 ]; do n=$((n + 1)); sleep 0.05; done
		[ -d /proc/$p ] || echo gone
	SH
	is "not as PID 1 it reaps, too" "gone 1" \
		"$("$1" run -w -- sh -c "$(cat "$work/orphan")" "$work/ready" 2>"$work/err") $(grep -c 'reaped pid' "$work/err")"
	"$1" run -w --no-subreaper -- sh -c "$(cat "$work/orphan")" "$work/ready" >/dev/null 2>"$work/err"
	is "--no-subreaper leaves orphans to others" 0 "$(grep -c 'reaped pid' "$work/err")"
	is "it needs no /proc, no /etc and nothing to write to" 4 "$(code unshare -mpf sh -c '
		mount -t tmpfs t "$1" && cp "$0" "$1/prior" && cp "$2" "$1/sh" && mount -o remount,ro "$1" &&
		exec chroot "$1" /prior run -- /sh -c "exit 4"' "$1" "$work" "$(command -v busybox || command -v busybox-static)")"
}

names() { # BINARY: under the names of others
	mkdir -p "$work/bin"
	for n in tini dumb-init catatonit docker-init podman-init; do ln -f "$1" "$work/bin/$n" 2>/dev/null || cp "$1" "$work/bin/$n"; done
	is "as tini it says tini's version" "tini version 0.19.0" "$("$work/bin/tini" --version)"
	is "as dumb-init it says dumb-init's" "dumb-init v1.2.5" "$("$work/bin/dumb-init" -V 2>&1)"
	is "as catatonit what Docker looks for" "tini version 0.1.7_catatonit" "$("$work/bin/catatonit" --version)"
	is "tini's usage may have its -- after the program" "-x" "$("$work/bin/tini" -s echo -- -x)"
	is "tini: an option it has not" 1 "$(code "$work/bin/tini" -z)"
	is "tini: a program that is not there" 127 "$(code "$work/bin/tini" -- zzzz)"
	is "tini: a program that cannot be run" 126 "$(code "$work/bin/tini" /etc)"
	is "tini: no program" 1 "$(code "$work/bin/tini")"
	is "tini: its usage is shown" 1 "$(grep -c 'supervision of a valid init process' "$work/err")"
	is "tini: TINI_VERBOSITY" 1 "$(TINI_VERBOSITY=3 "$work/bin/tini" -s true 2>&1 | grep -c 'Received SIGCHLD')"
	is "tini: -e" 0 "$(code "$work/bin/tini" -s -e 3 -- sh -c 'exit 3')"
	is "docker's name for it takes the same" 3 "$(code "$work/bin/docker-init" -s -- sh -c 'exit 3')"
	is "dumb-init: a program that is not there" 2 "$(code "$work/bin/dumb-init" /nonexistent)"
	is "dumb-init: its own session" yes "$("$work/bin/dumb-init" sh -c '[ $(ps -o sid= -p $$) -eq $$ ] && echo yes')"
	is "dumb-init: DUMB_INIT_SETSID=0" "" "$(DUMB_INIT_SETSID=0 "$work/bin/dumb-init" sh -c '[ $(ps -o sid= -p $$) -eq $$ ] && echo yes')"
	is "catatonit: a program that is not there" 1 "$(code "$work/bin/catatonit" -- /nonexistent)"
	is "catatonit: -P" 124 "$(code timeout -s INT 0.2 "$work/bin/catatonit" -P)"
	is "podman's name for it takes the same" 3 "$(code "$work/bin/podman-init" -- sh -c 'exit 3')"
}

pss() { # COMMAND...: its KiB of memory while its child lives
	start "$@" sh -c "echo >'$work/ready'; exec sleep 100" 2>/dev/null
	bits Pss </proc/$pid/smaps_rollup
	kill -TERM $pid
	wait $pid
}

smallest() { # PROGRAM [OPTION]: the small build beside it
	if ! command -v "$1" >/dev/null; then
		echo "skip $who: beside $1: it is not installed"
		return
	fi
	ours=$(stat -Lc %s "$small") theirs=$(stat -Lc %s "$(command -v "$1")")
	is "its file is smaller than that of $1" yes "$([ "$ours" -lt "$theirs" ] && echo yes || echo "$ours and $theirs bytes")"
	ours=$(pss "$small" run --) theirs=$(pss "$1" ${2-} --)
	is "it takes less memory than $1" yes "$([ "${ours%kB}" -lt "${theirs%kB}" ] && echo yes || echo "$ours and $theirs")"
}

scripts() { # BINARY: as execvp(3) has it, whatever the C library
	mkdir -p "$work/here" "$work/no" && printf 'exit $(($1 + 1))\n' >"$work/here/script" && : >"$work/no/script" &&
		chmod 755 "$work/here/script"
	is "a script without its first line is the shell's" 4 "$(code "$1" run -- "$work/here/script" 3)"
	is "along PATH, too, past what is no program" 6 "$(code env PATH="$work/none:$work/no:$work/here:$PATH" "$1" run script 5)"
	is "and an empty place in it is the directory" 8 "$(cd "$work/here" && code env PATH=":$PATH" "$1" run -- script 7)"
	is "what may not be run is not what is not there" 126 "$(code env PATH="$work/no:$work/none" "$1" run -- script)"
	is "nothing is run without a name" 127 "$(code "$1" run -- "")"
}

who=run
plain "$PRIOR"
scripts "$PRIOR"
names "$PRIOR"
if [ -x "$small" ]; then
	who="run, the small build"
	plain "$small"
	scripts "$small"
	smallest tini -s
	smallest dumb-init
	smallest catatonit
	names "$small"
	is "what it cannot do it says" \
		"prior: run: --preset: this is the small build, which confines nothing; the whole prior does" \
		"$("$small" run --preset strict -- true 2>&1)"
else
	echo "skip run: the small build: $small is not built (make run-only)"
fi

who=run
for o in "-g" "--session" "-w"; do
	is "with --preset, $o is refused" 125 "$(code "$PRIOR" run --preset contained $o -- true)"
done
is "and why is said" "prior: run: -w is for a command that is not confined: what it leaves behind ends with its cell" "$(cat "$work/err")"
if [ "$(id -u)" = 0 ]; then
	for p in contained server; do
		is "--preset $p: the code" 3 "$(code "$PRIOR" run --preset $p -- sh -c 'exit 3')"
		is "--preset $p: -e" 0 "$(code "$PRIOR" run --preset $p -e 3 -- sh -c 'exit 3')"
		is "--preset $p: a command that is not there gives 127" 127 "$(code "$PRIOR" run --preset $p -- /nonexistent)"
		is "--preset $p: nor by name" 127 "$(code "$PRIOR" run --preset $p -- nonexistent)"
		is "--preset $p: a command that cannot be run gives 126" 126 "$(code "$PRIOR" run --preset $p -- /etc/passwd)"
	done
	mkfifo -m 666 "$work/r2" && chmod 755 "$work"
	"$PRIOR" run --preset contained --set isolation.private_tmp=false -r TERM:WINCH -- sh -c "trap 'exit 8' WINCH; echo >$work/r2; while :; do sleep 0.01; done" &
	pid=$!
	read -r _ <"$work/r2"
	kill -TERM $pid
	wait $pid
	is "--preset contained: --rewrite" 8 $?
else
	echo "skip run: --preset: needs root"
fi
for words in "halt -p" "poweroff now" "reboot -p" "halt --no-wall -p now"; do
	ln -sf "$PRIOR" "$work/bin/${words%% *}"
	is "$words: is understood" "prior: poweroff: no prior runs at $work/none (start one with \`prior up\`, or name it with --run-dir)" \
		"$("$work/bin/${words%% *}" ${words#* } --run-dir "$work/none" 2>&1)"
done
is "halt -w: is refused" "halt: '-w': there is no wtmp to write to" "$("$work/bin/halt" -w 2>&1)"
if command -v python3 >/dev/null; then
	python3 tests/cells/terminal.py "$PRIOR" "$work/bin/dumb-init" || failed=1
fi
exit $failed
