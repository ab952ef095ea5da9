#!/bin/sh
# `prior enter`: who is let into a running service's cell gets what the service has, and takes nothing of ours in.
# SPDX-License-Identifier: ISC
set -u
cd "$(dirname "$0")/../.." || exit 2
who=enter
. tests/cells/lib/say.sh
needs_root
needs_spaces -mpn
. tests/cells/lib/up.sh
mkdir -m 777 "$work/out" && mkdir "$work/root" && cp "$work/tool" "$work/root/tool" || exit 2
in_() { timeout 120 ${by-} "$work/prior" enter --run-dir "$run" "$@" 2>"$work/err"; }

# What a process inside says of itself: ids, namespaces, root, filter, capabilities.
cat >"$work/out/look" <<'SH'
grep -E "^(Uid|Gid|Groups|Cap...|NoNewPrivs|Seccomp|Seccomp_filters):" /proc/self/status
umask; pwd; ulimit -n; ulimit -f; ulimit -c; nice; cat /proc/self/oom_score_adj; stat -c %d:%i /
for n in mnt net ipc uts cgroup user pid time; do readlink /proc/self/ns/$n; done
env | grep -v ^_= | sort
SH
# Of a login with limits, a nice value and a score that the services have not.
login() { ulimit -Sf 70000; ulimit -Sc 0; by="nice -n 3"; echo 300 >/proc/self/oom_score_adj; }
kinds='server strict first bare'
tell="command: [sh, -c, 'sh $work/out/look >$work/out/\$WHO; exec sleep 1000'], environment: {WORD: of-the-service, WHO"
sees="private_tmp: false, volumes: [\"$work/out:$work/out:rw\"]"
cat >"$conf" <<YAML
defaults: {environment: {WORD: of-the-service}, limits: {nofile: 321}}
services:
  server: {$tell: server}, isolation: {preset: server, network: true, $sees}}
  strict: {$tell: strict}, isolation: {preset: strict, $sees, unveil: {/: rx, $work/out: rwc}}}
  first: {$tell: first}, isolation: {preset: server, user: first, $sees}}
  bare: {$tell: bare}, isolation: {preset: none}}
  web: {command: [sleep, "1000"], isolation: {preset: server}}
  still: {command: [/tool, pause], isolation: {preset: server, rootfs: $work/root}}
  off: {command: [sleep, "1000"], enabled: false}
  each: {command: [cat], listen: [{unix: $work/each.sock, activate: connection}]}
YAML
begin || not_ok "it settles" "$(cat "$work/err" "$work/log")"

for k in $kinds; do
	n=0
	until grep -q '^WORD=' "$work/out/$k" 2>/dev/null || [ $n -ge 1200 ]; do n=$((n + 1)); pause; done
	is "$k: a command has the service's ids, capabilities, filter, namespaces, root and environment, and no other" \
		"$(cat "$work/out/$k")" "$(login; SECRET=ours in_ $k -- sh "$work/out/look")"
done
if [ -d /sys/fs/cgroup/prior-$up ] || [ -d /sys/fs/cgroup/unified/prior-$up ]; then
	is "and is in its cgroup, which is all it sees" 0::/ "$(in_ web -- grep ^0: /proc/self/cgroup)"
else
	echo "skip enter: and is in its cgroup, which is all it sees: no writable cgroup2 here"
fi
is "none of our descriptors goes in" "0 1 2" "$(exec 8<"$conf" 7>"$work/x"; in_ web -- sh -c 'cd /proc/$$/fd && echo *' | sed 's/ [0-9]*$//; s/^0 1 2 .*/0 1 2/')"
is "its standard ones are pipes, not our files" "3" "$(in_ web -- sh -c 'for i in 0 1 2; do readlink /proc/self/fd/$i; done' <"$conf" | grep -c '^pipe:')"
head -c 3000000 /dev/urandom >"$work/bytes"
is "bytes go in and come out as they were" "$(md5sum <"$work/bytes")" "$(in_ web -- cat <"$work/bytes" | md5sum)"
is "standard error stays apart" "out
err" "$(in_ web -- sh -c 'echo out; echo err >&2'; cat "$work/err")"
is "who does not read its input is not waited for" 4 "$(in_ web -- sh -c 'exit 4' <"$work/bytes"; echo $?)"
is "nor who does not end with it" 5 "$(in_ web -- sh -c 'sleep 1000 & exit 5' </dev/null; echo $?)"
# In a session of its own, so that it is not ended with the command.
is "nor for what goes on writing" 6 "$(in_ web -- sh -c 'trap "exit 6" USR1; setsid sh -c "kill -USR1 $$; yes & yes & exec yes" & while :; do wait; done' </dev/null >/dev/null; echo $?)"
is "its end by a signal is told" 137 "$(in_ web -- sh -c 'kill -KILL $$'; echo $?)"
is "without a command its shell reads" "of-the-service" "$(echo 'echo $WORD' | in_ web)"
is "a program is looked for along its PATH" 127 "$(in_ web -- nonesuch; echo $?)"
has "and named" "web: nonesuch: exec: No such file or directory" "$(cat "$work/err")"
is "what cannot be executed has another code" 126 "$(in_ web -- /etc/passwd; echo $?)"
is "an image without a shell" 127 "$(in_ still </dev/null; echo $?)"
has "says so" "there is no /bin/sh in the cell of still: give a command that is there" "$(cat "$work/err")"
is "but has what is there" 0 "$(in_ still -- /tool zombies 0 >/dev/null; [ $? -ne 127 ] && echo 0)"
is "what does not run cannot be entered" 125 "$(in_ off; echo $?)"
has "and it is said" "off: it does not run; \`prior why off\` says more" "$(cat "$work/err")"
is "nor what only has connections" 125 "$(in_ each; echo $?)"
has "which is said, too" "each: it has no process of its own: enter one of its connections" "$(cat "$work/err")"
is "nor what is not there" 125 "$(in_ wbe; echo $?)"
has "with the nearest name" "there is no service 'wbe' (did you mean 'web'?)" "$(cat "$work/err")"
is "no prior, no cell" 125 "$(timeout 120 "$work/prior" enter web --run-dir "$work/none" 2>/dev/null; echo $?)"
is "--privileged is root, in its namespaces" "0 0000000000000000 $(in_ web -- readlink /proc/self/ns/mnt)" \
	"$(in_ --privileged web -- sh -c 'echo $(id -u) $(sed -n "s/^CapInh:.//p" /proc/self/status) $(readlink /proc/self/ns/mnt)')"
