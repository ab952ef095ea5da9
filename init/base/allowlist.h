/* What a helper of ours may still ask of the kernel: a short list of calls, by seccomp. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include <linux/filter.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * For a program that knows what it calls; the services' filters are made by libseccomp, in the compiler. What is not
 * on the list is EPERM, a call of another architecture kills. Nothing here allocates. Numbers of arguments are
 * compared in their low halves: ask about ints alone. The filter is the caller's, and needed until allowlist_enter().
 */
#define ALLOWLIST_MAX 256	/* instructions: three a call; 3 + 2 for each condition */

struct allowlist {
	struct sock_filter f[ALLOWLIST_MAX];
	unsigned n;
	bool full;	/* too many: it is not entered */
};

struct call_if {
	uint8_t arg;		/* 0 to 5 */
	enum { ARG_IS, ARG_LACKS } how;	/* this number; none of these bits */
	uint32_t value;
};

void allowlist_begin(struct allowlist *c);
void allowlist_add(struct allowlist *c, const int *calls, unsigned n);
/* When all that holds; else it is EPERM. */
void allowlist_add_if(struct allowlist *c, int call, const struct call_if *ifs, unsigned n);
/* For good, for this thread. Wants no_new_privs or CAP_SYS_ADMIN. -1 with errno: E2BIG, else prctl(2)'s. */
int allowlist_enter(struct allowlist *c);
