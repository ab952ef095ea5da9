/* Records: see record.h. */
/* SPDX-License-Identifier: ISC */
#include "services/logs/record.h"
#include "init/base/text.h"
#include <string.h>

const char *const level_words[LEVEL_DEBUG + 2] = {
	"emerg", "alert", "crit", "err", "warning", "notice", "info", "debug", NULL,
};

int record_prefix(const char *line, size_t n)
{
	return n >= RECORD_PREFIX && line[0] == '<' && line[1] >= '0' && line[1] <= '7' && line[2] == '>' ?
		       line[1] - '0' : -1;
}

static const char hex[] = "0123456789abcdef";

/*
 * How many bytes at s are shown as they are; 0: the first must be escaped. What a terminal would obey is escaped
 * (C0, DEL and C1 controls), what turns the direction of reading or ends a line in Unicode (so that a line does not
 * read as another), and what is not UTF-8. A backslash only where it would read as an escape of ours.
 */
static size_t plain(const char *s, size_t n)
{
	unsigned char c = (unsigned char)s[0];

	if (c == '\\')
		return n > 1 && s[1] == 'x' ? 0 : 1;
	if (c < 0x80)
		return c == '\t' || (c >= 0x20 && c != 0x7f);
	if (c == 0xc2 && n > 1 && (unsigned char)s[1] < 0xa0)
		return 0;
	size_t k = text_utf8(s, n);

	if (k == 3 && c == 0xe2) {
		unsigned char b = (unsigned char)s[1], a = (unsigned char)s[2];

		if ((b == 0x80 && a >= 0xa8 && a <= 0xae) || (b == 0x81 && a >= 0xa6 && a <= 0xa9))
			return 0;
	}
	return k;
}

size_t record_put(char *out, int64_t ms, char kind, const char *line, size_t n)
{
	struct text t = { .at = out, .size = RECORD_MAX };

	text_num(&t, ms);
	text_add_n(&t, (char[]){ ' ', kind, ' ' }, 3);
	char *at = out + t.n;

	for (size_t i = 0; i < n;) {
		size_t k = plain(line + i, n - i);

		if (k == 0) {
			unsigned char c = (unsigned char)line[i++];

			memcpy(at, (char[]){ '\\', 'x', hex[c >> 4], hex[c & 15] }, 4);
			at += 4;
		} else {
			memcpy(at, line + i, k);
			at += k;
			i += k;
		}
	}
	*at++ = '\n';
	return (size_t)(at - out);
}

size_t record_cut(const char *s, size_t n, size_t max)
{
	size_t end = n < max ? n : max;

	/* Does one begin in the last three bytes and go on behind them? */
	for (size_t back = 1; back <= 3 && back < end; back++) {
		unsigned char c = (unsigned char)s[end - back];

		if (c >= 0xc0)
			return (c >= 0xf0 ? 4u : c >= 0xe0 ? 3u : 2u) > back ? end - back : end;
		if (c < 0x80)
			break;
	}
	return end;
}

bool record_read(const char *line, size_t n, struct record *r)
{
	int64_t ms = 0;
	size_t i = 0;
	char kind;

	for (; i < n && i < 18 && line[i] >= '0' && line[i] <= '9'; i++)
		ms = ms * 10 + (line[i] - '0');
	if (i == 0 || n - i < 3 || line[i] != ' ' || line[i + 2] != ' ')
		return false;
	kind = line[i + 1];
	bool levelled = kind >= '0' && kind <= '7';

	if (!levelled && kind != RECORD_WHOLE && kind != RECORD_PART)
		return false;
	*r = (struct record){ .ms = ms, .kind = kind, .level = levelled ? (uint8_t)(kind - '0') : LEVEL_INFO,
			      .text = line + i + 3, .n = n - i - 3 };
	return true;
}

static int nibble(char c)
{
	const char *p = memchr(hex, c, 16);

	return p ? (int)(p - hex) : -1;
}

size_t record_unescape(char *to, const char *text, size_t n)
{
	size_t out = 0;

	for (size_t i = 0; i < n;) {
		if (n - i >= 4 && text[i] == '\\' && text[i + 1] == 'x' && nibble(text[i + 2]) >= 0 &&
		    nibble(text[i + 3]) >= 0) {
			to[out++] = (char)(nibble(text[i + 2]) << 4 | nibble(text[i + 3]));
			i += 4;
		} else {
			to[out++] = text[i++];
		}
	}
	return out;
}
