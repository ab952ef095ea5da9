#!/bin/sh
# Services under OCI runtimes (crun, runc, runsc): carried over, compared, supervised, and nothing left behind. Needs root.
# SPDX-License-Identifier: ISC
set -u
self=$(realpath "$0")
cd "$(dirname "$0")/../.." || exit 2
: "${PRIOR:?the binary}"
who=oci
. tests/cells/lib/say.sh
needs_root
needs_spaces -mp
if [ -z "${OCI_INSIDE-}" ]; then
	# The runtimes look at /sys/fs/cgroup and at nothing else: in mounts of our own, cgroup2 is there.
	exec env OCI_INSIDE=1 PRIOR="$(realpath "$PRIOR")" unshare -m --propagation private "$self"
fi
umount -R /sys/fs/cgroup 2>/dev/null
mount -t cgroup2 cgroup2 /sys/fs/cgroup 2>/dev/null || { echo "skip oci: no cgroup2 can be mounted here"; exit 0; }
work=$(mktemp -d -p /var/lib) || exit 2	# every service has a /tmp of its own
. tests/cells/lib/up.sh
installed() { PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin command -v "$1" >/dev/null; }

# What the service sees of its own confinement, one fact a line.
cat >"$work/facts" <<'SH'
#!/bin/sh
s() { sed -n "s/^$1:[	 ]*//p" /proc/self/status; }
echo "ids $(id -u) $(id -g) $(id -G)"
echo "caps $(s CapEff) $(s CapBnd)"
echo "nnp $(s NoNewPrivs) seccomp $(s Seccomp)"
echo "umask $(umask) cwd $(pwd) name $(hostname) tz $TZ container $container"
echo "nofile $(ulimit -Sn) core $(ulimit -c) oom $(cat /proc/self/oom_score_adj 2>/dev/null)"
touch /usr/x 2>&1 | sed 's/.*: /usr: /'
echo data >/srv/written && echo "volume written"
[ -r /etc/shadow ] && echo "shadow can be read"
[ -n "$(ls -A /root 2>/dev/null)" ] && echo "root's home can be read"
cat /etc/machine-id >/dev/null 2>&1 && [ -s /etc/machine-id ] && echo "the covered file is there"
unshare -U true 2>&1 | sed 's/.*: /unshare: /'
mount -t tmpfs none /tmp 2>/dev/null && echo "mounted"
echo "links $(grep -c : /proc/net/dev 2>/dev/null || ls /sys/class/net | wc -l)"
echo "mounts $(sed -n 's,^[^ ]* [^ ]* [^ ]* [^ ]* /srv \([^ ]*\) .*,\1,p' /proc/self/mountinfo)"
trap 'echo stopped well; exit 0' TERM
echo "facts end"
while :; do sleep 0.05; done
SH
chmod 755 "$work/facts"
mkdir -p "$work/data" && chown 33:33 "$work/data"

write() { # RUNTIME
	cat >"$work/conf.yaml" <<YAML
defaults: {user: www-data, security: {runtime: $1}, backoff: {initial: 10ms, max: 20ms}}
services:
  facts:
    command: $work/facts
    umask: "0027"
    working_dir: /srv
    environment: {TZ: Nowhere}
    isolation:
      network: true
      hostname: told
      proc_subset: all
      volumes: ["$work/data:/srv:rw"]
      inaccessible_paths: [/etc/machine-id]
    security: {memory_deny_write_execute: false}
    limits: {nofile: 4096, oom_score_adj: 321}
  crash: {command: [sh, -c, "sleep 0.3; exit 3"], max_restarts: 2}
YAML
	[ "$1" = runsc ] && return
	cat >>"$work/conf.yaml" <<YAML
  answer:
    command: [$work/tool, answer]
    user: root
    security: {preset: minimal}
    listen: [{name: a, unix: $work/answer.sock, mode: "0666"}]
  ready: {command: [$work/tool, notify, "READY=1"], ready: notify}
  deaf: {command: [sh, -c, "trap '' TERM; while :; do sleep 1; done"], stop_timeout: 300ms}
  env: {command: [sh, -c, 'echo "pid \$\$\$\$ listen \$LISTEN_PID \$LISTEN_FDS \$LISTEN_FDNAMES"; exec sleep 1000'], listen: [{name: e, unix: $work/env.sock}]}
YAML
	sed -i '/security: {preset: minimal}/d' "$work/conf.yaml"
}

