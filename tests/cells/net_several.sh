#!/bin/sh
# A service on several bridges, its neighbours on one each: names, addresses, and no way through it.
# SPDX-License-Identifier: ISC
set -u
self=$(realpath "$0")
cd "$(dirname "$0")/../.." || exit 2
who=several
. tests/cells/lib/say.sh
needs_root
needs_spaces --net
for one in python3 nft ip; do
	command -v $one >/dev/null || { echo "skip $who: needs $one"; exit 0; }
done
unshare -n ip link add b0 type bridge 2>/dev/null || { echo "skip $who: this kernel has no bridges"; exit 0; }
[ "${INSIDE-}" ] || INSIDE=1 exec unshare -n "$self"
. tests/cells/lib/up.sh

# What one says at 7000 over either family is its own name; ask: what is heard of NAMES and ADDRESSES.
cat >"$work/say.py" <<'PY'
import socket, sys
s = socket.create_server(("::", 7000), family=socket.AF_INET6, dualstack_ipv6=True)
print("listening", flush=True)
while True:
    c = s.accept()[0]
    c.sendall(sys.argv[1].encode())
    c.close()
PY
cat >"$work/ask.py" <<'PY'
import socket, sys, time
def connect(to):  # who is asked may have been started just now
    end = time.monotonic() + 60
    while True:
        try:
            return socket.create_connection(to, 20)
        except ConnectionRefusedError:
            if time.monotonic() > end:
                raise
            time.sleep(0.02)
for name in sys.argv[1:]:
    for family, what in ((socket.AF_INET, 4), (socket.AF_INET6, 6)):
        try:
            where = socket.getaddrinfo(name, 7000, family, socket.SOCK_STREAM)[0][4]
            with connect(where[:2]) as c:
                print(f"{name} {what}: {c.recv(64).decode()} at {where[0]} from {c.getsockname()[0]}", flush=True)
        except OSError as e:
            print(f"{name} {what}: nothing: {e}", flush=True)
PY
chmod 644 "$work"/*.py
ip link set lo up
echo 1 >/proc/sys/net/ipv4/ip_forward	# what a new network of the machine's begins with
cat >"$conf" <<YAML
network:
  bridges:
    front: {subnets: [10.88.0.0/24, "fd88::/64"]}
    back: {subnets: [10.89.0.0/24, "fd89::/64"], nat: true}
defaults: {isolation: {volumes: ["$work:/opt"]}}
services:
  mid:
    command: [python3, /opt/say.py, mid]
    restart: "no"
    isolation:
      network:
        - {bridge: front, ports: ["127.0.0.1:8080:7000"]}
        - {bridge: back, send_max: 100M, receive_max: 100M}
  rear: {command: [python3, /opt/say.py, rear], isolation: {network: {bridge: back}}}
  fore: {command: [python3, /opt/say.py, fore], isolation: {network: {bridge: front}}}
  side: {type: oneshot, command: [python3, /opt/ask.py, rear], isolation: {network: {service: mid}}}
YAML
begin || { not_ok "all is up" "$(cat "$work/err")"; exit 1; }
inside() { one=$1; shift; nsenter -t "$(field "$one" pid)" -n "$@"; }
address() { # SERVICE FAMILY INTERFACE
	inside "$1" ip -o "-$2" addr show dev "$3" scope global | sed 's/.*inet6* \([^/]*\).*/\1/'
}
for one in mid rear fore; do
	[ "$(field $one state)" = up ] || { not_ok "$one is up" "$(ctl status $one)"; exit 1; }
	until_logs "$one" listening >/dev/null
done
# In the network of the service, with its names.
ask() { # SERVICE NAME...
	one=$1; shift
	nsenter -t "$(field "$one" pid)" -n -m python3 /opt/ask.py "$@"
}
mid4=$(address mid 4 host0) mid4b=$(address mid 4 host1) mid6b=$(address mid 6 host1)
heard=$(ask mid rear fore)
for v in 4 6; do
	has "who is on both reaches rear by name, IPv$v" "rear $v: rear at $(address rear $v host0) from $(address mid $v host1)" "$heard"
	has "and fore on the other bridge, IPv$v" "fore $v: fore at $(address fore $v host0) from $(address mid $v host0)" "$heard"
