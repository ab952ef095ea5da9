/* What happens to text around the YAML parser: bytes are checked before it, variables filled in after it. */
/* SPDX-License-Identifier: ISC */
#include "init/conf/tree.h"
#include <stdio.h>
#include <string.h>

#define FILLED_MAX 65536u	/* bytes of one value, variables filled in */

static bool name_byte(char c, bool first)
{
	return c == '_' || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (!first && c >= '0' && c <= '9');
}

static size_t name_length(const char *s, const char *end)
{
	size_t n = 0;

	while (s + n < end && name_byte(s[n], n == 0))
		n++;
	return n;
}

struct fill {
	size_t n;
	const char *why;
	char at[FILLED_MAX];
};

static void put(struct fill *f, const char *s, size_t n)
{
	if (f->n + n >= FILLED_MAX)
		f->why = "a value grows beyond 65536 bytes when its variables are filled in";
	else
		memcpy(f->at + f->n, s, n), f->n += n;
}

/* s stands behind "${". Returns what follows the closing brace. */
static const char *variable(struct tree *t, struct fill *f, const char *s, const char *end)
{
	size_t n = name_length(s, end);
	const char *close = memchr(s, '}', (size_t)(end - s)), *value, *def = s + n;
	char *name = arena_copy(t->arena, s, n);

	if (!close || n == 0 || (def != close && (close - def < 2 || memcmp(def, ":-", 2)))) {
		f->why = "'${' is neither ${NAME} nor ${NAME:-default}; '$$' is a dollar";
		return end;
	}
	value = name ? t->env(name) : NULL;
	if (value && (*value || def == close))
		put(f, value, strlen(value));
	else if (def != close)
		put(f, def + 2, (size_t)(close - def) - 2);
	else
		f->why = arena_fmt(t->arena,
			"${%s} is not set in prior's environment and has no default (${%s:-default})",
				   name ? name : "?", name ? name : "?");
	return close + 1;
}

const char *tree_fill(struct tree *t, const char *s, size_t n, const char **why)
{
	const char *end = s + n;
	struct fill f;

	*why = f.why = NULL;
	f.n = 0;
	if (!memchr(s, '$', n))
		return arena_copy(t->arena, s, n);
	while (s < end && !f.why) {
		if (s[0] == '$' && s + 1 < end && s[1] == '$') {
			put(&f, "$", 1);
			s += 2;
		} else if (s[0] == '$' && s + 1 < end && s[1] == '{') {
			s = variable(t, &f, s + 2, end);
		} else {
			put(&f, s++, 1);
		}
	}
	const char *bad = f.why ? NULL : tree_bad_byte(f.at, f.n, &f.why);

	if (bad)
		f.why = "a variable in this value holds a control character or is not UTF-8";
	*why = f.why;
	return f.why ? NULL : arena_copy(t->arena, f.at, f.n);
}

/* Length of the UTF-8 sequence at s, 0 when it is none: overlong forms, surrogates and > U+10FFFF are none. */
static size_t utf8_length(const unsigned char *s, size_t n)
{
	size_t len = 0;

	if (s[0] < 0x80)
		len = 1;
	else if (s[0] >= 0xc2 && s[0] < 0xe0)
		len = 2;
	else if ((s[0] & 0xf0) == 0xe0)
		len = 3;
	else if (s[0] >= 0xf0 && s[0] < 0xf5)
		len = 4;
	if (len == 0 || len > n)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf0 && s[1] < 0x90) ||
	    (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return len;
}

const char *tree_bad_byte(const char *s, size_t n, const char **why)
{
	const unsigned char *p = (const unsigned char *)s, *end = p + n;

	if (n >= 3 && !memcmp(s, "\xef\xbb\xbf", 3)) {
		*why = "begins with a byte order mark; save the file without it";
		return s;
	}
	while (p < end) {
		if (*p >= 0x20 && *p < 0x7f) {		/* nearly all of them */
			p++;
			continue;
		}
		size_t len = utf8_length(p, (size_t)(end - p));

		if (len == 0) {
			*why = "not UTF-8";
			return (const char *)p;
		}
		if (*p == 0) {
			*why = "a NUL byte";
			return (const char *)p;
		}
		if ((*p < 0x20 && *p != '\n' && *p != '\t' && *p != '\r') || *p == 0x7f) {
			*why = "a control character";
			return (const char *)p;
		}
		p += len;
	}
	return NULL;
}
