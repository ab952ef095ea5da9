#!/bin/sh
# `prior reload-config` for real: a hundred configurations under traffic, faults in between, bad files, one by one.
# SPDX-License-Identifier: ISC
set -u
cd "$(dirname "$0")/../.." || exit 2
: "${PRIOR:?the binary}"
tool=${BUILD:-build}/${LIBC:-glibc}/tests/cells/tool
work=$(mktemp -d) || exit 2
up=
trap '[ -z "$up" ] || kill -KILL $up 2>/dev/null; rm -rf "$work"' EXIT
failed=0
ok() { echo "ok reload: $1"; }
not_ok() { echo "not ok reload: $1"; printf '%s\n' "$2" | sed 's/^/    /'; failed=1; }
is() { if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "want '$2', got '$3'"; fi; }
cp "$PRIOR" "$work/prior" && cp "$tool" "$work/tool" || exit 2
chmod 755 "$work" "$work/prior" "$work/tool"

ctl() { "$work/prior" "$@" --run-dir "$work/run"; }
field() { ctl status "$1" --json 2>/dev/null | tr -d '\n' | grep -o "\"$2\": *[^,}]*" | head -1 | sed 's/.*: *//; s/"//g'; }
own() { ctl status --prior --json 2>/dev/null | tr -d '\n ' | grep -o "\"$1\":[0-9]*" | head -1 | sed 's/.*://'; }
mkfifo "$work/never" && exec 9<>"$work/never"
pause() { timeout "${1:-0.05}" cat <&9 >/dev/null; }
fds() { for _ in 1 2 3 4 5; do ls "/proc/$up/fd" | wc -l; pause 0.02; done | sort -n | head -1; }

conf() { # N [MORE]: the N-th configuration
	cat >"$work/conf.yaml" <<YAML
defaults: {isolation: {preset: none}}
services:
  answer: {command: [$work/tool, answer], listen: [{name: a, unix: $work/answer.sock, mode: "0666"}]}
  steady: {command: [sleep, "1000"]}
  turns: {command: [$work/tool, answer], environment: {N: "$1"}, listen: [{name: t, unix: $work/turns.sock, mode: "0666"}]}
  at.$1: {command: [sleep, "1000"]}
${2-}
YAML
}

life() { # BINARY: a hundred reloads
	conf 0
	rm -f "$work/run/control.sock"
	"$1" up -c "$work/conf.yaml" --run-dir "$work/run" --log-dir "" >"$work/log" 2>&1 &
	up=$!
	n=0
	while [ ! -S "$work/run/control.sock" ] && [ $n -lt 200 ]; do n=$((n + 1)); pause; done
	ctl wait --timeout 20s || not_ok "it settles" "$(cat "$work/log")"
	pids="$(field answer pid) $(field steady pid)"
	conf 1
	is "a dry run says what would change" "- at.0 is gone: it is stopped
+ at.1 is new: it is started
~ turns has changed: it is restarted
1 new, 1 changed, 1 gone, 0 restarted with them, 2 not touched" "$(ctl reload-config --dry-run)"
	is "and changes nothing" up "$(field at.0 state)"
	ctl reload-config >/dev/null || not_ok "the first reload" "$(tail -5 "$work/log")"
	before=$(fds)
	"$work/tool" call "$work/answer.sock" "$2" >"$work/calls" &
	calls=$!
	"$work/tool" knock "$work/turns.sock" "$2" >"$work/turns" &
	turns=$!
	bad=0
	for i in $(seq 2 100); do
		conf $i
		ctl reload-config >"$work/out" 2>&1 || { bad=$((bad + 1)); cat "$work/out"; }
	done
	is "a hundred reloads are done" 0 $bad
	is "the last one is in effect" up "$(field at.100 state)"
	is "one that is gone is not known" 4 "$(ctl status at.99 >/dev/null 2>&1; echo $?)"
	wait $calls
	is "a client of one that did not change saw no refusal" "calls many, failed 0" "$(cat "$work/calls")"
	wait $turns
	is "nor did one of a service that changed each time" "calls many, failed 0" "$(cat "$work/turns")"
	is "what did not change is the process it was" "$pids" "$(field answer pid) $(field steady pid)"
	is "no descriptor more than before" yes "$([ "$(fds)" -le "$before" ] && echo yes || echo "$(fds), was $before")"

	conf 101 "  broken: {command: [sleep, \"1\"], restrat: always}"
	was=$(ctl status --json)
	is "a bad file is refused" 1 "$(ctl reload-config >"$work/out" 2>&1; echo $?)"
	is "with the place and the word" yes "$(grep -q 'conf.yaml:7:[0-9]*: error: .*restrat.*did you mean' "$work/out" && echo yes || cat "$work/out")"
	is "and changes nothing at all" "$was" "$(ctl status --json)"

	conf 102
	kill -HUP $up
	n=0
	while [ "$(field at.102 state)" != up ] && [ $n -lt 100 ]; do n=$((n + 1)); pause; done
	is "SIGHUP does the same" up "$(field at.102 state)"

	"$work/prior" compile "$work/conf.yaml" -o "$work/plan" 2>"$work/out" || cat "$work/out"
	crashes=$(own crashes)
	for i in 103 104 105; do
		conf $i
		ctl reload-config --no-wait >/dev/null 2>&1 &
		pause 0.0$((i - 102))
		kill -SEGV $up
		wait $!
	done
	pause 0.2
	conf 106
	n=0
	until ctl reload-config >"$work/out" 2>&1 || [ $n -ge 20 ]; do n=$((n + 1)); pause; done
	is "faults in the middle of reloads are survived" "$((crashes + 3)) up" "$(own crashes) $(field at.106 state)"
	is "and nobody noticed" "$pids" "$(field answer pid) $(field steady pid)"
	is "no configuration but the last is left" "answer at.106 steady turns" \
		"$(ctl status --json | tr -d '\n' | grep -o '"service": "[^"]*"' | sed 's/.*: "//; s/"//' | sort | tr '\n' ' ' | sed 's/ $//')"
	pid=$(field turns pid)
	kill -TERM $up
	wait $up
	is "SIGTERM ends all, with code 0" 0 $?
	up=
	is "and with it what the last reload started" gone "$([ -d "/proc/$pid" ] && echo there || echo gone)"
	is "nothing is left in its directory but the logs" "" "$(find "$work/run" -name "*.sock"; ls "$work/answer.sock" "$work/turns.sock" 2>/dev/null)"
}

life "$work/prior" 6000
if [ -x "$PRIOR-noheap" ]; then
	cp "$PRIOR-noheap" "$work/noheap" && life "$work/noheap" 2000 | sed 's/reload:/reload, without a heap:/'
else
	echo "skip reload: without a heap: $PRIOR-noheap is not built"
fi
exit $failed
