/* Memory that is taken piece by piece and given back whole; for children and the control tool, never in PID 1. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include <stdarg.h>
#include <stddef.h>

struct arena {
	struct arena_block *blocks;	/* newest first; owned */
	size_t used, limit;		/* bytes handed out; the bound (0: ARENA_LIMIT) */
};

#define ARENA_LIMIT (64u << 20)

/* Zeroed, aligned for any type. NULL when the limit or the machine's memory is reached. */
void *arena_get(struct arena *a, size_t n) __attribute__((malloc, warn_unused_result));
char *arena_copy(struct arena *a, const char *s, size_t n) __attribute__((warn_unused_result)); /* NUL-ended */
char *arena_fmt(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3), warn_unused_result));
char *arena_vfmt(struct arena *a, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0), warn_unused_result));
void arena_free(struct arena *a);
