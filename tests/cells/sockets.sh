#!/bin/sh
# Sockets of every kind into cells, lazily and for each connection; what others do to them; nothing refused meanwhile.
# SPDX-License-Identifier: ISC
set -u
self=$(realpath "$0")
cd "$(dirname "$0")/../.." || exit 2
who=sockets
. tests/cells/lib/say.sh
needs_root
if [ -z "${SOCKETS_INSIDE-}" ]; then
	needs_spaces -mnp
	exec env SOCKETS_INSIDE=1 PRIOR="$(realpath "${PRIOR:?the binary}")" BUILD="$(realpath "${BUILD:-build}")" \
		unshare -mn --propagation private "$self"
fi
# A network of our own, so that every port is free.
ip link set lo up || exit 2
mount -t tmpfs tmpfs /srv || exit 2
work=/srv/test run=/srv/run
mkdir -p $work/open || exit 2
. tests/cells/lib/up.sh
cp "${BUILD:-build}/${LIBC:-glibc}/tests/cells/socks" $work/socks && chmod 755 $work/socks && chmod 1777 $work/open || exit 2
ends() { # NAME
	finish
	is "$1" 0 $?
}
ask() { timeout 120 $work/socks ask "$@" | sed 's/ pid .*//'; }
logged() { grep -c "$1" $work/log; }
live() { ctl status 2>/dev/null | grep -c '@'; }	# connections that are served

# --- every kind, in a cell that sees neither the files nor the network of the machine ---
cat >$conf <<YAML
defaults: {isolation: {preset: server, network: true}, restart: "no"}
services:
  all:
    command: [$work/socks, serve]
    listen:
      - {name: t4, tcp: "127.0.0.1:7001"}
      - {name: t6, tcp: "[::]:7002", ipv6_only: true, keepalive: true, no_delay: true, backlog: 3}
      - {name: both, tcp: ":7003", reuse_port: true}
      - {name: u, udp: "127.0.0.1:7001"}
      - {name: s, unix: $work/s.sock, mode: "0666"}
      - {name: d, unix_dgram: $work/new/dir/d.sock, mode: "0666", group: "4", pass_credentials: true}
      - {name: q, unix_seqpacket: $work/q.sock}
      - {name: f, fifo: $work/f, mode: "0622"}
      - {name: n, netlink: kobject-uevent 1, receive_buffer: 1M}
  own:
    command: [$work/socks, serve]
    listen:
      - {name: t, tcp: "127.0.0.1:7001", in: cell}
      - {name: m, tcp: "127.0.0.1:7005"}
      - {name: a, unix: "@own", in: cell}
      - {name: u, udp: ":7001", in: cell}
  busy: {command: [$work/socks, serve], listen: [{tcp: "192.0.2.7:7001", in: cell}]}
  lazy-u: {command: [$work/socks, serve, "1"], listen: [{udp: ":7010", activate: lazy}]}
  lazy-f: {command: [$work/socks, serve, "1"], listen: [{fifo: $work/lf, activate: lazy}]}
  lazy-q: {command: [$work/socks, serve, "1"], listen: [{unix_seqpacket: "@lazy-q", activate: lazy}]}
  astray: {command: [$work/socks, serve], listen: [{unix: $work/open/way/s.sock}]}
  taken: {command: [$work/socks, serve], listen: [{unix_dgram: $work/open/file}]}
