#!/bin/sh
# What starts at boot: the key `enabled`, and what enable and disable say over it, for YAML and for compiled plans.
# SPDX-License-Identifier: ISC
set -u
cd "$(dirname "$0")/../.." || exit 2
who=enabled
. tests/cells/lib/say.sh
. tests/cells/lib/up.sh

cat >"$conf" <<YAML
defaults: {isolation: {preset: none}}
services:
  on: {command: [sleep, "1000"]}
  off: {command: [sleep, "1000"], enabled: false, listen: [{name: a, unix: $work/off.sock}]}
  needs: {command: [sleep, "1000"], depends_on: [needed], enabled: false}
  needed: {command: [sleep, "1000"], enabled: false}
  tty@: {command: [sleep, "1000"]}
YAML
state=$work/state
options="--state-dir $state"
begin
is "who says nothing is started, who says no is not" "up down down" "$(field on state) $(field off state) $(field needs state)"
is "nor are its sockets bound" no "$([ -S "$work/off.sock" ] && echo yes || echo no)"
has "status says so" "at boot  not started; \`prior enable off\` changes that" "$(ctl status off)"
is "and JSON" "true false" "$(field on enabled) $(field off enabled)"
is "a start starts it all the same" "0 up" "$(ctl start off; echo "$? $(field off state)")"
is "with its sockets" yes "$([ -S "$work/off.sock" ] && echo yes || echo no)"
is "so does who needs it" "0 up" "$(ctl start needs; echo "$? $(field needed state)")"
is "enabling changes nothing now" "0 down" "$(ctl stop off; ctl enable off tty@1; echo "$? $(field off state)")"
is "and is told at once" true "$(field off enabled)"
is "disabling, too" "0 up false" "$(ctl disable on; echo "$? $(field on state) $(field on enabled)")"
is "who is not known cannot be enabled" 4 "$(ctl enable of 2>"$work/err"; echo $?)"
has "with the nearest name" "did you mean 'off'" "$(cat "$work/err")"
is "and nothing of that request is kept" true "$(ctl disable off nobody 2>/dev/null; field off enabled)"
is "the files are as documented" "off:yes on:no tty@1:yes " "$(cd "$state/enabled" && grep . * | tr '\n' ' ')"
pid=$(field on pid)
is "a reload touches nobody for that" "0 $pid" "$(ctl reload-config >/dev/null; echo "$? $(field on pid)")"
is "a re-exec keeps knowing" "0 false" "$(ctl reexec; echo "$? $(field on enabled)")"
finish
is "SIGTERM ends all" 0 $?

printf 'maybe\n' >"$state/enabled/needs"
ln -s /dev/zero "$state/enabled/needed"
mkdir "$state/enabled/tty@2" "$state/enabled/.hidden"
printf 'yes\n' >"$state/enabled/Tty@3"
begin
is "at the next start it is as was said" "down up down up" "$(field on state) $(field off state) $(field needs state) $(field tty@1 state)"
is "what else is in the folder means nothing" "needed needs off on tty@1 " "$(ctl status --json | tr -d '\n' | grep -o '"service": "[^"]*"' | sed 's/.*: "//; s/"//' | tr '\n' ' ')"
is "enable --now starts" "0 up" "$(ctl enable --now on; echo "$? $(field on state)")"
is "disable --now stops" "0 down" "$(ctl disable --now on; echo "$? $(field on state)")"
is "an instance that was enabled goes when it is stopped" "0 3" "$(ctl stop tty@1; a=$?; ctl status tty@1 >/dev/null; echo "$a $?")"
is "enable --now makes one" "0 up" "$(ctl enable --now tty@7; echo "$? $(field tty@7 state)")"
finish

sed -i "s/^  off:.*/&\n  io: {command: [cat], listen: [{name: i, unix: $(echo "$work" | sed 's,/,\\/,g')\/io.sock, activate: connection}], connections: {max: 2}}\n  call: {command: [sleep, \"1000\"]}\n  bad: {command: [\"false\"], restart: \"no\", on_failure: \"start:call\"}/" "$conf"
begin
is "a place for a connection is not enabled" 1 "$(ctl enable io@1 2>"$work/err"; echo $?)"
has "but the service itself" "io@1 is the place for one connection of io, and only a connection starts it: name io itself" "$(cat "$work/err")"
is "nor is what starts when another has failed" 1 "$(ctl enable call 2>"$work/err"; echo $?)"
has "with the reason" "call is there for when another service has failed" "$(cat "$work/err")"
has "why says of a disabled one what to do" "It is disabled: it is not started at boot. \`prior start needs\` starts it now" "$(ctl why needs)"
has "of an enabled instance, too" "\`prior start tty@8\` starts it now; it is enabled, so that each boot does" "$(ctl enable tty@8; ctl why tty@8)"
has "and status" "at boot  started; \`prior disable tty@8\` changes that" "$(ctl status tty@8)"
has "why says of a service for each connection that it never runs" "io@1 to io@2. Of these 0 serve now." "$(ctl why io)"
has "and of its place whose it is" "It is the place for one connection of io" "$(ctl why io@2)"
finish

"$binary" compile "$conf" -o "$work/plan" 2>"$work/err" || not_ok "it compiles" "$(cat "$work/err")"
conf=$work/plan
begin
is "a compiled plan is overridden as well" "down up down" "$(field on state) $(field off state) $(field needs state)"
finish

conf=$work/conf.yaml
if [ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null; then
	begin unshare -m --propagation private
	cat >"$work/read-only" <<-SH
		mount --bind "$state" "$state" && mount -o remount,bind,ro "$state" && "$binary" enable on --run-dir "$run"
	SH
	is "on a read-only file system it says so" "1 1" "$(timeout 120 nsenter -t $up -m sh "$work/read-only" 2>"$work/err"; echo "$? $(wc -l <"$work/err")")"
	has "in one line" "on: keep it in $state/enabled: make a file: Read-only file system" "$(cat "$work/err")"
	finish
else
	echo "skip enabled: a read-only file system: no mount can be made here"
fi
options=
begin
has "a prior without a place says what it takes" "start it with --state-dir DIR" "$(ctl enable on 2>&1)"
finish
exit $failed
