/* System calls by name: groups as systemd's users know them, the profiles, and the numbers behind the names. */
/* SPDX-License-Identifier: ISC */
#include "services/plan/seccomp.h"
#include <linux/audit.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>

/*
 * The groups are the ones of systemd.exec(5), so that `deny: ["@mount"]` means what people expect; calls that are
 * newer than its lists are in the group that they belong to. @default-profile and @strict-profile are ours.
 */
static const struct {
	const char *name, *calls;
} groups[] = {
	{ "@default", "arch_prctl brk cacheflush clock_getres clock_gettime clock_nanosleep execve exit "
	  "exit_group futex futex_requeue futex_wait futex_waitv futex_wake get_robust_list get_thread_area "
	  "getegid geteuid getgid getgroups getpgid getpgrp getpid getppid getrandom getresgid getresuid "
	  "getrlimit getsid gettid gettimeofday getuid map_shadow_stack membarrier mmap mprotect mseal munmap "
	  "nanosleep pause prlimit64 restart_syscall riscv_flush_icache rseq rt_sigreturn sched_getaffinity "
	  "sched_yield set_robust_list set_thread_area set_tid_address time uretprobe" },
	{ "@aio", "io_cancel io_destroy io_getevents io_pgetevents io_setup io_submit @io-uring" },
	{ "@io-uring", "io_uring_enter io_uring_register io_uring_setup" },
	{ "@basic-io", "close close_range dup dup2 dup3 lseek pread64 preadv preadv2 pwrite64 pwritev pwritev2 "
	  "read readv write writev" },
	{ "@chown", "chown fchown fchownat lchown" },
	{ "@clock", "adjtimex clock_adjtime clock_settime settimeofday" },
	{ "@cpu-emulation", "modify_ldt" },
	{ "@debug", "lookup_dcookie perf_event_open pidfd_getfd ptrace" },
	{ "@file-system", "access chdir chmod close creat faccessat faccessat2 fallocate fchdir fchmod fchmodat "
	  "fchmodat2 fcntl fgetxattr flistxattr fremovexattr fsetxattr fstat fstatfs ftruncate futimesat getcwd "
	  "getdents getdents64 getxattr getxattrat inotify_add_watch inotify_init inotify_init1 inotify_rm_watch "
	  "lgetxattr link linkat listmount listxattr listxattrat llistxattr lremovexattr lsetxattr lstat mkdir "
	  "mkdirat mknod mknodat newfstatat open openat openat2 readlink readlinkat removexattr removexattrat "
	  "rename renameat renameat2 rmdir setxattr setxattrat stat statfs statmount statx symlink symlinkat "
	  "truncate unlink unlinkat utime utimensat utimes" },
	{ "@io-event", "epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait "
	  "epoll_wait_old eventfd eventfd2 poll ppoll pselect6 select" },
	{ "@ipc", "memfd_create mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedsend mq_unlink msgctl "
	  "msgget msgrcv msgsnd pipe pipe2 process_madvise process_vm_readv process_vm_writev semctl semget "
	  "semop semtimedop shmat shmctl shmdt shmget" },
	{ "@keyring", "add_key keyctl request_key" },
	{ "@memlock", "mlock mlock2 mlockall munlock munlockall" },
	{ "@module", "delete_module finit_module init_module" },
	{ "@mount", "chroot fsconfig fsmount fsopen fspick mount mount_setattr move_mount open_tree "
	  "open_tree_attr pivot_root umount2" },
	{ "@network-io", "accept accept4 bind connect getpeername getsockname getsockopt listen recvfrom "
	  "recvmmsg recvmsg sendmmsg sendmsg sendto setsockopt shutdown socket socketpair" },
	{ "@obsolete", "_sysctl afs_syscall create_module get_kernel_syms getpmsg nfsservctl putpmsg "
	  "query_module security sysfs tuxcall uselib ustat vserver" },
	{ "@pkey", "pkey_alloc pkey_free pkey_mprotect" },
	{ "@privileged", "@chown @clock @module @raw-io @reboot @swap _sysctl acct bpf capset chroot "
	  "fanotify_init fanotify_mark nfsservctl open_by_handle_at pivot_root quotactl quotactl_fd "
	  "setdomainname setfsuid setgroups sethostname setresuid setreuid setuid vhangup" },
	{ "@process", "capget clone clone3 execveat fork getrusage kill pidfd_open pidfd_send_signal prctl "
	  "rt_sigqueueinfo rt_tgsigqueueinfo setns tgkill times tkill unshare vfork wait4 waitid" },
	{ "@raw-io", "ioperm iopl" },
	{ "@reboot", "kexec_file_load kexec_load reboot" },
	{ "@resources", "ioprio_set mbind migrate_pages move_pages sched_setaffinity sched_setattr "
	  "sched_setparam sched_setscheduler set_mempolicy set_mempolicy_home_node setpriority setrlimit" },
	/* What a file is, not what is in it. */
	{ "@ask", "access faccessat faccessat2 fgetxattr flistxattr fstatfs getxattr getxattrat lgetxattr listxattr "
	  "listxattrat llistxattr lstat name_to_handle_at newfstatat readlink readlinkat stat statfs statx" },
	{ "@sandbox", "landlock_add_rule landlock_create_ruleset landlock_restrict_self seccomp" },
	{ "@setuid", "setgid setgroups setregid setresgid setresuid setreuid setuid" },
	{ "@signal", "rt_sigaction rt_sigpending rt_sigprocmask rt_sigsuspend rt_sigtimedwait sigaltstack "
	  "signalfd signalfd4" },
	{ "@swap", "swapoff swapon" },
	{ "@sync", "fdatasync fsync msync sync sync_file_range syncfs" },
	{ "@system-service", "@aio @basic-io @chown @default @file-system @io-event @ipc @keyring @memlock "
	  "@network-io @process @resources @setuid @signal @sync @timer capget capset copy_file_range fadvise64 "
	  "flock get_mempolicy getcpu getpriority ioctl ioprio_get kcmp madvise mremap name_to_handle_at "
	  "personality readahead remap_file_pages sched_get_priority_max sched_get_priority_min sched_getattr "
	  "sched_getparam sched_getscheduler sched_rr_get_interval sendfile setfsgid setfsuid setpgid setsid "
	  "splice sysinfo tee umask uname userfaultfd vmsplice" },
	{ "@timer", "alarm getitimer setitimer timer_create timer_delete timer_getoverrun timer_gettime "
	  "timer_settime timerfd_create timerfd_gettime timerfd_settime times" },

	/* What `default` allows besides @system-service: calls that only take rights away, or that only ask. */
	{ "@default-more", "@pkey @sandbox cachestat mincore process_mrelease" },
	/* ...and what of it `default` does not: ways around the filter, and into other processes. */
	{ "@default-less", "@keyring kcmp personality process_madvise process_vm_readv process_vm_writev" },
	/* Answered as if the kernel had not been built with them: programs have another way. clone3 takes its flags by
	 * a pointer; io_uring makes calls that no filter sees. */
	{ "@absent", "@io-uring clone3 userfaultfd" },
	{ "@strict-profile", "@io-event @network-io @signal @timer accept access arch_prctl brk chdir chmod "
	  "clock_getres clock_gettime clock_nanosleep clone close close_range copy_file_range creat dup dup2 "
	  "dup3 execve execveat exit exit_group faccessat faccessat2 fadvise64 fallocate fchdir fchmod fchmodat "
	  "fchmodat2 fcntl fdatasync fgetxattr flistxattr flock fork fremovexattr fsetxattr fstat fstatfs fsync "
	  "ftruncate futex futex_waitv futimesat get_robust_list get_thread_area getcpu getcwd getdents "
	  "getdents64 getegid geteuid getgid getgroups getpgid getpgrp getpid getppid getpriority getrandom "
	  "getresgid getresuid getrlimit getrusage getsid gettid gettimeofday getuid getxattr inotify_add_watch "
	  "inotify_init inotify_init1 inotify_rm_watch ioctl ioprio_get kill @sandbox lgetxattr link linkat "
	  "listxattr llistxattr lremovexattr lseek lsetxattr lstat madvise membarrier memfd_create mincore mkdir "
	  "mkdirat mmap mprotect mremap msync munmap nanosleep newfstatat open openat openat2 pause pidfd_open "
	  "pidfd_send_signal pipe pipe2 @pkey prctl pread64 preadv preadv2 prlimit64 process_mrelease pwrite64 "
	  "pwritev pwritev2 read readlink readlinkat readv removexattr rename renameat renameat2 restart_syscall "
	  "rmdir rseq rt_sigqueueinfo rt_sigreturn rt_tgsigqueueinfo sched_get_priority_max "
	  "sched_get_priority_min sched_getaffinity sched_getattr sched_getparam sched_getscheduler "
	  "sched_rr_get_interval sched_setaffinity sched_yield sendfile set_robust_list set_thread_area "
	  "set_tid_address setpgid setrlimit setsid setxattr splice stat statfs statx symlink symlinkat "
	  "sync_file_range sysinfo tee tgkill tkill truncate umask uname unlink unlinkat utime utimensat utimes "
	  "vfork wait4 waitid write writev" },
};

