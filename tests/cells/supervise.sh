#!/bin/sh
# `prior up` with real services: restarts, sockets, readiness, orphans, coming back from faults, leaving nothing behind.
# SPDX-License-Identifier: ISC
set -u
cd "$(dirname "$0")/../.." || exit 2
who=supervise
. tests/cells/lib/say.sh
. tests/cells/lib/up.sh
started() { begin || not_ok "it settles" "$(cat "$work/err" "$work/log")"; }
ends() { # SIGNAL CODE WHAT
	finish "$1"
	is "$3" "$2" $?
}

# A zombie of ours that nobody has reaped is gone, too.
is_gone() { [ ! -d "/proc/$1" ] || grep -q '^State:	Z' "/proc/$1/status" && echo gone || echo there; }

cat >"$work/conf.yaml" <<YAML
defaults: {isolation: {preset: none}}
services:
  answer:
    command: [$work/tool, answer]
    listen: [{name: a, unix: $work/answer.sock, mode: "0666"}]
  crash:
    command: [sh, -c, "exit 3"]
    backoff: {initial: 10ms, max: 20ms}
    max_restarts: 20
  escape: {command: [$work/tool, escape], stop_timeout: 300ms}
  lazy:
    command: [$work/tool, answer]
    listen: [{name: l, unix: $work/lazy.sock, activate: lazy, mode: "0666"}]
  quits:
    command: ["true"]
    listen: [{name: q, unix: $work/quits.sock, activate: lazy, mode: "0666"}]
    backoff: {initial: 10ms, max: 20ms}
    max_restarts: 3
  orphans: {command: [$work/tool, orphans, "10000"]}
  once: {type: oneshot, command: ["true"]}
  ready: {command: [$work/tool, notify, "READY=1"], ready: notify}
  user: {command: [sleep, "1000"], depends_on: {once: {condition: service_completed_successfully}, answer: {condition: service_started}}}
YAML

# How many mappings with relocated pointers of the binary can be written: musl's start left all of them so. The file's
# first mapping is where it begins; what RELRO covers begins and ends so many bytes behind that.
writable_tables() { # PID
	set -- "$1" $(readelf -lW "$binary" | awk '$1 == "GNU_RELRO" { print $3, $6 }')
	[ $# = 3 ] || { echo "no RELRO"; return; }
	awk -v file="$(readlink "/proc/$1/exe")" '$6 == file { sub("-.*", "", $1); print $1, $2 }' "/proc/$1/maps" | {
		base='' n=0
		while read -r start access; do
			: "${base:=$((0x$start))}"
			case $access in *w*) [ $((0x$start - base)) -ge $((($2 + $3) / 4096 * 4096)) ] || n=$((n + 1)) ;; esac
		done
		echo "${base:+$n}"
	}
}

life() { # BINARY: a whole life, with faults and a re-exec in the middle
	binary=$1
	started
	is "no table of pointers can be written" 0 "$(writable_tables $up)"
	is "a service that says READY=1 is up" up "$(until_is ready state up)"
	is "what it needs comes first" up "$(until_is user state up)"
	is "a service that only fails is given up" failed "$(until_is crash state failed)"
	is "after as many restarts as it may have" 20 "$(field crash restarts)"
	is "a lazy service listens" listening "$(field lazy state)"
	n=0
	while o=$(own orphans); [ "${o:-0}" -lt 10000 ] && [ $n -lt 1200 ]; do n=$((n + 1)); pause; done
	is "10000 orphans in a burst are reaped" yes "$([ "${o:-0}" -ge 10000 ] && echo yes || echo "only ${o:-none}")"
	zombies() { ps -o stat= --ppid $up 2>/dev/null | grep -c Z; }
	is "and none of them is left" 0 "$(n=0; while [ "$(zombies)" != 0 ] && [ $n -lt 1200 ]; do n=$((n + 1)); pause; done; zombies)"

	before=$(fds)
	pids="$(field answer pid) $(field user pid) $(field ready pid)"
	"$work/tool" call "$work/answer.sock" 1500 >"$work/calls" &
	calls=$!
	faults=0
	for sig in SEGV BUS ABRT FPE; do	# two that come before it is back are one
		faults=$((faults + 1))
		pause 0.2
		kill -$sig $up
		until_own crashes $faults >/dev/null
	done
	is "a re-exec under traffic is answered by the new one" 0 "$(ctl reexec >/dev/null 2>&1; echo $?)"
	wait $calls
	is "four faults and a re-exec: no call was refused" "calls many, failed 0" "$(cat "$work/calls")"
	is "every service is the process it was" "$pids" "$(field answer pid) $(field user pid) $(field ready pid)"
	is "a logger that is replaced for that is no failure" 0 "$(ctl events | grep -c 'logger restarted\|logger-restarted')"
	is "generations and crashes are counted" "6 4" "$(own generation) $(own crashes)"
	is "no descriptor more than before" yes "$([ "$(fds_within "$before")" -le "$before" ] && echo yes)"

	is "a connection starts the lazy one" "calls few, failed 0" "$("$work/tool" call "$work/lazy.sock" 0)"
	is "and it stays" up "$(until_is lazy state up)"
	"$work/tool" call "$work/quits.sock" 0 >/dev/null &
	calls=$!
	is "a lazy one that accepts nothing is no storm: it is given up" "failed 3" "$(until_is quits state failed) $(field quits restarts)"
	kill $calls 2>/dev/null
	wait $calls
	is "a restart gives a new process" 0 "$(was=$(field answer pid); ctl restart answer >/dev/null; [ "$(field answer pid)" != "$was" ]; echo $?)"
	before=$(fds)
	for i in 1 2 3 4 5 6 7 8 9 10; do ctl restart user >/dev/null || echo "restart $i failed"; done
	is "ten restarts leave no descriptor behind" yes "$([ "$(fds_within "$before")" -le "$before" ] && echo yes)"
	escaped=$(grep -o 'escaped [0-9]*' "$work/log" | head -1 | grep -o '[0-9]*')
	is "a stop is answered" 0 "$(ctl stop escape >/dev/null; echo $?)"
	if [ -d "/sys/fs/cgroup/prior" ] || [ -d "/sys/fs/cgroup/unified/prior" ]; then
		is "what left its session and ignores SIGTERM is gone with it" gone "$(is_gone "$escaped")"
	else
		echo "skip supervise: what left its session is gone with it: no writable cgroup2 here"
		kill -KILL $escaped 2>/dev/null
	fi
	ends TERM 0 "SIGTERM ends all, with code 0"
	is "nothing is left in its directory but the logs" "" "$(find "$work/run" -name "*.sock"; ls -R "$work/run/notify" 2>/dev/null; ls "$work/lazy.sock" "$work/answer.sock" 2>/dev/null)"
}

