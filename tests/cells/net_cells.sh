#!/bin/sh
# Bridges, veth pairs, addresses and routes in network namespaces of its own: runs what net_cells.c was built to.
# SPDX-License-Identifier: ISC
set -u
program=${BUILD:-$(dirname "$0")/../../build}/${LIBC:-glibc}/tests/cells/net_cells
[ "$(id -u)" = 0 ] || { echo "skip net: needs root"; exit 0; }
command -v ip >/dev/null || { echo "skip net: needs iproute2 to look from outside"; exit 0; }
unshare -n true 2>/dev/null || { echo "skip net: no network namespace can be made here"; exit 0; }
unshare -n ip link add b0 type bridge 2>/dev/null || { echo "skip net: this kernel has no bridges"; exit 0; }
[ -x "$program" ] || { echo "not ok net: $program is not built: make check-root builds it"; exit 1; }
unshare -n "$program"
