/* What a seccomp program lets through, whatever the arguments are that we do not name. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include <linux/filter.h>
#include <stdbool.h>
#include <stdint.h>

#define REACH_ANY UINT64_MAX	/* this part of the call may be anything */

struct reach_call {
	uint64_t arch, number;	/* 32 bits each, or REACH_ANY */
	uint64_t arg[6];	/* compared by their lower halves; REACH_ANY: anything */
};

/*
 * Is there a call like this that the program allows (or only logs)? Every way through it is followed; a part that is
 * not named may have any value at each question, so the answer errs on the side of "yes". No program: yes.
 * The program is one that the kernel took, or plan_filter_wrong() accepted.
 */
bool reach_allows(const struct sock_filter *f, unsigned n, const struct reach_call *c);