life "$work/prior"
if [ -x "$PRIOR-noheap" ]; then
	cp "$PRIOR-noheap" "$work/noheap" && life "$work/noheap" | sed 's/supervise:/supervise, without a heap:/'
else
	echo "skip supervise: without a heap: $PRIOR-noheap is not built"
fi

# One fault too many: everything ends, nothing runs on without us.
started
pid=$(field answer pid)
faults=0	# one by one: one that comes before it is back is its end, with another code
while [ $faults -lt 20 ] && kill -SEGV $up 2>/dev/null; do
	faults=$((faults + 1)) n=0
	until [ "$(own crashes)" = $faults ] || ! kill -0 $up 2>/dev/null || [ $n -ge 1200 ]; do n=$((n + 1)); pause; done
done
[ $faults -lt 20 ] || kill -KILL $up
wait $up
is "six faults in a minute are the end, with code 70" "6 70" "$faults $?"
up=
is "and the services end with it" gone "$(n=0; until [ "$(is_gone "$pid")" = gone ] || [ $n -ge 1200 ]; do n=$((n + 1)); pause; done; is_gone "$pid")"

# A binary that does not know our ledger, or does not run, is not become.
started
mv "$work/prior" "$work/good"
printf '#!/bin/sh\nexit 1\n' >"$work/prior"
chmod 755 "$work/prior"
is "a binary that cannot take over is refused" 1 "$("$work/good" reexec --run-dir "$work/run" >"$work/err" 2>&1; echo $?)"
mv -f "$work/good" "$work/prior"
is "and everything goes on" up "$(field answer state)"
is "a good one is taken" 0 "$(ctl reexec >/dev/null 2>&1; echo $?)"
ends INT 0 "SIGINT ends all, with code 0"

# 192.0.2.0/24 is nobody's: the second socket cannot be bound, and then the first is not held open for nothing.
cat >"$work/conf.yaml" <<YAML
defaults: {isolation: {preset: none}}
services:
  half: {command: [sleep, "1000"], listen: [{name: a, unix: $work/half.sock}, {name: b, tcp: "192.0.2.1:47110"}]}
  whole: {command: [sleep, "1000"]}
YAML
started
is "a service whose sockets cannot all be had is refused" refused "$(until_is half state refused)"
is "and none of them stays for clients to wait at" gone "$([ -e "$work/half.sock" ] && echo there || echo gone)"
is "healthy says so" "half is refused" "$(ctl healthy)"
ends TERM 0 "and the rest ends as ever"

cat >"$work/conf.yaml" <<YAML
defaults: {isolation: {preset: none}}
services:
  job: {command: [sh, -c, "exit 7"], critical: true, restart: "no"}
  other: {command: [sleep, "1000"]}
YAML
"$work/prior" up -c "$work/conf.yaml" --run-dir "$work/run" --log-dir "" >"$work/log" 2>&1
is "a critical service's code is ours" 7 $?

exit $failed
