#!/bin/sh
# docs/CONTROLS.md and docs/CVES.md: each control, and each weakness of others, has its tests. UPDATE=1 writes them anew.
# SPDX-License-Identifier: ISC
set -u
cd "$(dirname "$0")/../.." && export LC_ALL=C.UTF-8 PYTHONDONTWRITEBYTECODE=1 || exit 2
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT || exit 2
status=0
table() { # NAME WHAT: docs/NAME.md, which tests/golden/NAME.py prints in small letters
	script=tests/golden/$(printf %s "$1" | tr A-Z a-z).py
	if python3 "$script" >"$work/$1.md" 2>"$work/lacks"; then
		echo "ok golden: $2"
	else
		echo "not ok golden: $2"
		sed 's/^/    /' "$work/lacks"
		status=1
	fi
	[ -z "${UPDATE-}" ] || cmp -s "$work/$1.md" "docs/$1.md" || cp "$work/$1.md" "docs/$1.md"
	if diff -u "docs/$1.md" "$work/$1.md" >"$work/diff" 2>&1; then
		echo "ok golden: docs/$1.md is as its script prints it"
	else
		echo "not ok golden: docs/$1.md is as its script prints it (make golden writes it anew)"
		head -40 "$work/diff" | sed 's/^/    /'
		status=1
	fi
}
table CONTROLS "each control has a test that shows it on, off and taken away"
table CVES "each weakness of others has a test, or a reason why it cannot apply"
exit $status
