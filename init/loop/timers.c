/* One binary heap of deadlines, with each timer's place in it: see loop.h and timers.h. */
/* SPDX-License-Identifier: ISC */
#include "init/loop/timers.h"

static bool is_before(const struct loop *l, uint32_t a, uint32_t b)
{
	return l->due[a] < l->due[b] || (l->due[a] == l->due[b] && a < b);
}

static void put(struct loop *l, uint32_t at, uint32_t timer)
{
	l->heap[at] = timer;
	l->place[timer] = at + 1;
}

static void sift_up(struct loop *l, uint32_t at)
{
	uint32_t timer = l->heap[at];

	for (; at > 0 && is_before(l, timer, l->heap[(at - 1) / 2]); at = (at - 1) / 2)
		put(l, at, l->heap[(at - 1) / 2]);
	put(l, at, timer);
}

static void sift_down(struct loop *l, uint32_t at)
{
	uint32_t timer = l->heap[at];

	for (uint32_t child; (child = 2 * at + 1) < l->nheap; at = child) {
		if (child + 1 < l->nheap && is_before(l, l->heap[child + 1], l->heap[child]))
			child++;
		if (!is_before(l, l->heap[child], timer))
			break;
		put(l, at, l->heap[child]);
	}
	put(l, at, timer);
}

static void take_out(struct loop *l, uint32_t timer)
{
	uint32_t at = l->place[timer] - 1, last = l->heap[--l->nheap];

	l->place[timer] = 0;
	if (last == timer)
		return;
	put(l, at, last);
	sift_up(l, at);
	sift_down(l, l->place[last] - 1);
}

void loop_timer_set(struct loop *l, uint32_t timer, int64_t at_ms)
{
	if (l->place[timer])
		take_out(l, timer);
	l->due[timer] = at_ms;
	if (at_ms == 0)
		return;
	put(l, l->nheap++, timer);
	sift_up(l, l->nheap - 1);
}

int64_t timers_first(const struct loop *l)
{
	return l->nheap ? l->due[l->heap[0]] : 0;
}

void timers_fire(struct loop *l)
{
	/* As many as are set now: a callback that sets its timer to "at once" must not keep the turn from ending. */
	for (uint32_t left = l->nheap; left && l->nheap && timers_first(l) <= l->now.ms; left--) {
		uint32_t timer = l->heap[0];

		take_out(l, timer);
		l->due[timer] = 0;
		l->on_timer(l->ctx, timer);
	}
}
