#!/bin/sh
# A process that stays cannot reach the tables that it gives back (tools/tables.ld). Takes the binary's path in PRIOR; beside
# it, in alone/, are links that begin where such a process goes on, of which all else has fallen out (Makefile, STAYS).
# SPDX-License-Identifier: ISC
set -u
export LC_ALL=C
alone=$(dirname "${PRIOR:?the binary}")/alone
name="tables (${LIBC:-glibc})"

address() { # FILE SYMBOL
	"${NM:-nm}" "$alone/$1" | sed -n "s/ [A-Za-z] $2$//p"
}

has_none() { # FILE SYMBOL: of what is given back, which ends there
	from=$(address "$1" rest_tables) to=$(address "$1" "$2")
	if [ -n "$from" ] && [ "$from" = "$to" ]; then
		echo "ok lint: $name: what $1() can reach has no table that is given back"
		return
	fi
	echo "not ok lint: $name: $1() can reach tables that are given back, $alone/$1 has them:"
	"${NM:-nm}" -n "$alone/$1" | sed -n "/ rest_tables$/,/ $2$/s/^/    /p"
	return 1
}

has_none serve rest_tables_supervisor && has_none logger_main rest_tables_end
