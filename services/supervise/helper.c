/* The pauses between a helper's lives: see helper.h. */
/* SPDX-License-Identifier: ISC */
#include "services/supervise/helper.h"

#define AGAIN_MS 200
#define AGAIN_MOST 6
#define GOOD_MS 10000

void helper_ended(const struct prior *p, struct helper_life *h)
{
	if (p->loop.now.ms - h->since_ms > GOOD_MS)
		h->tries = 0;
}

void helper_later(struct prior *p, struct helper_life *h, enum serve_timer timer)
{
	const unsigned n = h->tries < AGAIN_MOST ? h->tries++ : AGAIN_MOST;

	loop_timer_set(&p->loop, p->n + timer, p->loop.now.ms + ((int64_t)AGAIN_MS << n));
}
