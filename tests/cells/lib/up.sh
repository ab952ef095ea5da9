# A `prior up` of the test's own, in $work, that ends with it at the latest: begun, asked, ended. Wants say.sh before it.
# SPDX-License-Identifier: ISC
: "${PRIOR:?the binary}"
[ -n "${work-}" ] || work=$(mktemp -d) || exit 2
[ -n "${run-}" ] || run=$work/run
conf=$work/conf.yaml binary=$work/prior settle=60s options='' up=
seen=$work/log
trap '[ -z "$up" ] || kill -KILL $up 2>/dev/null; rm -rf "$work"' EXIT
# Copies that everybody may run: the build may lie where other users cannot go.
cp "$PRIOR" "$work/prior" && cp "${BUILD:-build}/${LIBC:-glibc}/tests/cells/tool" "$work/tool" || exit 2
chmod 755 "$work" "$work/prior" "$work/tool"

# A twentieth of a second, without a sleep of our own: a reader that nobody writes to times out.
mkfifo "$work/never" && exec 9<>"$work/never"
pause() { timeout "${1:-0.05}" cat <&9 >/dev/null; }

ctl() { timeout "${limit:-60}" "$work/prior" "$@" --run-dir "$run"; }
# State, pid and the like of a service: field SERVICE NAME. Of prior itself: own NAME, a number.
field() { ctl status "$1" --json 2>/dev/null | tr -d '\n' | grep -o "\"$2\": *[^,}]*" | head -1 | sed 's/.*: *//; s/"//g'; }
own() { ctl status --prior --json 2>/dev/null | tr -d '\n ' | grep -o "\"$1\":[0-9]*" | head -1 | sed 's/.*://'; }
# What is waited for has a minute, and more where asking takes its time.
until_works() { # COMMAND...
	n=0
	until "$@" >/dev/null 2>&1 || [ $n -ge 1200 ]; do n=$((n + 1)); pause; done
}
until_says() { # WANT COMMAND...: what it says in the end
	want=$1 n=0
	shift
	while [ "$("$@" 2>/dev/null)" != "$want" ] && [ $n -lt 1200 ]; do n=$((n + 1)); pause; done
	"$@" 2>/dev/null
}
until_is() { until_says "$3" field "$1" "$2"; }	# SERVICE NAME VALUE
until_own() { until_says "$2" own "$1"; }	# NAME VALUE
until_there() { until_works test -e "$1"; }	# FILE
# How many descriptors it has: the fewest of five looks, since some live for a moment; and when they are to be no more
# than MOST, what they were in the end.
fds() { for _ in 1 2 3 4 5; do ls "/proc/$up/fd" | wc -l; pause 0.02; done | sort -n | head -1; }
fds_within() { # MOST
	n=0
	while [ "$(fds)" -gt "$1" ] && [ $n -lt 200 ]; do n=$((n + 1)); pause; done
	fds
}
until_logs() { # SERVICE TEXT [TIMES]: its lines, that often with the text: what it wrote is read a moment later
	n=0
	while [ "$(ctl logs "$1" 2>/dev/null | grep -cF -- "$2")" -lt "${3:-1}" ] && [ $n -lt 1200 ]; do n=$((n + 1)); pause; done
	ctl logs "$1" 2>/dev/null
}

launch() { # [COMMAND...]: it in the background, with that in front of it and $options behind; it answers
	rm -f "$run/control.sock"
	"$@" "$binary" up -c "$conf" --run-dir "$run" --log-dir "" $options >"$work/log" 2>&1 &
	up=$!
	n=0
	# The file is there a moment before anybody listens.
	until [ -S "$run/control.sock" ] && ctl status --prior >/dev/null 2>&1 || [ $n -ge 2400 ]; do n=$((n + 1)); pause; done
}
begin() { # the same, and all is settled; fails, with the reason in $work/err, when it is not in time
	launch "$@"
	limit=90 ctl wait --timeout "$settle" >/dev/null 2>"$work/err"
}
finish() { # [SIGNAL]: its exit code
	kill -"${1:-TERM}" $up
	wait $up
	set -- $?
	up=
	return $1
}
