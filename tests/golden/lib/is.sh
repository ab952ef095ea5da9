# A golden test in a folder of its own, $work, that asks $bin; sourced from the top of the tree. It ends with exit $status.
# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2034
set -u
export LC_ALL=C.UTF-8
bin=${PRIOR:?the binary to ask}
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT || exit 2
cd "$work" || exit 2
status=0

is() { # NAME, then what must be true
	name=$1
	shift
	if "$@" >out 2>&1; then
		echo "ok golden: $name"
	else
		echo "not ok golden: $name"
		head -20 out | sed 's/^/    /'
		status=1
	fi
}
