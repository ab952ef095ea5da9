#!/bin/sh
# Every configuration that the documentation shows is one that prior accepts.
# SPDX-License-Identifier: ISC
set -u
cd "$(dirname "$0")/../.." && export LC_ALL=C.UTF-8 || exit 2
bin=${PRIOR:?the binary to ask}
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT || exit 2
status=0

# Blocks of ```yaml in Markdown, and of .Bd -literal that begin with a top-level key in mdoc.
for page in README.md docs/*.md docs/*.5; do
	awk -v to="$work/$(basename "$page")" '
		/^```yaml$/ { n++; inside = 1; next }
		/^\.Bd -literal/ { n++; inside = 1; next }
		/^(```|\.Ed)$/ { inside = 0 }
		inside { print >(to "." n ".yaml") }' "$page"
done
n=0
for example in "$work"/*.yaml examples/*/prior.yaml; do
	[ -e "$example" ] && grep -q '^services:' "$example" || continue
	n=$((n + 1))
	said=$("$bin" check --offline "$example" 2>&1) && continue
	printf 'not ok golden: an example in the documentation is a configuration\n%s\n' "$said" | sed '2,$s/^/    /'
	status=1
done
[ "$status" = 1 ] || [ "$n" = 0 ] || echo "ok golden: $n examples in the documentation are configurations"
exit $status
