/* Streaming JSON: see json.h. */
/* SPDX-License-Identifier: ISC */
#include "init/ctl/json.h"
#include "init/base/text.h"
#include <inttypes.h>
#include <string.h>

#define PIECE 256

/* s between quotes, escaped as text_json() does, in pieces that never cut a character in two. */
static void put_string(FILE *to, const char *s)
{
	char buf[PIECE * 6 + 3];
	size_t left = strlen(s);

	fputc('"', to);
	while (left > 0) {
		size_t n = left < PIECE ? left : PIECE;

		for (int back = 0; n < left && back < 3 && ((unsigned char)s[n] & 0xc0) == 0x80; back++)
			n--;
		struct text t = TEXT_IN(buf);

		text_json(&t, s, n);
		fwrite(buf + 1, 1, t.n - 2, to);
		s += n;
		left -= n;
	}
	fputc('"', to);
}

/* What stands before a value: a comma, a line of its own, the key. */
static void before(struct json *j, const char *key)
{
	if (j->depth > 0) {
		bool *filled = &j->filled[j->depth - 1];

		fprintf(j->to, "%s\n%*s", *filled ? "," : "", (int)j->depth * 2, "");
		*filled = true;
	}
	if (key) {
		put_string(j->to, key);
		fputs(": ", j->to);
	}
}

static void open_one(struct json *j, const char *key, bool list)
{
	before(j, key);
	fputc(list ? '[' : '{', j->to);
	if (j->depth < JSON_DEPTH) {
		j->list[j->depth] = list;
		j->filled[j->depth++] = false;
	}
}

void json_object(struct json *j, const char *key)
{
	open_one(j, key, false);
}

void json_list(struct json *j, const char *key)
{
	open_one(j, key, true);
}

void json_end(struct json *j)
{
	if (j->depth == 0)
		return;
	j->depth--;
	if (j->filled[j->depth])
		fprintf(j->to, "\n%*s", (int)j->depth * 2, "");
	fputc(j->list[j->depth] ? ']' : '}', j->to);
	if (j->depth == 0)
		fputc('\n', j->to);
}

void json_text(struct json *j, const char *key, const char *s)
{
	before(j, key);
	if (s)
		put_string(j->to, s);
	else
		fputs("null", j->to);
}

void json_int(struct json *j, const char *key, int64_t v)
{
	before(j, key);
	fprintf(j->to, "%" PRId64, v);
}

void json_tenths(struct json *j, const char *key, unsigned tenths)
{
	before(j, key);
	fprintf(j->to, "%u.%u", tenths / 10, tenths % 10);
}

void json_bool(struct json *j, const char *key, bool v)
{
	before(j, key);
	fputs(v ? "true" : "false", j->to);
}

void json_null(struct json *j, const char *key)
{
	json_text(j, key, NULL);
}
