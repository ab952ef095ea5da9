#!/bin/sh
# The logger as PID 1 starts it: runs the program that tests/cells/logger.c was built to. Needs root.
# SPDX-License-Identifier: ISC
program=${BUILD:-$(dirname "$0")/../../build}/${LIBC:-glibc}/tests/cells/logger
[ "$(id -u)" = 0 ] || { echo "skip logger: needs root"; exit 0; }
[ -x "$program" ] || { echo "not ok logger: $program is not built: make check-root builds it"; exit 1; }
"$program"
code=$?
rm -rf /tmp/prior-logger-??????
exit $code
