#!/bin/sh
# prior check, compile and show on files good and bad: exit codes, places, JSON.
# SPDX-License-Identifier: ISC
. tests/golden/lib/is.sh
code() { # CODE COMMAND...
	want=$1
	shift
	"$@"
	got=$?
	[ "$got" = "$want" ] || { echo "exit $got, not $want"; return 1; }
}
says() { # TEXT CODE COMMAND...
	text=$1
	shift
	code "$@" >said 2>&1
	got=$?
	cat said
	[ "$got" = 0 ] && grep -qF -- "$text" said
}
json() { # PYTHON-EXPRESSION COMMAND...
	expression=$1
	shift
	"$@" >said 2>/dev/null
	cat said
	python3 -c "import json,sys; d = json.load(open('said')); sys.exit(not ($expression))"
}

cat >good.yaml <<'Y'
services:
  web:
    command: [/bin/sleep, "1"]
    isolation: {preset: none}
  once:
    command: /bin/true
    type: oneshot
    depends_on: [web]
    isolation: {preset: none}
Y
cat >bad.yaml <<'Y'
services:
  web:
    comand: [/bin/sleep, "1"]
    stop_timeout: soon
  db:
    command: /bin/true
Y
printf 'services: [\n' >broken.yaml
cat >absent.yaml <<'Y'
services:
  web:
    command: /no/such/program
    isolation: {preset: none}
Y

is "a good file has exit code 0 and says so" says "good.yaml: 2 services, nothing wrong" 0 "$bin" check good.yaml
is "a typing error has its place and the nearest key" \
	says "bad.yaml:3:5: error: " 1 "$bin" check --offline bad.yaml
is "and a suggestion" says "did you mean 'command'" 1 "$bin" check --offline bad.yaml
is "all problems are told at once" says "bad.yaml:4:19: error: " 1 "$bin" check --offline bad.yaml
is "what is no YAML is a problem with a place" says "broken.yaml:" 1 "$bin" check broken.yaml
is "a file that is not there has exit code 2" says "absent/there" 2 "$bin" check absent/there
is "an absent program is found on this machine" says "/no/such/program" 1 "$bin" check absent.yaml
is "and not looked for offline" code 0 "$bin" check --offline absent.yaml
is "several files are checked, the worst decides" code 2 "$bin" check good.yaml bad.yaml none.yaml
is "check --json is a list of problems with places" \
	json "len(d) >= 2 and d[0]['file'] == 'bad.yaml' and d[0]['line'] == 3 and d[0]['column'] == 5 and
	      d[0]['severity'] == 'error' and d[0]['service'] == 'web' and d[0]['message']" \
	"$bin" check --offline --json bad.yaml
is "check --json of a good file is an empty list" json "d == []" "$bin" check --json good.yaml
printf 'services:\n  "": {command: /bin/true}\n  ok: {command: /bin/true, isolation: {preset: none}}\n' >unnamed.yaml
is "a service without a name is refused for it" says 'service "": the name must be' 1 "$bin" check unnamed.yaml
is "and the plan holds all the same" sh -c '! "$1" check unnamed.yaml 2>&1 | grep "does not hold"' sh "$bin"
: >empty.yaml
is "an empty file is not passed over" says "no services: nothing would run" 0 "$bin" check empty.yaml
mkfifo pipe.yaml
is "a FIFO does not hold check up" says "not a regular file" 2 timeout 10 "$bin" check pipe.yaml
mkdir dir && : >dir/prior.yml
is "prior.yml is no prior.yaml, and that is said" says "rename it" 2 "$bin" check dir
is "a missing argument is no typing error" sh -c '! "$1" status --run-dir 2>&1 | grep "did you mean"' sh "$bin"
is "a command line that up does not know has exit code 64" says "up --help" 64 "$bin" up --foo
is "up: an option without its value is named" says "up: --run-dir: its value is missing" 64 "$bin" up --run-dir
is "up: one that takes none is named" says "up: --json-logs takes no value" 64 "$bin" up --json-logs=yes
is "up: a value after =" says "up: --metrics x: not HOST:PORT" 64 "$bin" up --metrics=x
is "up: -- without a command" says "up: no command after --" 64 "$bin" up --
is "up: what is unknown is named" says "up: unknown argument --runs" 64 "$bin" up --runs
is "what is wrong with --set is told without names of descriptors" \
	sh -c '"$1" run --set foo=bar -- true 2>&1 | grep "^prior run:.*foo" && ! "$1" run --set foo=bar -- true 2>&1 | grep /proc' sh "$bin"

