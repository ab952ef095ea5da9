#!/bin/sh
# Real programs from Debian's packages, by the examples in configs/examples, each driven by its own client. Needs root.
# SPDX-License-Identifier: ISC
set -u
self=$(realpath "$0")
cd "$(dirname "$0")/../.." || exit 2
: "${PRIOR:?the binary}"
who=programs
. tests/cells/lib/say.sh
needs_root
if [ -z "${PROGRAMS_INSIDE-}" ]; then
	unshare -mnp --fork true 2>/dev/null || { echo "skip programs: no namespace can be made here"; exit 0; }
	exec env PROGRAMS_INSIDE=1 PRIOR="$(realpath "$PRIOR")" unshare -mn --propagation private "$self"
fi
# A network of our own, so that every port is free; and what is written to /etc, /var and /run goes with our mounts.
ip link set lo up || exit 2
mount -t tmpfs tmpfs /srv && mount -t tmpfs tmpfs /run && mount -t tmpfs tmpfs /home || exit 2
for d in etc var; do
	mkdir -p /srv/$d/upper /srv/$d/work
	mount -t overlay overlay -o lowerdir=/$d,upperdir=/srv/$d/upper,workdir=/srv/$d/work /$d ||
		{ echo "skip programs: no overlay can be mounted here"; exit 0; }
done
work=/srv/test run=/run/programs
mkdir -p $work /etc/prior /var/www/html /run/lock || exit 2
. tests/cells/lib/up.sh
cp configs/examples/nginx.conf /etc/prior/
rm -rf /var/lib/redis /var/lib/postgresql /var/lib/sshd
head -c 20000 /dev/zero | tr '\0' x >/var/www/html/page
# Where we may not raise limits ourselves, the examples and presets cannot either: then ours are the highest.
least() { if (ulimit "$1" "$2") 2>/dev/null; then echo "$2"; else ulimit "-H${1#-}"; fi; }
files=$(least -n 65536)
example() { # EXAMPLE: its file
	if [ "$files" != 65536 ]; then
		locked=$(ulimit -Hl)
		[ "$locked" = unlimited ] || locked=${locked}K
		grep -q '^defaults:' configs/examples/"$1".yaml || echo "defaults:"
		sed "s/nofile: 65536/nofile: $files/" configs/examples/"$1".yaml
	else
		cat configs/examples/"$1".yaml
	fi >$work/"$1".yaml
	[ "$files" = 65536 ] || sed -i "s/^defaults:/&\n  limits: {nofile: $files, memlock: $locked}/" $work/"$1".yaml
	echo $work/"$1".yaml
}
started() { # EXAMPLE
	conf=$(example "$1")
	begin
}
# After the load: it is still the process of before, as planned, and it ends well and in time.
served() { # SERVICE PID
	is "$1: the same process has served all that" "$2" "$(field "$1" pid)"
	is "$1: it was attested" true "$(field "$1" attested)"
	got=$(ctl audit "$1" 2>&1)
	is "$1: and is as planned after the load" "" "$(printf '%s\n' "$got" | grep '✗')"
	finish
	is "$1: it stops when it is asked to" 0 $?
	is "$1: and was not killed" "" "$(grep -a 'did not stop in time' $work/log)"
}
load() { # URL NUMBER: all of them are answered
	timeout 60 ab -q -n "$2" -c 8 "$1" 2>&1 | awk '/^Complete requests/ { c = $3 } /^Failed requests/ { f = $3 }
		/^Non-2xx/ { x = $3 } END { print c + 0, f + x + 0 }'
}
have() { # EXAMPLE PROGRAM...
	example=$1
	shift
	for p; do
		PATH=$PATH:/usr/sbin:/usr/lib/postgresql/15/bin command -v "$p" >/dev/null ||
			{ echo "skip programs: $example: there is no $p (see tools/packages.txt)"; return 1; }
	done
	[ -z "${ONLY-}" ] || [ "$ONLY" = "$example" ]
}

if have nginx nginx ab; then
	started nginx
	until_works timeout 20 ab -q -n 1 http://127.0.0.1/page
	pid=$(field nginx pid)
	is "nginx: 2000 requests, none of them failed" "2000 0" "$(load http://127.0.0.1/page 2000)"
	ctl reload nginx >/dev/null 2>&1 || ctl signal nginx SIGHUP >/dev/null 2>&1
	is "nginx: it serves on after a reload" "200 0" "$(load http://127.0.0.1/page 200)"
	served nginx "$pid"
fi
if have redis redis-server redis-benchmark redis-cli; then
	started redis
	is "redis: it says when it is ready" up "$(field redis state)"
	pid=$(field redis pid)
	is "redis: its benchmark runs" 3 "$(timeout 60 redis-benchmark -q -n 20000 -c 20 -t set,get,lpush 2>&1 | tr '\r' '\n' | grep -c 'requests per second')"
	is "redis: it writes its data to disk" OK "$(timeout 120 redis-cli save)"
	is "redis: it forks a child for that" "Background append only file rewriting started" "$(timeout 120 redis-cli bgrewriteaof)"
	served redis "$pid"
	is "redis: what it kept is there" redis "$(stat -c %U /var/lib/redis/dump.rdb)"
