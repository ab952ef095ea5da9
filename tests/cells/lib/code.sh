# The exit code of a command, whose output goes to $work/log.
# SPDX-License-Identifier: ISC
#
# A podman that is held up at the end finds its container removed already, and does not know its code: it is asked anew.
code() { # COMMAND...
	for _ in 1 2 3 4 5; do
		"$@" >"$work/log" 2>&1
		seen=$?
		grep -q 'container has already been removed' "$work/log" || break
	done
	echo $seen
}
