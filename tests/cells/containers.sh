#!/bin/sh
# What a container takes away, row by row, under podman and runc and in bare namespaces: it works, or says why not.
# SPDX-License-Identifier: ISC
set -u
cd "$(dirname "$0")/../.." || exit 2
: "${PRIOR:?the binary}"
tool=${BUILD:-build}/${LIBC:-glibc}/tests/cells/tool
[ "$(id -u)" = 0 ] || { echo "skip containers: needs root"; exit 0; }
work=$(mktemp -d) || exit 2
pods=$work/pods
# crun refuses a host with both versions of control groups: it gets a view of the one, and makes none.
podman_() {
	timeout 120 $view podman --storage-driver vfs --root "$pods/root" --runroot "$pods/run" --cgroup-manager cgroupfs \
		--events-backend file --runtime "$runtime" "$@"
}
runtime=runc view= nogroups=
only2() {
	cat >"$work/only2" <<'SH'
#!/bin/sh
exec unshare -m sh -c 'mount --make-rprivate / && umount -R -l /sys/fs/cgroup && mount -t cgroup2 c /sys/fs/cgroup && exec "$@"' -- "$@"
SH
	chmod +x "$work/only2" && view=$work/only2 nogroups=--cgroups=disabled
}
end() {
	if [ -d "$work/pods" ]; then podman_ rm -fa >/dev/null 2>&1; fi
	rm -rf "$work"
}
trap end EXIT
failed=0 who=containers
ok() { echo "ok $who: $1"; }
is() { if [ "$2" = "$3" ]; then ok "$1"; else echo "not ok $who: $1 (want '$2', got '$3')"; sed 's/^/    /' "$work/log" | cut -c1-200 | tail -12; failed=1; fi; }
has() { if grep -Eq -- "$2" "$work/log"; then ok "$1"; else echo "not ok $who: $1 (want '$2')"; sed 's/^/    /' "$work/log" | cut -c1-200 | tail -12; failed=1; fi; }
. tests/cells/lib/code.sh

. tests/cells/lib/container.sh
image_made "$tool" sh sleep id cat true false grep kill
conf less <<'YAML'
services:
  app: {command: [/bin/sh, -c, "/bin/prior status; id"], restart: "no", isolation: {preset: server, required: false}}
YAML
conf key <<'YAML'
services:
  app: {command: [/bin/id], restart: "no", isolation: {network: true}}
YAML
conf limit <<'YAML'
services:
  app: {command: [/bin/id], restart: "no", limits: {cgroup: {memory_max: 64M}}}
YAML
conf fatal <<'YAML'
services:
  app: {command: [/bin/false], backoff: {initial: 10ms, max: 10ms}, max_restarts: 2}
  once: {type: oneshot, command: [/bin/true]}
YAML
conf jobs <<'YAML'
services:
  one: {type: oneshot, command: [/bin/true]}
  two: {type: oneshot, command: [/bin/true], depends_on: {one: {condition: service_completed_successfully}}}
YAML
conf stays <<'YAML'
services:
  side: {command: [/bin/sleep, "1000"]}
  main: {command: [/bin/sleep, "1000"], critical: true, depends_on: [side]}
YAML
conf beside <<'YAML'
services:
  side: {command: [/bin/sleep, "1000"]}
YAML
conf caps <<'YAML'
services:
  app: {command: [/bin/id], restart: "no", isolation: {preset: minimal}}
YAML