expect() { # RUNTIME: what must be seen inside
	got=$(until_logs facts "facts end")
	for line in "ids 33 33 33" "cwd /srv name told tz Nowhere container $1" "nofile 4096 core 0" \
		"volume written"; do
		has "$1: $line" "$line" "$got"
	done
	for line in "shadow can be read" "root's home can be read" "mounted" "the covered file is there"; do
		case $got in *"$line"*) not_ok "$1: not: $line" "$got" ;; *) ok "$1: not: $line" ;; esac
	done
	is "$1: what it wrote is in the volume" data "$(cat "$work/data/written")"
}

of_the_kernel() { # RUNTIME: what only a runtime of the machine's kernel shows
	got=$(until_logs facts "facts end")
	for line in "caps 0000000000000000 0000000000000000" "nnp 1 seccomp 2" "usr: Read-only file system" "umask 0027" \
		"oom 321" "unshare: Operation not permitted"; do
		has "$1: $line" "$line" "$got"
	done
	attr=$(printf '%s\n' "$got" | sed -n 's/.*mounts //p')
	has "$1: the volume is nosuid" nosuid "$attr"
	has "$1: and nodev" nodev "$attr"
	[ "$1" != runc ] || has "$1: and nosymfollow" nosymfollow "$attr"
	is "$1: it is attested" true "$(field facts attested)"
	has "$1: status says which runtime" "under $1, attested" "$(ctl status)"
	got=$(ctl audit facts)
	is "$1: audit finds it as planned" 0 $?
	has "$1: and says what it did not compare" "are its runtime's, and not compared" "$got"
	is "$1: passed sockets are named" "pid 1 listen 1 1 e" "$(until_logs env listen | sed 's/.*pid 1/pid 1/')"
	is "$1: a passed socket answers, as pid 1 of its namespace" 1 "$(timeout 120 python3 -c '
import socket, sys
s = socket.socket(socket.AF_UNIX); s.settimeout(60); s.connect(sys.argv[1]); print(s.recv(16).decode().strip())' "$work/answer.sock" 2>&1)"
	is "$1: a service that says READY=1 is up" up "$(until_is ready state up)"
	pid=$(field deaf pid)
	ctl stop deaf >/dev/null
	is "$1: what ignores its stop signal is killed" "" "$(cat "/proc/$pid/comm" 2>/dev/null)"
}

