#!/bin/sh
# What keeps files, devices and the kernel's own interfaces away, each by itself: on, the act fails; off, it succeeds.
# SPDX-License-Identifier: ISC
set -u
cd "$(dirname "$0")/../.." || exit 2
: "${PRIOR:?the binary}"
reach=${BUILD:-$PWD/build}/${LIBC:-glibc}/tests/cells/reach
who=walls
. tests/cells/lib/say.sh
needs_root
needs_spaces -mpn
[ -x "$reach" ] || { echo "not ok walls: $reach is not built: make check-root builds it"; exit 1; }
# In mounts, queues and a host name of its own, so that nothing that is done here is done to the machine.
[ "${INSIDE-}" = 1 ] || INSIDE=1 exec unshare -m -i -u --propagation private tests/cells/walls.sh
mount -t tmpfs walls /mnt && cp "$reach" /mnt/reach && chmod 755 /mnt/reach && reach=/mnt/reach || exit 2
for d in /home /root /run /opt /usr/local /boot /etc/opt /media; do
	if [ -d $d ]; then mount -t tmpfs walls $d || exit 2; echo x >$d/file; fi
done
chmod 755 /root
mkdir -p /run/user/7 /mnt/data/below /mnt/ro /opt/shut && echo x >/mnt/data/file && echo x >/opt/shut/file
mount -t tmpfs below /mnt/data/below && echo x >/mnt/data/below/file
cp /bin/true /mnt/data/true && mknod /mnt/data/null c 1 3 && ln -s file /mnt/data/link && chmod -R a+rwX /mnt/data
echo x >/tmp/walls.$$ && work=$(mktemp -d) || exit 2
trap 'rm -rf "$work" /tmp/walls.$$' EXIT
queue=7823724 && [ "$("$reach" new-queue:$queue)" = ok ] || queue=
program=$reach always='--set "user=\"${USER_ID:-0}\""'
. tests/cells/lib/acts.sh
# NAME WANT KEY=VALUE ACTS: WANT with the key; ok for each act without it.
both() {
	# shellcheck disable=SC2086
	says "$1: on" "$2" "$3" -- $4
	# shellcheck disable=SC2086
	says "$1: off" "$(printf '%s\n' $4 | sed 's/.*/ok/' | tr '\n' ' ' | sed 's/ $//')" -- $4
}
there() { for p in "$@"; do [ -e "$p" ] || return 1; done; }