rows() { # RUN: how a container of this kind is run, OPTIONS before the command in $o
	o= is "the default configuration: its code is ours" 3 "$(o= code "$1" /bin/prior)"
	has "and the default preset gives way, and says so" 'contained: no namespace can be made here'
	has "but is attested" 'attested [0-9]+ facts'
	has "its user is not root" 'app \| uid=[1-9]'
	has "it has no capability" 'app \| CapEff:.0000000000000000'
	is "a preset that is asked for is refused, and the container ends" 1 "$(o= code "$1" /bin/prior /conf/server.yaml)"
	has "with the reason, and the flag that would allow it" \
		"isolation.preset: server: no namespace can be made here .*--cap-add SYS_ADMIN .*isolation.required: false"
	is "and so is a key" 1 "$(o= code "$1" /bin/prior /conf/key.yaml)"
	has "likewise with both" 'isolation.network: no namespace can be made here .*--cap-add SYS_ADMIN .*isolation.required: false'
	is "required: false runs with less" 0 "$(o= code "$1" /bin/prior /conf/less.yaml)"
	has "and says what is missing" 'no namespace can be made here.*the rest of preset .server. holds'
	is "a limit without a cgroup is refused" 1 "$(o= code "$1" /bin/prior /conf/limit.yaml)"
	has "with what would allow it" 'no cgroup2 that can be written here; limits.cgroup.root can name one; or isolation.required: false'
	is "a service that is given up ends the container with its code" 1 "$(o= code "$1" /bin/prior /conf/fatal.yaml)"
	has "which says so" 'no service runs, none will by itself, and not all have done their work'
	is "jobs that are done end it with 0" 0 "$(o= code "$1" /bin/prior /conf/jobs.yaml)"
	is "CMD is the main service: its code is ours" 7 "$(o= code "$1" /bin/prior /conf/beside.yaml -- /bin/sh -c 'echo "main $FOO"; exit 7')"
	has "with the container's environment" 'main \| main bar'
	has "and what is beside it is stopped" 'side: stopp'
	is "minimal, where PID 1 lacks capabilities: it runs or is refused" 1 "$(o= code "$1" /bin/prior /conf/caps.yaml | grep -c '^[01]$')"
	is "an arbitrary user without passwd, of group 0" 3 "$(o='--user 1000640000:0' code "$1" /bin/prior)"
	has "keeps its ids, and that is said" 'keeps our user and groups'
	is "no capabilities at all" 3 "$(o='--cap-drop all' code "$1" /bin/prior)"
	is "an arbitrary user with no capabilities on a read-only root" 3 \
		"$(o='--user 1000640000:0 --cap-drop all --read-only --read-only-tmpfs=false' code "$1" /bin/prior)"
	is "a read-only root and nothing to write to" 3 "$(o='--read-only --read-only-tmpfs=false' code "$1" /bin/prior)"
	is "and not even /dev/shm: it goes on, and says what it cannot do" "3 1" \
		"$(o='--read-only --read-only-tmpfs=false -v /proc/self:/dev/shm:ro' code "$1" /bin/prior) $(grep -c 'no place for the control socket' "$work/log")"
	is "noexec on all that can be written" 3 "$(o='--tmpfs /run:rw,noexec,notmpcopyup --tmpfs /tmp:rw,noexec,notmpcopyup' code "$1" /bin/prior)"
	is "no new privileges" 3 "$(o='--security-opt no-new-privileges' code "$1" /bin/prior)"
	if [ -n "$nogroups" ]; then
		echo "skip $who: not PID 1: podman wants a pid namespace where it makes no control group"
	else
		is "not PID 1" 3 "$(o='--pid host' code "$1" /bin/prior up)"
	fi
	is "a terminal" 3 "$(o='--tty' code "$1" /bin/prior)"
	is "another init outside" 3 "$(o="--init --init-path $PRIOR" code "$1" /bin/prior up)"
	is "prior as --init: the command's code" 5 "$(o="--init --init-path $PRIOR" code "$1" /bin/sh -c 'exit 5')"
	is "all capabilities: everything is confined" 0 "$(o='--privileged' code "$1" /bin/prior /conf/server.yaml)"
	has "and attested" 'attested [0-9]+ facts'
	is "SYS_ADMIN and no seccomp are enough for a preset" 0 \
		"$(o='--cap-add SYS_ADMIN --security-opt seccomp=unconfined --security-opt unmask=all' code "$1" /bin/prior /conf/server.yaml)"
	is "run in a sandbox in one line" 4 "$(o= code "$1" /bin/prior run --preset contained -- /bin/sh -c 'exit 4')"
}

limits="--network=none --ulimit nofile=1024:1024 --ulimit nproc=1000:1000"	# what an ordinary host lets us set
pod() { podman_ run --rm $limits $nogroups -e FOO=bar $o --rootfs "$image" "$@"; }

