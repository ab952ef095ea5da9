#!/bin/sh
# The HTTP endpoint: what it answers, what it is confined to, what rude clients do to it, and that it comes back. Needs root.
# SPDX-License-Identifier: ISC
set -u
self=$(realpath "$0")
cd "$(dirname "$0")/../.." || exit 2
who=endpoint
. tests/cells/lib/say.sh
needs_root
needs_spaces -mpn
# A network of our own: nobody else takes a port between the question and its use.
[ "${INSIDE-}" ] || INSIDE=1 exec unshare -n "$self"
ip link set lo up || exit 2
command -v curl >/dev/null || { echo "skip endpoint: curl is not installed"; exit 0; }
. tests/cells/lib/up.sh
rude() { timeout 300 tests/cells/rude.py "$port" "$1" 2>&1; }
free() { tests/cells/rude.py 0 free; }
get() { timeout 90 curl -s --noproxy '*' -m 60 "http://127.0.0.1:$port/$1"; }
status() { timeout 90 curl -s --noproxy '*' -m 60 -o "$work/body" -w '%{http_code}' "$@"; }
page() { status "http://127.0.0.1:$port/$1"; }
until_page() { # PAGE STATUS: what it was in the end
	n=0
	while [ "$(page "$1")" != "$2" ] && [ $n -lt 600 ]; do n=$((n + 1)); pause; done
	page "$1"
}
port=$(free)
write() { # METRICS: with that line for the machine
	cat >"$conf" <<YAML
$1
services:
  web: {command: [/bin/sleep, "1000"]}
  open: {command: [/bin/sleep, "1000"], isolation: {preset: none}}
  sick: {command: [/bin/sleep, "1000"], healthcheck: {test: [CMD, /bin/sh, -c, "test ! -e $work/sick"], interval: 100ms, retries: 1}, restart: "no", isolation: {preset: none}}
${more-}
YAML
}
write "machine: {metrics: \"127.0.0.1:$port\"}"
begin || { not_ok "it starts" "$(cat "$work/log")"; exit 1; }

is "all is well: ready" "200 ok" "$(until_page readyz 200) $(cat "$work/body")"
is "it lives" "200 ok" "$(page livez) $(cat "$work/body")"
is "health is JSON" "200 application/json" "$(status -D "$work/head" "http://127.0.0.1:$port/healthz") $(sed -n 's/^Content-Type: \(.*\)\r$/\1/p' "$work/head")"
is "that says of each service whether its sandbox was verified" "ok open:None sick:None web:True" "$(python3 -c '
import json, sys
d = json.load(open(sys.argv[1]))
print(d["status"], *(s["service"] + ":" + str(s["attested"]) for s in d["services"]))' "$work/body")"
is "metrics have the exact type" "application/openmetrics-text; version=1.0.0; charset=utf-8" \
	"$(curl -s --noproxy '*' -D - -o "$work/metrics" "http://127.0.0.1:$port/metrics" | sed -n 's/^Content-Type: \(.*\)\r$/\1/p')"
if got=$(tests/cells/openmetrics.py <"$work/metrics"); then ok "and are OpenMetrics text"; else not_ok "and are OpenMetrics text" "$got"; fi
if command -v promtool >/dev/null; then
	# promtool knows the older format only, which has no EOF and no stateset.
	is "promtool reads its families" 0 "$(grep -v '^# UNIT\|^# EOF' "$work/metrics" | sed 's/^# TYPE \(.*\) \(info\|stateset\)$/# TYPE \1 gauge/' | promtool check metrics >/dev/null 2>"$work/err"; [ $? -ne 1 ]; echo $?)"
else
	echo "skip endpoint: promtool: not installed; tests/cells/openmetrics.py has read them"
fi
has "with a service's state" 'prior_service_state{service="web",prior_service_state="up"} 1' "$(cat "$work/metrics")"
is "other names are not found" 404 "$(page nope)"
is "other methods are not allowed" 405 "$(status -X POST -d x "http://127.0.0.1:$port/livez")"
is "HEAD has no body" "200 0" "$(timeout 90 curl -s --noproxy '*' -I -o /dev/null -w '%{http_code} %{size_download}' "http://127.0.0.1:$port/livez")"
touch "$work/sick"
is "a service that is not healthy is not ready" "503 sick is unhealthy" "$(until_page readyz 503) $(cat "$work/body")"
is "and lives" 200 "$(page livez)"

# What it is.
pid=$(own endpoint_pid)
of() { sed -n "s/^$1:[[:space:]]*//p" "/proc/$pid/status" | tr '\t' ' '; }
is "a user of its own" "65532 65532 65532 65532" "$(of Uid)"
is "no capability, nor any to come" "0000000000000000 0000000000000000 0000000000000000" "$(of CapPrm) $(of CapBnd) $(of CapAmb)"
is "no new privileges, a filter" "1 2" "$(of NoNewPrivs) $(of Seccomp)"
for space in cgroup ipc mnt net pid user uts; do
	is "a $space namespace of its own" no "$([ "$(readlink "/proc/$pid/ns/$space")" = "$(readlink "/proc/$up/ns/$space")" ] || echo no)"
done
is "an empty root" "" "$(ls -A "/proc/$pid/root/")"
is "that cannot be written" 1 "$(grep -c "^none / tmpfs ro,nosuid,nodev,noexec" "/proc/$pid/mounts")"
is "descriptors: nothing but its sockets, a directory of groups, and nowhere" "" \
	"$(for f in /proc/"$pid"/fd/*; do readlink "$f"; done | grep -v '^socket:\|^\(/dev\)*/null$\|^/sys/fs/cgroup\|^/$')"
