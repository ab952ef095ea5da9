# One control in one cell: what $program says of the acts it was told to try. Wants say.sh before it, and $work.
# SPDX-License-Identifier: ISC
cell() { # KEY=VALUE... -- ACT...: by `prior run`, with $always besides, $WITHOUT in front
	sets=''
	while [ "$1" != -- ]; do
		sets="$sets --set '$1'"
		shift
	done
	shift
	eval "timeout 120 ${WITHOUT-} '$PRIOR' run --preset ${PRESET:-none} ${always-} $sets -- '$program' \"\$@\"" 2>"$work/err" </dev/null
}
says() { # NAME WANT, then as cell
	name=$1 want=$2
	shift 2
	got=$(cell "$@" | tr '\n' ' ')
	if [ "$got" = "$want " ]; then ok "$name"; else
		not_ok "$name" "want '$want', got '$got'
$(cat "$work/err")"; fi
}
