#!/bin/sh
# The help of prior and of each verb, as tests/golden/ctl-help.txt has it. UPDATE=1 writes it anew.
# SPDX-License-Identifier: ISC
set -u
cd "$(dirname "$0")/../.." && export LC_ALL=C.UTF-8 || exit 2
bin=${PRIOR:?the binary to ask}
golden=tests/golden/ctl-help.txt
new=$(mktemp) && trap 'rm -f "$new"' EXIT || exit 2

"$bin" --help >"$new"
for verb in $(sed -n 's/^  \([a-z][a-z-]*\) .*/\1/p' "$new"); do
	printf '\n$ prior %s --help\n' "$verb"
	"$bin" "$verb" --help
done >>"$new" 2>&1
[ -z "${UPDATE-}" ] || cat "$new" >"$golden"
if diff -u "$golden" "$new" >"$new.diff"; then
	echo "ok golden: help"
else
	echo "not ok golden: help (make golden writes it anew)"
	head -60 "$new.diff" | sed 's/^/    /'
	status=1
fi
rm -f "$new.diff"
exit "${status-0}"
