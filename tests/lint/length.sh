#!/bin/sh
# A function fits in the eye (60 lines), a file has one noun (500 lines). Tables are not functions.
# SPDX-License-Identifier: ISC
cd "$(dirname "$0")/../.." && export LC_ALL=C || exit 2
sources=$(find init services netns rootfs qemu tools tests .ci Makefile -type f \
	\( -name '*.[chS]' -o -name '*.sh' -o -name '*.py' -o -name '*.awk' -o -name Makefile -o -perm -u+x ! -name '*.*' \) | sort)

long=$(wc -l $sources | awk '$2 != "total" && $1 > 500 { print "    " $2 ": " $1 " lines" }')
[ -z "$long" ] && echo "ok lint: files have at most 500 lines" || printf 'not ok lint: files have at most 500 lines\n%s\n' "$long"

if ! ctags --version 2>/dev/null | grep -q Universal; then
	echo "skip lint: functions have at most 60 lines: needs universal-ctags"
	exit
fi
deep=$(printf '%s\n' $sources | grep '\.[ch]$' | ctags -L - --languages=C --map-C=+.h --kinds-C=f --fields=+ne -f - 2>/dev/null |
	awk -F'\t' '{
		for (i = 4; i <= NF; i++) {
			if ($i ~ /^line:/) first = substr($i, 6)
			if ($i ~ /^end:/) last = substr($i, 5)
		}
		if (last - first + 1 > 60)
			print "    " $2 ":" first ": " $1 " has " last - first + 1 " lines"
	}')
[ -z "$deep" ] && echo "ok lint: functions have at most 60 lines" || printf 'not ok lint: functions have at most 60 lines\n%s\n' "$deep"
[ -z "$long$deep" ]
