#!/bin/sh
# docs/CONTROLS.md: every control has tests that show it on, off and taken away. UPDATE=1 writes it anew.
# SPDX-License-Identifier: ISC
set -u
cd "$(dirname "$0")/../.." && export LC_ALL=C.UTF-8 || exit 2
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT || exit 2
status=0
PYTHONDONTWRITEBYTECODE=1 python3 tests/golden/controls.py >"$work/CONTROLS.md" 2>"$work/lacks" || status=1
if [ $status = 0 ]; then
	echo "ok golden: each control has a test that shows it on, off and taken away"
else
	echo "not ok golden: each control has a test that shows it on, off and taken away"
	sed 's/^/    /' "$work/lacks"
fi
[ -z "${UPDATE-}" ] || cmp -s "$work/CONTROLS.md" docs/CONTROLS.md || cp "$work/CONTROLS.md" docs/CONTROLS.md
if diff -u docs/CONTROLS.md "$work/CONTROLS.md" >"$work/diff" 2>&1; then
	echo "ok golden: docs/CONTROLS.md says what tests/controls.txt says"
else
	echo "not ok golden: docs/CONTROLS.md says what tests/controls.txt says (make golden writes it anew)"
	head -40 "$work/diff" | sed 's/^/    /'
	status=1
fi
exit $status
