/* Time as CLOCK_BOOTTIME milliseconds: read once per turn of the loop and passed down. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include <stdint.h>
#include <time.h>

struct mono {
	int64_t ms;		/* since boot, suspend included; 0 means "never" */
};

static inline struct mono mono_now(void)
{
	struct timespec t = { 0 };

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (struct mono){ (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000 };
}

/* Microseconds, for the boot chart and for measuring only. */
static inline int64_t mono_us(void)
{
	struct timespec t = { 0 };

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Wall-clock milliseconds since 1970, for logs and `since`. */
static inline int64_t wall_ms(void)
{
	struct timespec t = { 0 };

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}
