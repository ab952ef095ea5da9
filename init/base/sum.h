/* FNV-1a, 64 bits: tells equal from changed and whole from damaged; it resists accidents, not people. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define SUM_START 0xcbf29ce484222325ull

static inline uint64_t sum_more(uint64_t h, const void *data, size_t n)
{
	const unsigned char *p = data;

	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * 0x100000001b3ull;
	return h;
}

static inline uint64_t sum_word(uint64_t h, uint64_t w)
{
	h = (h ^ w) * 0x100000001b3ull;
	return h ^ h >> 32;	/* the multiplication carries upwards only */
}

/* The same kind of sum by words of 64 bits, for what is long or often summed; not the same number. */
static inline uint64_t sum_long(uint64_t h, const void *data, size_t n)
{
	const unsigned char *p = data;
	uint64_t w;

	for (h ^= n; n >= sizeof w; p += sizeof w, n -= sizeof w) {
		memcpy(&w, p, sizeof w);
		h = sum_word(h, w);
	}
	if (n) {
		w = 0;
		memcpy(&w, p, n);
		h = sum_word(h, w);
	}
	return h;
}