const char *call_group(const char *name)
{
	for (unsigned i = 0; i < sizeof groups / sizeof *groups; i++)
		if (!strcmp(groups[i].name, name))
			return groups[i].calls;
	return NULL;
}

/* Newer than the names of libseccomp 2.5.4; the same number on every architecture. */
static const struct {
	const char *name;
	int number;
} new_calls[] = {
	{ "cachestat", 451 },	  { "fchmodat2", 452 },		   { "map_shadow_stack", 453 },
	{ "futex_wake", 454 },	  { "futex_wait", 455 },	   { "futex_requeue", 456 },
	{ "statmount", 457 },	  { "listmount", 458 },		   { "lsm_get_self_attr", 459 },
	{ "lsm_set_self_attr", 460 }, { "lsm_list_modules", 461 }, { "mseal", 462 },
};
/* Not known, so that they get ENOSYS, but names that a list may hold. */
static const char *const newer_names[] = { "setxattrat", "getxattrat", "listxattrat", "removexattrat", "open_tree_attr",
					   "uretprobe", "file_getattr", "file_setattr", NULL };
#define NEWEST 462

static uint32_t scmp_arch(uint32_t arch)
{
	return arch == AUDIT_ARCH_AARCH64 ? SCMP_ARCH_AARCH64 : SCMP_ARCH_X86_64;
}

