#!/bin/sh
# Instances of templates while prior runs: started by name, kept over reloads, faults and re-execs, gone when stopped.
# SPDX-License-Identifier: ISC
set -u
cd "$(dirname "$0")/../.." || exit 2
who=templates
. tests/cells/lib/say.sh
. tests/cells/lib/up.sh

listed() { ctl status --json | tr -d '\n' | grep -o '"service": "[^"]*"' | sed 's/.*: "//; s/"//' | tr '\n' ' ' | sed 's/ $//'; }
until_listed() { until_says "$1" listed; }
cat >"$work/conf.yaml" <<YAML
defaults: {isolation: {preset: none}}
services:
  steady: {command: [sleep, "1000"]}
  job@: {command: [sh, -c, "echo this is %i; exec sleep 1000"], depends_on: [base@%i], environment: {NAME: "%i"}}
  base@: {command: [sleep, "1000"]}
  once@: {type: oneshot, command: ["true"]}
  bad@: {command: [/nonexistent/%i]}
  wants: {command: [sleep, "1000"], wants: [job@always]}
YAML
begin || not_ok "it settles" "$(cat "$work/log")"
usual="base@always job@always steady wants"
is "what a service names is there from the beginning" "$usual" "$(listed)"
pid=$(field steady pid)
is "an instance that nobody has started is down" 3 "$(ctl status job@a >"$work/out"; echo $?)"
has "and says so" "nobody has started this instance of job@" "$(cat "$work/out")"
is "two are started with what they need" 0 "$(ctl start job@a job@b >"$work/out" 2>&1; echo $?)"
is "and listed" "base@a base@always base@b job@a job@always job@b steady wants" "$(listed)"
is "and up" "up up" "$(field job@a state) $(field base@b state)"
is "with their names in their environments" NAME=b "$(tr '\0' '\n' <"/proc/$(field job@b pid)/environ" | grep ^NAME)"
is "and in their logs" "this is a" "$(n=0; until ctl logs job@a | grep -q this || [ $n -ge 600 ]; do n=$((n + 1)); pause; done; ctl logs job@a | sed 's/.*this/this/')"
is "started again it is what it was" "$(field job@a pid)" "$(ctl start job@a; field job@a pid)"
has "its events have its name" "job@b: ready" "$(ctl events)"
is "a name that is no name is not known" 4 "$(ctl start job@../etc 2>"$work/out"; echo $?)"
has "nor is a template" "there is neither a service 'nope@a' nor a template" "$(ctl start nope@a 2>&1)"
has "one that cannot be planned says why" "/nonexistent/x" "$(ctl start bad@x 2>&1)"
is "and is refused" 1 "$(ctl start bad@x >/dev/null 2>&1; echo $?)"
is "what is not there is stopped already" 0 "$(ctl stop job@z; echo $?)"
has "and cannot be reloaded" "job@z does not run: nobody has started this instance" "$(ctl reload job@z 2>&1)"
is "a oneshot is done" 0 "$(ctl start once@now; echo $?)"

pids="$(field job@a pid) $(field base@a pid)"
is "a re-exec keeps them" "0 $pids" "$(ctl reexec; echo $?) $(field job@a pid) $(field base@a pid)"
is "so does a reload" "0 $pids" "$(ctl reload-config >/dev/null; echo $?) $(field job@a pid) $(field base@a pid)"
crashes=$(own crashes)
for i in 1 2 3; do
	ctl start "job@f$i" >"$work/out.$i" 2>&1 &
	pause 0.0$i
	kill -SEGV $up
	wait $!
	until_own crashes $((crashes + i)) >/dev/null	# two that come before it is back are one
done
is "three faults while instances were asked for" $((crashes + 3)) "$(own crashes)"
is "and each was started all the same" "up up up" "$(field job@f1 state) $(field job@f2 state) $(field job@f3 state)"
is "and nobody noticed" "$pids $pid" "$(field job@a pid) $(field base@a pid) $(field steady pid)"
ctl stop job@f1 job@f2 job@f3 base@f1 base@f2 base@f3

is "one that is stopped goes" "base@a base@always base@b job@always job@b steady wants" "$(ctl stop job@a; until_listed "base@a base@always base@b job@always job@b steady wants")"
ctl stop job@b base@b base@a
is "so does what it needed" "$usual" "$(until_listed "$usual")"
is "its name is free again" 0 "$(ctl start job@a; echo $?)"
sed -i 's/steady: {command: \[sleep, "1000"\]/steady: {command: [sleep, "1001"]/' "$work/conf.yaml"
has "a configuration that was edited is not slipped in" "steady would be another; \`prior reload-config\` takes it over first" "$(ctl start job@c 2>&1)"
is "and nothing was touched" "$pid" "$(field steady pid)"
ctl reload-config >/dev/null
is "after the reload it can be started" 0 "$(ctl start job@c; echo $?)"
cp "$work/conf.yaml" "$work/good.yaml"
echo "  broken: {command: [/nonesuch]}" >>"$work/conf.yaml"
has "nor is one with something new in it that is refused" "broken would be new, and refused; \`prior reload-config\` says why" "$(ctl start job@d 2>&1)"
cp "$work/good.yaml" "$work/conf.yaml"
for verb in status start stop why; do
	has "$verb: a template is told from a service" "'job@' is a template, not a service: name one of it, as job@INSTANCE" "$(ctl $verb job@ 2>&1)"
done
sed -i '/^  job@:/d; s/, wants: \[job@always\]//' "$work/conf.yaml"
is "a template that goes takes its instances along" "base@a base@c steady wants" "$(ctl reload-config >"$work/out"; until_listed "base@a base@c steady wants")"
"$work/prior" compile "$work/conf.yaml" -o "$work/plan" 2>/dev/null
mv "$work/plan" "$work/conf.yaml"
has "a compiled plan has what was compiled into it" "is a compiled plan, and has only the instances that were compiled into it; base@q is none of them" "$(ctl start base@q 2>&1)"
finish
is "SIGTERM ends all, with code 0" 0 $?
exit $failed
