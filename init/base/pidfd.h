/* What a pidfd is good for, without a pid that may mean another one meanwhile. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/fd.h"
#include "init/base/sys.h"
#include <linux/stat.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#ifndef PID_FS_MAGIC
#define PID_FS_MAGIC 0x50494446
#endif

/*
 * The number of a process that no other one ever gets: the inode of its pidfd.
 * 0: this kernel (before 6.9) has no such numbers, or hides pidfd_open(2).
 */
static inline uint64_t pidfd_number(pid_t pid)
{
	owned_fd fd = sys_pidfd_open(pid);
	struct statfs fs;
	struct statx x;		/* by the call itself: the library's way there is long for the small build of `run` */

	if (fd < 0 || fstatfs(fd, &fs) < 0 || fs.f_type != PID_FS_MAGIC ||
	    syscall(SYS_statx, fd, "", AT_EMPTY_PATH, STATX_INO, &x) < 0)
		return 0;
	return x.stx_ino;
}

/*
 * A child of ours is killed, and reaped when it ends within a second. One that a driver or a disk holds does not die by
 * any signal: it is left to whoever reaps last, since what comes after it (unmounting, the watchdog) cannot wait.
 */
static inline void pidfd_end(pid_t pid)
{
	owned_fd fd = pid > 0 ? sys_pidfd_open(pid) : FD_NONE;
	struct pollfd p = { .fd = fd, .events = POLLIN };

	if (pid <= 0 || kill(pid, SIGKILL) < 0)
		return;
	for (unsigned i = 0; i < 8; i++) {	/* either call may fail once: a signal, no memory */
		const pid_t got = waitpid(pid, NULL, __WALL | WNOHANG);

		if (got > 0 || (got < 0 && errno != EINTR))
			return;
		if (poll(&p, 1, fd >= 0 ? 1000 : 100) == 0 && fd >= 0)
			return;
	}
}