both protect_system=yes "EROFS EROFS ok ok" isolation.protect_system=true "create:/usr/local/x create:/boot/x create:/etc/opt/x create:/opt/x"
both protect_system=full "EROFS EROFS EROFS ok" isolation.protect_system=full "create:/usr/local/x create:/boot/x create:/etc/opt/x create:/opt/x"
both protect_system=strict "EROFS EROFS EROFS EROFS EROFS" isolation.protect_system=strict "create:/usr/local/x create:/boot/x create:/etc/opt/x create:/opt/x create:/home/x"
both readonly_rootfs "EROFS EROFS EROFS" isolation.readonly_rootfs=true "create:/usr/local/x create:/opt/x create:/home/x"
both protect_home=read-only "ok EROFS EROFS EROFS" isolation.protect_home=read-only "read:/home/file create:/home/x create:/root/x create:/run/user/7/x"
both protect_home=tmpfs "ENOENT ENOENT ENOENT" isolation.protect_home=tmpfs "read:/home/file read:/root/file read:/run/user/7"
USER_ID=65534 both protect_home=yes "EACCES EACCES EACCES" isolation.protect_home=true "read:/home/file read:/root/file read:/run/user/7"
both read_only_paths "EROFS ok" "isolation.read_only_paths=[/opt]" "create:/opt/x create:/home/x"
USER_ID=65534 both inaccessible_paths "EACCES EACCES ok" "isolation.inaccessible_paths=[/opt/shut, /opt/file]" "read:/opt/shut/file read:/opt/file read:/home/file"
both private_tmp "ENOENT ok" isolation.private_tmp=true "read:/tmp/walls.$$ create:/tmp/made.$$"
both private_devices "ENOENT EPERM gone gone" isolation.private_devices=true "read:/dev/kmsg node:/mnt/node.$$ cap:27 cap:17"
[ "$(cell -- ioperm)" = ENOSYS ] || both "private_devices: ports" EPERM isolation.private_devices=true ioperm
says "private_devices: what every program needs is there" "ok ok ok ok" isolation.private_devices=true -- read:/dev/null write:/dev/zero read:/dev/urandom write:/dev/full
[ -z "$queue" ] || both private_ipc "ENOENT" isolation.private_ipc=true "queue:$queue"
both proc_subset=pid "ENOENT ENOENT ok" isolation.proc_subset=pid "read:/proc/cpuinfo read:/proc/sys/kernel/hostname read:/proc/self/status"
USER_ID=65534 both protect_proc=invisible "ENOENT ok" isolation.protect_proc=invisible "read:/proc/1/status read:/proc/self/status"
USER_ID=65534 both protect_proc=noaccess "EPERM ok" isolation.protect_proc=noaccess "read:/proc/1/status read:/proc/self/status"
USER_ID=65534 both protect_proc=ptraceable "ENOENT ok" isolation.protect_proc=ptraceable "read:/proc/1/status read:/proc/self/status"
both protect_kernel_tunables "EROFS EROFS EROFS ok" isolation.protect_kernel_tunables=true "write:/proc/sys/kernel/hostname write:/proc/irq/default_smp_affinity write:/sys/kernel/mm/ksm/run read:/proc/self/status"
USER_ID=65534 both "protect_kernel_tunables: what tells of the kernel" "EACCES" isolation.protect_kernel_tunables=true read:/proc/kallsyms
[ "$(cell -- module)" = ENOSYS ] || both protect_kernel_modules "EPERM" isolation.protect_kernel_modules=true module
both "protect_kernel_modules: the right to" gone isolation.protect_kernel_modules=true cap:16
[ ! -d /usr/lib/modules ] || USER_ID=65534 both "protect_kernel_modules: the files" EACCES isolation.protect_kernel_modules=true read:/usr/lib/modules
both protect_kernel_logs "EPERM gone" isolation.protect_kernel_logs=true "syslog cap:34"
USER_ID=65534 says "protect_kernel_logs: nor by its files" "EPERM EACCES" isolation.protect_kernel_logs=true -- read:/dev/kmsg read:/proc/kmsg
both protect_control_groups "EROFS" isolation.protect_control_groups=true "write:$(find /sys/fs/cgroup -maxdepth 2 -name cgroup.procs | head -1)"
both protect_hostname "EPERM" isolation.protect_hostname=true hostname
both protect_clock "EPERM gone gone" isolation.protect_clock=true "clock cap:25 cap:35"
says "strict leaves the kernel's own to other keys" "ok ok EROFS" isolation.protect_system=strict -- write:/proc/irq/default_smp_affinity write:/sys/kernel/mm/ksm/run create:/opt/x
says "and so does a read-only root, where none is set" "ok ok ok" isolation.readonly_rootfs=true -- write:/sys/kernel/mm/ksm/run write:/dev/null read:/dev/pts
says "strict with control groups protected" "EROFS ok" isolation.protect_system=strict isolation.protect_control_groups=true -- "write:$(find /sys/fs/cgroup -maxdepth 2 -name cgroup.procs | head -1)" write:/sys/kernel/mm/ksm/run

says "tmpfs: its size is the bound" "ok ENOSPC" 'isolation.tmpfs={/media: "size=64K"}' -- fill:/media/a,65536 fill:/media/b,4096
says "tmpfs: mode, size, and what always holds" "700 131072 nosuid,nodev" 'isolation.tmpfs={/media: "size=128K,mode=0700"}' -- mode:/media size:/media flags:/media
says "tmpfs: off, the folder that is there" "ok ok" -- fill:/media/a,65536 fill:/media/b,4096
says "shm_size: off" ok isolation.private_devices=true -- fill:/dev/shm/a,2097152
says "shm_size is the size of /dev/shm" "ok ENOSPC 1777" limits.shm_size=1M isolation.private_devices=true -- fill:/dev/shm/a,1048576 fill:/dev/shm/b,4096 mode:/dev/shm
mkdir -p /mnt/tree/mnt /mnt/tree/dev /mnt/tree/proc /mnt/tree/tmp && cp "$reach" /mnt/tree/mnt/reach || exit 2
both isolation.rootfs "ENOENT ENOENT ok" isolation.rootfs=/mnt/tree "read:/home/file read:/mnt/data/file read:/mnt/reach"
says "volumes are nosuid, nodev, nosymfollow" "nosuid,nodev,nosymfollow ok EACCES ELOOP" 'isolation.volumes=["/mnt/data:/media:rw"]' -- flags:/media read:/media/file read:/media/null read:/media/link
says "what is mounted below a volume is too" "nosuid,nodev,nosymfollow ok" 'isolation.volumes=["/mnt/data:/media:rw"]' -- flags:/media/below read:/media/below/file
says "a volume is read-only unless it says rw, all of it" "ro,nosuid,nodev,nosymfollow EROFS EROFS" 'isolation.volumes=["/mnt/data:/media"]' -- flags:/media create:/media/x create:/media/below/x
says "off: the same folder without a volume" "ok ok ok" -- read:/mnt/data/null read:/mnt/data/link create:/mnt/data/below/x
PRESET=strict USER_ID=65534 says "strict: nothing that is writable can be executed" "EACCES EPERM nosuid,nodev,noexec,nosymfollow" 'isolation.volumes=["/mnt/data:/media:rw"]' isolation.unveil='{/: rx, /media: rwxc}' -- exec:/media/true map:/media/true flags:/media
says "devices: reading alone is enforced" "ok EPERM ok" isolation.private_devices=true 'isolation.devices=["/dev/full:r"]' -- read:/dev/full write:/dev/full write:/dev/null
says "devices: another name for it" "ok EPERM ENOENT" isolation.private_devices=true 'isolation.devices=["/dev/kmsg:/dev/log2:r"]' -- read:/dev/log2 write:/dev/log2 read:/dev/kmsg
says "restrict_address_families: inet6 alone" "EAFNOSUPPORT ok" 'security.restrict_address_families=[inet6]' -- socket:2 socket:10
says "restrict_address_families: off" "ok ok" -- socket:2 socket:10

