#!/bin/sh
# What stands in the way of a start: conditions that do not hold, services that conflict, what is needed and not there.
# SPDX-License-Identifier: ISC
set -u
cd "$(dirname "$0")/../.." || exit 2
who=order
. tests/cells/lib/say.sh
. tests/cells/lib/up.sh

mkfifo "$work/end" || exit 2
echo text >"$work/full" && : >"$work/empty" && printf '#!/bin/sh\n' >"$work/program" && chmod 755 "$work/program"
cat >"$work/conf.yaml" <<YAML
defaults: {isolation: {preset: none}, command: [sleep, "1000"]}
services:
  all:
    conditions: {path_exists: $work/full, path_is_directory: $work, file_not_empty: $work/full,
                 file_is_executable: $work/program, kernel_command_line: "!no.such.word"}
  absent: {conditions: {path_exists: $work/absent}}
  present: {conditions: {path_exists: "!$work/full"}}
  hollow: {conditions: {file_not_empty: $work/empty}}
  plain: {conditions: {file_is_executable: $work/full}}
  file: {conditions: {path_is_directory: $work/full}}
  word: {conditions: {kernel_command_line: no.such.word}}
  user: {depends_on: [absent]}
  fan: {wants: [absent]}
  new: {}
  old: {conflicts: [new]}
  olds.friend: {depends_on: [old], conflicts: [new]}
  job: {type: oneshot, command: [sh, -c, "cat $work/end; exit 1"]}
  after.job: {depends_on: {job: {condition: service_completed_successfully}}}
YAML
launch

is "a service whose conditions hold is up" up "$(until_is all state up)"
for s in absent present hollow plain file word; do
	is "one whose condition does not hold is skipped ($s)" skipped "$(until_is $s state skipped)"
done
has "status says which, and why" "conditions.path_exists: '!$work/full' does not hold" "$(ctl status present)"
has "so does why" "conditions.file_not_empty: '$work/empty' does not hold" "$(ctl why hollow)"
is "what needs a skipped one fails" failed "$(until_is user state failed)"
has "and is told why" "it needs absent, which is skipped" "$(ctl why user)"
is "what wants it does not mind" up "$(until_is fan state up)"
is "a start of a skipped one says so" 1 "$(ctl start absent >/dev/null 2>"$work/err"; echo $?)"
has "with the reason" "absent is skipped: conditions.path_exists" "$(cat "$work/err")"
: >"$work/absent"
is "it is looked at again at each start" 0 "$(ctl start absent >/dev/null 2>&1; echo $?)"
is "and what needs it comes back with it" up "$(until_is user state up)"

is "of two that conflict the first is started at boot" "up down" "$(until_is new state up) $(field old state)"
has "the other one says why it is not" "It conflicts with new, which is up" "$(ctl why old)"
pid=$(field new pid)
is "to start the other stops the one" 0 "$(ctl start old; echo $?)"
is "which is down" "up down" "$(field old state) $(field new state)"
is "before the other starts" gone "$([ -d "/proc/$pid" ] && echo there || echo gone)"
is "and it is symmetrical" "0 up down" "$(ctl start new; echo $?) $(field new state) $(field old state)"
is "what needs one of them brings it in place of the other" "0 up up down" \
	"$(ctl start olds.friend; echo $?) $(field olds.friend state) $(field old state) $(field new state)"

is "what needs a job done waits" waiting "$(until_is after.job state waiting)"
has "and why says for what" "after.job waits until job is finished with success; job is starting." "$(ctl why after.job)"
echo >"$work/end"
has "and what became of it" "it needs job, which is failed" "$(until_is after.job state failed >/dev/null; ctl why after.job)"
kill -TERM $up
wait $up
is "SIGTERM ends all, with code 0" 0 $?
up=

printf 'services:\n  a: {command: [true], after: [b]}\n  b: {command: [true], depends_on: [c]}\n  c: {command: [true], before: [b], after: [a]}\n' >"$work/bad.yaml"
has "a cycle is told as the path that closes it" "waits for itself: a ($work/bad.yaml:2) -> b ($work/bad.yaml:3) -> c ($work/bad.yaml:4) -> a" \
	"$("$work/prior" check "$work/bad.yaml" --offline)"
printf 'services:\n  a: {command: [true], depends_on: [b], conflicts: [b]}\n  b: {command: [true]}\n' >"$work/bad.yaml"
has "who needs what it conflicts with is refused" "'b' is also what it conflicts with" "$("$work/prior" check "$work/bad.yaml")"
exit $failed
