/* One record of a log file: "UNIX_MS KIND TEXT\n". Written by the logger, read by the control tool. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECORD_LINE 4096			/* bytes of the service's output in one record, at most */
#define RECORD_MAX (4 * RECORD_LINE + 32)	/* bytes of a record: each byte escaped, time, kind, newline */

enum record_kind { RECORD_WHOLE = 'o', RECORD_PART = 'p' };	/* PART: the line goes on in the next record */

struct record {
	int64_t ms;
	char kind;
	const char *text;	/* into the caller's line, escaped */
	size_t n;
};

/* out has RECORD_MAX bytes, n <= RECORD_LINE; returns the bytes written. */
size_t record_put(char *out, int64_t ms, char kind, const char *line, size_t n);
/* The longest beginning of s, at most max bytes, that does not end inside a UTF-8 character; at least 1. */
size_t record_cut(const char *s, size_t n, size_t max);
/* A line without its newline; false when it is none of ours (a damaged file). */
bool record_read(const char *line, size_t n, struct record *r);
/* The service's own bytes again; `to` may be `text`. Returns their number. */
size_t record_unescape(char *to, const char *text, size_t n);
