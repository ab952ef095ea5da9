#!/bin/sh
# Each control by itself, on and off: on, what it forbids fails as expected; off, the same act succeeds. Needs root.
# SPDX-License-Identifier: ISC
set -u
cd "$(dirname "$0")/../.." || exit 2
: "${PRIOR:?the binary}"
acts=${BUILD:-$PWD/build}/${LIBC:-glibc}/tests/cells/acts
who=controls
. tests/cells/lib/say.sh
needs_root
needs_spaces -mpn
[ -x "$acts" ] || { echo "not ok controls: $acts is not built: make check-root builds it"; exit 1; }
# In mounts of its own: the program and the files it acts on lie in an empty /mnt that nobody else sees.
[ "${INSIDE-}" = 1 ] || INSIDE=1 exec unshare -m --propagation private tests/cells/controls.sh
mount -t tmpfs controls /mnt && mkdir /mnt/acts && cp "$acts" /mnt/do && echo file >/mnt/acts/file || exit 2
cp "$acts" /mnt/acts/true && chmod -R a+rwX /mnt/acts && acts=/mnt/do || exit 2
without=${BUILD:-$PWD/build}/${LIBC:-glibc}/tests/cells/without WITHOUT=''
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
program=$acts
. tests/cells/lib/acts.sh

# KEY ACTS WANT: WANT with the key, and every act succeeds without it.
both() {
	name=$1 key=$2 acts_here=$3 want=$4
	shift 4
	# shellcheck disable=SC2086
	says "$name" "$want" "$key" "$@" -- $acts_here
	allowed=''
	for a in $acts_here; do allowed="$allowed$a=ok "; done
	# shellcheck disable=SC2086
	says "$name: without it they succeed" "${allowed% }" ${*:+"$@"} -- $acts_here
}

both "restrict_namespaces" security.restrict_namespaces=true \
	"unshare-mount unshare-user unshare-time clone-uts clone-uts-high setns-uts setns-any" \
	"unshare-mount=EPERM unshare-user=EPERM unshare-time=EPERM clone-uts=EPERM clone-uts-high=EPERM setns-uts=EPERM setns-any=EPERM"
both "restrict_namespaces: clone3 hides its flags" security.restrict_namespaces=true clone3-uts clone3-uts=ENOSYS
both "restrict_namespaces with a list lets its kinds through" "security.restrict_namespaces=[uts]" \
	"unshare-uts clone-uts setns-uts unshare-mount unshare-user setns-any" \
	"unshare-uts=ok clone-uts=ok setns-uts=ok unshare-mount=EPERM unshare-user=EPERM setns-any=EPERM"
says "user.max_*_namespaces is the second wall, and knows the list" \
	"unshare-user=ok max-user=open max-mnt=0 max-uts=open" isolation.user=true user=1234 \
	"security.restrict_namespaces=[user, uts]" -- unshare-user max-user max-mnt max-uts
says "isolation.user=first: a capability means something over its own mounts" "mount=ok" user=1234 isolation.user=first \
	isolation.mount=true "security.cap_add=[SYS_ADMIN]" -- mount
says "isolation.user=true: the same one means nothing" "mount=EPERM" user=1234 isolation.user=true \
	isolation.mount=true "security.cap_add=[SYS_ADMIN]" -- mount
both "restrict_realtime" security.restrict_realtime=true "realtime realtime-attr batch" \
	"realtime=EPERM realtime-attr=EPERM batch=ok"
both "restrict_suid_sgid" security.restrict_suid_sgid=true \
	"chmod-suid fchmodat-sgid open-suid mkdir-sgid chmod-plain" \
	"chmod-suid=EPERM fchmodat-sgid=EPERM open-suid=EPERM mkdir-sgid=EPERM chmod-plain=ok"
[ "$("$acts" fchmodat2-suid)" = fchmodat2-suid=ENOSYS ] ||
	both "restrict_suid_sgid: fchmodat2" security.restrict_suid_sgid=true fchmodat2-suid fchmodat2-suid=EPERM
