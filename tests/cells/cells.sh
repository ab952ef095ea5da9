#!/bin/sh
# One service in one cell, many ways: runs the programs that tests/cells/*.c were built to. Needs root.
# SPDX-License-Identifier: ISC
programs=${BUILD:-$(dirname "$0")/../../build}/${LIBC:-glibc}/tests/cells
[ "$(id -u)" = 0 ] || { echo "skip cells: needs root"; exit 0; }
unshare -mpn --fork true 2>/dev/null || { echo "skip cells: no namespace can be made here"; exit 0; }
[ -x "$programs/cell" ] || { echo "not ok cells: $programs/cell is not built: make check-root builds it"; exit 1; }
bad=0
for p in cell starts spaces owner users leaf policies hostile races racer mutants; do
	"$programs/$p" || bad=1
done
exit $bad
