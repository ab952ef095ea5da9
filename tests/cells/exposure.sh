#!/bin/sh
# What the kernel attests about a running service is what its plan declared, question by question, for every preset.
# SPDX-License-Identifier: ISC
set -u
export LC_ALL=C.UTF-8
bin=${PRIOR:?the binary to ask}
work=$(mktemp -d) || exit 2
up=
trap '[ -z "$up" ] || kill -KILL "$up" 2>/dev/null; rm -rf "$work"' EXIT
cd "$work" || exit 2
if [ "$(id -u)" != 0 ] || ! unshare -m true 2>/dev/null; then
	echo "skip exposure: needs root, and mount namespaces"
	exit 0
fi
cat >prior.yaml <<'Y'
services:
  minimal: {command: [/bin/sleep, "1000"], isolation: {preset: minimal}}
  server: {command: [/bin/sleep, "1000"], isolation: {preset: server}}
  strict: {command: [/bin/sleep, "1000"], isolation: {preset: strict}}
  worker: {command: [/bin/sleep, "1000"], isolation: {preset: worker}}
  database: {command: [/bin/sleep, "1000"], isolation: {preset: database}, limits: {nofile: 256, memlock: 4K}}
  contained: {command: [/bin/sleep, "1000"], isolation: {preset: contained}}
  looser: {command: [/bin/sleep, "1000"], user: daemon, umask: "0002", security: {cap_add: [NET_RAW, SYS_TIME]},
    isolation: {protect_proc: noaccess, protect_home: read-only, protect_system: full, uts: false, proc_subset: all}}
Y
"$bin" up -c prior.yaml --run-dir "$work/run" --log-dir "" >console 2>&1 &
up=$!
n=0
while [ ! -S run/control.sock ] && [ $n -lt 1200 ]; do
	timeout 0.05 tail -f /dev/null
	n=$((n + 1))
done
"$bin" wait --run-dir "$work/run" --timeout 90s >/dev/null 2>&1
"$bin" audit --run-dir "$work/run" --json >audit.json 2>err
python3 - <<'P'
import json
import sys

status, seen = 0, 0
for service in json.load(open("audit.json")):
    exposure = service.get("exposure")
    if service["service"] == "prior":
        continue
    if not exposure:
        print(f"not ok exposure: {service['service']} can be asked\n    {service}")
        status = 1
        continue
    seen += 1
    wrong = [c for c in exposure["comparable"]["checks"] if c["declared"] != c["attested"]]
    wrong += [c for c in exposure["further"]["checks"] if c["attested"] is not None and c["declared"] != c["attested"]]
    score = exposure["comparable"]["attested"]
    print(f"{'not ok' if wrong else 'ok'} exposure: {service['service']} is attested as it is declared ({score})")
    for c in wrong:
        print(f"    {c['name']}: declared {c['declared']}, attested {c['attested']}")
        status = 1
if seen != 7:
    print(f"not ok exposure: seven services run\n    {seen} do")
    status = 1
sys.exit(status)
P
status=$?
[ "$status" = 0 ] || sed 's/^/    /' console err
"$bin" poweroff --run-dir "$work/run" >/dev/null 2>&1 && wait "$up" && up=
exit $status
