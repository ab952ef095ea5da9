/* The one loop: epoll over descriptors and one heap of timers. Fixed memory, nothing blocks but the wait itself. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/err.h"
#include "init/base/mono.h"
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>

/*
 * All memory is one mapping made by loop_open(); it never grows. A source is named by a handle (0: none). Removing
 * one inside a callback is always allowed: it hears nothing more in this turn, and its slot is reused only after the
 * turn. The loop does not own descriptors: remove the source first, then close. Timers are named by numbers below
 * `timers`, one deadline each (CLOCK_BOOTTIME); setting and clearing are O(log n).
 */
typedef void loop_fn(void *ctx, uint32_t arg, uint32_t events);
typedef void loop_timer_fn(void *ctx, uint32_t timer);

struct loop_source {
	loop_fn *fn;		/* NULL: removed, or never used */
	int fd;
	uint32_t arg, next;	/* next: of the free or the dying list */
};

struct loop {
	int epoll_fd;
	bool again;		/* set by a callback that left work over: the next turn does not wait */
	struct mono now;	/* read once per turn, right after the wait */
	uint64_t wakeups;	/* turns so far */
	void *ctx;		/* given to every callback */
	loop_timer_fn *on_timer;
	struct loop_source *sources;
	uint32_t nsources, free, dying;
	int64_t *due;		/* per timer: its deadline in ms, 0: not set */
	uint32_t *heap, *place;	/* timers by deadline; per timer: its position in the heap + 1, 0: not in it */
	uint32_t ntimers, nheap;
	void *map;
	size_t mapped;
};

int loop_open(struct loop *l, uint32_t sources, uint32_t timers, void *ctx, loop_timer_fn *on_timer, struct err *e);
void loop_close(struct loop *l);

/* Watch fd for EPOLL* events (level-triggered). A handle > 0; -ENOSPC when all `sources` are taken, or what epoll_ctl
 * said. */
int loop_add(struct loop *l, int fd, uint32_t events, loop_fn *fn, uint32_t arg, struct err *e);
int loop_change(struct loop *l, uint32_t handle, uint32_t events, struct err *e);
void loop_remove(struct loop *l, uint32_t *handle);	/* 0 is fine; *handle becomes 0 */

void loop_timer_set(struct loop *l, uint32_t timer, int64_t at_ms);	/* 0 clears; the past fires in the next turn */

/* Wait for something and call back for it; at most until the first timer. A long wait gives memory back (rest_wait()).
 * Never fails: EINTR is an empty turn. */
void loop_turn(struct loop *l);

/* Block these signals and receive them by descriptor instead. *fd is the caller's. */
int loop_signals(const sigset_t *signals, int *fd, struct err *e);
