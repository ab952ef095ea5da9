/* A plan between two: what runs, and of the next configuration all that need not wait for what still stops. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/plan/plan.h"

/* Of a service of the plan that runs, while a reload waits. */
enum leaving {
	LEAVING_NOT,
	LEAVING_AT_REST,	/* another one is to take its place, or it needs one of those; it has come to rest */
	LEAVING_ALIVE,		/* the same, and it has processes still */
};

/*
 * The plan between has every service of `now`, and of `next` what is new. What is new or changed is as in `next` if
 * nothing that it depends on, whose address, files or socket it would share, or whose place it takes is LEAVING_ALIVE,
 * and as in `now`, or not there, otherwise. Machine, templates and refusals are those of `now`.
 * leaving: one for each service of `now`. Returns 1: *fd is a sealed memfd, the caller's; 0: nothing could start sooner
 * by it, or the two do not go together; -errno. Takes memory from the heap: for children.
 */
int plan_between(const struct plan *now, const struct plan *next, const uint8_t *leaving, int *fd, struct err *e);
