#!/bin/sh
# DHCP leases in a network namespace of their own: runs what net_leases.c was built to.
# SPDX-License-Identifier: ISC
set -u
program=${BUILD:-$(dirname "$0")/../../build}/${LIBC:-glibc}/tests/cells/net_leases
[ "$(id -u)" = 0 ] || { echo "skip leases: needs root"; exit 0; }
command -v ip >/dev/null || { echo "skip leases: needs iproute2 to look from outside"; exit 0; }
unshare -n true 2>/dev/null || { echo "skip leases: no network namespace can be made here"; exit 0; }
unshare -n ip link add b0 type bridge 2>/dev/null || { echo "skip leases: this kernel has no bridges"; exit 0; }
[ -x "$program" ] || { echo "not ok leases: $program is not built: make check-root builds it"; exit 1; }
unshare -n "$program"
