/* A bounded string being written, without stdio and without a heap: what does not fit is cut and remembered. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
	char *at;		/* caller's buffer, always NUL-terminated once something was added */
	size_t size, n;		/* its size in bytes; bytes written without the NUL */
	bool cut;		/* something did not fit */
};

#define TEXT_IN(buf) { .at = (buf), .size = sizeof(buf) }

void text_add(struct text *t, const char *s);
void text_add_n(struct text *t, const char *s, size_t n);
void text_num(struct text *t, int64_t v);
void text_fmt(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* s as a JSON string with its quotes; bytes that are not UTF-8 become U+FFFD, control characters are escaped. */
void text_json(struct text *t, const char *s, size_t n);

/* Length of the UTF-8 sequence at s, 0 when it is not one (overlong forms and surrogates are not). n > 0. */
size_t text_utf8(const char *s, size_t n);

/* In place: what a terminal would obey (C0, DEL, C1; line ends too) becomes '?'. For words that others chose. */
void text_tame(char *s);

/* In place: "\\040" and its like, as in /proc/mounts and fstab(5), back to bytes. */
void text_unescape(char *s);

/* A copy of s behind what was kept before, ended by a NUL of its own; it lives as long as the buffer. NULL: no room. */
const char *text_keep(struct text *t, const char *s);

/* Copy at most size-1 bytes and end them; false when it was cut. */
bool text_copy(char *to, size_t size, const char *from);