both "restrict_suid_sgid: openat2 hides its mode" security.restrict_suid_sgid=true openat2-suid openat2-suid=ENOSYS
both "lock_personality" security.lock_personality=true "no-randomize read-implies-exec ask-personality" \
	"no-randomize=EPERM read-implies-exec=EPERM ask-personality=ok"
both "memory_deny_write_execute" security.memory_deny_write_execute=true \
	"mmap-wx shmat-x memfd-twice read-implies-exec poke" \
	"mmap-wx=EPERM shmat-x=EPERM memfd-twice=EPERM read-implies-exec=EPERM poke=EPERM"
case $("$acts" pkey-mprotect-x) in *=ENOSYS) keys= ;; *) keys=pkey-mprotect-x ;; esac	# not on every processor
both "memory_deny_write_execute: mprotect" security.memory_deny_write_execute=true "mprotect-x $keys" \
	"mprotect-x=EPERM${keys:+ $keys=EPERM}"
both "memory_deny_write_execute: userfaultfd fills what nobody may write" security.memory_deny_write_execute=true \
	userfaultfd userfaultfd=ENOSYS
both "memory_deny_write_execute: /proc/self/mem and files written and mapped" \
	security.memory_deny_write_execute=true "proc-mem shm-twice tmp-twice" \
	"proc-mem=EROFS shm-twice=EPERM tmp-twice=EPERM" isolation.mount=true isolation.private_tmp=true \
	"isolation.tmpfs={/dev/shm: size=1M}"
both "restrict_address_families" "security.restrict_address_families=[unix, inet6]" \
	"inet inet-high netlink unix inet6 pair" \
	"inet=EAFNOSUPPORT inet-high=EAFNOSUPPORT netlink=EAFNOSUPPORT unix=ok inet6=ok pair=ok"
foreign= killed=
if [ "$(uname -m)" = x86_64 ] && [ "$("$acts" i386)" = i386=ok ]; then
	foreign=i386 killed=" i386=SIGSYS"
	both "system_call_architectures" "security.system_call_architectures=[native]" i386 i386=SIGSYS
	says "any filter kills i386 and x32 entries" "i386=SIGSYS x32=SIGSYS" security.restrict_realtime=true -- i386 x32
else
	echo "skip controls: system_call_architectures: this kernel takes no i386 calls"
fi
both "seccomp: default" security.seccomp=default "mount trace" "mount=EPERM trace=EPERM"
says "seccomp: io_uring and unknown calls are not there" "io-uring=ENOSYS unknown=ENOSYS getppid=ok" \
	security.seccomp=default -- io-uring unknown getppid
says "seccomp.deny takes one call away" "getppid=EPERM" "security.seccomp={profile: default, deny: [getppid]}" -- getppid
says "seccomp.deny takes a group away" "inet=EPERM unix=EPERM" \
	"security.seccomp={profile: default, deny: [\"@network-io\"]}" -- inet unix
says "seccomp.allow gives one back" "trace=ok mount=EPERM" "security.seccomp={profile: default, allow: [ptrace]}" -- trace mount
says "seccomp.action kill" "getppid=SIGSYS" "security.seccomp={profile: default, deny: [getppid], action: kill}" -- getppid
says "seccomp.action log lets it pass" "getppid=ok" "security.seccomp={profile: default, deny: [getppid], action: log}" -- getppid

# Profiles from files.
engine=$work/engine.json
cp tests/seccomp/engine.json "$engine"
says "a container engine's default profile loads and holds" \
	"mount=EPERM unshare-mount=EPERM clone-uts=EPERM clone3-uts=ENOSYS no-randomize=EPERM inet=ok unknown=ENOSYS$killed" \
	user=1234 "security.seccomp=$engine" -- mount unshare-mount clone-uts clone3-uts no-randomize inet unknown $foreign
says "its rules follow the service's capabilities" "unshare-uts=ok mount=ok" "security.seccomp=$engine" -- unshare-uts mount
says "restrictions go on top of it" "unshare-uts=EPERM setns-uts=EPERM" security.restrict_namespaces=true \
	"security.seccomp=$engine" -- unshare-uts setns-uts
