#!/bin/sh
# No marks of unfinished work: what is not built is refused with a message, or it is an issue.
# SPDX-License-Identifier: ISC
cd "$(dirname "$0")/../.." && export LC_ALL=C || exit 2
words='TO''DO|FIX''ME|X''XX|HA''CK'
bad=$(grep -rnIwE --exclude-dir=__pycache__ "$words" init services netns rootfs qemu tools tests configs Makefile .ci | sed 's/^/    /')
[ -z "$bad" ] && echo "ok lint: no marks of unfinished work" || printf 'not ok lint: no marks of unfinished work\n%s\n' "$bad"
[ -z "$bad" ]
