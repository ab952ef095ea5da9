#!/bin/sh
# Includes point down, start at the top of the tree, and each library has one home.
# SPDX-License-Identifier: ISC
#
# A folder may include its own files and any folder of a lower rank; so what lies below can be read,
# tested and replaced without what lies above.
cd "$(dirname "$0")/../.." && export LC_ALL=C || exit 2
grep -rHn --include='*.[ch]' '^[ 	]*#[ 	]*include' init services netns rootfs | awk '
BEGIN {
	rank["init/base"] = 0
	rank["init/conf"] = rank["init/loop"] = rank["init/run"] = 1
	rank["rootfs"] = rank["netns"] = 2
	rank["services"] = 3	# its folders are one layer
	rank["init"] = 4	# and so are init/*.c and init/ctl
	rank["generated"] = 0

	# header pattern -> where it may be included
	home["^yaml\\.h$"] = "^init/conf/"
	home["^netlink/"] = "^netns/"
	home["^sodium\\.h$"] = "^services/sign/"
	home["^(seccomp|sys/capability)\\.h$"] = "^services/(cell|plan)/"
}
function layer(path) {
	if (path ~ /^services\//) return "services"
	if (path ~ /^netns\//) return "netns"
	if (path ~ /^rootfs\//) return "rootfs"
	if (path ~ /^init\/(ctl\/)?[^\/]*$/) return "init"
	if (path ~ /^init\//) { split(path, p, "/"); return p[1] "/" p[2] }
	return ""
}
function bad(text) { places = places "    " file ":" line ": " text "\n" }
{
	split($0, f, ":"); file = f[1]; line = f[2]
	from = layer(file)
	if (!match($0, /[<"][^>"]*[>"]/)) next
	name = substr($0, RSTART + 1, RLENGTH - 2)
	if (substr($0, RSTART, 1) == "<") {
		for (h in home)
			if (name ~ h && file !~ home[h])
				bad("<" name "> belongs to " substr(home[h], 2) " only")
		next
	}
	to = layer(name)
	if (!(from in rank))
		bad("this folder has no layer; give it one in tests/lint/layers.sh")
	else if (!(to in rank))
		bad("\"" name "\": write the path from the top of the tree")
	else if (from != to && rank[to] >= rank[from])
		bad(from " (layer " rank[from] ") may not include \"" name "\" (layer " rank[to] ")")
}
END {
	print (places == "" ? "ok" : "not ok") " lint: includes point down"
	printf "%s", places
	exit places != ""
}'
