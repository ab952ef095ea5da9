#!/bin/sh
# docs/PRESETS.md is what the presets say, and none is weaker than its description promises. UPDATE=1 writes it anew.
# SPDX-License-Identifier: ISC
set -u
cd "$(dirname "$0")/../.." && export LC_ALL=C.UTF-8 || exit 2
bin=${PRIOR:?the binary to ask}
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT || exit 2
status=0
python3 tests/golden/presets.py "$bin" "$work" >"$work/PRESETS.md" || status=1
[ -z "${UPDATE-}" ] || cmp -s "$work/PRESETS.md" docs/PRESETS.md || cp "$work/PRESETS.md" docs/PRESETS.md
if diff -u docs/PRESETS.md "$work/PRESETS.md" >"$work/diff" 2>&1; then
	echo "ok golden: docs/PRESETS.md says what the presets say"
else
	echo "not ok golden: docs/PRESETS.md says what the presets say (make golden writes it anew)"
	head -40 "$work/diff" | sed 's/^/    /'
	status=1
fi
exit $status