stops() { # STOP-SIGNAL WHAT
	podman_ run -d --name stopped $limits $nogroups --stop-signal "$1" --rootfs "$image" /bin/prior /conf/stays.yaml >"$work/log" 2>&1
	n=0
	until podman_ exec stopped /bin/prior wait >>"$work/log" 2>&1 || [ $n -ge 240 ]; do n=$((n + 1)); done
	podman_ exec stopped /bin/prior status --json >"$work/log" 2>&1
	is "$2: status from inside" 2 "$(grep -c '"state": "up"' "$work/log")"
	podman_ stop -t 20 stopped >"$work/log" 2>&1
	podman_ logs stopped >"$work/log" 2>&1
	is "$2: ends in order, with 0" 0 "$(podman_ inspect -f '{{.State.ExitCode}}' stopped)"
	is "$2: dependents first" "main side" "$(sed -n 's/.* \(main\|side\): stopping.*/\1/p' "$work/log" | paste -sd' ')"
	podman_ rm -f stopped >/dev/null 2>&1
}

who=podman
for runtime in runc crun; do
	o=
	[ $runtime = runc ] || only2
	if ! command -v podman >/dev/null || ! command -v $runtime >/dev/null; then
		echo "skip podman: with $runtime: not installed"
	elif [ "$(code pod /bin/true)" != 0 ]; then
		echo "skip podman: with $runtime: no container runs here: $(tail -1 "$work/log")"
	else
		who="podman, $runtime"
		rows pod
		stops SIGTERM "SIGTERM"
		stops 37 "SIGRTMIN+3"
	fi
done
view= nogroups=

who=runc
bundle=$work/bundle
mkdir -p "$bundle"
if ! command -v runc >/dev/null || ! (cd "$bundle" && runc spec) 2>/dev/null; then
	echo "skip runc: not installed"
else
	python3 - "$bundle/config.json" "$image" <<'PY'
import json, sys
c = json.load(open(sys.argv[1]))
c["process"].update(terminal=False, rlimits=[], args=["/bin/prior"])
c["root"] = {"path": sys.argv[2], "readonly": True}
json.dump(c, open(sys.argv[1], "w"))
PY
	if got=$(code runc run -b "$bundle" "prior-test-$$") && [ "$got" = 3 ]; then
		ok "a bundle as \`runc spec\` writes it: read-only, three capabilities"
	elif grep -q 'runc create failed\|container_linux' "$work/log"; then
		echo "skip runc: no container runs here: $(tail -1 "$work/log")"
	else
		is "a bundle as \`runc spec\` writes it" 3 "$got"
	fi
fi

who=unshare
# What a supervisor that was killed leaves of control groups is removed by the next.
if ! groups=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts) || ! [ -w "$groups/cgroup.procs" ]; then
	echo "skip leftovers: no cgroup2 that can be written here"
else
	"$PRIOR" up -c "$image/conf/beside.yaml" --run-dir "$work/killed" --log-dir "" >"$work/log" 2>&1 &
	killed=$!
	n=0
	until "$PRIOR" wait --run-dir "$work/killed" >/dev/null 2>&1 || [ $n -ge 1200 ]; do n=$((n + 1)); timeout 0.05 tail -f /dev/null; done
	own=$groups$(sed -n 's/^0:://p' /proc/$killed/cgroup)
	left=${own%/prior.init}/prior-$killed
	is "a supervisor has a control group" yes "$([ -d "$left" ] && echo yes)"
	kill -KILL $killed && wait $killed 2>/dev/null
	n=0
	while grep -q 'populated 1' "$left/cgroup.events" && [ $n -lt 12000 ]; do n=$((n + 1)); done
	"$PRIOR" up -c "$image/conf/jobs.yaml" --run-dir "$work/next" --log-dir "" >"$work/log" 2>&1
	is "killed, it leaves one, which the next removes" no "$([ -d "$left" ] || echo no)"
fi

if ! unshare -mpf --mount-proc true 2>/dev/null; then
	echo "skip unshare: no namespace can be made here"
	exit $failed