is "compile writes a plan" code 0 "$bin" compile good.yaml -o plan
is "which check knows" says "a compiled plan, whole" 0 "$bin" check plan
is "the same bytes each time" sh -c '"$1" compile good.yaml -o again && cmp plan again' sh "$bin"
is "show has nothing to say about it" says "is a compiled plan" 2 "$bin" show web -c plan
is "a bad file leaves the old plan in place" \
	sh -c '"$1" compile bad.yaml -o plan; [ $? = 1 ] && cmp plan again' sh "$bin"
is "and nothing beside it" sh -c 'set -- plan?* .plan*; [ "$1" = "plan?*" ]'
is "compile does not replace a device" says "not an ordinary file" 1 "$bin" compile good.yaml -o /dev/null
is "compile wants to be told where to" says "-o" 64 "$bin" compile good.yaml
printf x | dd of=plan bs=1 seek=200 conv=notrunc 2>/dev/null
is "a damaged plan is told" code 1 "$bin" check plan

is "show says what a service comes to" says "command" 0 "$bin" show once -c good.yaml
is "show --json has config and from" json "d['service'] == 'once' and d['config']['type'] == 'oneshot' and d['from']" \
	"$bin" show once -c good.yaml --json
is "show of an unknown service names the nearest" says "did you mean 'once'" 1 "$bin" show onec -c good.yaml
is "show --steps needs no configuration" says "seccomp" 0 "$bin" show --steps
is "PRIOR_CONFIG names the configuration" says "type" 0 env PRIOR_CONFIG=good.yaml "$bin" show once
is "schema is JSON" json "d['\$schema']" "$bin" schema

# The exposure of what is declared, and a threshold for continuous integration.
cat >exposed.yaml <<'Y'
services:
  open: {command: [/bin/sh], user: "0", isolation: {preset: none}}
  shut: {command: [/bin/sh], isolation: {preset: strict}}
Y
is "the exposure is shown with what is open" says "PrivateNetwork=" 0 "$bin" show open -c exposed.yaml --exposure
is "show fails above the threshold" says "service open: exposure 9." 1 "$bin" show open -c exposed.yaml --threshold 5
is "show is content below it" code 0 "$bin" show shut -c exposed.yaml --threshold 0.3
is "check fails above the threshold, by name" says "service open: exposure 9." 1 \
	"$bin" check --offline exposed.yaml --threshold 9
is "check is content below it" code 0 "$bin" check --offline exposed.yaml --threshold 10
is "a threshold is a number" says "--threshold is a number from 0 to 10, such as 1.3, not '1.33'" 64 \
	"$bin" check exposed.yaml --threshold 1.33
is "the exposure as JSON" json \
	"d['service'] == 'shut' and d['exposure']['comparable']['declared'] <= 0.3 and len(d['exposure']['comparable']['checks']) == 81" \
	"$bin" show shut -c exposed.yaml --exposure --json
is "the short table as JSON" json "d['preset'] == 'strict' and d['capabilities'] == 'none'" \
	"$bin" show shut -c exposed.yaml --isolation --json
is "the steps as JSON" json "d[0]['step'] == 1 and all(s['why'] for s in d)" "$bin" show --steps --json
is "the probe as JSON says who needs what" json \
	"[r for r in d if r['name'] == 'seccomp'][0]['needed_by'] == ['shut'] and all(r['works'] or r['takes'] for r in d)" \
	"$bin" probe -c exposed.yaml --json
is "the probe of a service that is not there" says "no service 'shot'" 4 "$bin" probe shot -c exposed.yaml
is "the probe of what needs little" code 0 "$bin" probe open -c exposed.yaml

{
	echo "network: {bridges: {b0: {subnets: [10.0.0.0/8]}}}"
	echo "defaults: {isolation: {preset: none, network: {bridge: b0}}}"
	echo "services:"
	seq -f '  service-%.0f: {command: [/bin/sh]}' 4000
} >many.yaml
is "four thousand services find each other on one bridge" says "4000 services, nothing wrong" 0 "$bin" check many.yaml

exit $status
