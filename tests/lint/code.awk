# Prints FILE:LINE:CODE of C files, with comments gone and strings and characters emptied.
# SPDX-License-Identifier: ISC
FNR == 1 { comment = 0 }
{
	rest = $0
	code = ""
	while (rest != "") {
		if (comment) {
			end = index(rest, "*/")
			rest = end ? substr(rest, end + 2) : ""
			comment = !end
		} else if (match(rest, /"|'|\/\*|\/\//)) {
			code = code substr(rest, 1, RSTART - 1)
			what = substr(rest, RSTART, RLENGTH)
			rest = substr(rest, RSTART + RLENGTH)
			if (what == "//")
				rest = ""
			else if (what == "/*")
				comment = 1
			else {
				if (what == "\"")
					match(rest, /^([^"\\]|\\.)*"?/)
				else
					match(rest, /^([^'\\]|\\.)*'?/)
				code = code what what
				rest = substr(rest, RLENGTH + 1)
			}
		} else {
			code = code rest
			rest = ""
		}
	}
	if (code ~ /[^ \t]/)
		print FILENAME ":" FNR ":" code
}