fi
bare() { # in a chroot of the image: no capability to lose, no runtime
	unshare -mpf sh -c 'mount --rbind "$0" "$0" && mount -t proc p "$0/proc" && mount --rbind /dev "$0/dev" && cd "$0" && pivot_root . conf/old &&
		/bin/busybox umount -l /conf/old && exec "$@"' "$image" "$@"
}
is "root in bare namespaces: server is enforced" 0 "$(code bare /bin/prior /conf/server.yaml)"
has "and attested" 'attested [0-9]+ facts'
mv "$image/etc" "$image/gone"
is "no /etc" 0 "$(code bare /bin/prior /conf/server.yaml)"
is "no /etc and no configuration, but a command" 6 "$(code bare /bin/prior -- /bin/sh -c 'exit 6')"
is "nothing at all is said to be missing" 125 "$(code bare /bin/prior)"
has "with what to do" 'there is no configuration at /etc/prior.*-c PATH'
mv "$image/gone" "$image/etc"
is "every system call for mounts denied: contained" 3 "$(code unshare -mpf sh -c 'mount --rbind "$0" "$0" &&
	mount -t proc p "$0/proc" && mount --rbind /dev "$0/dev" && exec setpriv --bounding-set -sys_admin --inh-caps -sys_admin chroot "$0" /bin/prior' "$image")"
has "and said" 'contained: no namespace can be made here'

# Sockets and a word from outside, and nothing else of what was open.
conf handed <<'YAML'
services:
  web: {command: [/bin/tool, answer], listen: [{name: http, unix: /tmp/never.sock}], isolation: {preset: none}}
YAML
python3 - "$PRIOR" "$tool" "$image" "$work" >"$work/log" 2>&1 <<'PY'
import os, re, signal, socket, subprocess, sys
prior, tool, image, work = sys.argv[1:]
notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notify.bind(f"{work}/notify.sock")
notify.settimeout(120)
listen = [socket.socket(socket.AF_UNIX) for _ in range(2)]
for n, s in enumerate(listen):
    s.bind(f"{work}/given{n}.sock")
    s.listen()
open(f"{work}/handed.yaml", "w").write(open(f"{image}/conf/handed.yaml").read().replace("/bin/tool", tool))
stray = os.open("/dev/zero", os.O_RDONLY)
pid = os.fork()
if pid == 0:
    fds = [os.dup(s.fileno()) for s in listen]
    far = [os.dup2(f, 50 + n) for n, f in enumerate(fds)]
    for n, f in enumerate(far):
        os.dup2(f, 3 + n, inheritable=True)
    os.dup2(stray, 60, inheritable=True)
    env = dict(os.environ, LISTEN_PID=str(os.getpid()), LISTEN_FDS="2", LISTEN_FDNAMES="http:other",
               NOTIFY_SOCKET=f"{work}/notify.sock")
    os.execve(prior, [prior, "up", "-c", f"{work}/handed.yaml", "--run-dir", f"{work}/run", "--log-dir", ""], env)
said = ["first word " + notify.recv(4096).split(b"\n")[0].decode()]
c = socket.socket(socket.AF_UNIX)
c.settimeout(120)
c.connect(f"{work}/given0.sock")
said.append(f"answered {bool(c.recv(10))}")
def leads(f):
    try:
        return os.readlink(f"/proc/{pid}/fd/{f}")
    except FileNotFoundError:   # some live for a moment
        return None
stray = [f for f in os.listdir(f"/proc/{pid}/fd") if leads(f) == "/dev/zero"]
said.append(f"stray {stray}")
os.kill(pid, signal.SIGTERM)
said.append("last word " + notify.recv(4096).decode())
said.append(f"code {os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])}")
# Both write to one log: what was heard is written when nobody else writes, or a line of prior's cuts one of ours in two.
print("\n".join(said))
PY
has "NOTIFY_SOCKET hears READY" 'first word READY=1'
has "a socket of LISTEN_FDS goes to the service that listens by its name" 'answered True'
has "one that nobody listens by is named" "no service listens by the name 'other'"
has "nothing else that was open is kept" 'stray \[\]'
has "NOTIFY_SOCKET hears STOPPING" 'last word STOPPING=1'
has "and it ends with 0" 'code 0'
exit $failed
