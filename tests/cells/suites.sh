#!/bin/sh
# The published tests of tini and dumb-init, against prior under their names. Fetched, not kept here: MIT licences, theirs.
# SPDX-License-Identifier: ISC
#
# What is adapted: they are called with our binary in the place of theirs, in a pid namespace whose PID 1 is ours, so
# that orphans end whatever this machine's init does. tini's reads a bit map with a module that Debian lacks: bitmap.py.
# dumb-init's runs two of `yes | tail`, which leave some kernels no time for anything else: with no init at all a clock beside
# them stood still for up to two minutes. They find a `yes` that takes a breath. What both take for granted after a second,
# or less, is waited for: that a program has its handlers, that it has been executed, that it is gone.
# catatonit publishes no tests.
set -u
cd "$(dirname "$0")/../.." || exit 2
: "${PRIOR:?the binary}"
suites=${BUILD:-build}/suites
python=/usr/bin/python3	# Debian's: it has the modules
[ -z "${SUBSET-}" ] || { echo "skip suites: not in the subset"; exit 0; }
unshare -pf --mount-proc true 2>/dev/null || { echo "skip suites: no pid namespace can be made here"; exit 0; }
for m in pytest psutil prctl; do
	$python -c "import $m" 2>/dev/null || { echo "skip suites: python3-$m is not installed"; exit 0; }
done
if ! [ -f "$suites/fetched" ]; then
	if ! tools/debsrc "$suites" --tar-only tini dumb-init >"${BUILD:-build}/suites.log" 2>&1; then
		echo "skip suites: the source packages tini and dumb-init cannot be fetched: ${BUILD:-build}/suites.log"
		exit 0
	fi
	for t in "$suites"/*.orig.tar.*; do tar -C "$suites" -xf "$t" || exit 2; done
	touch "$suites/fetched"
fi
tini=$(ls -d "$suites"/tini-*/) dumb=$(ls -d "$suites"/dumb-init-*/)
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
failed=0

# Their programs say /usr/bin/env python: Debian's, with the modules.
mkdir "$work/bin" "$work/lib" && ln -s $python "$work/bin/python" && ln -s $python "$work/bin/python3" || exit 2
cat >"$work/lib/bitmap.py" <<'PY'
class BitMap:
    def __init__(self, set_bits):
        self.set_bits = set_bits

    @classmethod
    def fromstring(cls, text):
        return cls([n for n, bit in enumerate(reversed(text)) if bit == "1"])

    def nonzero(self):
        return self.set_bits
PY
cat >"$work/lib/patient.py" <<'PY'
import time
import psutil
import testing

testing.sleep_until.__defaults__ = (60,)
state, nap = testing.process_state, time.sleep


def process_state(pid):
    for _ in range(6000):
        try:
            return state(pid)
        except AttributeError:      # "disk sleep" has a space
            nap(0.01)


def sleep(seconds):
    for _ in range(6000 if seconds == 0.5 else 0):
        if any(c.name() == "sleep" for c in psutil.Process().children(recursive=True)):
            break
        nap(0.01)
    nap(seconds)


testing.process_state, time.sleep = process_state, sleep
PY
mkdir "$work/dumb" && cat >"$work/dumb/sleep" <<'SH' && chmod 755 "$work/dumb/sleep" || exit 2
#!/bin/sh
# For a second: until what our parent has started beside us catches SIGTERM.
[ "$1" = 1 ] || exec /bin/sleep "$@"
n=0
until grep -l "^PPid:.$PPID\$" /proc/[0-9]*/status 2>/dev/null | xargs grep -q '^SigCgt:.*[4-7c-f]...$' 2>/dev/null ||
	[ $n -ge 1200 ]; do n=$((n + 1)); /bin/sleep 0.05; done
SH
# Its process group is signalled when its last member has been executed: until then that one ignores the signal.
sed 's/checks = 100$/checks = 1000/; s/, 10)$/, 100)/; s/ > 1, 10$/ > 1, 100/
	s/len(\(psutil.Process(p.pid).children(recursive=True)\)) == 2/"sleep" in [c.name() for c in \1]/' \
	"$tini/test/run_inner_tests.py" >"$work/lib/run_inner_tests.py"
[ "$(grep -c '"sleep" in' "$work/lib/run_inner_tests.py")" = 2 ] || exit 2
gcc -x c -o "$work/bin/yes" - <<'C' || exit 2
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	while (puts(argc > 1 ? argv[1] : "y") >= 0 && !fflush(stdout))
		usleep(5000);
	return 1;
}
C
signals=$(realpath "${BUILD:-build}/${LIBC:-glibc}/tests/cells/signals") || exit 2
inside() { PATH="$work/bin:$PATH" timeout 140 "$signals" clean unshare -pf --mount-proc "$1" run -- sh -c "$2" >"$work/out" 2>&1; }
verdict() { # WHAT CODE PATTERN: the last lines when it went wrong
	if [ "$2" = 0 ] && grep -Eq "$3" "$work/out"; then
		echo "ok suites: $1: $(grep -Eo "$3" "$work/out" | tail -1)"
	else
		echo "not ok suites: $1 (code $2)"
		tail -n 30 "$work/out" | cut -c1-200 | sed 's/^/    /'
		failed=1
	fi
}

suites_of() { # BINARY WHAT
	for n in tini dumb-init; do cp "$1" "$work/bin/$n" || exit 2; done
	dumb_suite="cd '$dumb' && PATH='$work/dumb:$work/bin:$PATH' PYTHONPATH='$work/lib' exec '$python' -u -m pytest -q -p no:cacheprovider -p patient tests"
	inside "$1" "$dumb_suite"
	verdict "dumb-init's tests, $2" $? '[0-9]+ passed'
	gcc -o "$work/bin/sigconf-test" "$tini/test/sigconf/sigconf-test.c" || exit 2
	SOURCE_DIR=$tini BUILD_DIR=$work/bin FORCE_SUBREAPER=1 PYTHONPATH=$work/lib PYTHONDONTWRITEBYTECODE=1 \
		inside "$1" "exec '$python' '$work/lib/run_inner_tests.py'"
	verdict "tini's tests, $2" $? 'All done, tests as expected'
}
export PYTHONDONTWRITEBYTECODE=1
suites_of "$PRIOR" prior
small=${BUILD:-build}/run-only/prior-run
if [ -x "$small" ]; then suites_of "$small" "the small build"; fi
exit $failed
