#!/bin/sh
# The declared exposure is the number of systemd-analyze security for a unit that says the same, question by question.
# SPDX-License-Identifier: ISC
set -u
cd "$(dirname "$0")/../.." && export LC_ALL=C.UTF-8 || exit 2
bin=${PRIOR:?the binary to ask}
if ! command -v systemd-analyze >/dev/null; then
	echo "skip golden: exposure is the same as elsewhere: needs systemd-analyze (Debian package systemd)"
	exit 0
fi
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT || exit 2
cat >"$work/prior.yaml" <<'Y'
services:
  bare: {command: [/bin/sh], user: "0", isolation: {preset: none}}
  server: {command: [/bin/sh], isolation: {preset: server}}
  alone: {command: [/bin/sh], isolation: {preset: server, network: true}, umask: "0077"}
  strict: {command: [/bin/sh], isolation: {preset: strict}}
  open: {command: [/bin/sh], isolation: {preset: server, protect_proc: default,
    protect_home: read-only, protect_system: full, protect_clock: false, uts: false, private_tmp: false}, security: {cap_add: [SYS_TIME, NET_RAW, KILL],
    restrict_realtime: false, restrict_address_families: [inet, inet6, unix, netlink, packet]}}
Y
python3 tests/golden/exposure.py "$bin" "$work"
