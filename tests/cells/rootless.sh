#!/bin/sh
# `prior up` and `prior run` as an ordinary user: in a user namespace of its own, with one id and with ranges of them.
# SPDX-License-Identifier: ISC
set -u
cd "$(dirname "$0")/../.." || exit 2
: "${PRIOR:?the binary}"
[ "$(id -u)" = 0 ] || { echo "skip rootless: needs root, to become an ordinary user"; exit 0; }
uid=4242
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
failed=0
ok() { echo "ok rootless: $1"; }
not_ok() {
	echo "not ok rootless: $1"
	sed 's/^/    /' "$work/log" | cut -c1-200 | tail -15
	failed=1
}
is() { if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1 (want '$2', got '$3')"; fi; }
has() { if grep -Eq -- "$2" "$work/log"; then ok "$1"; else not_ok "$1 (want '$2')"; fi; }
. tests/cells/lib/code.sh

mkdir -p "$work/home/run" && chmod 755 "$work" && chmod 700 "$work/home" "$work/home/run" && cp "$PRIOR" "$work/prior" || exit 2
chmod 755 "$work/prior"
{ cat /etc/passwd; echo "rootling:x:$uid:$uid::$work/home:/bin/sh"; } >"$work/passwd"
echo "rootling:200000:65536" >"$work/ranges"
: >"$work/none"
conf() { cat >"$work/$1.yaml"; }

# As that user, with the ranges of the file named first; nobody else's /etc is touched.
as() {
	ranges=$1
	shift
	timeout 60 unshare -m sh -c 'mount --make-rprivate / && mount --bind "$0/passwd" /etc/passwd &&
		for f in /etc/subuid /etc/subgid; do [ -e $f ] || exit 77; mount --bind "$0/$1" $f || exit 77; done
		shift && exec setpriv --reuid 4242 --regid 4242 --clear-groups env -i PATH="$PATH" HOME="$0/home" \
			XDG_RUNTIME_DIR="$0/home/run" "$@"' "$work" "$ranges" "$@"
}
for f in /etc/subuid /etc/subgid; do [ -e $f ] || touch $f; done
chown -R $uid:$uid "$work/home"
if [ "$(code as none unshare -Urm true)" != 0 ]; then
	echo "skip rootless: an ordinary user can make no user namespace here: $(tail -1 "$work/log")"
	exit 0
fi

conf plain <<'YAML'
services:
  app: {command: [/bin/sh, -c, "id -u; ls -d /proc/[0-9]*; grep -E 'Cap(Eff|Bnd|Amb)' /proc/self/status; touch /etc/prior-was-here"], restart: "no"}
YAML
is "with one id: the default preset runs" 1 "$(code as none "$work/prior" up -c "$work/plain.yaml")"
has "attested" 'app: started.*attested [0-9]+ facts'
has "with the user's own id" '^app \| 4242$'
is "in a pid namespace" 1 "$(grep -c '^app | /proc/' "$work/log")"
is "without a capability" 3 "$(grep -c 'app | Cap...:.0000000000000000' "$work/log")"
has "with a read-only root" 'app \| touch: .*Read-only file system'
has "and what would give it other ids is told" 'no id but its own here \(a range in /etc/subuid'
is "its log is in the user's own folder" yes "$([ -s "$work/home/.local/state/prior/app.log" ] && echo yes)"

conf named <<'YAML'
services:
  app: {command: [/bin/true], restart: "no", isolation: {preset: server}}
  who: {command: [/bin/true], restart: "no", user: "33"}
  less: {command: [/usr/bin/id, -u], restart: "no", isolation: {preset: server, required: false}}
YAML
code as none "$work/prior" up -c "$work/named.yaml" >/dev/null
has "a preset that is asked for by name is refused with the reason" 'app: refused: .*isolation.preset: server: an ordinary user has no id but its own'
has "and a user" 'who: refused: .*user 33, group 33'
has "required: false runs with less" '^less \| 4242$'

conf bare <<'YAML'
services:
  app: {command: [/bin/sh, -c, "grep CapEff /proc/self/status"], restart: "no", isolation: {preset: none}}
YAML
is "a service without any preset" 0 "$(code as none "$work/prior" up -c "$work/bare.yaml")"
has "has none of prior's capabilities either" 'app \| CapEff:.0000000000000000'
is "--no-userns: no namespace" 1 "$(code as none "$work/prior" up --no-userns -c "$work/plain.yaml")"
has "and that is said" 'contained: no namespace can be made here'
is "run, confined: the command's code" 9 "$(code as none "$work/prior" run --preset server \
	--set isolation.required=false --set limits.nofile=300 -- /bin/sh -c 'echo nofile $(ulimit -n) pid $$; exit 9')"
has "and its limits, in a pid namespace" 'nofile 300 pid 2'

code as none "$work/prior" probe -c "$work/plain.yaml" >/dev/null
has "probe tries where up makes cells: a pid namespace" '✓ pid'
has "and mounts" '✓ a new root'
code as none "$work/prior" run --preset server -- /bin/true >/dev/null
has "run: a preset that cannot be whole is refused with the way to go on" 'isolation.preset: server: an ordinary user has no id but its own.*isolation.required'
conf limits <<'YAML'
services:
  app: {command: [/bin/true], restart: "no", limits: {nofile: 1000000000}}
  cut: {command: [/bin/sh, -c, "echo nofile $$(ulimit -n)"], restart: "no", limits: {nofile: 1000000000}, isolation: {required: false}}
YAML
code as none prlimit --nofile=700:700 "$work/prior" up -c "$work/limits.yaml" >/dev/null
has "a limit above our own is refused with what would allow it" \
	'app: refused: .*limits: 1000000000 is above our own hard limit of 700, .*--ulimit'
has "or cut, and told" 'note: service cut: limits: 700 instead of 1000000000'
has "to that" '^cut \| nofile 700$'
is "the system mode is root's" 64 "$(code as none "$work/prior" up --sys -c "$work/plain.yaml")"
has "which is said" "up: --sys: the system mode is root's"

conf net <<'YAML'
services:
  app: {command: [/bin/sh, -c, "cat /sys/class/net/lo/flags; ls /sys/class/net"], restart: "no", isolation: {network: true, mount: true, protect_kernel_tunables: true}}
  bridged: {command: [/bin/true], restart: "no", isolation: {network: {bridge: prior0, address: 10.99.0.2/24}}}
network: {bridges: {prior0: {subnets: [10.99.0.0/24]}}}
YAML
code as none "$work/prior" up -c "$work/net.yaml" >/dev/null
has "a private network's loopback is up" 'app \| 0x9$'
has "a bridge needs the machine's network, and that fails by name" 'bridged: (start failed|refused).*network'

if ! [ -u /usr/bin/newuidmap ]; then
	echo "skip rootless: ranges: newuidmap (uidmap) is not installed"
	exit $failed
fi
conf presets <<'YAML'
services:
  minimal: {command: [/usr/bin/id, -u], restart: "no", isolation: {preset: minimal}}
  server: {command: [/usr/bin/id, -u], restart: "no", isolation: {preset: server}}
  strict: {command: [/usr/bin/id, -u], restart: "no", isolation: {preset: strict}}
  worker: {command: [/usr/bin/id, -u], restart: "no", user: www-data, isolation: {preset: worker}}
  database: {command: [/usr/bin/id, -u], restart: "no", isolation: {preset: database}}
  far: {command: [/bin/true], restart: "no", user: "70000"}
YAML
code as ranges "$work/prior" up -c "$work/presets.yaml" >/dev/null
for p in minimal server strict worker database; do
	has "with ranges: $p is whole, and attested" "$p: started.*attested [0-9]+ facts"
done
has "a user by name" '^worker \| 33$'
has "ids of their own" '^server \| 6[1-5][0-9]{3}$'
has "an id that is not in the range is refused" 'far: refused: .*user 70000, group 70000: this user namespace has only the ids from 0 to 65536'

cat >"$work/home/none.yaml" <<YAML
services:
  app: {command: [/bin/sh, -c, "echo here I am; exec sleep 1000"]}
YAML
cat >"$work/home/ranges.yaml" <<YAML
services:
  app: {command: [/bin/sh, -c, "echo here I am; exec sleep 1000"], isolation: {preset: server}}
  zero: {command: [$work/prior, stop, --run-dir, $work/home/run/prior, app], user: root, restart: "no", security: {cap_drop: [ALL]}, isolation: {preset: none, mount: true}}
YAML
chown $uid "$work/home"/*.yaml
child() { cut -d' ' -f1 <"/proc/$1/task/$1/children"; }	# of a shell, or of timeout
for ranges in none ranges; do
	as $ranges "$work/prior" up -c "$work/home/$ranges.yaml" >"$work/out" 2>&1 &
	up=$!
	ask() { setpriv --reuid $uid --regid $uid --clear-groups env -i XDG_RUNTIME_DIR="$work/home/run" "$work/prior" "$@"; }
	n=0
	until [ "$(code ask wait)" = 0 ] || [ $n -ge 1800 ]; do n=$((n + 1)); done
	is "an ordinary user waits for its service, $ranges" 0 "$(code ask status --json app)"
	has "status from outside, $ranges" '"state": "up"'
	is "a changed binary takes over, $ranges" 0 "$(code ask reexec)"
	is "and everything goes on, $ranges" 0 "$(code ask wait)"
	is "and is up, $ranges" 0 "$(code ask status app)"
	is "the audit from outside finds what was planned, $ranges" 0 "$(code nsenter -t "$(child "$(child $up)")" -m setpriv \
		--reuid $uid --regid $uid --clear-groups env -i XDG_RUNTIME_DIR="$work/home/run" "$work/prior" audit app)"
	is "its user may enter its cell, $ranges" 0 "$(code ask enter app -- cat /proc/self/status)"
	has "and has no more there than the service, $ranges" '^CapBnd:.0000000000000000$'
	is "the machine's root may ask, $ranges" 0 "$(code "$work/prior" status app --run-dir "$work/home/run/prior")"
	is "but runs no program for it, $ranges" 125 "$(code "$work/prior" enter app --run-dir "$work/home/run/prior" -- id)"
	has "since its word is not root's, $ranges" 'is run by user 4242: that user may ask'
	is "nor writes a file, $ranges" 1 "$(code "$work/prior" enable app --run-dir "$work/home/run/prior")"
	is "and change, $ranges" 0 "$(code "$work/prior" restart app --run-dir "$work/home/run/prior")"
	chmod 755 "$work/home" "$work/home/run"
	is "nobody else may, $ranges" 4 "$(code setpriv --reuid 4343 --regid 4343 --clear-groups "$work/prior" status --run-dir "$work/home/run/prior")"
	has "which is said, $ranges" 'only root and the group .prior. may ask'
	chmod 700 "$work/home" "$work/home/run"
	if [ $ranges = ranges ]; then
		n=0
		until grep -q 'zero: exited' "$work/out" && grep -q '^zero |' "$work/out" || [ $n -ge 1800 ]; do n=$((n + 1)); ask status >/dev/null 2>&1; done
		cp "$work/out" "$work/log"
		has "a service that is 0 there without capabilities may not ask" 'zero \| prior: stop: only root'
	fi
	is "stop from outside, $ranges" 0 "$(code ask stop app)"
	cp "$work/out" "$work/log"
	kill -TERM "$(child "$(child $up)")"
	wait $up
	is "its end, $ranges" 0 $?
	is "its lines can be read afterwards, $ranges" 0 "$(code ask logs -n 5 app)"
	has "wherever they are, $ranges" 'here I am'
done

# The other way round: root's supervisor, for services that are to be nobody's root.
conf drop <<'YAML'
services:
  none: {command: [/usr/bin/id, -u], restart: "no", isolation: {preset: none}}
  plain: {command: [/usr/bin/id, -g], restart: "no"}
  named: {command: [/usr/bin/id, -u], restart: "no", user: root, isolation: {preset: none}}
YAML
drop() { code env "$@" "$work/prior" up --drop-privileges -c "$work/drop.yaml" --run-dir "$work/run" --log-dir ""; }
is "drop-privileges" 0 "$(drop SUDO_UID=$uid SUDO_GID=4343)"
has "gives who names no user the ids of who invoked it" "^none \\| $uid\$"
has "group and all" '^plain \| 4343$'
has "and that is told" "note: service none: user $uid, who invoked us: up --drop-privileges"
has "who names root stays root" '^named \| 0$'
is "without sudo" 0 "$(drop -u SUDO_UID -u SUDO_GID)"
has "it is an id of its own" '^none \| 6[1-5][0-9]{3}$'
is "and root's is not taken for an invoker's" 0 "$(drop SUDO_UID=0 SUDO_GID=0)"
has "nor anybody's" '^none \| 6[1-5][0-9]{3}$'

# Rootless podman: its ranges are the container's.
image=$work/image
mkdir -p "$image/bin" "$image/proc" "$image/dev" "$image/sys" "$image/run" "$image/tmp" "$image/etc/prior"
cp "$PRIOR" "$image/bin/prior" && cp "$(command -v busybox)" "$image/bin/busybox"
for a in sh id grep; do ln -s busybox "$image/bin/$a"; done
cat >"$image/etc/prior/prior.yaml" <<'YAML'
services:
  app: {command: [/bin/sh, -c, "id; grep CapEff /proc/self/status; exit 3"], critical: true, restart: "no"}
YAML
chown -R $uid:$uid "$image"
pod() { # in a view of the host where control groups are version 2 alone, as crun wants it
	as ranges unshare -Urm true 2>/dev/null || return 77
	timeout 120 unshare -m sh -c 'mount --make-rprivate / && mount --bind "$0/passwd" /etc/passwd &&
		for f in /etc/subuid /etc/subgid; do mount --bind "$0/ranges" $f; done
		umount -R -l /sys/fs/cgroup && mount -t cgroup2 c /sys/fs/cgroup; cd / && exec setpriv --reuid 4242 --regid 4242 \
			--clear-groups env -i PATH="$PATH" HOME="$0/home" XDG_RUNTIME_DIR="$0/home/run" podman --storage-driver vfs \
			--root "$0/home/pods" --runroot "$0/home/podrun" --cgroup-manager cgroupfs --events-backend file --runtime crun \
			run --rm --network=none --cgroups=disabled --ulimit nofile=1024:1024 --ulimit nproc=1000:1000 "$@"' "$work" "$@"
}
if ! command -v podman >/dev/null || ! command -v crun >/dev/null; then
	echo "skip rootless: podman: not installed"
elif [ "$(code pod --rootfs "$image" /bin/id)" != 0 ]; then
	echo "skip rootless: podman: no container runs here: $(tail -1 "$work/log")"
else
	is "rootless podman" 3 "$(code pod --rootfs "$image" /bin/prior)"
	has "the service is attested" 'app: started.*attested [0-9]+ facts'
	has "and has a user of its own" 'app \| uid=6[1-5][0-9]{3}'
	is "rootless podman, no capabilities" 3 "$(code pod --cap-drop all --rootfs "$image" /bin/prior)"
	is "rootless podman, an arbitrary user" 3 "$(code pod --user 1234:0 --rootfs "$image" /bin/prior)"
	is "rootless podman, run with a preset" 4 "$(code pod --rootfs "$image" /bin/prior run --preset contained -- /bin/sh -c 'exit 4')"
fi
for p in "$work"/home/run/libpod/tmp/pause.pid; do [ -e "$p" ] && kill "$(cat "$p")"; done 2>/dev/null

# Where an administrator says no: a namespace around, whose sysctl is its own.
conf denied <<'YAML'
services:
  app: {command: [/bin/true], restart: "no"}
YAML
chmod 644 "$work"/*.yaml
unshare -U sleep 60 &
inner=$!
n=0
until [ "$(readlink /proc/$inner/ns/user)" != "$(readlink /proc/self/ns/user)" ] || [ $n -ge 3000 ]; do n=$((n + 1)); done
echo '0 0 65536' >/proc/$inner/uid_map && echo '0 0 65536' >/proc/$inner/gid_map
denied() {
	timeout 60 nsenter -t $inner -U --setuid 0 --setgid 0 sh -c 'echo 0 >/proc/sys/user/max_user_namespaces || exit 77
		exec setpriv --reuid 4242 --regid 4242 --clear-groups env -i HOME="$0/home" "$0/prior" up -c "$0/denied.yaml"' "$work"
}
is "user namespaces denied: it runs with what needs none" 0 "$(code denied)"
has "and the sysctl is named" 'no user namespace can be made: user.max_user_namespaces is 0: sysctl'
kill $inner
exit $failed
