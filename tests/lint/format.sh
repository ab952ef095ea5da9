#!/bin/sh
# Kernel style, as far as a script can tell: tabs, at most 120 columns (aim for 100; tables of facts take what they need), no space at the end, a newline at the end.
# SPDX-License-Identifier: ISC
#
# clang-format is not the judge: version 14 folds hand-aligned tables, trailing comments and chains of conditions,
# which are how facts are laid out here. .clang-format is for editors, on what is selected.
cd "$(dirname "$0")/../.." && export LC_ALL=C.UTF-8 || exit 2
width=120
sources=$(find init services netns rootfs tests tools qemu -name '*.[chS]' | sort)
all="$sources $(find .ci tests tools qemu Makefile -type f ! -path '*/__pycache__/*' \
	\( -name '*.sh' -o -name '*.py' -o -name '*.awk' -o -name Makefile -o -perm -u+x ! -name '*.*' \) | sort)"
bad=$({
	expand $sources >/dev/null || exit
	for f in $sources; do
		expand "$f" | grep -nE "^.{$((width + 1)),}" | sed "s|^\([0-9]*\):.*|$f:\1: longer than $width columns|"
	done
	grep -nHE '[ 	]+$' $all | sed 's/^\([^:]*:[0-9]*\):.*/\1: space at the end of the line/'
	grep -nHP '^\t* {8,}(?![ \t]*\*)' $sources | sed 's/^\([^:]*:[0-9]*\):.*/\1: indent with tabs/'
	grep -nHE '^ +	' $sources | sed 's/^\([^:]*:[0-9]*\):.*/\1: indent with tabs/'
	for f in $all; do
		[ -z "$(tail -c 1 "$f")" ] || echo "$f: no newline at the end"
	done
} 2>&1 | sed 's/^/    /')
[ -z "$bad" ] && echo "ok lint: kernel style" || printf 'not ok lint: kernel style\n%s\n' "$bad"
[ -z "$bad" ]
