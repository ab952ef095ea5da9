#!/bin/sh
# Each control with what it needs taken away, from the kernel or from us: the start is refused, and says by what. Needs root.
# SPDX-License-Identifier: ISC
set -u
cd "$(dirname "$0")/../.." || exit 2
: "${PRIOR:?the binary}"
without=${BUILD:-$PWD/build}/${LIBC:-glibc}/tests/cells/without
who=taken
. tests/cells/lib/say.sh
needs_root
needs_spaces -mpn
[ -x "$without" ] || { echo "not ok taken: $without is not built: make check-root builds it"; exit 1; }
# Where everybody may run them: one of the lacks is to be nobody.
[ "${INSIDE-}" = 1 ] || INSIDE=1 exec unshare -m --propagation private tests/cells/taken.sh
mount -t tmpfs taken /mnt && cp "$without" /mnt/without && cp "$PRIOR" /mnt/prior && chmod 755 /mnt /mnt/* || exit 2
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT

# FEATURE KEY=VALUE WORDS [KEY=VALUE...]: without it a service that asks for the key is not started, in these words.
refused() {
	lack=$1 key=$2 words=$3
	shift 3
	sets=''
	for k in "$@"; do sets="$sets --set '$k'"; done
	name="${key%%=*} without $lack"
	if eval "timeout 120 /mnt/without $lack -- /mnt/prior run --preset ${PRESET:-none} --set '$key' $sets -- /bin/echo started" >"$work/out" 2>"$work/err" </dev/null ||
		grep -q started "$work/out"; then
		not_ok "$name" "it started: $(cat "$work/out" "$work/err")"
	elif grep -qF -- "$words" "$work/err"; then ok "$name"; else not_ok "$name" "$(cat "$work/err")"; fi
}
# The key is named, and what cannot be done.
no_spaces() { refused spaces "isolation.$1" "isolation.${1%%=*}: no namespace can be made here" "user=1234"; }
no_mounts() { refused mounts "$1" "${1%%=*}: nothing can be mounted here"; }
no_filter() { refused seccomp "$1" "${1%%=*}: this kernel has no system call filters"; }

refused users isolation.user=true "isolation.user: no user namespace can be made here" user=1234
refused users isolation.user=first "isolation.user: no user namespace can be made here" user=1234
for key in user=true pid=true mount=true network=true ipc=true uts=true cgroup=true time=true hostname=x private_ipc=true; do
	no_spaces $key
done
for key in mount=true rootfs=/ readonly_rootfs=true 'volumes=["/tmp:/media"]' 'tmpfs={/media: "size=1M"}' \
	'devices=["/dev/null:rw"]' 'read_only_paths=[/opt]' 'inaccessible_paths=[/opt]' private_tmp=true private_devices=true \
	protect_system=strict protect_home=true protect_proc=invisible proc_subset=pid protect_kernel_tunables=true \
	protect_control_groups=true; do
	no_mounts "isolation.$key"
done
no_mounts limits.shm_size=1M
refused mounts credentials.key=/etc/passwd "credentials: nothing can be mounted here"
for key in seccomp=default restrict_namespaces=true restrict_realtime=true restrict_suid_sgid=true \
	lock_personality=true memory_deny_write_execute=true 'restrict_address_families=[inet]' 'system_call_architectures=[native]'; do
	no_filter "security.$key"
done
for key in protect_kernel_modules protect_kernel_logs protect_hostname protect_clock; do no_filter isolation.$key=true; done
refused "landlock" 'isolation.unveil={/: rx}' "isolation.unveil: this kernel has no Landlock"
refused "landlock" security.pledge=stdio "security.pledge: this kernel has no Landlock"
refused "personality" security.lock_personality=true "personality: PER_LINUX: Operation not permitted"
PRESET=minimal refused keyrings user=0 "session keyring: join an anonymous one: Operation not permitted"
# Without being root.
refused root user=1234 "only root can run a service as somebody else"
refused root group=1234 "only root can run a service as somebody else"
refused root 'supplementary_groups=["1234"]' "supplementary_groups: an ordinary user has no id but its own"
refused root security.dynamic_user=true "security.dynamic_user: an ordinary user has no id but its own"
refused root 'security.cap_add=[KILL]' "security.cap_add: an ordinary user has no id but its own"
refused root limits.nofile=unlimited "is above our own hard limit"
refused root limits.nice=-5 "nice: set -5: Permission denied"
refused root limits.oom_score_adj=-500 "oom score: write '-500'"
refused root limits.cgroup.pids_max=5 "limits.cgroup: there is no cgroup2 that can be written here"
refused root state_directory=prior-taken "directories: in /var/lib: prior-taken: Permission denied"
refused root security.runtime=crun "security.runtime: crun: only root starts it"
# What this machine does not have.
refused "" limits.cpu_affinity=[1000] "cpu affinity: none of the listed CPUs may be used here"
[ -e /sys/module/apparmor/parameters/enabled ] && [ "$(cat /sys/module/apparmor/parameters/enabled)" = Y ] ||
	refused "" security.apparmor_profile=x "security.apparmor_profile: AppArmor is not active in this kernel"
grep -q selinuxfs /proc/filesystems ||
	refused "" security.selinux_context=x "security.selinux_context: SELinux is not active in this kernel"
exit $failed