# For each KEY:ASKED:WANT of $list: what a run with all the keys says, and one without any, are two things.
apart() {
	set -- $list
	sets='' asks=''
	for one; do
		key=${one%%:*} ask=${one#*:}
		sets="$sets $what.$key=${one##*:}" asks="$asks $how:${ask%%:*}"
	done
	# shellcheck disable=SC2086
	on=$(cell $sets -- $asks | tr '\n' ' ') off=$(cell -- $asks | tr '\n' ' ')
	for one; do
		with=${on%% *} without=${off%% *} on=${on#* } off=${off#* }
		if [ -z "$with" ] || [ "$with" = "$without" ]; then
			not_ok "$what.${one%%:*}: on and off are two things" "'$with', '$without': $(cat "$work/err")"
		else
			ok "$what.${one%%:*}: on and off are two things"
		fi
		[ "$what" = isolation ] || is "$what.${one%%:*}: on, as it was asked for" "${one##*:}" "$with"
	done
}
# Namespaces: one of its own, and without the key the machine's; then what some of them take from it.
what=isolation how=ns list="user:user:true pid:pid:true mount:mnt:true network:net:true ipc:ipc:true uts:uts:true
	cgroup:cgroup:true time:time:true"
USER_ID=65534 apart
both isolation.pid ESRCH isolation.pid=true "signal:$$"
[ -z "$queue" ] || both isolation.ipc ENOENT isolation.ipc=true "queue:$queue"
mkfifo "$work/held" || exit 2
"$reach" hold:walls.$$ >"$work/held" & holder=$!
read -r _ <"$work/held"
both isolation.network ECONNREFUSED isolation.network=true "connect:walls.$$"
kill $holder
says "isolation.hostname: on" walls isolation.hostname=walls -- name
says "isolation.hostname: off, the machine's" "$(hostname)" -- name

# Who it is, and what it may do with that.
cp "$reach" /mnt/suid && chmod 4755 /mnt/suid
USER_ID=65534 both security.no_new_privileges EPERM security.no_new_privileges=true gain:/mnt/suid
both security.cap_drop "EPERM gone" 'security.cap_drop=[MKNOD]' "node:/mnt/other.$$ cap:27"
USER_ID=65534 says "security.cap_add: on" "ok ok" 'security.cap_add=[SYS_TIME]' -- clock cap:25
USER_ID=65534 says "security.cap_add: off" "EPERM" -- clock
USER_ID=65534 says "user and group: on" 65534:1:0 group=1 -- uid
says "user and group: off" 0:0:0 -- uid
USER_ID=65534 says "supplementary_groups: on" 65534:65534:2 'supplementary_groups=["7", "8"]' -- uid
USER_ID=65534 says "supplementary_groups: off" 65534:65534:0 -- uid

# Limits: two of them are 0 where nobody may raise them.
raises=$((0x$(sed -n 's/^CapEff:[[:space:]]*//p' /proc/self/status) >> 24 & 1))
what=limits how=rlimit list="nofile:7:99 nproc:6:98 memlock:8:65536 core:4:12345 cpu:0:999 fsize:1:1000001 data:2:100000001
	stack:3:4194304 rss:5:30000001 as:9:900000001 locks:10:97 sigpending:11:96 msgqueue:12:700000 rttime:15:1000001"
[ $raises = 0 ] || list="$list rlimit_nice:13:25 rtprio:14:3"
apart
says "limits.nice: on" 7 limits.nice=7 -- nice
says "limits.nice: off" "$("$reach" nice)" -- nice
says "limits.cpu_affinity: on" 1 'limits.cpu_affinity=[0]' -- cpus
says "limits.cpu_affinity: off" "$("$reach" cpus)" -- cpus
exit $failed
