#!/bin/sh
# A process that stays cannot reach the tables that it gives back (tools/tables.ld). Takes the binary's path in PRIOR; beside
# it, in alone/, are links that begin where such a process goes on, of which all else has fallen out (Makefile, STAYS).
# SPDX-License-Identifier: ISC
set -u
export LC_ALL=C
all=${PRIOR:?the binary}.debug
alone=$(dirname "$PRIOR")/alone
name="tables (${LIBC:-glibc})"

address() { # FILE SYMBOL
	"${NM:-nm}" "$1" | sed -n "s/ [A-Za-z] $2$//p"
}

has_none() { # FILE SYMBOL: of what is given back, which ends there
	from=$(address "$alone/$1" rest_tables) to=$(address "$alone/$1" "$2")
	if [ -n "$from" ] && [ "$from" = "$to" ]; then
		echo "ok lint: $name: what $1() can reach has no table that is given back"
		return
	fi
	echo "not ok lint: $name: $1() can reach tables that are given back, $alone/$1 has them:"
	"${NM:-nm}" -n "$alone/$1" | sed -n "/ rest_tables$/,/ $2$/s/^/    /p"
	return 1
}

# Else nothing would be found below, either: a folder of tools/tables.ld has another name, or the objects hold no code (LTO).
has_both() {
	from=$(address "$all" rest_tables) middle=$(address "$all" rest_tables_supervisor) to=$(address "$all" rest_tables_end)
	[ -n "$from" ] && [ "$from" != "$middle" ] && [ "$middle" != "$to" ] && return
	echo "not ok lint: $name: $all has nothing between rest_tables, rest_tables_supervisor and rest_tables_end: see tools/tables.ld"
	return 1
}

# What gives its own code back, but for one page, has to be in one (init/base/rest.h).
fits() {
	at=$("${NM:-nm}" -S "$all" | sed -n 's/^\([0-9a-f]*\) \([0-9a-f]*\) T rest_now$/0x\1 0x\2/p')
	from=${at% *} size=${at#* }
	[ -n "$at" ] && [ $((from / 4096)) = $(((from + size - 1) / 4096)) ] && return
	echo "not ok lint: $name: rest_now() is not in one page: at ${from:-nowhere}, $((size)) bytes: raise its alignment"
	return 1
}

has_both && fits && has_none stay rest_tables_supervisor && has_none logger_main rest_tables_end
