#!/bin/sh
# The verbs against a prior that runs: exit codes, messages, JSON. Needs no root: nothing here is confined.
# SPDX-License-Identifier: ISC
set -u
export LC_ALL=C.UTF-8
bin=${PRIOR:?the binary to ask}
work=$(mktemp -d) || exit 2
up=
trap '[ -z "$up" ] || kill -KILL "$up" 2>/dev/null; rm -rf "$work"' EXIT
cd "$work" || exit 2
status=0

# Names end in our process id: two runs on one machine must not meet in one cgroup.
cat >conf.yaml <<Y
defaults: {isolation: {preset: none}}
services:
  talker$$: {command: [/bin/sh, -c, "echo one; echo two; exec sleep 1000"]}
  job$$: {command: /bin/true, type: oneshot}
  broken$$: {command: [/bin/sh, -c, "exit 3"], restart: "no"}
  user$$: {command: [sleep, "1000"], depends_on: {late$$: {condition: service_completed_successfully}}}
  late$$: {command: [sleep, "1000"], type: oneshot}
  absent$$: {command: /no/such/program}
Y
ctl() { "$bin" "$@" --run-dir "$work/run"; }
is() { # NAME CODE TEXT VERB...: the exit code, and the text somewhere in what is said
	name=$1 want=$2 text=$3
	shift 3
	ctl "$@" >said 2>&1
	got=$?
	if [ "$got" = "$want" ] && { [ -z "$text" ] || grep -qF -- "$text" said; }; then
		echo "ok golden: $name"
	else
		printf 'not ok golden: %s\n    exit %s, not %s, or not said: %s\n' "$name" "$got" "$want" "$text"
		sed 's/^/    /' said
		status=1
	fi
}
json() { # NAME PYTHON-EXPRESSION VERB...
	name=$1 expression=$2
	shift 2
	ctl "$@" >said 2>err
	if python3 -c "import json,sys; d = json.load(open('said')); sys.exit(not ($expression))"; then
		echo "ok golden: $name"
	else
		printf 'not ok golden: %s\n' "$name"
		sed 's/^/    /' said err
		status=1
	fi
}

is "without a prior, status is unknown" 4 "no prior runs at" status
"$bin" up -c conf.yaml --run-dir "$work/run" --log-dir "" >console 2>&1 &
up=$!
n=0
while [ ! -S run/control.sock ] && [ $n -lt 600 ]; do
	timeout 0.05 tail -f /dev/null
	n=$((n + 1))
done
begun() { # each has come as far as it will
	ctl status "broken$$" 2>&1 | grep -qF "exited with code 3" &&
		ctl status "job$$" 2>&1 | grep -qF "job$$: done" && ctl status "talker$$" 2>&1 | grep -qF "talker$$: up for" &&
		ctl status "late$$" 2>&1 | grep -qF "late$$: starting"
}
until_so() { # COMMAND
	n=0
	until "$1" || [ $n -ge 600 ]; do
		timeout 0.05 tail -f /dev/null
		n=$((n + 1))
	done
}
until_so begun
is "wait gives up in time" 1 "no answer within 300 ms" wait --timeout 300ms
is "status is a table" 0 "talker$$" status
is "and says who is refused, and why" 0 "absent$$: conf.yaml:8:" status
is "an active service has exit code 0" 0 "talker$$: up for" status talker$$
is "a service that has failed has 3" 3 "exited with code 3" status broken$$
is "a job that is done has 3" 3 "job$$: done" status job$$
is "a service that nobody knows has 4" 4 "did you mean 'talker$$'" status talkre$$
is "why follows what is waited for" 0 "user$$ waits until late$$ is finished with success; late$$ is starting." why user$$
is "why names the line of a refusal" 0 "conf.yaml:8:" why absent$$
is "what was refused is not started" 1 "absent$$ was refused: " start absent$$
is "stop waits until it is down" 0 "" stop talker$$
is "which is seen" 3 "talker$$: down for" status talker$$
is "start waits until it is up" 0 "" start talker$$
is "restart makes another process" 0 "" restart talker$$
is "no signal has that name" 64 "no signal" signal -s NOSUCH talker$$
is "nor that number, and nothing is sent" 64 "no signal" signal 99 talker$$
is "a number in front of the services is a signal" 0 "" signal 18 talker$$
is "a signal is sent" 0 "" signal KILL talker$$
killed() { ctl events "talker$$" 2>&1 | grep -q 'exited.*SIGKILL'; }
until_so killed
is "who died of it can be started before it is time" 0 "" start talker$$
is "lines are chosen by what is in them" 0 "two" logs -g tw talker$$
is "and by their level" 0 "two" logs -g "^t" -p info talker$$
is "all lines are kept" 0 "two" logs talker$$
is "events tell of it" 0 "talker$$" events
json "status --json is a list" "isinstance(d, list) and len(d) == 6" status --json
json "and each has its state" "d[0]['service'] == 'absent$$' and d[0]['state'] == 'refused'" status --json
json "an exit is told in full" "d[0]['exit']['kind'] == 'code' and d[0]['exit']['status'] == 3" status --json broken$$
json "PID 1 tells of itself" "d['mode'] == 'up' and d['generation'] == 1 and d['fd_count'] == len(d['fds'])" \
	status --prior --json
is "reexec comes back" 0 "" reexec
json "as the next generation" "d['generation'] == 2 and d['crashes'] == 0" status --prior --json
is "nothing is confined, so nothing differs" 0 "nothing is planned that could be compared" audit
is "poweroff ends it" 0 "" poweroff
wait $up
[ $? = 0 ] && echo "ok golden: with exit code 0" || { echo "not ok golden: with exit code 0"; sed 's/^/    /' console; status=1; }
up=
is "and then there is none" 4 "no prior runs at" status
exit $status