done
heard=$(ask rear mid fore)
has "rear finds it at its address on that bridge, IPv4" "mid 4: mid at $mid4b" "$heard"
has "IPv6, too" "mid 6: mid at $mid6b" "$heard"
has "and knows no name of the other bridge" "fore 4: nothing" "$heard"
has "fore finds it at the other address" "mid 4: mid at $mid4" "$(ask fore mid)"
has "who shares its network has the names of both" "rear 4: rear" "$(until_logs side "rear 4:")"

# The way through it: routes by hand, as a neighbour and who helps him would make them.
is "it passes nothing on, though the machine does" "0 0" \
	"$(inside mid cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding | tr '\n' ' ' | sed 's/ $//')"
dropped() { nft list table bridge prior | awk '/counter/ && /drop/ { for (i = 1; i < NF; i++) if ($i == "packets") n += $(i + 1) } END { print n }'; }
inside fore ip route add "$(address rear 4 host0)/32" via "$mid4"
inside rear ip route add "$(address fore 4 host0)/32" via "$mid4b"
cat >"$work/reach.py" <<'PY'
import socket, sys
try:
    socket.create_connection((sys.argv[1], 7000), 3).close()
    print("reached")
except OSError:
    print("not")
PY
reach() { inside "$1" python3 "$work/reach.py" "$(address rear 4 host0)"; }
n=0
until [ "$(reach mid)" = reached ] || [ $n -ge 10 ]; do n=$((n + 1)); done
[ $n -lt 10 ] && ok "who is on its bridge reaches it in that time" ||
	not_ok "who is on its bridge reaches it in that time" "not in ten tries"
is "a neighbour of one bridge does not reach one of the other through it" not "$(reach fore)"
inside mid sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
before=$(dropped)
is "nor when it wants to let him" not "$(reach fore)"
[ "$(dropped)" -gt "$before" ] && ok "since that would be another's address" ||
	not_ok "since that would be another's address" "$before packets dropped before, $(dropped) now"
cat >"$work/raw.py" <<'PY'
import socket, sys
source, to, device = sys.argv[1:]
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
head = bytes([0x45, 0, 0, 28, 0, 1, 0, 0, 64, 1, 0, 0]) + socket.inet_aton(source) + socket.inet_aton(to)
s.sendto(head + bytes([8, 0, 0xf7, 0xff, 0, 0, 0, 0]), (to, 0))
PY
for end in 0 1; do
	[ $end = 0 ] && to=$(address fore 4 host0) || to=$(address rear 4 host0)
	for whose in nobody other; do
		from=10.90.0.1 name="an address of nobody's goes nowhere by host$end"
		[ $whose = nobody ] ||
			{ from=$(address mid 4 host$((1 - end))); name="its own of the other bridge neither, by host$end"; }
		before=$(dropped)
		inside mid python3 "$work/raw.py" "$from" "$to" host$end
		n=0
		until [ "$(dropped)" -gt "$before" ] || [ $n -ge 400 ]; do n=$((n + 1)); pause; done
		[ "$(dropped)" -gt "$before" ] && ok "$name" ||
			not_ok "$name" "$(nft list table bridge prior)"
	done
done

