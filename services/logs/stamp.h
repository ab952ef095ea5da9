/* Wall-clock time in words, without the C library's time zones (which it reads from files). */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/text.h"
#include <stdint.h>

#define STAMP_LEN 24	/* "2026-01-02T03:04:05.678Z" */

/* Milliseconds since 1970 as RFC 3339 in UTC; years 1970 to 9999, others are shown as the nearest. */
void stamp_put(struct text *t, int64_t ms);
/* The same backwards: -1 when s does not begin with such a stamp. */
int64_t stamp_read(const char *s, size_t n);
