#!/bin/sh
# Each event that the source can say stands in docs/EVENTS.md with its level, and no other does.
# SPDX-License-Identifier: ISC
#
# Events are said by the functions that a header declares with a level and a name. Where one of them is called, a level's
# word stands right before the event's name, both as text: ["a" : ]"level", [... ? ]"name"[ : "other"]. Only who hands both
# on has them as arguments of these names.
cd "$(dirname "$0")/../.." && export LC_ALL=C || exit 2
sayers=$(grep -rhoE --include='*.h' '[a-z_]+\([^;(]*const char \*level, const char \*(name|event)\b' init services |
	sed 's/(.*//' | sort -u | paste -sd'|')
bad=$(find init services netns rootfs -name '*.c' | sort | xargs grep -lE "(^|[^a-z_])($sayers)\(" | xargs awk -v sayers="(^|[^a-z_])($sayers)[(]" \
	-v levels='"(emerg|alert|crit|err|error|warning|notice|info|debug)"' '
function look_at_calls(rest,  at, depth, i, c, args, passed) {
	for (at = 1; match(rest, sayers);) {
		passed = substr(rest, 1, RSTART + RLENGTH - 1)
		at += gsub(/\n/, "", passed)
		rest = substr(rest, RSTART + RLENGTH)
		for (i = depth = 1; depth && i <= length(rest); i++) {
			c = substr(rest, i, 1)
			depth += (c == "(") - (c == ")")
		}
		args = substr(rest, 1, i - 1)
		if (args !~ levels &&
		    args !~ /(level|const char \*level), (const char \*)?(name|event)/)
			print "    " file ":" at ": an event whose level is no text here"
	}
}
function take_file() {
	look_at_calls(text)
	while (match(text, levels)) {
		passed = substr(text, 1, RSTART - 1)
		level = substr(text, RSTART + 1, RLENGTH - 2)
		text = substr(text, RSTART + RLENGTH)
		line += gsub(/\n/, "", passed)
		if (text ~ /^[ \t\n]*:[ \t\n]*"/) {	# the other one is next, and the name is behind that
			either = either level ","
			continue
		}
		if (!match(text, /^,[ \t\n]*([^,"();]*\?[ \t\n]*)?"[a-z0-9-]+"([ \t\n]*:[ \t\n]*"[a-z0-9-]+")?[,)]/)) {
			print "    " file ":" line ": \"" level "\" has no name of an event, as text, right behind it"
			either = ""
			continue
		}
		n = split(substr(text, 1, RLENGTH), name, "\"")
		m = split(either level, l, ",")
		for (i = 2; i <= n; i += 2)
			for (k = 1; k <= m; k++)
				said[name[i] " " l[k]] = file ":" line
		either = ""
	}
	text = ""
	line = 1
}
FNR == 1 { take_file(); file = FILENAME }
FILENAME ~ /\.c$/ { text = text $0 "\n"; next }
/^\| `[a-z0-9-]+` \|/ {
	split($0, cell, / *\| */)
	gsub(/`/, "", cell[2])
	m = split(cell[3], l, ", ")
	for (k = 1; k <= m; k++) {
		if (cell[2] " " l[k] in told)
			print "    " FILENAME ":" FNR ": " cell[2] " (" l[k] ") stands there twice"
		told[cell[2] " " l[k]] = FILENAME ":" FNR
	}
	if (cell[4] == "" || (cell[3] ~ /warning|error/ && cell[5] == ""))
		print "    " FILENAME ":" FNR ": " cell[2] ": what has happened, and what is to be done?"
}
END {
	take_file()
	for (e in said)
		if (!(e in told)) { split(e, f, " "); print "    " said[e] ": event " f[1] " (" f[2] ") is not in docs/EVENTS.md" }
	for (e in told)
		if (!(e in said)) { split(e, f, " "); print "    " told[e] ": nothing says event " f[1] " (" f[2] ")" }
}' docs/EVENTS.md || echo "    awk fails")
[ -z "$bad" ] && echo "ok lint: docs/EVENTS.md has each event with its level" ||
	printf 'not ok lint: docs/EVENTS.md has each event with its level\n%s\n' "$bad"
[ -z "$bad" ]
