/* FNV-1a, 64 bits: tells equal from changed and whole from damaged; it resists accidents, not people. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include <stddef.h>
#include <stdint.h>

#define SUM_START 0xcbf29ce484222325ull

static inline uint64_t sum_more(uint64_t h, const void *data, size_t n)
{
	const unsigned char *p = data;

	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * 0x100000001b3ull;
	return h;
}
