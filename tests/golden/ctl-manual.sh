#!/bin/sh
# The generated parts of the manual pages are what the rows say; the pages are clean mdoc. UPDATE=1 writes them anew.
# SPDX-License-Identifier: ISC
#
# A generated part stands between the lines `.\" BEGIN prior docs PART` and `.\" END`.
set -u
cd "$(dirname "$0")/../.." && export LC_ALL=C.UTF-8 || exit 2
bin=${PRIOR:?the binary to ask}
status=0
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT || exit 2

for page in docs/prior.8 docs/prior.yaml.5; do
	new=$work/${page##*/}
	awk -v bin="$bin" '
		/^\.\\" BEGIN prior docs / { print; system(bin " docs " $5 " 2>&1"); skip = 1 }
		/^\.\\" END$/ { skip = 0 }
		!skip { print }
		{ fflush() }' "$page" >"$new"
	if [ -n "${UPDATE-}" ]; then
		cmp -s "$new" "$page" || cat "$new" >"$page"
	fi
	if diff -u "$page" "$new" >"$work/diff"; then
		echo "ok golden: $page says what the rows say"
	else
		echo "not ok golden: $page says what the rows say (make golden writes it anew)"
		head -40 "$work/diff" | sed 's/^/    /'
		status=1
	fi
	if ! command -v mandoc >/dev/null; then
		echo "skip golden: $page is clean mdoc: needs mandoc"
	elif mandoc -T lint -W warning "$page" >"$work/lint" 2>&1; then
		echo "ok golden: $page is clean mdoc"
	else
		echo "not ok golden: $page is clean mdoc"
		head -20 "$work/lint" | sed 's/^/    /'
		status=1
	fi
done
exit $status
