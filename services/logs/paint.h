/* How a service's line is shown, on the console and by `prior logs`. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/text.h"

/* "NAME | TEXT\n"; the name padded to width, and coloured by its letters. name NULL: "TEXT\n". */
void line_plain(struct text *t, const char *name, unsigned width, bool colour, const char *text, size_t n);
/*
 * {"time":"...","service":"web","stream":"output","msg":"..."}\n: one pipe carries stdout and stderr, in their
 * order.
 */
void line_json(struct text *t, int64_t ms, const char *service, const char *raw, size_t n);