fi
if have postgresql postgres pgbench psql; then
	started postgresql
	pg() { timeout 60 setpriv --reuid postgres --regid postgres --clear-groups "$@" 2>&1; }
	until_works pg psql -h /run/postgresql -c 'select 1' postgres
	pid=$(field postgresql pid)
	pg pgbench -h /run/postgresql -q -i -s 2 postgres >$work/init
	is "postgresql: 500 transactions of 5 clients, none of them failed" "500/500 0" "$(pg pgbench -h /run/postgresql -c 5 -j 2 -t 100 postgres |
		awk '/actually processed/ { n = $NF } /failed transactions/ { f = $5 } END { print n, f + 0 }')"
	is "postgresql: parallel workers share memory" 200000 "$(pg psql -h /run/postgresql -At -c 'set min_parallel_table_scan_size = 0; set parallel_setup_cost = 0; set force_parallel_mode = on; select count(*) from pgbench_accounts' postgres | tail -1)"
	served postgresql "$pid"
fi
if have memcached memcached python3; then
	started memcached
	until_works test -S /run/memcached/memcached.sock
	pid=$(field memcached pid)
	is "memcached: 5000 values come back by its socket" 5000 "$(timeout 60 python3 -c '
import socket
s = socket.socket(socket.AF_UNIX); s.connect("/run/memcached/memcached.sock"); f = s.makefile("rwb"); n = 0
for i in range(5000):
    f.write(b"set k%d 0 0 100\r\n%s\r\n" % (i, b"%0100d" % i)); f.flush(); assert f.readline() == b"STORED\r\n"
for i in range(5000):
    f.write(b"get k%d\r\n" % i); f.flush(); f.readline(); n += f.readline() == b"%0100d\r\n" % i; f.readline()
print(n)' 2>&1)"
	served memcached "$pid"
fi
if have sshd sshd ssh ssh-keygen; then
	useradd -m -s /bin/sh visitor 2>/dev/null && usermod -p '*' visitor
	mkdir -p /home/visitor/.ssh && ssh-keygen -q -t ed25519 -N '' -f $work/key
	cp $work/key.pub /home/visitor/.ssh/authorized_keys
	chown -R visitor /home/visitor && chmod 700 /home/visitor /home/visitor/.ssh
	started sshd
	as() { timeout 120 ssh -F /dev/null -i $work/key -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
		-o LogLevel=ERROR visitor@127.0.0.1 "$@" 2>&1; }
	until_works as true
	pid=$(field sshd pid)
	is "sshd: a login is the user's" visitor "$(as id -un)"
	n=0
	for i in 1 2 3 4 5 6 7 8 9 10; do [ "$(as "echo $i; exit 3"; echo $?)" = "$i
3" ] && n=$((n + 1)); done
	is "sshd: ten commands, each with its output and its code" 10 $n
	is "sshd: a megabyte goes through" 1048576 "$(head -c 1048576 /dev/zero | as 'cat >file; stat -c %s file' | tail -1)"
	is "sshd: a terminal is the user's" "visitor" "$(as -tt 'stat -c %U $(tty)' | tr -d '\r' | tail -1)"
	is "sshd: the session cannot become root" 0 "$(as 'su -c true root </dev/null >/dev/null 2>&1; grep -c "NoNewPrivs:.*0" /proc/self/status')"
	served sshd "$pid"
	if [ -z "${ONLY-}" ] || [ "$ONLY" = sshd-per-connection ] || [ "$ONLY" = sshd ]; then
		started sshd-per-connection
		until_works as true
		sessions() { ctl status | grep -c 'ssh@'; }	# one is told of for a moment after its client has gone
		until_says 0 sessions >/dev/null
		held='until [ -e go ]; do sleep 0.05; done'	# a session that stays until it has been looked at
		is "sshd -i: a login is a service of its own" "visitor 1" "$(as "id -un; $held" >$work/said & until_works grep visitor $work/said
			n=$(ctl status 2>/dev/null | grep -c 'ssh@.* up '); : >/home/visitor/go; wait; echo "$(cat $work/said) $n")"
		rm -f /home/visitor/go
		n=0
		for i in 1 2 3 4 5 6 7 8 9 10; do [ "$(as "echo $i; exit 3"; echo $?)" = "$i
3" ] && n=$((n + 1)); done
		is "sshd -i: ten commands, each with its output and its code" 10 $n
		is "sshd -i: a megabyte goes through" 1048576 "$(head -c 1048576 /dev/zero | as 'cat >file; stat -c %s file' | tail -1)"
		is "sshd -i: its session is attested as planned" 0 "$(until_says 0 sessions >/dev/null
			as "echo in; $held" >$work/said & until_works grep in $work/said
			ctl audit >$work/audit 2>&1 || cat $work/audit; echo $?; : >/home/visitor/go; wait)"
		is "sshd -i: when all are gone, none runs" 0 "$(until_says 0 sessions)"
		finish
		is "sshd -i: it ends" 0 $?
	fi
