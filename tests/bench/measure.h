/* What the programs that start others share: a clock, and the line that says what was measured. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/sys.h"
#include <stdint.h>
#include <stdio.h>
#include <time.h>

static inline int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* From start to the service's first instruction, and to the end; in microseconds. */
static inline void measured(int64_t start, const struct timespec *first, int64_t end)
{
	int64_t at = first->tv_sec * 1000000000LL + first->tv_nsec;

	printf("%.1f %.1f\n", (double)(at - start) / 1e3, (double)(end - start) / 1e3);
}
