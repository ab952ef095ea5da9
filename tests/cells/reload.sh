#!/bin/sh
# `prior reload-config` for real: a hundred configurations under traffic, faults in between, bad files, one by one.
# SPDX-License-Identifier: ISC
set -u
cd "$(dirname "$0")/../.." || exit 2
who=reload
. tests/cells/lib/say.sh
. tests/cells/lib/up.sh


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
	binary=$1
	begin || not_ok "it settles" "$(cat "$work/log")"
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
	is "no descriptor more than before" yes "$([ "$(fds_within "$before")" -le "$before" ] && echo yes || echo "$(fds), was $before")"

	conf 101 "  broken: {command: [sleep, \"1\"], restrat: always}"
	# What its processes use changes by itself.
	plain() { ctl status --json | grep -v '^ *"\(memory\|memory_peak\|tasks\|cpu_us\)"'; }
	was=$(plain)
	is "a bad file is refused" 1 "$(ctl reload-config >"$work/out" 2>&1; echo $?)"
	is "with the place and the word" yes "$(grep -q 'conf.yaml:7:[0-9]*: error: .*restrat.*did you mean' "$work/out" && echo yes || cat "$work/out")"
	is "and changes nothing at all" "$was" "$(plain)"

	conf 102
	kill -HUP $up
	is "SIGHUP does the same" up "$(until_is at.102 state up)"

	"$work/prior" compile "$work/conf.yaml" -o "$work/plan" 2>"$work/out" || cat "$work/out"
	crashes=$(own crashes)
	for i in 103 104 105; do
		conf $i
		ctl reload-config --no-wait >/dev/null 2>&1 &
		pause 0.0$((i - 102))
		kill -SEGV $up
		wait $!
		until_own crashes $((crashes + i - 102)) >/dev/null	# two that come before it is back are one
	done
	conf 106
	n=0
	until ctl reload-config >"$work/out" 2>&1 || [ $n -ge 600 ]; do n=$((n + 1)); pause; done
	is "faults in the middle of reloads are survived" "$((crashes + 3)) up" "$(own crashes) $(field at.106 state)"
	is "and nobody noticed" "$pids" "$(field answer pid) $(field steady pid)"
	is "no configuration but the last is left" "answer at.106 steady turns" \
		"$(ctl status --json | tr -d '\n' | grep -o '"service": "[^"]*"' | sed 's/.*: "//; s/"//' | sort | tr '\n' ' ' | sed 's/ $//')"
	pid=$(field turns pid)
	finish
	is "SIGTERM ends all, with code 0" 0 $?
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
