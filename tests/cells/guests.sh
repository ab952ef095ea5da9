#!/bin/sh
# Services that mean harm to prior itself: to its control socket, its end, what they are given. Needs root.
# SPDX-License-Identifier: ISC
set -u
self=$(realpath "$0")
cd "$(dirname "$0")/../.." || exit 2
who=guests
. tests/cells/lib/say.sh
needs_root
needs_spaces -mpn
# A network of our own, so that every port is free.
[ "${INSIDE-}" ] || INSIDE=1 exec unshare -n "$self"
ip link set lo up || exit 2
. tests/cells/lib/up.sh
settle=10s
wait_for() { until_works grep -q "$1" "$work/log"; }
# All of it must be over in ten seconds.
ends() {
	kill -TERM $up
	n=0
	while kill -0 $up 2>/dev/null && [ $n -lt 1200 ]; do n=$((n + 1)); pause; done
	if kill -0 $up 2>/dev/null; then kill -KILL $up; fi
	wait $up
	is "$1" 0 $?
	up=
}

cat >"$work/conf.yaml" <<YAML
defaults: {isolation: {preset: server, private_tmp: false}, restart: "no"}
services:
  ask: {command: [$work/prior, status, --run-dir, $work/run], user: root}
  end: {command: [$work/prior, poweroff, --run-dir, $work/run], user: root}
  own: {command: [unshare, -U, --keep-caps, $work/prior, poweroff, --run-dir, $work/run], user: root,
        isolation: {user: false}, security: {seccomp: none, restrict_namespaces: false}}
  null: {command: [chmod, "666", /proc/self/fd/0], user: root, isolation: {user: false}}
  other: {command: [sleep, "1000"]}
  owned: {command: [sleep, "1000"], listen: [{name: o, unix: $work/owned.sock, user: "7", group: "8", mode: "0640"}]}
YAML
begin
wait_for '^ask |'
is "uid 0 without a capability does not get the ledger" 1 "$(grep -c '^ask | .*only root (with CAP_DAC_OVERRIDE,' "$work/log")"
wait_for '^end |'
is "nor does it end anything" 1 "$(grep -c '^end | .*only root (with CAP_DAC_OVERRIDE,' "$work/log")"
wait_for '^own |'
is "a user namespace of its own makes nobody root" 1 "$(grep -c '^own | .*in prior.s own user namespace' "$work/log")"
wait_for '^null |'
is "uid 0 without a capability cannot change the machine's /dev/null by its standard input" 1 "$(grep -c '^null | .*Read-only file system' "$work/log")"
is "root itself may" 0 "$(ctl stop other >/dev/null 2>&1; echo $?)"
is "a socket belongs to whom it was to" "7:8 640" "$(stat -c '%u:%g %a' "$work/owned.sock")"
ends "it ends when it is told to"

cat >"$work/conf.yaml" <<YAML
defaults: {isolation: {preset: server, private_tmp: false}, restart: "no"}
services:
  a: {command: [$work/tool, linger, "47112"], listen: [{name: l, tcp: "127.0.0.1:47111"}], depends_on: [b]}
  b: {command: [sleep, "1000"], listen: [{name: l, tcp: "127.0.0.1:47112"}]}
YAML
begin
wait_for '^a |'
is "a service turns the socket that it was given into a connection" 1 "$(grep -c 'a | lingers' "$work/log")"
ends "which does not hold up the end"

# The group may look; it cannot take all the places and so keep root out.
cat >"$work/conf.yaml" <<YAML
services:
  never: {command: [sleep, "1000"], ready: notify, start_timeout: 0, isolation: {preset: none}}
YAML
{ cat /etc/group; echo "prior:x:47113:"; } >"$work/group"
settle=1s
begin unshare -m --propagation private sh -c 'mount --bind "$0" /etc/group && exec "$@"' "$work/group"
looks() { setpriv --reuid 65534 --regid 47113 --clear-groups timeout 60 "$work/prior" "$@" --run-dir "$run"; }
is "the group may look" 0 "$(looks status never >/dev/null 2>"$work/err"; echo $?)"
is "and change nothing" 1 "$(looks stop never >/dev/null 2>"$work/err"; echo $?)"
crowd=
for _ in $(seq 40); do looks wait --timeout 50s >/dev/null 2>&1 & crowd="$crowd $!"; done
n=0
until looks status 2>&1 | grep -q 'try again' || [ $n -ge 1200 ]; do n=$((n + 1)); pause; done
is "a crowd that waits is told to try again" yes "$([ $n -lt 1200 ] && echo yes)"
is "and never keeps root out" 0 "$(ctl stop never >"$work/err" 2>&1; echo $?)"
# shellcheck disable=SC2086
kill $crowd 2>/dev/null
ends "nor from its end"
exit $failed
