/* Bounded strings: see text.h. */
/* SPDX-License-Identifier: ISC */
#include "init/base/text.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void text_add_n(struct text *t, const char *s, size_t n)
{
	if (t->size == 0)
		return;
	size_t room = t->size - 1 - t->n;

	if (n > room) {
		n = room;
		t->cut = true;
	}
	memcpy(t->at + t->n, s, n);
	t->n += n;
	t->at[t->n] = '\0';
}

void text_add(struct text *t, const char *s)
{
	text_add_n(t, s, strlen(s));
}

void text_num(struct text *t, int64_t v)
{
	char digits[24];
	size_t i = sizeof digits;
	uint64_t u = v < 0 ? -(uint64_t)v : (uint64_t)v;

	do
		digits[--i] = (char)('0' + u % 10);
	while (u /= 10);
	if (v < 0)
		digits[--i] = '-';
	text_add_n(t, digits + i, sizeof digits - i);
}

void text_fmt(struct text *t, const char *fmt, ...)
{
	char part[512];
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(part, sizeof part, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	if ((size_t)n >= sizeof part) {
		n = sizeof part - 1;
		t->cut = true;
	}
	text_add_n(t, part, (size_t)n);
}

size_t text_utf8(const char *bytes, size_t n)
{
	const unsigned char *s = (const unsigned char *)bytes;
	size_t need = s[0] < 0x80 ? 1 : s[0] >= 0xc2 && s[0] < 0xe0 ? 2 : (s[0] & 0xf0) == 0xe0 ? 3 :
		      s[0] >= 0xf0 && s[0] < 0xf5 ? 4 : 0;

	if (need == 0 || need > n)
		return 0;
	for (size_t i = 1; i < need; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return need;
}

/* U+0080 to U+009F: a terminal obeys these as it does an escape. */
static bool is_c1(const char *s, size_t len)
{
	return len == 2 && (unsigned char)s[0] == 0xc2 && (unsigned char)s[1] < 0xa0;
}

/* How many bytes from here on stand for themselves: most of a text do, and go over in one piece. */
static size_t plain(const char *s, size_t n)
{
	size_t i = 0;

	while (i < n && s[i] >= 0x20 && s[i] < 0x7f && s[i] != '"' && s[i] != '\\')
		i++;
	return i;
}

void text_json(struct text *t, const char *s, size_t n)
{
	static const char hex[] = "0123456789abcdef";

	text_add_n(t, "\"", 1);
	for (size_t i = 0; i < n;) {
		unsigned char c = (unsigned char)s[i];
		size_t run = plain(s + i, n - i), len = run ? run : text_utf8(s + i, n - i);

		if (run) {
			text_add_n(t, s + i, run);
		} else if (len == 0) {
			text_add(t, "\\ufffd");
			len = 1;
		} else if (c == '"' || c == '\\') {
			text_add_n(t, (char[]){ '\\', (char)c }, 2);
		} else if (c < 0x20 || c == 0x7f || is_c1(s + i, len)) {
			c = len == 2 ? (unsigned char)s[i + 1] : c;
			text_add(t, "\\u00");
			text_add_n(t, (char[]){ hex[c >> 4], hex[c & 15] }, 2);
		} else {
			text_add_n(t, s + i, len);
		}
		i += len;
	}
	text_add_n(t, "\"", 1);
}

void text_tame(char *s)
{
	for (; *s; s++) {
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			*s = '?';
		else if (s[1] && is_c1(s, 2))
			s[0] = s[1] = '?';
	}
}

void text_unescape(char *s)
{
	char *to = s;

	for (; *s; s++, to++)
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' && s[2] <= '7' && s[3] >= '0' &&
		    s[3] <= '7') {
			*to = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
			s += 3;
		} else {
			*to = *s;
		}
	*to = '\0';
}

const char *text_keep(struct text *t, const char *s)
{
	const size_t n = strlen(s) + 1;
	char *to = t->at + t->n;

	if (n > t->size - t->n)
		return NULL;
	memcpy(to, s, n);
	t->n += n;
	return to;
}

bool text_copy(char *to, size_t size, const char *from)
{
	struct text t = { .at = to, .size = size };

	to[0] = '\0';
	text_add(&t, from);
	return !t.cut;
}
