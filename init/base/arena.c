/* Arenas: see arena.h. */
/* SPDX-License-Identifier: ISC */
#include "init/base/arena.h"
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

struct arena_block {
	struct arena_block *next;
	size_t size, used;
	_Alignas(16) unsigned char at[];
};

/* A mapping of its own: fresh pages are zero, and those that are not used are not there. */
#define BLOCK (256u << 10)

static struct arena_block *block_new(struct arena *a, size_t n)
{
	size_t size = n > BLOCK - sizeof(struct arena_block) ? n : BLOCK - sizeof(struct arena_block);
	struct arena_block *b = mmap(NULL, sizeof *b + size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
				     0);

	if (b == MAP_FAILED)
		return NULL;
	b->size = size;
	b->next = a->blocks;
	a->blocks = b;
	return b;
}

void *arena_get(struct arena *a, size_t n)
{
	size_t limit = a->limit ? a->limit : ARENA_LIMIT;

	if (n > limit || a->used + n > limit)
		return NULL;
	n = (n + 15) & ~(size_t)15;
	struct arena_block *b = a->blocks;

	if (!b || b->size - b->used < n)
		b = block_new(a, n);
	if (!b)
		return NULL;
	void *p = b->at + b->used;

	b->used += n;
	a->used += n;
	return p;
}

char *arena_copy(struct arena *a, const char *s, size_t n)
{
	char *p = n < SIZE_MAX ? arena_get(a, n + 1) : NULL;

	if (p)
		memcpy(p, s, n);
	return p;
}

char *arena_fmt(struct arena *a, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	char *p = arena_vfmt(a, fmt, ap);
	va_end(ap);
	return p;
}

/* Most texts are short, and then they are formatted once. */
char *arena_vfmt(struct arena *a, const char *fmt, va_list ap)
{
	char first[256];
	va_list again;

	va_copy(again, ap);
	const int n = vsnprintf(first, sizeof first, fmt, ap);
	char *p = n < 0 ? NULL : arena_get(a, (size_t)n + 1);

	if (p && (size_t)n < sizeof first)
		memcpy(p, first, (size_t)n);
	else if (p)
		vsnprintf(p, (size_t)n + 1, fmt, again);
	va_end(again);
	return p;
}

void arena_free(struct arena *a)
{
	for (struct arena_block *b = a->blocks, *next; b; b = next) {
		next = b->next;
		munmap(b, sizeof *b + b->size);
	}
	a->blocks = NULL;
	a->used = 0;
}
