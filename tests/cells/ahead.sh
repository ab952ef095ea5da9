#!/bin/sh
# A reload does not wait for its slowest stop: what need not wait starts, over faults and re-execs, on bridges too.
# SPDX-License-Identifier: ISC
set -u
self=$(realpath "$0")
cd "$(dirname "$0")/../.." || exit 2
who=ahead
. tests/cells/lib/say.sh
# With a network of its own where that can be: bridges are then part of it.
if [ -z "${INSIDE-}" ] && unshare -n ip link add b0 type bridge 2>/dev/null; then
	INSIDE=1 exec unshare -n "$self"
fi
. tests/cells/lib/up.sh

# One that stops when $work/go is there; the file $work/NAME.hears says that it has heard of signals.
slow() { # NAME [MORE]
	echo "  $1: {command: [sh, -c, \"trap 'until [ -e $work/go ]; do sleep 0.05; done; exit 0' TERM; : >$work/$1.hears; while :; do sleep 0.05; done\"], stop_timeout: 10m${2-}}"
}
listed() { ctl status --json | tr -d '\n' | grep -o '"service": "[^"]*"' | sed 's/.*: "//; s/"//' | tr '\n' ' ' | sed 's/ $//'; }
pid_of() { field "$1" pid; }

cat >"$conf" <<YAML
defaults: {isolation: {preset: none}}
services:
  quick: {command: [sleep, "1000"]}
  same: {command: [$work/tool, answer], listen: [{name: s, unix: $work/same.sock}]}
$(slow old)
$(slow turns)
YAML
begin || not_ok "it settles" "$(cat "$work/log")"
until_there "$work/old.hears"; until_there "$work/turns.hears"
same=$(pid_of same) old=$(pid_of old) quick=$(pid_of quick)
cat >"$conf" <<YAML
defaults: {isolation: {preset: none}}
services:
  behind: {command: [sleep, "1000"], depends_on: [turns]}
  fresh: {command: [sleep, "1000"], depends_on: [same, quick]}
  quick: {command: [sleep, "1001"]}
  same: {command: [$work/tool, answer], listen: [{name: s, unix: $work/same.sock}]}
  turns: {command: [sleep, "1000"]}
YAML
"$work/tool" call "$work/same.sock" 400 >"$work/calls" &
calls=$!
limit=600 ctl reload-config --timeout 590s >"$work/out" 2>&1 &
asked=$!
is "what is new is up before the slowest stop is over" "up stopping" "$(until_is fresh state up) $(field old state)"
is "so is what has changed and was quick" up "$(until_is quick state up)"
is "anew" yes "$([ "$(pid_of quick)" != "$quick" ] && echo yes)"
is "the slow ones are the processes they were" "$old" "$(pid_of old)"
is "what depends on one of them is not there yet" "fresh old quick same turns" "$(listed)"
has "an event says that services still stop" "reload ahead stopping 2" "$(ctl events)"
has "and why of one that it is waited for" "A reload waits for this" "$(ctl why old)"
fresh=$(pid_of fresh) quick=$(pid_of quick)
kill -SEGV $up
is "a fault in the middle touches nothing" "$fresh stopping" "$(until_is fresh pid "$fresh") $(field old state)"
is "nor does a re-exec" "0 $fresh $quick stopping" \
	"$(ctl reexec >/dev/null; echo $?) $(pid_of fresh) $(pid_of quick) $(field turns state)"
is "a second reload is refused meanwhile" 1 "$(ctl reload-config >"$work/second" 2>&1; echo $?)"
has "with the reason" "another reload is on its way" "$(cat "$work/second")"
: >"$work/go"
wait $asked
is "who asked hears of the end, over both" 0 $?
is "then the rest comes" "up up" "$(until_is turns state up) $(until_is behind state up)"
is "and no more than the rest" "$same $fresh $quick" "$(pid_of same) $(pid_of fresh) $(pid_of quick)"
is "what is gone is gone" "behind fresh quick same turns" "$(listed)"
wait $calls
is "a client saw none of it" "calls many, failed 0" "$(cat "$work/calls")"
has "the event of the end" "reloaded" "$(ctl events)"
finish
is "SIGTERM ends all, with code 0" 0 $?

# --- on a bridge ---
rm -f "$work/go" "$work/old.hears"
bridged() { # SERVICES...
	echo 'network: {bridges: {b0: {subnets: [10.88.0.0/24]}}}'
	echo 'defaults: {isolation: {preset: none}}'
	echo services:
	printf '%s\n' "$@"
}
[ "${INSIDE-}" ] || { echo "skip $who: on a bridge: no network of its own, or no bridges, can be made here"; exit $failed; }
bridged "$(slow old ", isolation: {preset: none, network: {bridge: b0, address: 10.88.0.2/24}}")" \
	'  same: {command: [sleep, "1000"], isolation: {preset: none, network: {bridge: b0, address: 10.88.0.3/24}}}' >"$conf"
if ! begin; then
	echo "skip $who: on a bridge: $(ctl status old | head -3 | tr '\n' ' ')"
	exit $failed
fi
until_there "$work/old.hears"
bridged '  same: {command: [sleep, "1000"], isolation: {preset: none, network: {bridge: b0, address: 10.88.0.3/24}}}' \
	'  fresh: {command: [sleep, "1000"], isolation: {preset: none, network: {bridge: b0, address: 10.88.0.4/24}}}' \
	'  heir: {command: [sleep, "1000"], isolation: {preset: none, network: {bridge: b0, address: 10.88.0.2/24}}}' >"$conf"
ctl reload-config --no-wait >"$work/out" 2>&1 || not_ok "the reload begins" "$(cat "$work/out")"
is "a new one on the bridge is up before the slowest stop is over" "up stopping" \
	"$(until_is fresh state up) $(field old state)"
is "one with the address of one that stops is not" "fresh old same" "$(listed)"
has "the rules are those of both" "in effect, as they were made" "$(ctl network)"
: >"$work/go"
is "until that has stopped" up "$(until_is heir state up)"
is "then the rules are the new ones" "fresh heir same" "$(listed)"
has "in effect" "in effect, as they were made" "$(ctl network)"
finish
is "SIGTERM ends them, with code 0" 0 $?
exit $failed
