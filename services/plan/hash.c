/* What a service means, as one number: content only, so that the same service has the same hash in every plan. */
/* SPDX-License-Identifier: ISC */
#include "init/base/sum.h"
#include "services/plan/types.h"
#include <string.h>

static uint64_t hash_record(uint64_t h, const struct plan *p, const struct plan_type *t, const unsigned char *at);

static uint64_t hash_ref(uint64_t h, const struct plan *p, const struct plan_type *of, struct plan_ref r)
{
	const unsigned char *at = p->at + r.at;
	uint32_t absent = !r.at;

	h = sum_more(h, &absent, sizeof absent);
	h = sum_more(h, &r.n, sizeof r.n);
	if (!of->nfields && !of->is_dep)
		return sum_more(h, at, (size_t)r.n * of->size);
	for (uint32_t i = 0; i < r.n; i++)
		h = hash_record(h, p, of, at + (size_t)i * of->size);
	return h;
}

/* The record's own bytes with its references blanked out, then what they refer to. */
static uint64_t hash_record(uint64_t h, const struct plan *p, const struct plan_type *t, const unsigned char *at)
{
	unsigned char own[sizeof(struct plan_service)];

	memcpy(own, at, t->size);
	for (const struct plan_field *f = t->fields; f < t->fields + t->nfields; f++)
		memset(own + f->at, 0, sizeof(struct plan_ref));
	if (t == &plan_service_type)
		memset(own + offsetof(struct plan_service, hash), 0, sizeof(uint64_t));
	if (t->is_dep) {
		struct plan_dep d;

		memcpy(&d, at, sizeof d);
		memset(own, 0, sizeof d.service);
		h = hash_ref(h, p, &plan_string_type, plan_service(p, d.service)->name);
	}
	h = sum_more(h, own, t->size);
	for (const struct plan_field *f = t->fields; f < t->fields + t->nfields; f++) {
		struct plan_ref r;

		memcpy(&r, at + f->at, sizeof r);
		h = hash_ref(h, p, f->of, r);
	}
	return h;
}

uint64_t plan_service_hash(const struct plan *p, const struct plan_service *s)
{
	return hash_record(SUM_START, p, &plan_service_type, (const unsigned char *)s);
}
