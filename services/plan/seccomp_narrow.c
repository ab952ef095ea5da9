/* Calls whose int and unsigned arguments profiles compare: see seccomp_narrow.h. */
/* SPDX-License-Identifier: ISC */
#include "services/plan/seccomp_narrow.h"
#include <string.h>

/*
 * From the kernel's SYSCALL_DEFINEs. A pointer, a size or an unsigned long is none of these, but for the flags of
 * clone, unshare and mmap, of which the kernel uses the lower half alone. The names of one row have the same arguments.
 */
static const struct {
	unsigned char args;	/* bit n: argument n */
	const char *calls;
} narrow[] = {
	{ 0x01, "clone unshare prctl arch_prctl personality bpf keyctl quotactl userfaultfd iopl close alarm umask dup "
		"epoll_create epoll_create1 inotify_init1 exit exit_group fsync fdatasync syncfs fchdir setuid setgid "
		"setfsuid setfsgid setgroups mlockall eventfd getpgid getsid sched_getscheduler io_uring_setup" },
	{ 0x02, "chmod access creat mkdir memfd_create pipe2 umount2 swapon" },
	{ 0x03, "ioctl fcntl setns kill tkill dup2 listen shutdown seccomp getrlimit setrlimit eventfd2 timerfd_create "
		"setpgid setreuid setregid ioprio_get getpriority flock prlimit64 sched_setscheduler pidfd_open "
		"fchmod msgget msgctl shmctl quotactl_fd timer_settime fanotify_init landlock_restrict_self" },
	{ 0x05, "fchmodat mkdirat faccessat unlinkat shmget shmat sendmsg recvmsg open_by_handle_at" },
	{ 0x06, "open mknod chown lchown" },
	{ 0x07, "socket socketpair tgkill setsockopt getsockopt setresuid setresgid dup3 setpriority ioprio_set kcmp "
		"fchown close_range reboot semctl semget pidfd_getfd epoll_ctl" },
	{ 0x09, "accept4 signalfd4 sendto recvfrom" },
	{ 0x0c, "pkey_mprotect" },
	{ 0x04, "mprotect" },
	{ 0x0d, "openat mknodat faccessat2" },
	{ 0x15, "renameat2" },
	{ 0x1c, "mmap" },
	{ 0x1d, "fchownat" },
};

bool call_arg_is_narrow(const char *call, unsigned arg)
{
	const size_t n = strlen(call);

	for (unsigned i = 0; i < sizeof narrow / sizeof *narrow; i++)
		for (const char *at = narrow[i].calls; at; at = strchr(at, ' ')) {
			at += *at == ' ';
			if (!strncmp(at, call, n) && (at[n] == ' ' || !at[n]))
				return narrow[i].args >> arg & 1;
		}
	return false;
}