YAML
ln -s $work $work/open/way
echo mine >$work/open/file
begin
is "a service gets sockets of every kind" up "$(until_says up field all state)"
is "and is told which, by pid and by number of its pidfd" 1 "$(until_says 1 logged 'all | fds 9 names t4:t6:both:u:s:d:q:f:n mine yes id \(yes\|none\) from - port -')"
is "TCP" "got a" "$(ask tcp 7001 a)"
is "an IPv6 socket of its own takes no IPv4" "Connection refused" "$(ask tcp 7002 a)"
is "but IPv6" "got a" "$(ask tcp6 7002 a)"
is "without that it takes both" "got a got b" "$(ask tcp 7003 a) $(ask tcp6 7003 b)"
is "UDP" "got a" "$(ask udp 7001 a)"
is "UNIX stream" "got a" "$(ask stream $work/s.sock a)"
is "UNIX datagram" "got a" "$(ask dgram $work/new/dir/d.sock a)"
is "UNIX seqpacket" "got a" "$(ask seqpacket $work/q.sock a)"
echo hello >$work/f
is "a FIFO" 1 "$(until_says 1 logged 'all | read hello')"
is "files have their mode and group" "666 0:4 622" "$(stat -c '%a %u:%g' $work/new/dir/d.sock) $(stat -c %a $work/f)"
is "options are set" "3 yes yes" "$(ss -tlnH sport = :7002 | awk '{print $3}') $(ss -tlneH sport = :7002 | grep -q v6only:1 && echo yes) $(ss -tlnH sport = :7001 | grep -q 127.0.0.1 && echo yes)"
is "a lazy UDP service starts at the first datagram, and again" "listening got a got b" "$(field lazy-u state) $(ask udp 7010 a) $(until_says listening field lazy-u state >/dev/null; ask udp 7010 b)"
echo one >$work/lf
is "a lazy FIFO" 1 "$(until_says 1 logged 'lazy-f | read one')"
is "a link in a directory that all may write to leads nowhere" refused "$(field astray state)"
is "which is told" 1 "$(logged 'astray: .*: way is a link in a directory that others can write to')"
is "what is there and no socket stays" "refused mine" "$(field taken state) $(cat $work/open/file)"
is "audit finds the files as they should be" 0 "$(ctl audit all >$work/audit 2>&1; echo $?)"
chmod 777 $work/s.sock
is "and sees one that somebody has opened to more" "1 1" "$(ctl audit all >$work/audit 2>&1; echo $?) $(grep -c 's.sock.*0777' $work/audit)"
is "status names them" "1 1 1" "$(ctl status all | grep -c 'udp 127.0.0.1:7001 (u)') $(ctl status all | grep -c 'netlink kobject-uevent, groups 1 (n)') $(ctl status all | grep -c 'tcp \[::\]:7002 (t6, ipv6_only, keepalive, no_delay)')"
inside() { timeout 120 $work/prior enter --run-dir $run own -- $work/socks ask "$@" | sed 's/ pid .*//'; }
own() { echo "$(inside tcp 7001 a) $(inside stream @own b) $(inside udp 7001 c) $(ask tcp 7005 d)"; }
is "sockets in the cell's own network, beside one in the machine's, in their order" 1 "$(until_says 1 logged 'own | fds 4 names t:m:a:u mine yes')"
is "answer in there" "got a got b got c got d" "$(own)"
is "and nowhere else" "Connection refused" "$(ask stream @own x)"
is "which status says" 1 "$(ctl status own | grep -c "tcp 127.0.0.1:7001 (t, in the cell's network)")"
is "they are there again after a restart" "0 got a got b got c got d" "$(ctl restart own >/dev/null 2>&1; echo $?) $(own)"
is "and all is as planned" 0 "$(ctl audit own >$work/audit 2>&1; echo $?)"
is "one that cannot be bound is told with its address" 1 "$(logged 'busy: start failed.*sockets in its network: listen on tcp 192.0.2.7:7001: \(Cannot assign\|Address not\)' | sed 's/[1-9][0-9]*/1/')"
rm $work/s.sock
is "a socket whose file is removed is made anew with the next start" "got a" "$(ctl restart all >/dev/null 2>&1; ask stream $work/s.sock a)"
is "which is told" 1 "$(logged 'socket.lost.*s.sock')"
ends "kinds: it ends"
is "its files are gone, those of others are not" "gone gone mine" "$([ -e $work/s.sock ] || echo gone) $([ -e $work/new/dir/d.sock ] || echo gone) $(cat $work/open/file)"

# --- a service for each connection ---
cat >$conf <<YAML
defaults: {isolation: {preset: server, network: true}}
services:
  io: {command: [$work/socks, each], listen: [{tcp: ":7020", activate: connection}], connections: {max: 20, per_source: 15, pass: stdio}}
  fd: {command: [$work/socks, each_fd], listen: [{unix: $work/fd.sock, activate: connection}]}
  few: {command: [$work/socks, each], listen: [{tcp: "127.0.0.1:7021", activate: connection}], connections: {max: 3, pass: stdio}}
YAML
begin
is "a base listens and has no process" "listening null" "$(field io state) $(field io pid)"
is "nor drawn" "1 0" "$(ctl graph | grep -c '"io" \[') $(ctl graph | grep -c 'io@')"
is "nor counted" 1 "$(logged ', 3 services')"
is "free slots are not shown" 3 "$(ctl status --json | grep -c '"service"')"
is "each connection is told where it is from" "fds - names - mine no id no from 127.0.0.1 port yes" "$(timeout 120 $work/socks ask tcp 7020 x | head -1 | sed 's/id none/id no/')"
is "also by IPv6" "from ::1 port yes" "$(timeout 120 $work/socks ask tcp6 7020 x | head -1 | sed 's/.*from/from/')"
is "as descriptor 3 it is the connection of LISTEN_FDS" "fds 1 names connection mine yes" "$(timeout 120 $work/socks ask stream $work/fd.sock x | head -1 | sed 's/ id.*//')"
is "its standard error is the base's log" yes "$(until_says yes sh -c "grep -q 'io | serving 127.0.0.1' $work/log && echo yes")"
is "it ends with its connection, whatever its code" 0 "$(until_says 0 live)"
$work/socks hold tcp 7020 10 <&9 >$work/held &
held=$!
is "ten at once" "said 10 closed 0" "$(until_says 'said 10 closed 0' tail -1 $work/held)"
is "are ten services" 10 "$(until_says 10 live)"
is "each in a cell that was read back" 10 "$(ctl status --json | tr -d '\n ' | grep -o '"service":"io@[^}]*"attested":true' | wc -l)"
is "and that is still as planned" 0 "$(ctl audit >$work/audit 2>&1; echo $?)"
is "status says whom they serve" "1 1" "$(ctl status io | grep -c '10 of at most 20 connections') $(ctl status io@3 | grep -c 'serves  127.0.0.1 port [0-9]')"
$work/socks hold tcp 7020 8 <&9 >$work/more &
more=$!
is "one source may have no more than its share; others are closed" "said 5 closed 3" "$(until_says 'said 5 closed 3' tail -1 $work/more)"
refusals() { sed -n 's/.*io: connection refused.*/1/p; s/.*io: connections refused count \([0-9]*\).*/\1/p' "$work/log" | awk '{ n += $1 } END { print n + 0 }'; }
is "which is told, and each of them counted" 3 "$(until_says 3 refusals)"
pids=$(ctl status --json | tr -d '\n ' | grep -o '"service":"io@[^}]*"pid":[0-9]*' | sed 's/.*://' | sort | tr '\n' ' ')
is "an exec of prior keeps every one" "0 $pids" "$(ctl reexec >/dev/null 2>&1; echo $?) $(until_says 15 live >/dev/null; ctl status --json | tr -d '\n ' | grep -o '"service":"io@[^}]*"pid":[0-9]*' | sed 's/.*://' | sort | tr '\n' ' ')"
kill -SEGV $up
is "and so does a fault" "15 $pids" "$(until_says 15 live) $(ctl status --json | tr -d '\n ' | grep -o '"service":"io@[^}]*"pid":[0-9]*' | sed 's/.*://' | sort | tr '\n' ' ')"
is "the share holds after it" yes "$(timeout 120 $work/socks ask tcp 7020 x | grep -q "closed\|reset" && echo yes)"
sed 's/max: 3,/max: 4,/' $conf >$work/conf.new && mv $work/conf.new $conf
is "a reload that does not concern them keeps them" "0 15" "$(ctl reload-config >/dev/null 2>&1; echo $?) $(until_says 15 live)"
kill $held $more
is "they go with their connections" 0 "$(until_says 0 live)"
$work/socks hold tcp 7021 6 <&9 >$work/held &
held=$!
is "no more than the most are served" "said 4 closed 0 4" "$(until_says 'said 4 closed 0' tail -1 $work/held) $(live)"
is "which is told once" 1 "$(until_says 1 logged 'connections-full\|further connections wait')"
ctl stop few@1 >/dev/null 2>&1
is "the others wait until one has ended" "said 5 closed 1" "$(until_says 'said 5 closed 1' tail -1 $work/held)"
is "a person cannot start one" 1 "$(ctl start few@4 2>&1 | grep -c 'only a connection starts it')"
is "a stop of the base ends them all" "0 down 0" "$(ctl stop few >/dev/null 2>&1; echo $?) $(field few state) $(live)"
kill $held
ctl start few >/dev/null 2>&1
until_says listening field few state >/dev/null
is "a start listens again" "pid" "$(timeout 120 $work/socks ask tcp 7021 x | head -1 | sed 's/fds.*/pid/')"
ends "connections: it ends"

