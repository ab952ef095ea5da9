/* How single values are written: numbers, times, sizes, signals, commands. Text in, value out, and back. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/arena.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Not given: for numbers, times and signals. */
#define UNSET_NUM INT64_MIN
/* "max" or "unlimited", for sizes. */
#define VALUE_MAX UINT64_MAX

struct str_list {
	const char **v;
	unsigned n;
};

struct str_pair {
	const char *key, *value;
};

/* Each returns 0, or -EINVAL and *out is as it was. Nothing but the value may be in s. */
int value_bool(const char *s, bool *out);	/* true false yes no on off */
int value_number(const char *s, int64_t *out);	/* decimal; no leading zero, no sign but '-' */
int value_octal(const char *s, int64_t *out);	/* up to 07777 */
int value_msec(const char *s, int64_t *out);	/* 500ms 30s 5m 2h 1d 1m30s, or whole seconds; up to ten years */
int value_size(const char *s, uint64_t *out);	/* 64K 512M 2G 1T (powers of 1024, also 64kb), or bytes */
int value_signal(const char *s, int64_t *out);	/* SIGTERM TERM 15 SIGRTMIN+3 */

/* Room for any text that the three below write. */
#define VALUE_TEXT 32
const char *value_msec_text(int64_t ms, char buf[static VALUE_TEXT]);
const char *value_size_text(uint64_t bytes, char buf[static VALUE_TEXT]);
const char *value_signal_text(int64_t sig, char buf[static VALUE_TEXT]);

/*
 * Split as a shell would: blanks, quotes and backslashes, but no expansion and no operators. 0, or -EINVAL with *why a
 * static text, or -ENOMEM.
 */
int value_split(struct arena *a, const char *s, struct str_list *out, const char **why);

/* The word of the NULL-ended list that is nearest to s, NULL when none is near enough to be a slip of the finger. */
const char *value_nearest(const char *s, const char *const *words);
bool value_is_near(const char *s, const char *word, unsigned *distance);