/* libseccomp first: it looks a name up by a hash, and names are looked up by the hundred. */
int call_number(uint32_t arch, const char *name)
{
	int n = seccomp_syscall_resolve_name_arch(scmp_arch(arch), name);

	if (n != __NR_SCMP_ERROR)
		return n >= 0 && n <= NEWEST ? n : -2;
	for (unsigned i = 0; i < sizeof new_calls / sizeof *new_calls; i++)
		if (!strcmp(new_calls[i].name, name))
			return new_calls[i].number;
	for (unsigned i = 0; newer_names[i]; i++)
		if (!strcmp(newer_names[i], name))
			return -2;
	return -1;
}

char *call_name(uint32_t arch, unsigned number)
{
	for (unsigned i = 0; i < sizeof new_calls / sizeof *new_calls; i++)
		if (new_calls[i].number == (int)number)
			return strdup(new_calls[i].name);
	return seccomp_syscall_resolve_num_arch(scmp_arch(arch), (int)number);
}

/* The numbers that have a name. libseccomp would look at all of its names for each: a test compares the two. */
static const struct {
	uint32_t arch;
	uint16_t first, last;
} known[] = {
	{ AUDIT_ARCH_X86_64, 0, 334 },	{ AUDIT_ARCH_X86_64, 424, NEWEST },
	{ AUDIT_ARCH_AARCH64, 0, 243 }, { AUDIT_ARCH_AARCH64, 260, 294 }, { AUDIT_ARCH_AARCH64, 424, NEWEST },
};

bool call_is_known(uint32_t arch, unsigned number)
{
	for (unsigned i = 0; i < sizeof known / sizeof *known; i++)
		if (known[i].arch == arch && number >= known[i].first && number <= known[i].last)
			return true;
	return false;
}

bool calls_each(const char *text, bool (*each)(void *ctx, const char *call), void *ctx)
{
	char word[64];

	while (*(text += strspn(text, " "))) {
		size_t n = strcspn(text, " ");

		if (n >= sizeof word)
			return false;
		memcpy(word, text, n);
		word[n] = '\0';
		text += n;
		const char *inner = *word == '@' ? call_group(word) : NULL;

		if (*word == '@' ? !inner || !calls_each(inner, each, ctx) : !each(ctx, word))
			return false;
	}
	return true;
}
