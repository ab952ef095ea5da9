#!/bin/sh
# What a cell may send and receive in a second is bounded: measured between cells of a bridge, in a network of its own.
# SPDX-License-Identifier: ISC
set -u
self=$(realpath "$0")
cd "$(dirname "$0")/../.." || exit 2
who=bound
. tests/cells/lib/say.sh
needs_root
needs_spaces --net
command -v python3 >/dev/null || { echo "skip $who: needs python3 in the cells"; exit 0; }
unshare -n ip link add b0 type bridge 2>/dev/null ||
	{ echo "skip $who: this kernel has no bridges, or ip is missing"; exit 0; }
unshare -n tc qdisc add dev lo root tbf rate 1mbit burst 64k latency 50ms 2>/dev/null ||
	{ echo "skip $who: this kernel has no sch_tbf, or tc is missing"; exit 0; }
[ "${INSIDE-}" ] || INSIDE=1 exec unshare -n "$self"
. tests/cells/lib/up.sh

cat >"$work/sink.py" <<'PY'
import socket
s = socket.create_server(("0.0.0.0", 7000))
while True:
    c = s.accept()[0]
    while c.recv(65536):
        pass
    c.sendall(b".")
    c.close()
PY
cat >"$work/source.py" <<'PY'
import socket, sys, time
s = socket.create_connection((sys.argv[1], 7000), 20)
began = time.monotonic()
s.sendall(bytes(1 << 20))
s.shutdown(socket.SHUT_WR)
s.recv(1)
print("took", "long" if time.monotonic() - began > 0.8 else "a moment", flush=True)
PY
chmod 644 "$work"/*.py
cat >"$conf" <<YAML
network: {bridges: {b0: {subnets: [10.88.0.0/24]}}}
defaults: {type: oneshot, isolation: {volumes: ["$work:/opt"]}, depends_on: [wide, narrow]}
services:
  wide: {type: simple, depends_on: [], command: [python3, /opt/sink.py],
         isolation: {network: {bridge: b0, address: 10.88.0.2/24}}}
  narrow: {type: simple, depends_on: [], command: [python3, /opt/sink.py],
           isolation: {network: {bridge: b0, address: 10.88.0.3/24, receive_max: 1M}}}
  fast: {after: [sends], command: [sh, -c, "until python3 /opt/source.py 10.88.0.2; do :; done"],
         isolation: {network: {bridge: b0}}}
  sends: {command: [sh, -c, "until python3 /opt/source.py 10.88.0.2; do :; done"],
          isolation: {network: {bridge: b0, send_max: 1M}}}
  receives: {command: [sh, -c, "until python3 /opt/source.py 10.88.0.3; do :; done"],
             isolation: {network: {bridge: b0}}}
YAML
begin || not_ok "all have done their work" "$(cat "$work/err"; tail -5 "$work/log")"
has "what sends at most 1 MiB a second takes a second for it" "took long" "$(until_logs sends took)"
has "and so does who sends it to one that receives no more" "took long" "$(until_logs receives took)"
case $(until_logs fast took) in
*"took a moment"*) ok "without a bound it is a moment" ;;
*) echo "skip $who: without a bound it is a moment: this machine is slower than the bound" ;;
esac
has "status says so" "at most 1.0M bytes a second" "$(ctl status sends)"
has "and so does the table of the network" '"send_max": 1048576' "$(ctl network --json)"
finish || not_ok "it ends with 0" "$(tail -3 "$work/log")"
exit $failed
