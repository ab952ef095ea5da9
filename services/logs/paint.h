/* How a service's line is shown, on the console and by `prior logs`. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/text.h"

/*
 * "NAME | TEXT\n"; the name padded to width, and coloured by its letters; TEXT by its level. name NULL: "TEXT\n".
 */
void line_plain(struct text *t, const char *name, unsigned width, bool colour, unsigned level, const char *text,
		size_t n);
/*
 * {"time":"...","level":"info","service":"web","stream":"output","msg":"..."}\n: one pipe carries stdout and stderr, in
 * their order. part: with "partial":true, the line goes on in the next object.
 */
void line_json(struct text *t, int64_t ms, const char *service, unsigned level, bool part, const char *raw, size_t n);