says "and lists" "getppid=SIGSYS mount=ok" \
	"security.seccomp={profile: $engine, deny: [getppid], action: kill}" -- getppid mount
# getppid gets errno 77, all else is allowed: ld [0]; jeq getppid; ret ERRNO|77; ret ALLOW.
nr=$(printf '\\%03o' "$([ "$(uname -m)" = x86_64 ] && echo 110 || echo 173)")
# shellcheck disable=SC2059
printf "\040\000\000\000\000\000\000\000\025\000\000\001$nr\000\000\000\006\000\000\000\115\000\005\000\006\000\000\000\000\000\377\177" \
	>"$work/program.bpf"
says "a BPF program is taken as it is" "getppid=EBADFD inet=ok" "security.seccomp=$work/program.bpf" -- getppid inet
says "foreign architectures are killed before it, restrictions hold before it" "chmod-suid=EPERM getppid=EBADFD$killed" \
	"security.seccomp=$work/program.bpf" security.restrict_suid_sgid=true -- chmod-suid getppid $foreign
refuses() { # NAME WORDS, then as cell
	name=$1 words=$2
	shift 2
	if cell "$@" >"$work/out"; then not_ok "$name" "it started: $(cat "$work/out")"; return; fi
	if grep -qF -- "$words" "$work/err"; then ok "$name"; else not_ok "$name" "$(cat "$work/err")"; fi
}
head -c 12 "$work/program.bpf" >"$work/half.bpf"
refuses "half a program is refused" "12 bytes are neither JSON nor a BPF program" "security.seccomp=$work/half.bpf" -- getppid
printf '\377\377\000\000\000\000\000\000' >"$work/odd.bpf"
refuses "what is no program is refused" "not a BPF program: an instruction that seccomp does not have" \
	"security.seccomp=$work/odd.bpf" -- getppid
refuses "a profile that is not there is refused" "/nowhere.json: No such file" security.seccomp=/nowhere.json -- getppid
sed 's/SCMP_ACT_TRAP/SCMP_ACT_TRACE/' "$engine" >"$work/trace.json"
refuses "a profile that asks for a tracer is refused with its place" "trace.json:$(grep -n TRACE "$work/trace.json" |
	cut -d: -f1):14: SCMP_ACT_TRACE: there is no tracer to ask" "security.seccomp=$work/trace.json" -- getppid
refuses "allow beside a program is refused" "a BPF program is taken as it is" \
	"security.seccomp={profile: $work/program.bpf, allow: [mount]}" -- getppid

# Before version 3 Landlock does not see truncation: what can truncate is then refused altogether.
if [ "$("$acts" landlock)" -ge 3 ]; then denied=EACCES path=ok opened=ok; else denied=EPERM path=EPERM opened=EACCES; fi

# Pledges: the acts program is static and forks, so each of these is a pledge of stdio and proc besides.
pledge() { # NAME PROMISES WANT ACT...
	name="pledge: $1" promises=$2 want=$3
	shift 3
	says "$name" "$want" "security.pledge=stdio proc $promises" -- "$@"
}
both "pledge: what is not promised is refused" "security.pledge=stdio proc" \
	"read list write create mkdir execute inet unix mount trace null getppid fork pair" \
	"read=EPERM list=EPERM write=EPERM create=EPERM mkdir=EPERM execute=EACCES inet=EPERM unix=EPERM mount=EPERM trace=EPERM null=EPERM getppid=ok fork=ok pair=ok"
pledge rpath rpath "read=ok list=ok null=ok write=EACCES truncate-open=EACCES truncate=EPERM create=EACCES mkdir=EPERM execute=EACCES" \
	read list null write truncate-open truncate create mkdir execute
