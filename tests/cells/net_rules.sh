#!/bin/sh
# The rules of the bridges (nf_tables) in a network namespace of their own: runs what net_rules.c was built to.
# SPDX-License-Identifier: ISC
set -u
program=${BUILD:-$(dirname "$0")/../../build}/${LIBC:-glibc}/tests/cells/net_rules
[ "$(id -u)" = 0 ] || { echo "skip rules: needs root"; exit 0; }
command -v nft >/dev/null || { echo "skip rules: needs nftables to look from outside"; exit 0; }
unshare -n true 2>/dev/null || { echo "skip rules: no network namespace can be made here"; exit 0; }
[ -x "$program" ] || { echo "not ok rules: $program is not built: make check-root builds it"; exit 1; }
unshare -n "$program"
