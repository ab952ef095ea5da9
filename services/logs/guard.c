/* The guard: see guard.h. */
/* SPDX-License-Identifier: ISC */
#include "services/logs/guard.h"
#include "services/logs/logger.h"
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define STACK (64 << 10)

static void wait_for_work(struct guard *g, uint32_t seen)
{
	atomic_store(&g->asleep, 1);
	/* Returns at once when something has begun since it was looked at. */
	syscall(SYS_futex, &g->turns, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
	atomic_store(&g->asleep, 0);
}

static void hung(const struct guard *g)
{
	send(g->sock, LOGGER_HUNG, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	kill(getpid(), SIGKILL);
}

static void *watch(void *arg)
{
	struct guard *g = arg;
	struct timespec tick = { g->tick_ms / 1000, g->tick_ms % 1000 * 1000000L };
	uint32_t seen = 0;
	unsigned ticks = 0;

	lockdown_guard();
	for (;;) {
		uint32_t now = atomic_load(&g->turns);

		ticks = now == seen && now & 1 ? ticks + 1 : 0;
		if (ticks >= GUARD_TICKS)
			hung(g);
		if (now == seen && !(now & 1))
			wait_for_work(g, now);
		seen = now;
		clock_nanosleep(CLOCK_MONOTONIC, 0, &tick, NULL);
	}
	return NULL;
}

int guard_start(struct guard *g, int sock, unsigned tick_ms, struct err *e)
{
	pthread_attr_t attr;
	pthread_t thread;

	g->sock = sock;
	g->tick_ms = tick_ms;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	int rc = pthread_create(&thread, &attr, watch, g);

	pthread_attr_destroy(&attr);
	errno = rc;
	return rc ? err_sys(e, "the logger runs without its guard: a disk that hangs would stop it") : 0;
}

void guard_begin(struct guard *g)
{
	atomic_fetch_add(&g->turns, 1);
	if (atomic_load(&g->asleep))
		syscall(SYS_futex, &g->turns, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

void guard_end(struct guard *g)
{
	atomic_fetch_add(&g->turns, 1);
}
