#!/bin/sh
# Hooks, health checks, readiness, the watchdog and stored descriptors in real cells, with programs people have.
# SPDX-License-Identifier: ISC
set -u
cd "$(dirname "$0")/../.." || exit 2
who=lifecycle
. tests/cells/lib/say.sh
needs_root
needs_spaces -mpn
. tests/cells/lib/up.sh
mkdir -m 777 "$work/out" || exit 2
ends() {
	finish
	is "$1" 0 $?
}

# What a process inside says of itself: ids, namespaces, root, filter, capabilities.
look='grep -E "^(Uid|Gid|Groups|CapEff|CapBnd|NoNewPrivs|Seccomp):" /proc/self/status; for n in mnt net ipc uts cgroup user; do readlink /proc/self/ns/$n; done; stat -c %d:%i /'
cat >"$work/conf.yaml" <<YAML
defaults: {isolation: {preset: server, private_tmp: false, volumes: ["$work/out:$work/out:rw"]}, security: {seccomp: {profile: default}}}
services:
  web:
    command: [sh, -c, '($look) >$work/out/main.new; mv $work/out/main.new $work/out/main; exec sleep 1000']
    isolation: {network: true}
    hooks:
      pre_start: [sh, -c, '($look) >$work/out/pre_start; setsid sleep 1000 & echo \$! >$work/out/left']
      post_start: [sh, -c, '($look) >$work/out/post_start; cat /proc/self/cgroup >$work/out/cgroup']
      pre_stop: [sh, -c, '($look) >$work/out/pre_stop']
      post_stop: [sh, -c, '($look) >$work/out/post_stop; echo \$SERVICE_RESULT >$work/out/result']
    healthcheck: {test: [CMD-SHELL, '($look) >$work/out/check.new && mv $work/out/check.new $work/out/check'], interval: 100ms}
    ready: healthcheck
YAML
begin
is "a service with hooks and a check is up" up "$(until_is web state up)"
is "and healthy" healthy "$(field web health)"
is "which is what healthy says" 0 "$(ctl healthy web; echo $?)"
until_there "$work/out/main"
for h in post_start check; do is "$h runs in the service's own cell, with its ids and filter" "$(cat "$work/out/main")" "$(cat "$work/out/$h")"; done
# A cell of their own: other namespaces, the same rules.
for h in pre_start; do is "$h runs under the same ids, capabilities and filter" "$(grep : "$work/out/main" | grep -v '\[')" "$(grep : "$work/out/$h" | grep -v '\[')"; done
if [ -d /sys/fs/cgroup/prior ] || [ -d /sys/fs/cgroup/unified/prior ]; then
	is "a hook is in the service's cgroup, which is all it sees" 1 "$(grep -c '^0::/$' "$work/out/cgroup")"
else
	echo "skip lifecycle: a hook is in the service's cgroup, which is all it sees: no writable cgroup2 here"
fi
is "nothing of pre_start is left" 0 "$(pgrep -s "$(cat "$work/out/left" 2>/dev/null || echo 0)" sleep 2>/dev/null | wc -l)"
is "it stops" 0 "$(ctl stop web >/dev/null; echo $?)"
is "pre_stop joined the cell" "$(cat "$work/out/main")" "$(cat "$work/out/pre_stop")"
is "post_stop is told how it ended" success "$(cat "$work/out/result")"
is "no hook was waited for in vain" 0 "$(grep -c "in time" "$work/log")"
is "what is down is not healthy" 1 "$(ctl healthy web >/dev/null; echo $?)"
ends "hooks: it ends"

cat >"$work/conf.yaml" <<YAML
defaults: {isolation: {preset: server, private_tmp: false, network: true}}
services:
  closed: {command: [sleep, "1000"], healthcheck: {tcp: "127.0.0.1:47201", interval: 30ms, retries: 2}, restart: "no"}
  http: {command: [$work/tool, http, "200"], healthcheck: {http: "http://127.0.0.1:47200/x?y", interval: 50ms, timeout: 2s}, ready: healthcheck}
  ill: {command: [$work/tool, http, "503"], healthcheck: {http: "http://localhost:47200/", interval: 50ms, retries: 2, timeout: 2s}, restart: "no"}
  tcp: {command: [$work/tool, http, "200"], healthcheck: {tcp: "127.0.0.1:47200", interval: 50ms, timeout: 2s}, ready: healthcheck}
