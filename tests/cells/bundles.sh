#!/bin/sh
# What a container takes away, under crun and runc by bundles of our own, and row by row in bare namespaces. Needs root.
# SPDX-License-Identifier: ISC
set -u
cd "$(dirname "$0")/../.." || exit 2
: "${PRIOR:?the binary}"
who=bundles
. tests/cells/lib/say.sh
needs_root
needs_spaces -mpn
without=${BUILD:-$PWD/build}/${LIBC:-glibc}/tests/cells/without
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
. tests/cells/lib/container.sh
image_made "$without" sh sleep id cat true false grep wget tty mount umount
conf less <<'YAML'
services:
  app: {command: [/bin/sh, -c, "/bin/prior status app 2>&1; exit 3"], critical: true, user: "0", restart: "no", isolation: {preset: server, required: false}}
YAML
conf stays <<'YAML'
services:
  app: {command: [/bin/sh, -c, "echo here I am; exec sleep 1000"]}
YAML
conf limit <<'YAML'
services:
  app: {command: [/bin/id], restart: "no", limits: {cgroup: {pids_max: 9}}}
YAML
conf http <<'YAML'
services:
  app: {command: [/bin/sleep, "1000"]}
  main: {command: [/bin/sh, -c, "n=0; until wget -qO- http://127.0.0.1:9100/healthz | grep '\"app\",\"state\":\"up\"' || [ $n -ge 600 ]; do n=$((n+1)); sleep 0.1; done; exit 3"], critical: true, restart: "no", isolation: {preset: none}}
