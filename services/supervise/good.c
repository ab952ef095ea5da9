/* Is all well? Then the slot is: see good.h. */
/* SPDX-License-Identifier: ISC */
#include "services/supervise/good.h"
#include "services/supervise/reap.h"
#include "init/base/text.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>

/* Who should be up and is not, or is not healthy; NULL: nobody. */
static const char *who_is_not_well(struct prior *p, uint32_t *which)
{
	for (uint32_t i = 0; i < p->n; i++) {
		const struct ledger_svc *s = svc_of(p, i);

		*which = i;
		if (s->state == SVC_FAILED || s->state == SVC_REFUSED || s->state == SVC_BACKOFF)
			return svc_state_name[s->state];
		if (s->state == SVC_UP && (s->health == HEALTH_BAD || s->health == HEALTH_STARTING))
			return health_name[s->health];
	}
	return p->plan.head->refused.n ? "refused" : NULL;
}

extern char **environ;

/* What it takes (disks, U-Boot's environment) is no work for PID 1: the control tool does it. */
static void become_marker(int exe_fd)
{
	char *argv[] = { (char *)"prior", (char *)"slot", (char *)"mark-good", NULL };
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	syscall(SYS_execveat, exe_fd, "", argv, environ, AT_EMPTY_PATH);
	_exit(127);
}

void good_begin(struct prior *p)
{
	const struct plan_head *h = p->plan.head;

	if (p->ledger.head->mode == MODE_MACHINE && h->boot_slots.n && h->good_after_ms)
		loop_timer_set(&p->loop, p->n + TIMER_GOOD, p->loop.now.ms + h->good_after_ms);
}

void good_timer(struct prior *p)
{
	uint32_t i = 0;
	const char *why = p->ledger.head->shutdown ? "shutdown" : who_is_not_well(p, &i);

	if (why) {	/* it may become well; if not, the next boot is another one's */
		if (!p->ledger.head->shutdown)
			good_begin(p);
		return;
	}
	const int exe_fd = p->ledger.head->exe_fd;	/* no child can read the ledger */
	pid_t pid = fork();

	if (pid == 0)
		become_marker(exe_fd);
	if (pid < 0)
		good_begin(p);
	else
		reap_add(p, pid, 0, PID_GOOD);
}

void good_ended(struct prior *p, bool done)
{
	if (done)
		prior_say(p, "info", "slot-good", NULL, "all is well: the slot that runs is marked good");
	else
		prior_say(p, "error", "slot-good", NULL, "the slot that runs cannot be marked good; `prior slot "
			  "mark-good` says why");
}
