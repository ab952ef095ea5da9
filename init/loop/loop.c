/* Sources of the loop and its turn: see loop.h. Timers are in timers.c. */
/* SPDX-License-Identifier: ISC */
#include "init/loop/loop.h"
#include "init/base/fd.h"
#include "init/base/rest.h"
#include "init/loop/timers.h"
#include <limits.h>
#include <sys/mman.h>
#include <sys/signalfd.h>

#define EVENTS_A_TURN 64

int loop_open(struct loop *l, uint32_t sources, uint32_t timers, void *ctx, loop_timer_fn *on_timer,
	      struct err *e)
{
	size_t n_src = ((size_t)sources + 1) * sizeof(struct loop_source);	/* slot 0 is "none" */
	size_t n_timer = (size_t)timers * (sizeof(int64_t) + 2 * sizeof(uint32_t));
	owned_fd fd = epoll_create1(EPOLL_CLOEXEC);

	if (fd < 0)
		return err_sys(e, "loop: epoll");
	void *map = mmap(NULL, n_src + n_timer, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (map == MAP_FAILED)
		return err_sys(e, "loop: memory for %u sources and %u timers", sources, timers);
	*l = (struct loop){ .epoll_fd = fd_take(&fd), .now = mono_now(), .ctx = ctx, .on_timer = on_timer,
			    .nsources = sources, .ntimers = timers, .map = map, .mapped = n_src + n_timer };
	l->due = map;		/* first: it needs the widest alignment */
	l->sources = (struct loop_source *)(l->due + timers);
	l->heap = (uint32_t *)(l->sources + sources + 1);
	l->place = l->heap + timers;
	for (uint32_t i = sources; i > 0; i--) {
		l->sources[i].next = l->free;
		l->free = i;
	}
	return 0;
}

void loop_close(struct loop *l)
{
	fd_drop(&l->epoll_fd);
	if (l->map)
		munmap(l->map, l->mapped);
	*l = (struct loop){ .epoll_fd = FD_NONE };
}

int loop_add(struct loop *l, int fd, uint32_t events, loop_fn *fn, uint32_t arg, struct err *e)
{
	uint32_t i = l->free;
	struct epoll_event ev = { .events = events, .data.u32 = i };

	if (i == 0)
		return err_set(e, ENOSPC, "loop: all %u sources are in use", l->nsources);
	if (epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, fd, &ev) < 0)
		return err_sys(e, "loop: watch descriptor %d", fd);
	l->free = l->sources[i].next;
	l->sources[i] = (struct loop_source){ .fn = fn, .fd = fd, .arg = arg };
	return (int)i;
}

int loop_change(struct loop *l, uint32_t handle, uint32_t events, struct err *e)
{
	struct epoll_event ev = { .events = events, .data.u32 = handle };

	if (epoll_ctl(l->epoll_fd, EPOLL_CTL_MOD, l->sources[handle].fd, &ev) < 0)
		return err_sys(e, "loop: watch descriptor %d for other events", l->sources[handle].fd);
	return 0;
}

void loop_remove(struct loop *l, uint32_t *handle)
{
	struct loop_source *s = &l->sources[*handle];

	if (*handle == 0)
		return;
	epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, s->fd, NULL);
	s->fn = NULL;		/* an event of this turn that still waits in our array finds nobody */
	s->next = l->dying;
	l->dying = *handle;
	*handle = 0;
}

static void free_the_dying(struct loop *l)
{
	while (l->dying) {
		uint32_t i = l->dying;

		l->dying = l->sources[i].next;
		l->sources[i].next = l->free;
		l->free = i;
	}
}

static int wait_ms(const struct loop *l)
{
	int64_t first = timers_first(l);

	if (l->again)
		return 0;
	if (first == 0)
		return -1;
	int64_t ms = first - mono_now().ms;

	return ms < 0 ? 0 : ms > INT_MAX ? INT_MAX : (int)ms;
}

void loop_turn(struct loop *l)
{
	struct epoll_event ev[EVENTS_A_TURN];
	const int n = rest_wait(l->epoll_fd, ev, EVENTS_A_TURN, wait_ms(l));

	l->again = false;
	l->now = mono_now();
	l->wakeups++;
	for (int i = 0; i < n; i++) {
		struct loop_source *s = &l->sources[ev[i].data.u32];

		if (s->fn)
			s->fn(l->ctx, s->arg, ev[i].events);
	}
	timers_fire(l);
	free_the_dying(l);
}

int loop_signals(const sigset_t *signals, int *fd, struct err *e)
{
	owned_fd s = signalfd(-1, signals, SFD_CLOEXEC | SFD_NONBLOCK);

	if (s < 0)
		return err_sys(e, "loop: signalfd");
	if (sigprocmask(SIG_BLOCK, signals, NULL) < 0)
		return err_sys(e, "loop: block signals");
	*fd = fd_take(&s);
	return 0;
}
