/* System calls and constants that the C libraries' headers may lack; the same numbers on all 64-bit machines. */
/* SPDX-License-Identifier: ISC */
#pragma once
/* <linux/mount.h> and glibc 2.36's <sys/mount.h> declare the same names: include this file, never <sys/mount.h>. */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/close_range.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* What a seccomp filter is told about the architecture. */
#if defined(__x86_64__)
#define SYS_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define SYS_ARCH AUDIT_ARCH_AARCH64
#else
#error "seccomp filters are written for x86_64 and aarch64; add a row here and in services/plan/calls.c"
#endif

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77		/* Linux 6.5 */
#endif
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif
#ifndef SYS_open_tree
#define SYS_open_tree 428
#define SYS_move_mount 429
#define SYS_fsopen 430
#define SYS_fsconfig 431
#define SYS_fsmount 432
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_clone3
#define SYS_clone3 435
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef SYS_openat2
#define SYS_openat2 437
#endif
#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif
#ifndef MOUNT_ATTR_NOSYMFOLLOW
#define MOUNT_ATTR_NOSYMFOLLOW 0x00200000
#endif

/* A system call in place, without the C library: neither a page of its code nor a return address. -errno, not errno. */
static inline __attribute__((always_inline)) long sys_inline(long nr, long a, long b, long c, long d)
{
#if defined(__x86_64__)
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = 0;
	long ret;

	__asm__ volatile("syscall" : "=a"(ret) : "0"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
			 : "rcx", "r11", "memory");
	return ret;
#elif defined(__aarch64__)
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = 0;
	register long x8 __asm__("x8") = nr;

	__asm__ volatile("svc #0" : "+r"(x0) : "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x8) : "memory");
	return x0;
#else
#error "write the system call for this architecture"
#endif
}

/* The end of a child of ours, in *status if that is not NULL; -1: it is not ours, or somebody else has reaped it. */
static inline int sys_wait(pid_t pid, int *status)
{
	pid_t got;

	do
		got = waitpid(pid, status, __WALL);
	while (got < 0 && errno == EINTR);
	return got < 0 ? -1 : 0;
}

static inline int sys_pidfd_open(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0u);
}

static inline int sys_pidfd_send_signal(int pidfd, int sig)
{
	return (int)syscall(SYS_pidfd_send_signal, pidfd, sig, (void *)0, 0u);
}

/*
 * clone3(2). Container runtimes answer ENOSYS to it, for their filters cannot see its flags: then clone(2), whose child
 * does for itself what that has no flag for (CLONE_CLEAR_SIGHAND, CLONE_INTO_CGROUP). Not for CLONE_VM: ENOSYS.
 */
pid_t clone_without(const struct clone_args *a);
static inline pid_t sys_clone3(struct clone_args *a)
{
	const pid_t pid = (pid_t)syscall(SYS_clone3, a, sizeof *a);

	return pid < 0 && errno == ENOSYS ? clone_without(a) : pid;
}

/*
 * SCHED_BATCH: waking up does not take the CPU from who is running, so that much is done in one go. Children inherit it
 * (SCHED_RESET_ON_FORK would only take real-time policies from them, and keep us from going back without privileges),
 * so that who is about to become somebody else's program goes back first. A policy that somebody else chose stays.
 * pid 0: the caller. musl has no wrappers that work. Failure costs speed only.
 */
enum { SYS_OTHER = 0, SYS_BATCH = 3 };	/* the kernel's numbers */

static inline void sys_batch(pid_t pid, bool on)
{
	const struct { int priority; } none = { 0 };

	if (syscall(SYS_sched_getscheduler, pid) == (on ? SYS_OTHER : SYS_BATCH))
		syscall(SYS_sched_setscheduler, pid, on ? SYS_BATCH : SYS_OTHER, &none);
}

/* In a child of PID 1, which has signals blocked: SIGALRM is its end after so many seconds. */
static inline void sys_end_in(unsigned seconds)
{
	sigset_t s;

	sigemptyset(&s);
	sigaddset(&s, SIGALRM);
	sigprocmask(SIG_UNBLOCK, &s, NULL);
	alarm(seconds);
}

static inline int sys_openat2(int dir, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve)
{
	struct open_how how = { .flags = flags, .mode = mode, .resolve = resolve };

	return (int)syscall(SYS_openat2, dir, path, &how, sizeof how);
}

/* fstat(2) as it is: glibc asks by an empty path instead, and for a path the kernel clears a page first. */
static inline int sys_fstat(int fd, struct stat *st)
{
	return (int)syscall(SYS_fstat, fd, st);
}

static inline int sys_close_range(unsigned from, unsigned to, unsigned flags)
{
	return (int)syscall(SYS_close_range, from, to, flags);
}

static inline int sys_open_tree(int dir, const char *path, unsigned flags)
{
	return (int)syscall(SYS_open_tree, dir, path, flags);
}

static inline int sys_move_mount(int from, const char *fpath, int to, const char *tpath, unsigned flags)
{
	return (int)syscall(SYS_move_mount, from, fpath, to, tpath, flags);
}

static inline int sys_fsopen(const char *fs, unsigned flags)
{
	return (int)syscall(SYS_fsopen, fs, flags);
}

static inline int sys_fsconfig(int fd, unsigned cmd, const char *key, const void *val, int aux)
{
	return (int)syscall(SYS_fsconfig, fd, cmd, key, val, aux);
}

static inline int sys_fsmount(int fd, unsigned flags, unsigned attr)
{
	return (int)syscall(SYS_fsmount, fd, flags, attr);
}

static inline int sys_mount_setattr(int dir, const char *path, unsigned flags, struct mount_attr *a)
{
	return (int)syscall(SYS_mount_setattr, dir, path, flags, a, sizeof *a);
}

static inline int sys_mount(const char *source, const char *target, const char *fs, unsigned long flags,
			    const void *data)
{
	return (int)syscall(SYS_mount, source, target, fs, flags, data);
}

#ifndef MNT_DETACH
#define MNT_FORCE 1
#define MNT_DETACH 2
#define UMOUNT_NOFOLLOW 8
#endif

static inline int sys_umount2(const char *target, int flags)
{
	return (int)syscall(SYS_umount2, target, flags);
}

static inline int sys_pivot_root(const char *new_root, const char *put_old)
{
	return (int)syscall(SYS_pivot_root, new_root, put_old);
}
