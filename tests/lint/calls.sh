#!/bin/sh
# Calls that have no place in PID 1, or only one place.
# SPDX-License-Identifier: ISC
#
# A row: what is forbidden (after a character that is not part of a name), where it is allowed all the same, why.
cd "$(dirname "$0")/../.." && export LC_ALL=C || exit 2
find init services netns rootfs -name '*.[ch]' | sort | xargs awk -f tests/lint/code.awk | awk '
function row(pattern, where, why) { n++; what[n] = pattern; allowed[n] = where; reason[n] = why }
BEGIN {
	never = "^$"
	row("(exit|abort|assert|quick_exit) *[(]", "^init/panic\\.c$", "PID 1 does not end; child code uses _exit")
	row("close *[(]", "^init/(base/fd\\.h|run/bare/libc\\.c)$", "a descriptor has one owner: owned_fd, fd_take, fd_put")
	row("v?sprintf *[(]", never, "no bound: snprintf or init/base/text.h")
	row("(strcpy|strcat|stpcpy|gets) *[(]", never, "no bound: init/base/text.h")
	row("(alloca|strdupa) *[(]", never, "the stack has a fixed bound")
	row("(getpw(nam|uid|ent)|getgr(nam|gid|ent)|getspnam)(_r)? *[(]", never, "name services: read the files with fgetpwent")
	row("(initgroups|getgrouplist) *[(]", never, "name services: setgroups with what the plan says")
	row("(getaddrinfo|getnameinfo|gethostby[a-z]*|getproto[a-z]*|getserv[a-z]*) *[(]", "^init/base/nonss\\.c$", "name services: numbers only")
	row("(system|popen|wordexp) *[(]", never, "needs a shell, and blocks")
	row("(sleep|usleep) *[(]", never, "PID 1 waits in its loop only")
	row("(dlopen|dlsym) *[(]", never, "the binary is static")
	row("(mktemp|tmpnam|tempnam) *[(]", never, "races: memfd or mkostemp")
	row("(qsort_r|execvpe|secure_getenv) *[(]", never, "musl or older systems lack it")
	row("SIGRT(MIN|MAX)[^A-Z_]", never, "real-time signals are 34+n whatever the C library says")
}
{
	split($0, f, ":")
	code = substr($0, length(f[1]) + length(f[2]) + 3) " "
	gsub(/(->|\.)[a-z_]+\(/, "member(", code)	# a member of that name is not the call
	for (i = 1; i <= n; i++)
		if (match(" " code, "[^A-Za-z0-9_]" what[i]) && f[1] !~ allowed[i])
			places = places "    " f[1] ":" f[2] ": " substr(" " code, RSTART + 1, RLENGTH - 1) ": " reason[i] "\n"
}
END {
	print (places == "" ? "ok" : "not ok") " lint: no forbidden calls"
	printf "%s", places
	exit places != ""
}'
