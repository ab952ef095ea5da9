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
queue=$(python3 -c 'import ctypes; k = 0x77616c; print(k if ctypes.CDLL(None).msgget(k, 0o1666) >= 0 else "")') || exit 2
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
both private_tmp "ENOENT ok" isolation.private_tmp=true "read:/tmp/walls.$$ create:/tmp/x"
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
says "shm_size is the size of /dev/shm" "ok ENOSPC 1777" limits.shm_size=1M isolation.private_devices=true -- fill:/dev/shm/a,1048576 fill:/dev/shm/b,4096 mode:/dev/shm
says "volumes are nosuid, nodev, nosymfollow" "nosuid,nodev,nosymfollow ok EACCES ELOOP" 'isolation.volumes=["/mnt/data:/media:rw"]' -- flags:/media read:/media/file read:/media/null read:/media/link
says "what is mounted below a volume is too" "nosuid,nodev,nosymfollow ok" 'isolation.volumes=["/mnt/data:/media:rw"]' -- flags:/media/below read:/media/below/file
says "a volume is read-only unless it says rw, all of it" "ro,nosuid,nodev,nosymfollow EROFS EROFS" 'isolation.volumes=["/mnt/data:/media"]' -- flags:/media create:/media/x create:/media/below/x
says "off: the same folder without a volume" "ok ok ok" -- read:/mnt/data/null read:/mnt/data/link create:/mnt/data/below/x
PRESET=strict USER_ID=65534 says "strict: nothing that is writable can be executed" "EACCES EPERM nosuid,nodev,noexec,nosymfollow" 'isolation.volumes=["/mnt/data:/media:rw"]' isolation.unveil='{/: rx, /media: rwxc}' -- exec:/media/true map:/media/true flags:/media
says "devices: reading alone is enforced" "ok EPERM ok" isolation.private_devices=true 'isolation.devices=["/dev/full:r"]' -- read:/dev/full write:/dev/full write:/dev/null
says "devices: another name for it" "ok EPERM ENOENT" isolation.private_devices=true 'isolation.devices=["/dev/kmsg:/dev/log2:r"]' -- read:/dev/log2 write:/dev/log2 read:/dev/kmsg
says "restrict_address_families: inet6 alone" "EAFNOSUPPORT ok" 'security.restrict_address_families=[inet6]' -- socket:2 socket:10
says "restrict_address_families: off" "ok ok" -- socket:2 socket:10
exit $failed
