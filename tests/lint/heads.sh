#!/bin/sh
# Each file says its role on its first line; C files their licence on the second.
# SPDX-License-Identifier: ISC
cd "$(dirname "$0")/../.." && export LC_ALL=C || exit 2
id='SPDX-License-Identifier: ISC'
c=$(find init services netns rootfs qemu tests tools -name '*.[ch]' | sort | xargs awk -v id="$id" '
	FNR == 1 && !/^\/\* .*[^ ] \*\/$/ { print "    " FILENAME ":1: one comment that says what this file is for" }
	FNR == 2 && $0 != "/* " id " */" { print "    " FILENAME ":2: /* " id " */" }
	FNR == 3 && FILENAME ~ /\.h$/ && !/^#pragma once$/ && !/^$/ && !/^\/\*/ { print "    " FILENAME ":3: #pragma once" }')
s=$(find .ci qemu tests tools Makefile -type f ! -path '*/__pycache__/*' \( -name '*.sh' -o -name '*.py' -o -name '*.awk' -o -name Makefile -o -perm -u+x ! -name '*.*' \) | sort |
	xargs awk '
	FNR == 1 { role = /^#!/ ? 2 : 1 }
	FNR == 1 && role == 1 && FILENAME ~ /__init__\.py$/ { role = 0 }
	role && FNR == role && !/^# [^ ]/ && !/^"""[^ ]/ { print "    " FILENAME ":" FNR ": one comment that says what this file is for" }')
y=$(find configs -name '*.yaml' | sort | xargs -r awk 'FNR == 1 && !/^# [^ ]/ { print "    " FILENAME ":1: a comment that says what this file is for" }')
bad=$(printf '%s\n%s\n%s\n' "$c" "$s" "$y" | sed '/^$/d')
[ -z "$bad" ] && echo "ok lint: files say their role and licence" || printf 'not ok lint: files say their role and licence\n%s\n' "$bad"
[ -z "$bad" ]