hasnt "nothing of the plan" "plan" "$(cat "/proc/$pid/maps")"

# Rude clients.
is "three hundred that never finish do not keep others out" "HTTP/1.1 200 OK" "$(rude loris)"
is "a request has an end" "HTTP/1.1 414 URI Too Long
HTTP/1.1 431 Request Header Fields Too Large
HTTP/1.1 414 URI Too Long" "$(rude long)"
got=$(rude garbage)
is "garbage is refused" "" "$(echo "$got" | tr ' ' '\n' | grep '^[0-9]' | grep -v '^\(200\|400\|404\|405\|505\)$')"
is "nobody waits for who has gone" "HTTP/1.1 200 OK" "$(rude gone)"
is "a byte at a time is a request, too" "HTTP/1.1 200 OK" "$(rude slowly)"
is "it is the same process after all that" "$pid" "$(own endpoint_pid)"
is "of little memory" yes "$([ "$(sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$pid/status")" -lt 12000 ] && echo yes)"
hasnt "PID 1 had no trouble with it" warning "$(ctl events --json | grep endpoint)"

# Its end, and PID 1's.
kill -KILL "$pid"
is "killed, it is back; nobody is refused meanwhile" 200 "$(page livez)"
is "and counted" 1 "$(until_own endpoint_restarts 1)"
ctl reexec >/dev/null 2>&1
is "PID 1 anew: it answers" 200 "$(page livez)"
# Who is connected at that moment is cut off with the helper; who comes then is not.
is "a fault is taken" 1 "$(kill -SEGV $up; until_own crashes 1)"
is "after a fault, too" 200 "$(page livez)"
is "which the metrics tell" "prior_faults_total 1" "$(get metrics | grep '^prior_faults_total')"
kill -STOP $up
is "a PID 1 that does not answer does not live" "503 prior does not answer" "$(until_page livez 503) $(cat "$work/body")"
kill -CONT $up
is "and does again" 200 "$(until_page livez 200)"

# Other configurations.
more='  late: {command: [/bin/sleep, "1000"]}'
write "machine: {metrics: \"127.0.0.1:$port\"}"
ctl reload-config >"$work/err" 2>&1
n=0
until get healthz | grep -q '"late"' || [ $n -ge 600 ]; do n=$((n + 1)); pause; done
has "a service that a reload brings is listed" '"late"' "$(get healthz)"
old=$port port=$(free)
was=$(own endpoint_pid)
kill -STOP "$was"	# it does not go because it is asked to
write "machine: {metrics: \"127.0.0.1:$port\"}"
ctl reload-config >"$work/err" 2>&1
is "another address: it is there" 200 "$(until_page livez 200)"
is "and one that does not go by itself has been ended" gone "$([ -d "/proc/$was" ] || echo gone)"
port=$old
is "and not where it was" 000 "$(page livez)"
write "machine: {metrics: \"192.0.2.1:99\"}"
ctl reload-config >"$work/err" 2>&1
is "an address may come later" 0 "$?"
write "machine: {}"
ctl reload-config >"$work/err" 2>&1
is "none: no process" 0 "$(until_own endpoint_pid 0)"
is "and no socket" "" "$(grep -l 192.0.2.1 "/proc/$up/net/tcp" 2>/dev/null)"
finish
is "it ends in order" 0 $?

# By the command line.
port=$(free)
cat >"$work/flags" <<SH
#!/bin/sh
exec "$work/prior" "\$@" --metrics 127.0.0.1:$port
SH
chmod +x "$work/flags"
binary=$work/flags
write "machine: {metrics: \"127.0.0.1:1\"}"
begin || not_ok "it starts with --metrics" "$(cat "$work/log")"
is "--metrics goes before the file" 200 "$(page livez)"
"$work/prior" up -c "$conf" --run-dir "$work/other" --log-dir "" --metrics "127.0.0.1:$port" >"$work/err" 2>&1
is "an address that somebody has: it does not start" 125 "$?"
has "and says which" "machine.metrics: listen on tcp 127.0.0.1:$port: Address " "$(cat "$work/err")"
"$work/prior" up -c "$conf" --metrics here >"$work/err" 2>&1
is "an address that is none" 64 "$?"
has "is named" "--metrics here: not HOST:PORT" "$(cat "$work/err")"
finish >/dev/null

# An ordinary user's: less, and that is said.
if [ -x "$(command -v setpriv)" ]; then
	port=$(free)
	sed -i "s/:[0-9]*$/:$port/" "$work/flags"
	mkdir -p "$work/bare" && chmod 777 "$work/bare"
	run=$work/bare/run
	launch setpriv --reuid 1234 --regid 1234 --clear-groups
	is "an ordinary user's answers" 200 "$(until_page livez 200)"
	for pid in $(pgrep -u 1234); do grep -aq prior-http "/proc/$pid/cmdline" && break; done
	is "with a filter and without capabilities" "2 0000000000000000" "$(of Seccomp) $(of CapEff)"
	finish >/dev/null
	# Where no namespace can be made.
	run=$work/third
	begin setpriv --bounding-set -sys_admin --inh-caps -sys_admin || not_ok "it starts without CAP_SYS_ADMIN" "$(cat "$work/log")"
	is "without CAP_SYS_ADMIN it answers" 200 "$(page livez)"
	has "and says what it goes without" "it runs without: namespaces" "$(ctl events 2>&1)"
	pid=$(own endpoint_pid)
	is "and has its own user, no capabilities, a filter" "65532 65532 65532 65532 0000000000000000 2" "$(of Uid) $(of CapPrm) $(of Seccomp)"
	finish >/dev/null
fi
exit $failed