# --- one that has nothing to do ---
cat >$conf <<YAML
defaults: {isolation: {preset: server, network: true}}
services:
  tcp: {command: [$work/socks, serve], listen: [{tcp: "127.0.0.1:7050", activate: lazy}], idle_timeout: 1s}
  local: {command: [$work/socks, serve], listen: [{unix: $work/idle.sock, activate: lazy}], idle_timeout: 1s}
YAML
begin
is "a service with an idle_timeout answers" "got a 1" "$(ask tcp 7050 a) $(until_says 1 logged 'tcp: ready')"
is "is stopped when nothing comes" "listening 1" "$(until_says listening field tcp state) $(logged 'tcp: idle')"
is "and starts again" "got b 2" "$(ask tcp 7050 b) $(until_says 2 logged 'tcp: ready')"
$work/socks hold stream $work/idle.sock 1 <&9 >/dev/null &
held=$!
is "another one" up "$(until_says up field local state)"
pause 3
is "is not, with a connection that waits" up "$(field local state)"
kill $held
ends "idle: it ends"

# --- what is handed in ---
cat >$conf <<YAML
defaults: {isolation: {preset: server}, restart: "no"}
services:
  dns: {command: [$work/socks, serve], listen: [{name: dns, udp: ":53"}]}
YAML
LISTEN_FDNAMES=dns begin $work/socks hand udp 7030
is "a UDP socket of LISTEN_FDS is passed on" "got a" "$(ask udp 7030 a)"
ends "handed in: it ends"
LISTEN_FDNAMES=dns begin $work/socks hand tcp 7030
wait $up
is "one of another kind is refused by name" "1 1" "$? $(logged "dns: refused: .*what LISTEN_FDS hands in by that name is not 'udp'")"
up=

