#!/bin/sh
# docs/STATES.md shows the table that the code has. UPDATE=1 writes it anew.
# SPDX-License-Identifier: ISC
set -u
cd "$(dirname "$0")/../.." && export LC_ALL=C.UTF-8 || exit 2
bin=${PRIOR:?the binary to ask}
page=docs/STATES.md
new=$(mktemp) && trap 'rm -f "$new"' EXIT || exit 2
awk -v bin="$bin" '
	/^<!-- BEGIN prior docs / { print; system(bin " docs " $5 " 2>&1"); skip = 1 }
	/^<!-- END -->$/ { skip = 0 }
	!skip { print }
	{ fflush() }' "$page" >"$new"
[ -z "${UPDATE-}" ] || cmp -s "$new" "$page" || cat "$new" >"$page"
if diff -u "$page" "$new"; then
	echo "ok golden: $page says what the table says"
else
	echo "not ok golden: $page says what the table says (make golden writes it anew)"
	exit 1
fi
