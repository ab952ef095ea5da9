/* The writer: see write.h. */
/* SPDX-License-Identifier: ISC */
#include "services/plan/write.h"
#include "init/base/sum.h"
#include "services/plan/types.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct writer_slot {
	uint64_t sum;
	uint32_t at, bytes;	/* at == 0: free */
	bool string;
};

void write_begin(struct writer *w)
{
	*w = (struct writer){ .used = sizeof(struct plan_head) };
}

void write_free(struct writer *w)
{
	free(w->at);
	free(w->slots);
	*w = (struct writer){ 0 };
}

static bool grow(struct writer *w, size_t need)
{
	size_t room = w->room ? w->room : 1u << 16;

	if (w->failed)
		return false;
	if (need > PLAN_MAX) {
		w->failed = EFBIG;
		return false;
	}
	while (room < need)
		room *= 2;
	if (room == w->room)
		return true;
	unsigned char *at = realloc(w->at, room);

	if (!at) {
		w->failed = ENOMEM;
		return false;
	}
	w->at = at;
	w->room = room;
	return true;
}

/* The slot that holds these bytes, or the free one where they belong. Never full: see add_slot(). */
static struct writer_slot *slot_of(struct writer *w, uint64_t sum, const void *data, size_t bytes, bool string)
{
	for (size_t i = sum % w->nslots;; i = (i + 1) % w->nslots) {
		struct writer_slot *s = w->slots + i;

		if (!s->at)
			return s;
		if (s->sum == sum && s->bytes == bytes && s->string == string && !memcmp(w->at + s->at, data, bytes))
			return s;
	}
}

static bool grow_slots(struct writer *w)
{
	size_t old = w->nslots;
	struct writer_slot *from = w->slots;

	if (w->slots_used * 2 < w->nslots)
		return true;
	w->nslots = old ? old * 2 : 1024;
	w->slots = calloc(w->nslots, sizeof *w->slots);
	if (!w->slots) {
		w->slots = from;
		w->nslots = old;
		w->failed = ENOMEM;
		return false;
	}
	for (size_t i = 0; i < old; i++)
		if (from[i].at)
			*slot_of(w, from[i].sum, w->at + from[i].at, from[i].bytes, from[i].string) = from[i];
	free(from);
	return true;
}

/* Offset of these bytes in the plan; 0 after a failure. */
static uint32_t store(struct writer *w, const void *data, size_t bytes, bool string)
{
	size_t at = string ? w->used : (w->used + 7) & ~(size_t)7;

	if (bytes > PLAN_MAX || !grow(w, at + bytes + 1) || !grow_slots(w)) {
		w->failed = w->failed ? w->failed : EFBIG;
		return 0;
	}
	uint64_t sum = sum_long(SUM_START, data, bytes);
	struct writer_slot *s = slot_of(w, sum, data, bytes, string);

	if (!s->at) {
		*s = (struct writer_slot){ sum, (uint32_t)at, (uint32_t)bytes, string };
		memset(w->at + w->used, 0, at - w->used);
		memcpy(w->at + at, data, bytes);
		w->at[at + bytes] = 0;
		w->used = at + bytes + (string ? 1 : 0);
		w->slots_used++;
	}
	return s->at;
}

struct plan_ref write_string_n(struct writer *w, const char *s, size_t n)
{
	if (!s || memchr(s, 0, n))
		return (struct plan_ref){ 0 };
	uint32_t at = store(w, s, n, true);

	return (struct plan_ref){ at, at ? (uint32_t)n : 0 };
}

struct plan_ref write_string(struct writer *w, const char *s)
{
	return write_string_n(w, s, s ? strlen(s) : 0);
}

struct plan_ref write_table(struct writer *w, const void *rows, size_t n, size_t size)
{
	uint32_t at = n && n <= PLAN_MAX / size ? store(w, rows, n * size, false) : 0;

	if (n && !at && !w->failed)
		w->failed = EFBIG;
	return (struct plan_ref){ at, at ? (uint32_t)n : 0 };
}

int write_end(struct writer *w, struct plan_head *h, int *fd, struct err *e)
{
	const size_t summed = offsetof(struct plan_head, sum) + sizeof h->sum;

	while (grow(w, w->used + 1) && w->used % 8)
		w->at[w->used++] = 0;
	if (!grow(w, w->used) || w->failed)
		return err_set(e, w->failed, "plan: %s", w->failed == EFBIG
			       ? "larger than 16 MiB: too many services, or too much text in them" : "out of memory");
	memcpy(h->magic, PLAN_MAGIC, sizeof h->magic);
	h->version = PLAN_VERSION;
	h->size = (uint32_t)w->used;
	h->arch = PLAN_ARCH;
	memcpy(w->at, h, sizeof *h);
	h->sum = sum_long(SUM_START, w->at + summed, w->used - summed);
	memcpy(w->at, h, sizeof *h);
	return plan_seal_bytes(w->at, w->used, fd, e);
}
