/* Petting the machine's watchdog: see dog.h. */
/* SPDX-License-Identifier: ISC */
#include "services/supervise/dog.h"
#include "init/base/text.h"
#include <fcntl.h>
#include <linux/watchdog.h>
#include <sys/ioctl.h>

/* NULL: all is well. */
static const char *who_is_ill(struct prior *p)
{
	for (uint32_t i = 0; i < p->n; i++) {
		const struct ledger_svc *s = svc_of(p, i);

		if (plan_service(&p->plan, i)->flags & CELL_CRITICAL &&
		    (s->state == SVC_FAILED || s->state == SVC_REFUSED || s->health == HEALTH_BAD))
			return svc_name(p, i);
	}
	return NULL;
}

static bool is_well(struct prior *p)
{
	struct ledger_head *h = p->ledger.head;
	const char *ill = who_is_ill(p);

	if (h->shutdown != SHUTDOWN_NONE)
		return p->loop.now.ms < h->shutdown_deadline_ms;
	if (ill && !h->dog_starves)
		prior_say(p, "error", "watchdog", ill, "a critical service is not well: the machine will be reset");
	h->dog_starves = ill != NULL;
	return !ill;
}

void dog_timer(struct prior *p)
{
	struct ledger_head *h = p->ledger.head;
	int unused;

	if (h->dog_fd < 0)
		return;
	if (is_well(p))
		ioctl(h->dog_fd, WDIOC_KEEPALIVE, &unused);
	loop_timer_set(&p->loop, p->n + TIMER_DOG, p->loop.now.ms + h->dog_ms / 3);
}

/* How long before its end the kernel hears of it. */
static void set_pretimeout(struct prior *p, int fd)
{
	const uint32_t ms = p->plan.head->watchdog_pre_ms;
	int seconds = (int)((ms + 999) / 1000);

	if (ms && ioctl(fd, WDIOC_SETPRETIMEOUT, &seconds) < 0)
		prior_say(p, "warning", "watchdog", NULL, "it cannot tell of its end beforehand (pretimeout)");
}

int dog_begin(struct prior *p, struct err *e)
{
	const char *path = plan_str(&p->plan, p->plan.head->watchdog_device);
	struct ledger_head *h = p->ledger.head;
	int seconds = (int)((p->plan.head->watchdog_ms + 999) / 1000);

	if (!*path || h->mode != MODE_MACHINE)
		return 0;
	owned_fd fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, "watchdog: open %s (is its module loaded?)", path);
	if (seconds > 0 && ioctl(fd, WDIOC_SETTIMEOUT, &seconds) < 0)
		prior_say(p, "warning", "watchdog", NULL, "its time cannot be set; it keeps its own");
	if (ioctl(fd, WDIOC_GETTIMEOUT, &seconds) < 0 || seconds < 1)
		seconds = 10;
	set_pretimeout(p, fd);
	h->dog_ms = (uint32_t)seconds * 1000;
	fd_put(&h->dog_fd, fd_take(&fd));
	dog_timer(p);
	return 0;
}

bool dog_stop(int fd)
{
	int off = WDIOS_DISABLECARD;
	const bool stopped = ioctl(fd, WDIOC_SETOPTIONS, &off) == 0;
	ssize_t ignored = write(fd, "V", 1);	/* for drivers that know only this, when it is closed */

	(void)ignored;
	return stopped;
}

bool dog_end(struct prior *p, bool stays_off)
{
	int32_t *fd = &p->ledger.head->dog_fd;
	const bool done = *fd < 0 || !stays_off || dog_stop(*fd);

	fd_drop(fd);
	return done;
}