YAML
log() { tail -n 12 "$work/log" | cut -c1-200; }
ends() { # NAME CODE COMMAND...: with that code
	name=$1 want=$2
	shift 2
	"$@" >"$work/log" 2>&1 </dev/null
	got=$?
	if [ $got = "$want" ]; then ok "$name"; else not_ok "$name" "ended with $got, not $want
$(log)"; fi
}
said() { if grep -Eq -- "$2" "$work/log"; then ok "$1"; else not_ok "$1" "no '$2' in:
$(log)"; fi; }

# --- OCI runtimes, without an engine; crun wants a host with one version of control groups ---
cat >"$work/only2" <<'SH'
#!/bin/sh
exec unshare -m sh -c 'mount --make-rprivate / && umount -R -l /sys/fs/cgroup && mount -t cgroup2 c /sys/fs/cgroup && exec "$@"' -- "$@"
SH
chmod +x "$work/only2"
bundle=$work/bundle
contain() { # CASE ARGS...
	rm -rf "$bundle" && mkdir "$bundle" && (cd "$bundle" && $runtime spec) && tests/cells/bundle.py "$bundle" "${root:-$image}" "$@" || return 99
	case $runtime in
	crun) timeout 120 "$work/only2" crun --root "$work/state" --cgroup-manager=disabled run -b "$bundle" "prior-$$" ;;
	*) timeout 120 runc --root "$work/state" run -b "$bundle" "prior-$$" ;;
	esac
}
rows() {
	ends "an ordinary container" 3 contain ordinary /bin/prior
	said "contained is the default preset there, and that is said" 'contained: no namespace can be made here'
	said "the service is attested" 'attested [0-9]+ facts'
	ends "nothing at all: an arbitrary user, no capability, a read-only root, no place to write" 3 contain nothing /bin/prior
	said "it says what it cannot do" 'no place for the control socket'
	said "and that services keep its ids" 'keeps our user and groups'
	root=$work/nowhere
	ends "no /etc, no /run, no /tmp" 3 contain places /bin/prior /conf.yaml
	root=
	ends "a filter that denies namespaces and mounts, whatever the capabilities" 3 contain filter /bin/prior
	said "is contained too" 'contained: no namespace can be made here'
	ends "there a preset that is asked for is refused" 1 contain filter /bin/prior /conf/server.yaml
	said "with what would allow it" 'isolation.preset: server: no namespace can be made here .*isolation.required: false'
	ends "required: false runs with less" 3 contain filter /bin/prior /conf/less.yaml
	said "events say what is missing" "no namespace can be made here.*the rest of preset .server. holds"
	said "and so does status" 'note.*no namespace can be made here|app \| .*no namespace can be made here'
	ends "a limit without a control group is refused" 1 contain ordinary /bin/prior /conf/limit.yaml
	ends "not PID 1" 3 contain shared /bin/prior up
	ends "all capabilities, nothing masked" 0 contain all /bin/prior /conf/server.yaml
	said "is as on a machine" 'attested [0-9]+ facts'
	ends "the HTTP endpoint in an ordinary container" 3 contain ordinary /bin/prior /conf/http.yaml --metrics 127.0.0.1:9100
	said "says of each service whether it was attested" 'main \| .*"service":"app","state":"up".*"attested":true'
	said "and goes without namespaces, which is said" 'endpoint: it runs without: namespaces'
}
mkdir -p "$work/nowhere/bin" "$work/nowhere/proc" "$work/nowhere/dev" "$work/nowhere/sys" && cp -P "$image"/bin/* "$work/nowhere/bin/" &&
	cp "$image/etc/prior/prior.yaml" "$work/nowhere/conf.yaml" || exit 2

for runtime in crun runc; do
	who="$runtime, a bundle"
	if ! command -v $runtime >/dev/null; then
		echo "skip $who: not installed"
	elif ! contain ordinary /bin/true >"$work/log" 2>&1; then
		echo "skip $who: no container runs here: $(tail -1 "$work/log")"
	else
		rows
	fi
done

# --- bare namespaces: what an engine does, one thing at a time ---
who="unshare, a row"
bare() { # SETUP ARGS...: in a chroot of the image, after what SETUP does there
	timeout 120 unshare -mpf --propagation private sh -c 'mount --rbind "$0" "$0" && mount -t proc p "$0/proc" && mount --rbind /dev "$0/dev" &&
		mount --rbind /sys "$0/sys" && cd "$0" && pivot_root . conf/old && /bin/busybox umount -l /conf/old && export PATH=/bin && eval "$1" && shift && exec "$@"' "$image" "$@"
}
ends "seccomp denies namespaces: contained" 3 bare : /bin/without spaces -- /bin/prior
ends "seccomp denies mounts alone: what needs none is made" 3 bare : /bin/without mounts -- /bin/prior
ends "and a preset with mounts is refused" 1 bare : /bin/without mounts -- /bin/prior /conf/server.yaml
said "by name" 'nothing can be mounted here|no namespace can be made here'
ends "no control groups at all" 3 bare 'umount -l /sys' /bin/prior
ends "a limit is refused there" 1 bare 'umount -l /sys' /bin/prior /conf/limit.yaml
said "with the reason" 'there is no cgroup2 that can be written here'
# Version 1: some controllers' trees, and no unified one.
v1='umount -l /sys/fs/cgroup && busybox mount -t tmpfs t /sys/fs/cgroup && busybox mkdir /sys/fs/cgroup/one && busybox mount -t cgroup -o none,name=prior-test c /sys/fs/cgroup/one'
ends "control groups of version 1 only: services run" 3 bare "$v1" /bin/prior
ends "a limit is refused there, too" 1 bare "$v1" /bin/prior /conf/limit.yaml
said "with that reason" 'there is no cgroup2 that can be written here|this cgroup2 does not delegate the controller'
ro='for g in /sys/fs/cgroup /sys/fs/cgroup/unified; do busybox mount -o remount,bind,ro $g 2>/dev/null; done; true'
ends "control groups that cannot be written: services run" 3 bare "$ro" /bin/prior
ends "a limit is refused" 1 bare "$ro" /bin/prior /conf/limit.yaml
ends "no terminal, and no standard streams at all" 3 bare 'exec <&- >&- 2>&-' /bin/prior
ends "no /run, no /tmp: not even folders" 3 bare 'busybox rmdir /run; busybox rm -rf /tmp; true' /bin/prior
mkdir -p "$image/run" "$image/tmp" && chmod 1777 "$image/tmp"
ends "not PID 1" 3 bare : /bin/sh -c '"$@"; exit $?' - /bin/prior up

# From outside its pid namespace.
cat >"$work/stays.yaml" <<YAML
services:
  app: {command: [/bin/sh, -c, "echo here I am; exec sleep 1000"]}
  crowd: {command: [python3, -c, 'import os; os.setgroups(range(1000000, 1001000)); os.execvp("sleep", ["sleep", "999"])'], user: "0", isolation: {preset: minimal, user: false}, security: {cap_add: [SETGID]}}
YAML
unshare -pf --kill-child --mount-proc "$PRIOR" up -c "$work/stays.yaml" --run-dir "$work/out" --log-dir "$work/kept" >"$work/log" 2>&1 &
up=$!
n=0
until "$PRIOR" wait --run-dir "$work/out" >/dev/null 2>&1 || [ $n -ge 1200 ]; do n=$((n + 1)); timeout 0.05 tail -f /dev/null; done
numbered() { "$PRIOR" status "$1" --json --run-dir "$work/out" | sed -n 's/.*"pid": \([0-9]*\).*/\1/p'; }
pid=$(numbered app)
is "asked from outside its pid namespace, it is the number there that is shown" "sleep 1000 " "$(tr '\0' ' ' <"/proc/$pid/cmdline")"
timeout 120 "$PRIOR" audit app --run-dir "$work/out" >"$work/log" 2>&1
is "by which the audit finds it" 0 $?
n=0
until [ "$(tr '\0' ' ' 2>/dev/null <"/proc/$(numbered crowd)/cmdline")" = "sleep 999 " ] || [ $n -ge 1200 ]; do n=$((n + 1)); timeout 0.05 tail -f /dev/null; done
timeout 120 "$PRIOR" audit crowd --run-dir "$work/out" >"$work/log" 2>&1
is "one with a thousand groups does not hide behind them" "1 1" "$? $(grep -c 'crowd: cannot be compared: status: longer than 8191 bytes' "$work/log")"
first=$(cat "/proc/$up/task/$up/children")
kill -TERM ${first%% *} && wait $up
is "after its end its lines are found where they were kept" "here I am" "$("$PRIOR" logs app --run-dir "$work/out" 2>&1 | sed 's/.*here/here/')"
exit $failed
