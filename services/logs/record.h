/* One record of a log file: "UNIX_MS KIND TEXT\n". Written by the logger, read by the control tool. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECORD_LINE 4096			/* bytes of the service's output in one record, at most */
#define RECORD_MAX (4 * RECORD_LINE + 32)	/* bytes of a record: each byte escaped, time, kind, newline */

/*
 * PART: the line goes on in the next record. '0' to '7' are whole lines too, of that syslog level; 'o' is LEVEL_INFO.
 */
enum record_kind { RECORD_WHOLE = 'o', RECORD_PART = 'p' };

enum level { LEVEL_ERROR = 3, LEVEL_WARNING, LEVEL_NOTICE, LEVEL_INFO, LEVEL_DEBUG };
extern const char *const level_words[LEVEL_DEBUG + 2];	/* as syslog.conf spells them, NULL-ended */

struct record {
	int64_t ms;
	char kind;
	uint8_t level;
	const char *text;	/* into the caller's line, escaped */
	size_t n;
};

static inline char record_kind_of(unsigned level)
{
	return level == LEVEL_INFO ? RECORD_WHOLE : (char)('0' + level);
}

/* The level that a line says itself, "<3>text" as in sd-daemon(3); -1: it says none. */
int record_prefix(const char *line, size_t n);
#define RECORD_PREFIX 3				/* bytes of it */

/* out has RECORD_MAX bytes, n <= RECORD_LINE; returns the bytes written. */
size_t record_put(char *out, int64_t ms, char kind, const char *line, size_t n);
/* The longest beginning of s, at most max bytes, that does not end inside a UTF-8 character; at least 1. */
size_t record_cut(const char *s, size_t n, size_t max);
/* A line without its newline; false when it is none of ours (a damaged file). */
bool record_read(const char *line, size_t n, struct record *r);
/* The service's own bytes again; `to` may be `text`. Returns their number. */
size_t record_unescape(char *to, const char *text, size_t n);
