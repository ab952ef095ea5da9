/* Is all well? Then the slot is: see good.h. */
/* SPDX-License-Identifier: ISC */
#include "services/supervise/good.h"
#include "services/supervise/reap.h"
#include "init/base/text.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>

#define USUAL_MS 10000	/* good_after, where only the record of boots asks */
#define TRIES 8		/* of keeping it; the last is some 20 minutes after the first */

static bool is_ill(const struct ledger_svc *s)
{
	return s->state == SVC_FAILED || s->state == SVC_REFUSED || s->state == SVC_BACKOFF ||
	       (s->state == SVC_UP && (s->health == HEALTH_BAD || s->health == HEALTH_STARTING));
}

static bool all_are_well(struct prior *p)
{
	for (uint32_t i = 0; i < p->n; i++)
		if (is_ill(svc_of(p, i)))
			return false;
	return !p->plan.head->refused.n;
}

static bool marks_slot(const struct prior *p)
{
	return p->plan.head->boot_slots.n && p->plan.head->good_after_ms;
}

extern char **environ;

/* What it takes (disks, U-Boot's environment) is no work for PID 1: the control tool does it. */
static void become_marker(int exe_fd)
{
	char *argv[] = { (char *)"prior", (char *)"boot-good", NULL };
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	syscall(SYS_execveat, exe_fd, "", argv, environ, AT_EMPTY_PATH);
	_exit(127);
}

static void count_for(struct prior *p, int64_t ms)
{
	p->good = GOOD_COUNTS;
	loop_timer_set(&p->loop, p->n + TIMER_GOOD, p->loop.now.ms + ms);
}

static int64_t after_ms(const struct prior *p)
{
	const uint32_t ms = p->plan.head->good_after_ms;

	return ms ? ms : USUAL_MS;
}

static void count(struct prior *p)
{
	p->good_tries = 0;
	p->good_ill = false;
	count_for(p, after_ms(p));
}

void good_begin(struct prior *p)
{
	if (p->ledger.head->mode == MODE_MACHINE && (marks_slot(p) || p->plan.head->last_boot.n))
		count(p);
}

void good_settled(struct prior *p)
{
	if (p->good == GOOD_WAITS)
		count(p);
}

void good_moved(struct prior *p, uint32_t i)
{
	const bool ill = is_ill(svc_of(p, i));

	p->good_ill |= ill && p->good == GOOD_OFF;	/* the child that marks it may run */
	if (p->good == GOOD_WAITS || (p->good == GOOD_COUNTS && ill))
		count(p);
}

void good_timer(struct prior *p)
{
	if (p->ledger.head->shutdown || !all_are_well(p)) {
		p->good = GOOD_WAITS;	/* he may become well; if not, the next boot is another one's */
		return;
	}
	const int exe_fd = p->ledger.head->exe_fd;	/* no child can read the ledger */
	pid_t pid = fork();

	if (pid == 0)
		become_marker(exe_fd);
	if (pid < 0) {
		count(p);
		return;
	}
	p->good = GOOD_OFF;
	p->good_ill = false;
	reap_add(p, pid, 0, PID_GOOD);
}

/* Meanwhile all is to stay well: whoever falls ill begins the count anew. */
void good_ended(struct prior *p, bool done)
{
	if (done) {
		if (marks_slot(p))
			prior_say(p, "info", "slot-good", NULL, "all is well: the slot that runs is marked good");
		return;
	}
	if (++p->good_tries < TRIES) {
		const int64_t pause = (int64_t)USUAL_MS << (p->good_tries - 1), whole = after_ms(p);
		const bool anew = p->good_ill;	/* all has to be well for the whole time again */

		p->good_ill = false;
		count_for(p, anew && whole > pause ? whole : pause);
	}
	prior_say(p, "error", "boot-good", NULL, p->good == GOOD_COUNTS ?
		  "all is well, and that cannot be kept, or the hook of the slots has failed; `prior boot-good` says "
		  "why; it is tried again" :
		  "all is well, and that could not be kept in eight tries, or the hook of the slots has failed: when "
		  "it is mended, run `prior boot-good`");
}
