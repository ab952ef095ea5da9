/* What the guest's programs share: a clock, and the observer that first.c leaves beside the init it starts. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include <stdint.h>
#include <time.h>

#define MARKS_MAX 1000		/* services of one boot */
#define MARKS "/bench/mark"	/* a file for each, named by its number; to open it is to report */
#define SERVICE "/bench/hello"

static inline int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

struct observation {
	int services;		/* how many will report */
	int orphans;		/* how many to make afterwards; 0: none */
	int ready_fd;		/* a byte is written here when the observer is watching */
	volatile int64_t *start_ns;	/* shared memory: when the init was executed */
};

/* Prints one line `@bench {...}` on standard output and turns the machine off. */
_Noreturn void observe(const struct observation *o);
