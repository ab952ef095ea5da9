# What a test of this folder says: a line a check, and below one that failed what was seen, and the end of the file $seen.
# $who names the test.
# SPDX-License-Identifier: ISC
: "${who:?the name of the test}"
failed=0
ok() { echo "ok $who: $1"; }
not_ok() { # NAME SEEN
	echo "not ok $who: $1"
	{ printf '%s\n' "$2" | tail -n 30; [ ! -f "${seen-}" ] || tail -n 15 "$seen"; } | cut -c1-400 | sed 's/^/    /'
	failed=1
}
is() { if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "want '$2', got '$3'"; fi; }
has() { case $3 in *"$2"*) ok "$1" ;; *) not_ok "$1" "no '$2' in: $3" ;; esac; }
hasnt() { case $3 in *"$2"*) not_ok "$1" "'$2' in: $3" ;; *) ok "$1" ;; esac; }
needs_root() { [ "$(id -u)" = 0 ] || { echo "skip $who: needs root"; exit 0; }; }
needs_spaces() { unshare "$1" --fork true 2>/dev/null || { echo "skip $who: no namespace can be made here"; exit 0; }; }
