/* The child that takes messages with descriptors: see discard.h. */
/* SPDX-License-Identifier: ISC */
#include "services/supervise/discard.h"
#include "init/base/sys.h"
#include "services/supervise/notify.h"
#include "services/supervise/reap.h"
#include <signal.h>
#include <sys/socket.h>

/* The child's whole life. Without room for descriptors the kernel closes them itself, on this process's time. */
static void take(int fd, bool all)
{
	char byte;

	if (fd > 0)
		sys_close_range(0, (unsigned)fd - 1, 0);
	sys_close_range((unsigned)fd + 1, ~0u, 0);
	while (recv(fd, &byte, sizeof byte, MSG_DONTWAIT) >= 0 && all)
		;
	_exit(0);
}

static pid_t fork_to_take(int fd, bool all)
{
	struct clone_args a = { .flags = CLONE_CLEAR_SIGHAND, .exit_signal = SIGCHLD };
	pid_t pid = sys_clone3(&a);

	/* Container runtimes hide clone3. */
	if (pid < 0 && errno == ENOSYS)
		pid = fork();
	if (pid == 0)
		take(fd, all);
	return pid;
}

void discard_first(struct prior *p, uint32_t i)
{
	pid_t pid = fork_to_take(svc_of(p, i)->notify_fd, false);

	loop_remove(&p->loop, &p->run[i].notify_src);
	if (pid < 0) {
		prior_say(p, "warning", "notify-refused", svc_name(p, i),
			  "no process could be made to take its descriptors; not heard before its next start");
		return;
	}
	p->run[i].discard = pid;
	reap_add(p, pid, i, PID_DISCARD);
}

static void watch(struct prior *p, uint32_t i)
{
	struct err e;

	if (svc_of(p, i)->notify_fd >= 0 && !p->run[i].notify_src && notify_watch(p, i, &e) < 0)
		prior_say(p, "warning", "notify-refused", svc_name(p, i), e.text);
}

void discard_ended(struct prior *p, uint32_t i, pid_t pid)
{
	if (p->run[i].discard != pid)
		return;		/* of an earlier start: that socket is gone */
	p->run[i].discard = 0;
	watch(p, i);
}

void discard_anew(struct prior *p, uint32_t i)
{
	pid_t pid = p->run[i].discard;

	if (!pid) {
		watch(p, i);
		return;
	}
	discard_rest(p, i);	/* it may not have come to take the message */
	kill(pid, SIGKILL);	/* ours and not reaped */
	p->run[i].discard = 0;
	fd_drop(&svc_of(p, i)->notify_fd);
}

void discard_rest(struct prior *p, uint32_t i)
{
	char byte;

	if (recv(svc_of(p, i)->notify_fd, &byte, sizeof byte, MSG_PEEK | MSG_DONTWAIT) >= 0)
		fork_to_take(svc_of(p, i)->notify_fd, true);
}