for runtime in ${ONLY:-crun runc runsc}; do
	installed $runtime || { echo "skip oci: $runtime is not installed"; continue; }
	rm -f "$work/data/written"
	run=$work/$runtime
	write $runtime
	begin
	if [ $runtime = runsc ] && [ "$(field facts state)" != up ]; then
		has "runsc: where it cannot run, its own words are told" "runsc" "$(cat "$work/log")"
		echo "skip oci: runsc cannot run here: $(ctl status facts --json | tr -d '\n' | sed 's/.*"why": *"\([^"]*\)".*/\1/')"
		finish
		continue
	fi
	expect $runtime
	if [ $runtime = runsc ]; then
		# Its sockets have names without folders, the machine over: runsc-sandbox.NAME.
		is "runsc: another supervisor may have a service of this name" 1 "$(ls "$run/oci/state" | grep -oE '^facts-[0-9a-f]{8}_' | sort -u | wc -l)"
		has "runsc: status says that nothing can be read back" "under runsc, nothing to read back" "$(ctl status)"
		has "runsc: and so does audit" "its own kernel confines it" "$(ctl audit facts)"
	else
		of_the_kernel $runtime
	fi
	is "$runtime: a service that only fails is given up" failed "$(until_is crash state failed)"
	is "$runtime: its code is its own" 3 "$(ctl status crash --json | tr -d '\n ' | sed 's/.*"exit":{[^}]*"status":\([0-9]*\).*/\1/')"
	is "$runtime: the runtime has forgotten it" "" "$(ls "$run/oci/state" | grep crash; ls "$run/bundles" | grep crash)"
	is "$runtime: the bundle is root's alone" "700 600" "$(stat -c %a "$run/bundles/facts" "$run/bundles/facts/config.json" | tr '\n' ' ' | sed 's/ $//')"
	pid=$(field facts pid)
	kill -KILL "$pid"
	n=0
	while { [ "$(field facts pid)" = "$pid" ] || [ "$(field facts state)" != up ]; } && [ $n -lt 1200 ]; do n=$((n + 1)); pause; done
	is "$runtime: a killed one is started again" up "$(field facts state)"
	until_logs facts "facts end" 2 >/dev/null
	pid=$(field facts pid)
	ctl stop facts >/dev/null
	has "$runtime: a stop reaches the service" "stopped well" "$(until_logs facts "stopped well")"
	is "$runtime: it is down" down "$(field facts state)"
	is "$runtime: no process is left" "" "$(cat "/proc/$pid/comm" 2>/dev/null)"
	is "$runtime: no cgroup is left" "" "$(find "/sys/fs/cgroup/prior-$up" -type d -name facts)"
	is "$runtime: no memory of it is left" "" "$(ls "$run/oci/state" "$run/bundles" | grep facts)"
	ctl start facts >/dev/null
	is "$runtime: it starts again" up "$(until_is facts state up)"
	pid=$(field facts pid)
	kill -KILL $up; wait $up 2>/dev/null
	left=/sys/fs/cgroup/prior-$up
	begin
	is "$runtime: a supervisor that was killed leaves nothing in the next one's way" up "$(until_is facts state up)"
	[ $runtime = runsc ] || is "$runtime: nor at its sockets" up "$(until_is answer state up)"
	finish
	find "$left" -depth -type d -exec rmdir {} + 2>/dev/null
	is "$runtime: at the end nothing is left" "" "$(find "$run" -path '*oci*' -o -path '*bundles*')"
done

refused() { # WHAT TEXT SERVICE-KEYS
	printf 'services:\n  x:\n    command: [/bin/true]\n%s\n' "$3" >"$work/one.yaml"
	has "$1" "$2" "$(timeout 120 "$work/prior" check "$work/one.yaml" 2>&1)"
}
if installed crun; then
	refused "unveil is refused by name" "crun: Landlock cannot be carried over to it" '    isolation: {unveil: {/: rx}}
    security: {runtime: crun}'
	refused "a time namespace is, too" "crun: the time namespace cannot be carried over" '    isolation: {time: true}
    security: {runtime: crun}'
	refused "sockets need a pid namespace" "only with isolation.pid: true" '    isolation: {pid: false}
    listen: [{name: a, tcp: "127.0.0.1:1"}]
    security: {runtime: crun}'
	refused "mounts of its own it must have" "isolation.mount must not be false" '    isolation: {mount: false, preset: none}
    security: {runtime: crun}'
fi
if installed runsc; then
	refused "runsc passes no sockets" "runsc passes no sockets on" '    listen: [{name: a, tcp: "127.0.0.1:1"}]
    security: {runtime: runsc}'
	refused "runsc reaches no notify socket" "its sandbox reaches no socket of the machine" '    ready: notify
    security: {runtime: runsc}'
fi
printf 'services: {x: {command: [/bin/x], isolation: {rootfs: %s}, security: {runtime: crun}}}\n' "$work" >"$work/one.yaml"
has "a runtime that is not there is named" "security.runtime: crun is not installed (looked in /usr/local/sbin" "$(unshare -m sh -c '
	mount -t tmpfs none /usr/local/sbin; mount -t tmpfs none /usr/local/bin; mount -t tmpfs none /usr/sbin
	mount -t tmpfs none /usr/bin; exec "$0" check "$1"' "$work/prior" "$work/one.yaml" 2>&1)"
exit $failed
