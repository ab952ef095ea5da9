/* What sysvinit's callers write to its pipe: see initctl.h. */
/* SPDX-License-Identifier: ISC */
#include "init/initctl.h"
#include "init/base/text.h"
#include "services/supervise/ending.h"
#include "services/supervise/reload.h"
#include <fcntl.h>
#include <sys/stat.h>

#define PIPE "/run/initctl"
#define LINK "/dev/initctl"
#define MAGIC 0x03091969	/* sysvinit's initreq.h */

enum { CMD_RUNLEVEL = 1, CMD_POWER_FAILS = 2, CMD_POWER_FAILS_NOW = 3, CMD_POWER_IS_BACK = 4 };

struct init_request {
	int32_t magic, cmd, runlevel, sleeptime;
	char data[368];
};

static void refuse(struct prior *p, const struct init_request *q)
{
	char why[96];
	struct text t = TEXT_IN(why);

	text_fmt(&t, "request %d for runlevel %d: there is none of that here", q->cmd, q->runlevel);
	prior_say(p, "warning", "initctl", NULL, why);
}

static void change_runlevel(struct prior *p, const struct init_request *q)
{
	struct err e;

	switch (q->runlevel) {
	case '0':
		ending_begin(p, SHUTDOWN_POWEROFF);
		break;
	case '6':
		ending_begin(p, SHUTDOWN_REBOOT);
		break;
	case 'q': case 'Q':
		if (reload_begin(p, -1, false, &e) < 0)
			prior_say(p, "error", "reload-refused", NULL, e.text);
		break;
	default:	/* a letter from outside, no enum of ours */
		refuse(p, q);
	}
}

static void on_request(void *ctx, uint32_t arg, uint32_t events)
{
	struct prior *p = ctx;
	struct init_request q;
	ssize_t n = read(p->ledger.head->initctl_fd, &q, sizeof q);

	(void)arg, (void)events;
	if (n != (ssize_t)sizeof q || q.magic != MAGIC) {
		if (n > 0)
			prior_say(p, "warning", "initctl", NULL, "what came is no request of sysvinit's");
	} else if (q.cmd == CMD_RUNLEVEL) {
		change_runlevel(p, &q);
	} else if (q.cmd == CMD_POWER_FAILS_NOW) {
		ending_begin(p, SHUTDOWN_POWEROFF);
	} else if (q.cmd == CMD_POWER_FAILS || q.cmd == CMD_POWER_IS_BACK) {
		prior_say(p, "warning", "initctl", NULL,
			  q.cmd == CMD_POWER_FAILS ? "the power fails" : "the power is back");
	} else {
		refuse(p, &q);
	}
}

int initctl_watch(struct prior *p, struct err *e)
{
	if (p->ledger.head->initctl_fd < 0)
		return 0;
	int rc = loop_add(&p->loop, p->ledger.head->initctl_fd, EPOLLIN, on_request, 0, e);

	p->initctl_src = rc < 0 ? 0 : (uint32_t)rc;
	return rc < 0 ? rc : 0;
}

int initctl_begin(struct prior *p, struct err *e)
{
	unlink(PIPE);
	if (mkfifo(PIPE, 0600) < 0)
		return err_sys(e, "make " PIPE);
	/* For writing, too: without a writer the pipe would be at its end all the time. */
	owned_fd fd = open(PIPE, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return err_sys(e, "open " PIPE);
	if (symlink(PIPE, LINK) < 0 && errno != EEXIST)
		return err_sys(e, "link " LINK " to it");
	fd_put(&p->ledger.head->initctl_fd, fd_take(&fd));
	return initctl_watch(p, e);
}
