#!/bin/sh
# A service in the network of another, and networks that stay across restarts: in a network of the test's own.
# SPDX-License-Identifier: ISC
set -u
self=$(realpath "$0")
cd "$(dirname "$0")/../.." || exit 2
who=shared
. tests/cells/lib/say.sh
needs_root
needs_spaces --net
unshare -n ip link add b0 type bridge 2>/dev/null ||
	{ echo "skip $who: this kernel has no bridges, or ip is missing"; exit 0; }
[ "${INSIDE-}" ] || INSIDE=1 exec unshare -n "$self"
. tests/cells/lib/up.sh

net() { readlink "/proc/$(field "$1" pid)/ns/net"; }
held() { find "/proc/$up/fd" -lname 'net:*' | wc -l; }
end_of() { # SERVICE: its main process is killed, and its next one is up
	old=$(field "$1" pid)
	kill -KILL "$old"
	n=0
	while { [ "$(field "$1" pid)" = "$old" ] || [ "$(field "$1" state)" != up ]; } && [ $n -lt 2400 ]; do
		n=$((n + 1)); pause
	done
}
cat >"$conf" <<YAML
network: {bridges: {b0: {subnets: [10.88.0.0/24, "fd88::/64"]}}}
defaults: {command: [sleep, "1000"], backoff: 50ms, max_restarts: 3}
services:
  db: {isolation: {network: {bridge: b0, address: [10.88.0.2/24, "fd88::2/64"]}}}
  side: {isolation: {network: {service: db}}}
  look: {type: oneshot, after: [side], command: [sh, -c, "cat /etc/hosts; ip -o addr show host0"],
         isolation: {network: {service: db}}}
  kept: {isolation: {network: {keep: true}}}
  fresh: {isolation: {network: true}}
  fragile: {isolation: {network: true}, restart: "no"}
  guest: {isolation: {network: {service: fragile}}}
YAML
begin || { not_ok "all is up" "$(cat "$work/err")"; exit 1; }
is "both are in one network" "$(net db)" "$(net side)"
has "its addresses are there" "10.88.0.2/24" "$(until_logs look 10.88.0.2/24)"
has "its name leads to that address, too" "10.88.0.2 side" "$(until_logs look "10.88.0.2 side")"
has "status says whose network it is" "that of db" "$(ctl status side)"
has "and its address" "10.88.0.2/24 on b0" "$(ctl status side)"
is "what it runs in is attested" true "$(field side attested)"
has "the audit compares it with that of the other" "net namespace: the one it was given" "$(ctl audit side)"
has "the table of the network has both" '"shares": "db"' "$(ctl network --json)"

was=$(net db) pid=$(field side pid)
end_of db
is "a restart of the other finds the network as it was" "$was" "$(net db)"
is "and who shares it has noticed nothing" "$pid $was" "$(field side pid) $(net side)"
has "its interface is there, with its address" "10.88.0.2/24" "$(nsenter -t "$pid" -n ip -o addr show host0)"
ctl reexec >/dev/null
until_is db state up >/dev/null
end_of db
is "also after a re-exec of PID 1" "$was $was" "$(net db) $(net side)"
is "PID 1 holds one descriptor of each that is shared or kept" 3 "$(held)"

# Numbers of namespaces are given anew, so these two are marked.
marked() { nsenter -t "$(field "$1" pid)" -n ip -o addr show lo | grep -c 127.0.0.9; }
for one in kept fresh; do
	nsenter -t "$(field $one pid)" -n ip addr add 127.0.0.9/8 dev lo
	end_of $one
done
is "a network that is kept is the same after a restart, another is a new one" "1 0" "$(marked kept) $(marked fresh)"

is "that of one that fails goes, and who shares it with it" up "$(field guest state)"
kill -KILL "$(field fragile pid)"
is "it has failed" failed "$(until_is guest state failed)"
has "for this reason" "it needs fragile, which is failed" "$(ctl status guest)"
ctl start fragile >/dev/null
is "and comes back with it" up "$(until_is guest state up)"
is "in its new network" "$(net fragile)" "$(net guest)"
kill -TERM "$(field fragile pid)"
is "one that ends well, and is not restarted, takes it along, too" "down down" \
	"$(until_is fragile state down) $(until_is guest state down)"

ctl stop db >/dev/null
is "stopped with the other" down "$(until_is side state down)"
n=0
while ip link show p-db >/dev/null 2>&1 && [ $n -lt 1200 ]; do n=$((n + 1)); pause; done
is "nothing of the network is left" "" "$(ip -o link show p-db 2>/dev/null)"
is "and PID 1 holds none but the one that is kept" 1 "$(held)"
ctl start side >/dev/null
is "its start brings the other" "up up" "$(until_is db state up) $(until_is side state up)"
is "in one network again" "$(net db)" "$(net side)"
finish || not_ok "it ends with 0" "$(tail -3 "$work/log")"

once() { # NETWORK: a run of one service, with that beside it
	printf '%s\nservices: {a: {command: [sleep, "99"]}}\n' "$1" >"$conf"
	begin || not_ok "a run begins" "$(cat "$work/err")"
}
links() { ip -o link show type bridge | grep -o ' b0:'; ip -6 rule show | grep 32765; }
once 'network: {bridges: {b0: {subnets: ["fd88::/64"]}}}'
n=0
until [ "$(links | wc -l)" = 2 ] || [ $n -ge 1200 ]; do n=$((n + 1)); pause; done
kill -KILL $up "$(field a pid)"
wait $up
is "a killed run leaves its bridge and its rule" 2 "$(links | wc -l)"
once ''
n=0
while [ -e "$run/hosts" ] && [ $n -lt 1200 ]; do n=$((n + 1)); pause; done
is "which the next one removes, though it has no bridges" "" "$(links)"
hasnt "and the rules" "prior" "$(nft list tables 2>/dev/null)"
finish || not_ok "it ends with 0" "$(tail -3 "$work/log")"

refused() { # NAME WORDS ISOLATION-OF-A REST-OF-A ISOLATION-OF-B
	cat >"$conf" <<YAML
network: {bridges: {b0: {subnets: [10.88.0.0/24]}}}
services:
  a: {command: [sleep, "1"], isolation: {$3}$4}
  b: {command: [sleep, "1"], isolation: {$5}}
YAML
	has "$1" "$2" "$("$work/prior" check -c "$conf" 2>&1)"
}
shares='network: {service: a}'
refused "one in the machine's network has none to share" "none of its own" "network: false" "" "$shares"
refused "ports are said where the network is" "isolation.network.ports: the network is that of service 'a'" \
	"network: {bridge: b0}" "" 'network: {service: a, ports: ["80:80"]}'
refused "one of a third is that of the third" "name that one" "network: {service: c}" "}
  c: {command: [sleep, '1'], isolation: {network: true}" "$shares"
refused "a oneshot's ends with it" "is a oneshot" "network: true" ", type: oneshot" "$shares"
refused "user: first would own it" "user: first" "network: true, user: first" ", user: '1000'" "$shares"
refused "a name that nobody has" "isolation.network.service: there is no service 'd'" "network: true" "" \
	"network: {service: d}"
refused "nobody waits for himself" "waits for itself" "network: true" "" "network: {service: b}"
refused "two cannot share each other's" "waits for itself" "network: {service: b}" "" "$shares"
exit $failed
