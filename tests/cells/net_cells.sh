#!/bin/sh
# Bridges, veth pairs, addresses and routes in network namespaces of its own: builds and runs net_cells.c.
# SPDX-License-Identifier: ISC
set -u
cd "$(dirname "$0")/../.." || exit 2
[ "$(id -u)" = 0 ] || { echo "skip net: needs root"; exit 0; }
command -v ip >/dev/null || { echo "skip net: needs iproute2 to look from outside"; exit 0; }
unshare -n true 2>/dev/null || { echo "skip net: no network namespace can be made here"; exit 0; }
unshare -n ip link add b0 type bridge 2>/dev/null || { echo "skip net: this kernel has no bridges"; exit 0; }
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
gcc -std=gnu11 -Wall -Wextra -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -D_GNU_SOURCE -I. \
	-isystem /usr/include/libnl3 -o "$work/net_cells" tests/cells/net_cells.c netns/*.c \
	init/base/err.c init/base/text.c -lnl-3 || { echo "not ok net: does not compile"; exit 1; }
unshare -n "$work/net_cells"
