/* Writing one JSON document to a stream, piece by piece: nothing is held but where we are in it. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define JSON_DEPTH 8

/* { .to = stdout } is a writer. Keys are NULL inside lists and at the top. */
struct json {
	FILE *to;
	unsigned depth;
	bool list[JSON_DEPTH], filled[JSON_DEPTH];
};

void json_object(struct json *j, const char *key);
void json_list(struct json *j, const char *key);
void json_end(struct json *j);	/* closes the innermost; a newline after the outermost */
void json_text(struct json *j, const char *key, const char *s); /* NULL: null */
void json_int(struct json *j, const char *key, int64_t v);
void json_tenths(struct json *j, const char *key, unsigned tenths); /* 13: 1.3 */
void json_bool(struct json *j, const char *key, bool v);
void json_null(struct json *j, const char *key);