YAML
begin
is "a check by HTTP reaches the service in its own network" healthy "$(until_is http health healthy)"
is "and one by TCP" healthy "$(until_is tcp health healthy)"
is "a status of 503 is not well" unhealthy "$(until_is ill health unhealthy)"
is "nor is a closed port" unhealthy "$(until_is closed health unhealthy)"
is "the log says why" yes "$(grep -q 'health check: the answer is status: 503' "$work/log" && grep -q 'connect to 127.0.0.1 port 47201: Connection refused' "$work/log" && echo yes)"
is "healthy names who is not" "closed is unhealthy ill is unhealthy" "$(ctl healthy | tr '\n' ' ' | sed 's/ $//')"
ends "checks: it ends"

# Programs that people have. Each that is missing here is skipped by name.
have() { command -v "$1" >/dev/null 2>&1; }
pg=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | tail -1)
mkdir -m 777 "$work/pg" "$work/nginx" "$work/sd"
{
	echo "defaults: {isolation: {preset: server, private_tmp: false, volumes: [\"$work/out:$work/out:rw\"]}, restart: \"no\"}"
	echo "services:"
	echo "  always: {command: [sleep, \"1000\"]}"
	echo "  gone: {type: forking, command: [\"true\"]}"
	echo "  many: {type: forking, command: [sh, -c, 'sleep 1000 & sleep 1000 & exit 0']}"
	echo "  alone: {type: forking, command: [sh, -c, 'setsid sh -c \"sleep 1000; :\" & exit 0']}"
	if have systemd-notify; then
		echo "  sdnotify: {command: [sh, -c, 'systemd-notify --ready --status=\"said by systemd-notify\"; exec sleep 1000'], ready: notify, notify_access: all}"
	fi
	if have s6-ipcserver; then
		echo "  s6: {command: [sh, -c, 'exec s6-ipcserver -1 $work/out/s6.sock true >&4'], ready: {fd: 4}}"
	fi
	if have nginx; then
		cat >"$work/nginx/conf" <<CONF
pid $work/out/nginx.pid;
error_log stderr;
events { worker_connections 64; }
http { access_log off; client_body_temp_path $work/out/b; proxy_temp_path $work/out/p; fastcgi_temp_path $work/out/f;
uwsgi_temp_path $work/out/u; scgi_temp_path $work/out/s; server { listen unix:$work/out/nginx.sock; } }
CONF
		echo "  nginx: {type: forking, command: [nginx, -e, stderr, -c, $work/nginx/conf], pid_file: $work/out/nginx.pid, isolation: {volumes: [\"$work/out:$work/out:rw\", \"$work/nginx:$work/nginx:ro\"]}}"
	fi
	if [ -n "$pg" ] && id postgres >/dev/null 2>&1; then
		chown postgres "$work/pg"
		chmod 700 "$work/pg"
		echo "  pg: {user: postgres, command: [$pg/postgres, -D, $work/pg/data, -k, $work/pg, -c, listen_addresses=], ready: notify, stop_signal: SIGINT, isolation: {volumes: [\"$work/pg:$work/pg:rw\"]}, hooks: {pre_start: [$pg/initdb, -D, $work/pg/data, -A, trust, --no-sync]}}"
	fi
	if have "${CC:-gcc}" && [ -e /usr/include/systemd/sd-daemon.h ] && "${CC:-gcc}" -o "$work/sd/sd" tests/cells/programs/sd.c -lsystemd; then
		echo "  sd: {command: [$work/sd/sd], working_dir: $work/sd, ready: notify, watchdog: 3s, fd_store_max: 2, restart: on-failure, backoff: 10ms, isolation: {volumes: [\"$work/sd:$work/sd:ro\"]}}"
	fi
} >"$work/conf.yaml"
begin
maybe() { grep -q "^  $1:" "$work/conf.yaml" || { echo "skip lifecycle: $2: it, or what builds it, is not installed here"; false; }; }
if maybe sdnotify "systemd-notify"; then
	is "systemd-notify, a child of the main process, is heard" "up said by systemd-notify" "$(until_is sdnotify state up) $(field sdnotify status)"
fi
if maybe s6 "s6-ipcserver"; then
	is "s6-ipcserver says so by a newline" up "$(until_is s6 state up)"
fi
if [ -d /sys/fs/cgroup/prior ] || [ -d /sys/fs/cgroup/unified/prior ]; then
	is "what is alone in the background is the main process" up "$(until_is alone state up)"
	is "several are not guessed from" yes "$(until_is many state failed >/dev/null; ctl why many | grep -q 'name the main one.s file in pid_file' && echo yes)"
	is "none is a failure" yes "$(until_is gone state failed >/dev/null; ctl why gone | grep -q 'left none behind' && echo yes)"
	is "and its end is seen" yes "$(kill -KILL "$(field alone pid)"; until_is alone state failed >/dev/null; ctl status alone | grep -q 'is not known' && echo yes)"
	if maybe nginx "nginx"; then
		is "nginx goes into the background and is followed by its pid file" up "$(until_is nginx state up)"
		is "its main process is the one that its file names" "$(cat "$work/out/nginx.pid")" "$(sed -n 's/^NSpid:.*	//p' "/proc/$(field nginx pid)/status" 2>/dev/null)"
		is "it stops, and nothing of it is left" "0 0" "$(ctl stop nginx >/dev/null; echo $?) $(pgrep -cf "nginx.*$work/nginx/conf")"
	fi
