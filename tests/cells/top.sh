#!/bin/sh
# `prior top`, `events SERVICE` and completion against a prior that runs.
# SPDX-License-Identifier: ISC
set -u
cd "$(dirname "$0")/../.." || exit 2
who=top
. tests/cells/lib/say.sh
. tests/cells/lib/up.sh

cat >"$conf" <<YAML
defaults: {isolation: {preset: none}}
services:
  busy: {command: [sh, -c, "while :; do :; done"]}
  calm: {command: [sleep, "1000"]}
  off: {command: [sleep, "1000"], enabled: false}
YAML
begin || not_ok "it settles" "$(cat "$work/err")"
woken=$(own wakeups)
ctl top >"$work/top"
is "it is one table without a terminal" "SERVICE STATE CPU% CPU MEMORY PEAK TASKS RESTARTS" "$(head -1 "$work/top" | tr -s ' ' | sed 's/ $//')"
is "with every service" "busy calm off" "$(sed 1d "$work/top" | cut -d' ' -f1 | sort | tr '\n' ' ' | sed 's/ $//')"
is "prior was woken for the asking only" yes "$([ $(($(own wakeups) - woken)) -le 40 ] && echo yes || echo $(($(own wakeups) - woken)))"
if grep -q '^busy  *up  *-' "$work/top"; then
	echo "skip top: who works comes first: there is no cgroup of its own to be read here"
else
	is "who works comes first" busy "$(sed -n 2p "$work/top" | cut -d' ' -f1)"
fi
ctl top --json calm >"$work/json"
has "as JSON" '"service": "calm"' "$(cat "$work/json")"
has "with what a program wants" '"tasks"' "$(cat "$work/json")"
is "who is not known is not shown" 4 "$(ctl top nobody >/dev/null 2>&1; echo $?)"
if command -v script >/dev/null; then
	(n=0; until grep -q 'q: quit' "$work/screen" 2>/dev/null || [ $n -ge 1800 ]; do n=$((n + 1)); pause; done; printf q) |
		TERM=xterm timeout 60 script -qefc "$binary top --run-dir $run" "$work/screen" >/dev/null 2>&1
	is "on a terminal q ends it" 0 $?
	has "after a page of its own" "$(printf '\033[?1049h')" "$(cat "$work/screen")"
	has "which is given back" "$(printf '\033[?1049l')" "$(cat "$work/screen")"
else
	echo "skip top: on a terminal: needs script"
fi
is "events of one service are its alone" calm "$(ctl events --json calm | grep -o '"service":"[^"]*"' | sort -u | sed 's/.*:"//; s/"//')"
is "the last of them" 1 "$(ctl events -n 1 calm | wc -l)"
is "none is newer than now" 0 "$(ctl events --since 0s calm | wc -l)"
finish
is "SIGTERM ends all" 0 $?
exit $failed