has "with all that root may" "$(sed -n 's/^CapEff:.//p' /proc/self/status)" "$(in_ --privileged web -- cat /proc/self/status)"

is "--privileged takes nothing of the login in either" "$(cat "/proc/$up/oom_score_adj") $(ulimit -f) $(in_ bare -- sh -c umask)" \
	"$(login; umask 77; in_ --privileged bare -- sh -c 'echo $(cat /proc/self/oom_score_adj) $(ulimit -f) $(umask)')"
if "$work/tool" in-keyring "$work/tool keyring" >"$work/got" 2>&1; then
	has "(a login's keyring)" ";operator" "$(cat "$work/got")"
	for k in bare "--privileged bare"; do
		is "nor its keyring: $k" ";_ses" "$("$work/tool" in-keyring "timeout 120 '$work/prior' enter --run-dir '$run' $k -- '$work/tool' keyring" | grep -o ';_ses$')"
	done
else
	echo "skip enter: no keyring of a login goes in: $(cat "$work/got")"
fi
if command -v setpriv >/dev/null; then
	chmod 711 "$work" "$run"
	chmod 666 "$run/control.sock"
	timeout 120 setpriv --reuid 65534 --regid 65534 --clear-groups "$work/prior" enter web --run-dir "$run" -- id >"$work/got" 2>&1
	is "an ordinary user is not let in" 125 $?
	hasnt "nothing has run for him" uid= "$(cat "$work/got")"
fi
if command -v python3 >/dev/null && command -v stty >/dev/null; then
	timeout 300 python3 tests/cells/enter.py "$work/prior" "$run" || failed=1
else
	echo "skip enter: on a terminal: needs python3 and stty"
fi

# With the service ends who is in its cell.
(in_ web -- sh -c 'echo in; exec sleep 1000' >"$work/inside"; echo $? >"$work/code") &
n=0
until [ -s "$work/inside" ] || [ $n -ge 2400 ]; do n=$((n + 1)); pause; done
ctl stop web
wait $!
is "a stop ends who is in there" 137 "$(cat "$work/code")"
has "who is told why" "web has ended, and what was in its cell with it" "$(cat "$work/err")"
is "all was as planned" 0 "$(ctl audit server strict first >"$work/got" 2>&1; echo $?)"
finish
is "SIGTERM ends all" 0 $?

# clone(2) in the place of clone3: what it cannot do the child does for itself.
without=${BUILD:-$PWD/build}/${LIBC:-glibc}/tests/cells/without
cat >"$conf" <<YAML
services:
  web: {command: [sleep, "1000"], isolation: {preset: server}}
YAML
launch "$without" clone3 --
if [ -d /sys/fs/cgroup/prior-$up ] || [ -d /sys/fs/cgroup/unified/prior-$up ]; then
	is "without clone3 it is attested all the same" "up true" "$(until_is web state up) $(field web attested)"
	is "and its cgroup is the root of what it sees" 0::/ "$(in_ web -- grep ^0: /proc/self/cgroup)"
else
	echo "skip enter: without clone3: no writable cgroup2 here"
fi
finish
# Where nobody says where it runs: not in a folder that others may write to.
mkdir "$work/none"
is "a run directory of ours is found, one that others may write to is not" "0 1" "$(unshare -m --propagation private sh -c '
	for d in /run /dev/shm; do mount -t tmpfs t $d || exit; done
	[ ! -e /tmp/prior-0 ] || mount --bind "$2" /tmp/prior-0 || exit
	"$0" up -c "$1" --run-dir /dev/shm/prior-0 --log-dir "" >/dev/null 2>&1 & up=$!
	n=0; until "$0" status --run-dir /dev/shm/prior-0 >/dev/null 2>&1 || [ $n -ge 2400 ]; do n=$((n + 1)); done
	"$0" status >/dev/null 2>&1; found=$?
	chmod 777 /dev/shm/prior-0; "$0" status >/dev/null 2>&1 || other=1
	echo "$found ${other-0}"; kill $up; wait $up' "$work/prior" "$conf" "$work/none")"
exit $failed
