/* Writing JSON into a buffer that grows: see oci.h. */
/* SPDX-License-Identifier: ISC */
#include "init/base/text.h"
#include "services/plan/oci.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Room for n more bytes and a NUL. */
static char *more(struct json_out *j, size_t n)
{
	size_t room = j->room ? j->room : 4096;

	while (room < j->n + n + 1)
		room *= 2;
	if (!j->failed && room != j->room) {
		char *at = realloc(j->at, room);

		j->failed = !at;
		j->at = at ? at : j->at;
		j->room = at ? room : j->room;
	}
	return j->failed ? NULL : j->at + j->n;
}

static void put(struct json_out *j, const char *s)
{
	const size_t n = strlen(s);
	char *to = more(j, n);

	if (!to)
		return;
	memcpy(to, s, n + 1);
	j->n += n;
}

static void quoted(struct json_out *j, const char *s)
{
	const size_t n = strlen(s);
	char *to = more(j, 6 * n + 3);
	struct text t = { .at = to, .size = 6 * n + 3 };

	if (!to)
		return;
	text_json(&t, s, n);
	j->n += t.n;
}

static void begin(struct json_out *j, const char *key)
{
	if (j->comma)
		put(j, key ? ",\n" : ", ");
	if (key) {
		quoted(j, key);
		put(j, ": ");
	}
	j->comma = true;
}

void json_out_open(struct json_out *j, const char *key, char bracket)
{
	begin(j, key);
	put(j, (const char[]){ bracket, '\0' });
	j->comma = false;
}

void json_out_close(struct json_out *j, char bracket)
{
	put(j, (const char[]){ bracket, '\0' });
	j->comma = true;
}

void json_out_text(struct json_out *j, const char *key, const char *value)
{
	begin(j, key);
	quoted(j, value);
}

void json_out_raw(struct json_out *j, const char *key, const char *text)
{
	begin(j, key);
	put(j, "\"");
	put(j, text);
	put(j, "\"");
}

void json_out_num(struct json_out *j, const char *key, int64_t value)
{
	char text[24];

	begin(j, key);
	snprintf(text, sizeof text, "%" PRId64, value);
	put(j, text);
}

void json_out_unsigned(struct json_out *j, const char *key, uint64_t value)
{
	char text[24];

	begin(j, key);
	snprintf(text, sizeof text, "%" PRIu64, value);
	put(j, text);
}

void json_out_bool(struct json_out *j, const char *key, bool value)
{
	begin(j, key);
	put(j, value ? "true" : "false");
}