# One way needs no answer: a datagram to its address of the other bridge. Whoever is there is heard, and so are groups.
cat >"$work/hear.py" <<'PY'
import socket, sys
for ip in sys.argv[1:]:
    s = socket.socket(socket.AF_INET6 if ":" in ip else socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((ip, 9000))
    s.settimeout(120)
    print("bound", flush=True)
    print(ip, s.recv(64).decode(), flush=True)
PY
cat >"$work/tell.py" <<'PY'
import socket, sys
ip, what = sys.argv[1:]
s = socket.socket(socket.AF_INET6 if ":" in ip else socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
s.sendto(what.encode(), (ip, 9000))
PY
inside fore ip route add "$mid4b/32" via "$mid4"
inside fore ip -6 route add "$mid6b/128" via "$(address mid 6 host0)"
inside mid python3 -u "$work/hear.py" "$mid4b" "$mid6b" 10.89.0.255 >"$work/heard" &
hears=$! bound=0
for to in "$mid4b" "$mid6b" 10.89.0.255; do
	bound=$((bound + 1)) n=0
	until [ "$(grep -c bound "$work/heard")" = $bound ] || [ $n -ge 1200 ]; do n=$((n + 1)); pause; done
	if [ $to != 10.89.0.255 ]; then
		before=$(dropped)
		inside fore python3 "$work/tell.py" "$to" "from front"
		n=0
		until [ "$(dropped)" -gt "$before" ] || grep -q "$to from front" "$work/heard" || [ $n -ge 400 ]; do
			n=$((n + 1)); pause
		done
	fi
	inside rear python3 "$work/tell.py" "$to" "from back"
done
wait $hears
is "what a neighbour of one bridge sends to its address of the other does not reach it" \
	"$mid4b from back,$mid6b from back,10.89.0.255 from back," "$(grep from "$work/heard" | tr '\n' ,)"
has "and network says how often" "to a service's address on another of its bridges" "$(ctl network)"

has "status has the addresses with their bridges" "$mid4b/24 on back" "$(ctl status mid)"
has "and the bounds" "at most 100.0M bytes a second on back" "$(ctl status mid)"
is "the table has a line for each interface" 2 "$(ctl network | grep -c '^mid ')"
has "and its JSON their names in the cell" '"inside": "host1"' "$(ctl network --json)"
is "its JSON reads as one" 2 "$(ctl network --json | python3 -c '
import json, sys
print(sum(c["service"] == "mid" for c in json.load(sys.stdin)["cells"]))')"
has "a port that is published leads to it" "mid" "$(python3 -c '
import socket
with socket.create_connection(("127.0.0.1", 8080), 20) as c: print(c.recv(64).decode())')"
ctl audit mid >"$work/audit" || not_ok "the audit finds all as planned" "$(cat "$work/audit")"

pid=$(field rear pid)
sed -i 's/^  rear: .*/&\n  late: {command: [sleep, "1000"], isolation: {network: {bridge: back}}}/' "$conf"
ctl reload-config >/dev/null
has "a new neighbour's name is there at once" " late" "$(inside mid nsenter -t "$(field mid pid)" -m cat /etc/hosts)"
is "nobody was restarted for that" "$pid" "$(field rear pid)"

# A new bridge whose name an interface has: the one that was made before it goes again, and all else is as it was.
cp "$conf" "$work/before.yaml"
ip link add dd type veth peer name dd0
sed -i 's,^  bridges:,&\n    cc: {subnets: [10.90.0.0/24]}\n    dd: {subnets: [10.91.0.0/24]},' "$conf"
is "a reload that cannot make a bridge fails" 1 "$(ctl reload-config >"$work/out" 2>&1; echo $?)"
has "and says which" "dd" "$(cat "$work/out")"
is "a_failed_change_is_taken_back: no other new one stays" "" "$(ip -o link show cc 2>/dev/null)"
ctl restart fore >/dev/null
is "and a service on an old one starts" up "$(until_is fore state up)"
ip link del dd
cp "$work/before.yaml" "$conf"
ctl reload-config >/dev/null || not_ok "what it was before is taken again" "$(tail -3 "$work/log")"

was="$mid4 $mid4b"
ctl restart mid >/dev/null
is "its addresses are the same after a restart" "$was" "$(until_is mid state up >/dev/null; address mid 4 host0) $(address mid 4 host1)"
ends() { { ip -o link show master front; ip -o link show master back; } | grep -c ': p-mid'; }
is "with one end on each bridge" 2 "$(ends)"
ctl stop mid >/dev/null
is "when it stops, both go" 0 "$(n=0; while [ "$(ends)" != 0 ] && [ $n -lt 1200 ]; do n=$((n + 1)); pause; done; ends)"

# The second one cannot be made: its bridge is gone. Of the first nothing stays.
ip link del back
ctl start mid >/dev/null 2>&1
has "a start that fails at the second interface says so" "bridge back" "$(ctl status mid)"
hasnt "and leaves none of the first" p-mid "$(ip -o link)"
finish || not_ok "it ends with 0" "$(tail -3 "$work/log")"
exit $failed