# --- a client in a loop, while everything is replaced over and over ---
cat >$conf <<YAML
defaults: {isolation: {preset: server, network: true}}
services:
  a: {command: [$work/socks, serve], listen: [{tcp: "127.0.0.1:7040"}]}
  c: {command: [$work/socks, each], listen: [{tcp: "127.0.0.1:7041", activate: connection}], connections: {pass: stdio}}
  x: {command: [sleep, "1000"], environment: {X: "0"}}
YAML
begin
rounds=${ROUNDS:-100}
calm() { # WHAT COMMAND...: that many times, while clients ask
	what=$1
	shift
	$work/socks loop tcp 7040 2000000 >$work/loop-a 2>&1 &
	one=$!
	$work/socks loop tcp 7041 2000000 >$work/loop-c 2>&1 &
	two=$!
	n=0
	while [ $n -lt "$rounds" ]; do
		n=$((n + 1))
		"$@" >>$work/calm 2>&1 || echo "round $n: $?" >>$work/failed
	done
	kill -INT $one $two
	wait $one $two
	sed -n "s/^#/# $what:/p" $work/loop-a $work/loop-c
	is "$what: nothing is refused" "asked often, refused 0, silent 0 asked often, refused 0, silent 0 " "$(grep -hv '^#' $work/loop-a $work/loop-c | tr '\n' ' ')$(cat $work/failed 2>/dev/null)"
}
another() { # as another configuration
	sed "s/X: .*}/X: \"$n\"}}/" $conf >$work/conf.new && mv $work/conf.new $conf && ctl reload-config
}
fault() {
	generation=$(ctl status --prior --json | tr -d '\n ' | grep -o '"generation":[0-9]*' | head -1)
	kill -SEGV $up
	k=0
	while [ "$(ctl status --prior --json 2>/dev/null | tr -d '\n ' | grep -o '"generation":[0-9]*' | head -1)" = "$generation" ] && [ $k -lt 1200 ]; do k=$((k + 1)); pause; done
}
calm "$rounds restarts" ctl restart a
calm "$rounds reloads" another
calm "$rounds re-execs" ctl reexec
rounds=4		# five faults within a minute are survived, one more is not
calm "$rounds faults" fault
ends "loop: it ends"
exit $failed
