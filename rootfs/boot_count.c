/* Names of boot loader entries: see boot_count.h. */
/* SPDX-License-Identifier: ISC */
#include "rootfs/boot_count.h"
#include "init/base/text.h"
#include <string.h>

#define COUNT_MAX 9999

/* All of [at, end) is a number; -1: it is not. */
static int number(const char *at, const char *end)
{
	int v = 0;

	if (at == end || end - at > 4)
		return -1;
	for (; at < end; at++) {
		if (*at < '0' || *at > '9')
			return -1;
		v = v * 10 + (*at - '0');
	}
	return v;
}

bool boot_count_parse(const char *file, struct boot_count *b)
{
	const char *dot = strrchr(file, '.'), *plus = NULL;
	struct boot_count got = { 0 };

	if (!dot || dot == file || (strcmp(dot, ".conf") != 0 && strcmp(dot, ".efi") != 0))
		return false;
	for (const char *p = file; p < dot; p++)
		plus = *p == '+' ? p : plus;
	const size_t n = (size_t)((plus ? plus : dot) - file);

	if (n == 0 || n >= sizeof got.name || strchr(file, '/'))
		return false;
	memcpy(got.name, file, n);
	text_copy(got.ext, sizeof got.ext, dot + 1);
	if (plus) {
		const char *dash = memchr(plus, '-', (size_t)(dot - plus));
		const int left = number(plus + 1, dash ? dash : dot), done = dash ? number(dash + 1, dot) : 0;

		if (left < 0 || done < 0)
			return false;
		got.counted = true;
		got.left = (unsigned)left;
		got.done = (unsigned)done;
	}
	*b = got;
	return true;
}

bool boot_count_format(const struct boot_count *b, char *to, size_t size)
{
	const unsigned left = b->left > COUNT_MAX ? COUNT_MAX : b->left;
	struct text t = { .at = to, .size = size };

	text_add(&t, b->name);
	if (b->counted)
		text_fmt(&t, "+%u", left);
	if (b->counted && b->done)
		text_fmt(&t, "-%u", b->done > COUNT_MAX ? COUNT_MAX : b->done);
	text_fmt(&t, ".%s", b->ext);
	return !t.cut;
}