fi
if have gunicorn gunicorn ab; then
	mkdir -p /srv/app
	cat >/srv/app/app.py <<'PY'
import os
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"%d" % os.getppid()]
PY
	started gunicorn
	is "gunicorn: it waits for the first connection" listening "$(field gunicorn state)"
	is "gunicorn: which starts it" "100 0" "$(load http://127.0.0.1:8000/ 100)"
	is "gunicorn: it says when it is ready" "up Gunicorn arbiter booted" "$(until_is gunicorn state up) $(field gunicorn status)"
	pid=$(field gunicorn pid)
	is "gunicorn: 1000 requests, none of them failed" "1000 0" "$(load http://127.0.0.1:8000/ 1000)"
	load http://127.0.0.1:8000/ 2000 >$work/during &
	is "gunicorn: and is restarted under load" 0 "$(ctl restart gunicorn >/dev/null 2>&1; echo $?)"
	wait $!
	is "gunicorn: its socket was there all the time: 2000 were answered" "2000" "$(cut -d' ' -f1 $work/during)"
	hasnt "gunicorn: by another process" " $pid " " $(field gunicorn pid) "
	served gunicorn "$(field gunicorn pid)"
fi
if have haproxy haproxy ab; then
	cp configs/examples/haproxy.cfg /etc/prior/
	started haproxy
	is "haproxy: its master says when the workers are ready" up "$(field haproxy state)"
	pid=$(field haproxy pid)
	is "haproxy: 2000 requests, none of them failed" "2000 0" "$(load http://127.0.0.1:8080/ 2000)"
	load http://127.0.0.1:8080/ 2000 >$work/during &
	is "haproxy: it is told to reload under load" 0 "$(ctl reload haproxy >/dev/null 2>&1; echo $?)"
	wait $!
	is "haproxy: and all were answered" 2000 "$(cut -d' ' -f1 $work/during)"
	is "haproxy: which its master tells, and when it is over" "1 1" "$(n=0; until grep -q 'haproxy: reloaded' $work/log || [ $n -ge 1200 ]; do n=$((n + 1)); pause; done
		echo $(grep -c 'haproxy: reloading' $work/log) $(grep -c 'haproxy: reloaded' $work/log))"
	served haproxy "$pid"
fi
if have dbus dbus-daemon dbus-send; then
	started dbus
	is "dbus: it says when it is ready" up "$(field dbus state)"
	pid=$(field dbus pid)
	bus() { timeout 120 dbus-send --system --print-reply=literal --dest=org.freedesktop.DBus / org.freedesktop.DBus."$@" 2>&1 | sed 's/^ *//'; }
	is "dbus: its own client is answered" "uint32 $(id -u messagebus)" "$(bus GetConnectionUnixUser string:org.freedesktop.DBus)"
	is "dbus: it knows its clients by their credentials" "$(id -u nobody)" "$(setpriv --reuid nobody --clear-groups /usr/bin/python3 -c '
import os, socket
s = socket.socket(socket.AF_UNIX); s.connect("/run/dbus/system_bus_socket")
s.sendall(b"\0AUTH EXTERNAL " + str(os.getuid()).encode().hex().encode() + b"\r\n")
print(os.getuid() if s.recv(99).startswith(b"OK ") else "refused")' 2>&1)"
	is "dbus: and believes nobody who says to be another" refused "$(setpriv --reuid nobody --clear-groups /usr/bin/python3 -c '
import socket
s = socket.socket(socket.AF_UNIX); s.connect("/run/dbus/system_bus_socket")
s.sendall(b"\0AUTH EXTERNAL 30\r\n")
print("believed" if s.recv(99).startswith(b"OK ") else "refused")' 2>&1)"
	is "dbus: a hundred calls" 100 "$(n=0; for i in $(seq 100); do [ "$(bus NameHasOwner string:org.freedesktop.DBus)" = "boolean true" ] && n=$((n + 1)); done; echo $n)"
	served dbus "$pid"
fi
for one in python-web:8000:/usr/bin/python3 node-web:8080:node; do
	example=${one%%:*} port=${one#*:} program=${one##*:}
	port=${port%%:*}
	have $example $program ab || continue
	started $example
	until_works timeout 20 ab -q -n 1 http://127.0.0.1:$port/page
	pid=$(field $example pid)
	is "$example: 1000 requests, none of them failed" "1000 0" "$(load http://127.0.0.1:$port/page 1000)"
	served $example "$pid"
done
exit $failed