pledge wpath wpath "write=ok truncate=$path read=EACCES create=EACCES mkdir=EPERM" write truncate read create mkdir
pledge cpath cpath "mkdir=ok write=EACCES read=EACCES" mkdir write read
pledge exec exec "execute=ok write=EACCES mkdir=EPERM" execute write mkdir
pledge getpw getpw "read-passwd=ok read=EACCES" read-passwd read
pledge inet inet "inet=ok inet6=ok unix=EAFNOSUPPORT netlink=EAFNOSUPPORT read=EPERM" inet inet6 unix netlink read
pledge unix unix "unix=ok inet=EAFNOSUPPORT" unix inet
pledge route route "netlink=ok inet=EAFNOSUPPORT" netlink inet
pledge "fattr is not there" "" "chmod-plain=EPERM" chmod-plain
pledge "fattr is, the file is not" fattr "chmod-plain=ENOENT" chmod-plain
pledge "fattr with files" "fattr rpath wpath cpath" "chmod-plain=ok" chmod-plain
pledge error error "mount=ENOSYS read=ENOSYS" mount read
pledge "memory" "" "mmap-wx=EPERM mprotect-x=EPERM memfd-twice=EPERM" mmap-wx mprotect-x memfd-twice
pledge prot_exec prot_exec "mmap-wx=ok mprotect-x=ok" mmap-wx mprotect-x
says "pledge: action: kill is what OpenBSD does" "mount=SIGSYS getppid=ok" "security.pledge=stdio proc" \
	security.seccomp.action=kill -- mount getppid
says "pledge and unveil: both must allow" "read=ok write=EACCES read-passwd=EACCES" "security.pledge=stdio proc rpath" \
	"isolation.unveil={/mnt/acts: rwc}" -- read write read-passwd
got=$(timeout 120 "$PRIOR" run --preset none --set "security.pledge=stdio" -- cat /mnt/acts/file 2>&1)
case $got in
*"Permission denied"* | *"not permitted"*) ok "pledge: a dynamic program is loaded, and opens nothing else" ;;
*) not_ok "pledge: a dynamic program is loaded, and opens nothing else" "$got" ;;
esac
refuses "a pledge beside a profile is refused" "a pledge takes the profile's place" security.seccomp=strict \
	security.pledge=stdio -- getppid
refuses "settime beside protect_clock is refused" "'settime' needs isolation.protect_clock: false" \
	"security.pledge=stdio settime" isolation.protect_clock=true -- getppid

# Unveil.
veil="read list write truncate truncate-open create mkdir execute read-passwd null"
both "unveil r" "isolation.unveil={/mnt/acts: r}" "$veil" \
	"read=ok list=ok write=EACCES truncate=$denied truncate-open=EACCES create=EACCES mkdir=EACCES execute=EACCES read-passwd=EACCES null=ok"
# shellcheck disable=SC2086
says "unveil rw" "read=ok list=ok write=ok truncate=$path truncate-open=$opened create=EACCES mkdir=EACCES execute=EACCES read-passwd=EACCES null=ok" \
	"isolation.unveil={/mnt/acts: rw}" -- $veil
# shellcheck disable=SC2086
says "unveil rwxc" "read=ok list=ok write=ok truncate=$path truncate-open=$opened create=ok mkdir=ok execute=ok read-passwd=EACCES null=ok" \
	"isolation.unveil={/mnt/acts: rwxc}" -- $veil
says "unveil c alone" "mkdir=ok read=EACCES write=EACCES" "isolation.unveil={/mnt/acts: c}" -- mkdir read write

# The same with the feature taken away: refused, by name.
for how in landlock landlock-off; do
	WITHOUT="'$without' $how --"
	refuses "unveil without Landlock ($how) is refused" "isolation.unveil: this kernel has no Landlock" \
		"isolation.unveil={/mnt/acts: r}" -- getppid
	refuses "a pledge without Landlock ($how) is refused" "security.pledge: this kernel has no Landlock" \
		security.pledge=stdio -- getppid
done
WITHOUT="'$without' seccomp --"
refuses "a filter without seccomp is refused" "seccomp" security.restrict_realtime=true -- getppid
WITHOUT="'$without' mdwe --"
says "memory_deny_write_execute without PR_SET_MDWE rests on the filter" "mmap-wx=EPERM mprotect-x=EPERM" \
	security.memory_deny_write_execute=true -- mmap-wx mprotect-x
exit $failed
