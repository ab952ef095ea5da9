#!/bin/sh
# What shells can complete is what the rows say, and the shells can read it. UPDATE=1 writes it anew.
# SPDX-License-Identifier: ISC
set -u
cd "$(dirname "$0")/../.." && export LC_ALL=C.UTF-8 || exit 2
bin=${PRIOR:?the binary to ask}
status=0
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT || exit 2
ok() { echo "ok golden: $1"; }
not_ok() { echo "not ok golden: $1"; head -20 "$work/out" | sed 's/^/    /'; status=1; }

for shell in bash zsh fish; do
	file=docs/completion/prior.$shell
	"$bin" completion $shell >"$work/new" 2>&1
	[ -z "${UPDATE-}" ] || cmp -s "$work/new" $file || cat "$work/new" >$file
	if diff -u $file "$work/new" >"$work/out"; then ok "$file says what the rows say"; else
		not_ok "$file says what the rows say (make golden writes it anew)"
	fi
	if ! command -v $shell >/dev/null; then
		echo "skip golden: $shell can read $file: needs $shell"
	elif $shell -n $file >"$work/out" 2>&1; then ok "$shell can read $file"; else
		not_ok "$shell can read $file"
	fi
done
# In bash, for real: words behind a verb and its options.
asked() {
	bash -c '. docs/completion/prior.bash; prior() { printf "%s\n" "[{\"service\": \"web\"}" "{\"service\": \"db\"}]"; }
		COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _prior; echo "${COMPREPLY[*]}"' _ "$@"
}
is() { if [ "$2" = "$3" ]; then ok "$1"; else echo "want '$2', got '$3'" >"$work/out"; not_ok "$1"; fi; }
is "bash completes a verb" "start status" "$(asked prior sta | tr ' ' '\n' | sort | tr '\n' ' ' | sed 's/ $//')"
is "and its options" "--prior" "$(asked prior status --p)"
is "and services" "web" "$(asked prior restart w)"
exit $status
