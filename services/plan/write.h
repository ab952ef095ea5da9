/* Writing a plan: one growing buffer in which equal contents are stored once. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/plan/plan.h"

/*
 * For the compiler child: takes memory from the heap. After the first failure (memory, PLAN_MAX) every call
 * does nothing and answers an absent reference; write_end() reports it, so that callers need not look in
 * between.
 */
struct writer {
	unsigned char *at;		/* owned */
	size_t used, room;
	struct writer_slot *slots;	/* owned; what is stored already, by content */
	size_t nslots, slots_used;
	int failed;			/* errno value; 0: all well */
};

void write_begin(struct writer *w);
void write_free(struct writer *w);

struct plan_ref write_string(struct writer *w, const char *s);		/* NULL: absent */
struct plan_ref write_string_n(struct writer *w, const char *s, size_t n);
/* n elements of size bytes, aligned to 8; n == 0: absent. Equal bytes are shared. */
struct plan_ref write_table(struct writer *w, const void *rows, size_t n, size_t size);

/* Fill in size and sum and seal the whole in a memfd, which is the caller's. h becomes the plan's first bytes. */
int write_end(struct writer *w, struct plan_head *h, int *fd, struct err *e);

/* A memfd with these bytes, sealed. */
int plan_seal_bytes(const void *at, size_t size, int *out, struct err *e);