else
	echo "skip lifecycle: forking: no writable cgroup2 here"
fi
if maybe pg "PostgreSQL"; then
	is "PostgreSQL, made by its pre_start hook, says that it is ready" up "$(until_is pg state up)"
	is "it answers" 1 "$(setpriv --reuid postgres --clear-groups "$pg/psql" -h "$work/pg" -Atc 'select 1' postgres 2>&1)"
	is "it stops by its own signal" 0 "$(ctl stop pg >/dev/null; echo $?)"
fi
if maybe sd "libsystemd"; then
	is "a program on libsystemd is ready after its barrier" "up 0 stored" "$(until_is sd state up) $(field sd status)"
	was=$(field sd pid)
	is "an exec of prior keeps what it stored" 0 "$(ctl reexec >/dev/null 2>&1; echo $?)"
	touch "$work/sd/hang"
	n=0
	while [ "$(field sd pid)" = "$was" ] && [ $n -lt 1200 ]; do n=$((n + 1)); pause; done
	rm "$work/sd/hang"
	is "one that stops to say WATCHDOG=1 is started again, with what it stored" "up 1 stored" "$(until_is sd state up) $(until_is sd status '1 stored')"
	is "and reads there what it had written" 1 "$(grep -c "sd | kept 'a secret'" "$work/log")"
	is "its watchdog was told to it" 2 "$(grep -c 'sd | watchdog 1' "$work/log")"
fi
ends "programs: it ends"

# A fault of prior itself in the middle of all of it: what must not be over before goes on when the file is there.
held="until [ -e $work/out/go ]; do sleep 0.05; done"
cat >"$work/conf.yaml" <<YAML
defaults: {isolation: {preset: server, private_tmp: false, volumes: ["$work/out:$work/out:rw"]}, restart: "no"}
services:
  back: {type: forking, command: [sh, -c, 'setsid sh -c "sleep 1000; :" & exit 0']}
  dog: {command: [sh, -c, 'systemd-notify --ready; exec sleep 1000'], ready: notify, notify_access: all, watchdog: 1s}
  fd: {command: [sh, -c, '$held; echo >&\$NOTIFY_FD; exec sleep 1000'], ready: fd}
  slow: {command: [sleep, "1000"], stop_timeout: 5m, hooks: {pre_start: [sh, -c, '$held'], post_start: [sleep, "1"], pre_stop: [sh, -c, 'echo >$work/out/stops; until [ -e $work/out/stop ]; do sleep 0.05; done'], post_stop: [sh, -c, 'sleep 1; echo done >$work/out/stopped']}}
  well: {command: [sleep, "1000"], healthcheck: {test: [CMD, sleep, "0.3"], interval: 100ms}, ready: healthcheck}
YAML
"$work/prior" up -c "$work/conf.yaml" --run-dir "$work/run" --log-dir "" >"$work/log" 2>&1 &
up=$!
waits() { ctl why slow 2>/dev/null | grep -c 'Its pre_start hook runs'; }
is "why says what the start waits for" 1 "$(n=0; until [ "$(waits)" = 1 ] || [ $n -ge 1200 ]; do n=$((n + 1)); pause; done; waits)"
n=0
until case $(field back state) in up | failed) true ;; *) [ $n -ge 1200 ] ;; esac; do n=$((n + 1)); pause; done
pid=$(field back pid)
kill -SEGV $up
until_own crashes 1 >/dev/null
: >"$work/out/go"
is "a fault during a hook, a check and a readiness pipe: all come up" "up up up" "$(until_is slow state up) $(until_is well state up) $(until_is fd state up)"
have systemd-notify && is "a watchdog goes on over a fault" failed "$(until_is dog state failed)"
[ "$pid" = null ] || is "a main process that is no child is kept" "$pid" "$(field back pid)"
ctl stop slow --no-wait >/dev/null
until_there "$work/out/stops"
kill -SEGV $up
until_own crashes 2 >/dev/null
: >"$work/out/stop"
is "a fault during a stop's hooks: it goes on" "down done 0" "$(until_is slow state down) $(cat "$work/out/stopped" 2>&1) $(grep -c "did not stop in time" "$work/log")"
is "and healthy is still what is said" "healthy 1" "$(until_is well health healthy) $(ctl why well | grep -c 'says that it is healthy')"
ends "faults: it ends"
exit $failed
