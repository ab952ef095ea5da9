/* What a service means, as one number: content only, so that the same service has the same hash in every plan. */
/* SPDX-License-Identifier: ISC */
#include "init/base/sum.h"
#include "netns/rules.h"
#include "services/plan/types.h"
#include <string.h>

static uint64_t hash_record(uint64_t h, const struct plan *p, const struct plan_type *t, const unsigned char *at);

/* By name. What only orders starts is no part of what a service is: it need not be restarted for it. */
static uint64_t hash_needs(uint64_t h, const struct plan *p, struct plan_ref r)
{
	PLAN_EACH(struct plan_dep, d, p, r) {
		struct plan_ref name = plan_service(p, d->service)->name;

		if (d->kind != DEP_REQUIRES)
			continue;
		h = sum_long(h, plan_str(p, name), name.n + 1);
		h = sum_long(h, &d->condition, sizeof d->condition);
	}
	return h;
}

static uint64_t length_of(struct plan_ref r)
{
	return (uint64_t)!r.at << 32 | r.n;
}

/* What is referred to, without how much of it there is. */
static uint64_t hash_content(uint64_t h, const struct plan *p, const struct plan_type *of, struct plan_ref r)
{
	const unsigned char *at = p->at + r.at;

	if (of->is_dep)
		return hash_needs(h, p, r);
	if (!of->nfields)
		return sum_long(h, at, (size_t)r.n * of->size);
	for (uint32_t i = 0; i < r.n; i++)
		h = hash_record(h, p, of, at + (size_t)i * of->size);
	return h;
}

/* The record's own bytes with the lengths of its references in their place, then what they refer to. */
static uint64_t hash_record(uint64_t h, const struct plan *p, const struct plan_type *t, const unsigned char *at)
{
	unsigned char own[sizeof(struct plan_service)];
	struct plan_ref r;

	_Static_assert(sizeof r == sizeof(uint64_t), "a length is written over a reference");
	memcpy(own, at, t->size);
	for (const struct plan_field *f = t->fields; f < t->fields + t->nfields; f++) {
		memcpy(&r, at + f->at, sizeof r);
		memcpy(own + f->at, &(uint64_t){ f->of->is_dep ? 0 : length_of(r) }, sizeof(uint64_t));
	}
	if (t == &plan_service_type)
		memset(own + offsetof(struct plan_service, hash), 0, sizeof(uint64_t));
	h = sum_long(h, own, t->size);
	for (const struct plan_field *f = t->fields; f < t->fields + t->nfields; f++) {
		memcpy(&r, at + f->at, sizeof r);
		if (r.n)
			h = hash_content(h, p, f->of, r);
	}
	return h;
}

uint64_t plan_service_hash(const struct plan *p, const struct plan_service *s)
{
	return hash_record(SUM_START, p, &plan_service_type, (const unsigned char *)s);
}

/* What is read while services run (how a shutdown goes) is left out: it is in effect at once. */
uint64_t plan_machine_hash(const struct plan *p)
{
	static const size_t others[] = {
		offsetof(struct plan_head, services), offsetof(struct plan_head, start_order),
		offsetof(struct plan_head, refused), offsetof(struct plan_head, templates),
		offsetof(struct plan_head, asked), offsetof(struct plan_head, disabled),
		offsetof(struct plan_head, device_rules),
		offsetof(struct plan_head, bridges), offsetof(struct plan_head, hosts),	/* a reload makes these anew */
	};
	uint64_t h = SUM_START;

	for (const struct plan_field *f = plan_head_type.fields; f < plan_head_type.fields + plan_head_type.nfields;
	     f++) {
		struct plan_ref r;
		bool other = false;

		memcpy(&r, p->at + f->at, sizeof r);
		for (size_t i = 0; i < sizeof others / sizeof *others; i++)
			other |= f->at == others[i];
		if (!other)
			h = hash_content(sum_long(h, &(uint64_t){ length_of(r) }, sizeof(uint64_t)), p, f->of, r);
	}
	return h;
}

static uint64_t hash_table(uint64_t h, const struct plan *p, struct plan_ref r, size_t size)
{
	return sum_more(sum_more(h, &r.n, sizeof r.n), plan_array(p, r), r.n * size);
}

static uint64_t hash_text(uint64_t h, const struct plan *p, struct plan_ref r)
{
	return sum_more(h, plan_str(p, r), r.n + 1);
}

uint64_t plan_network_hash(const struct plan *p)
{
	uint64_t h = sum_more(SUM_START, &(uint32_t){ RULES_VERSION }, sizeof(uint32_t));

	if (!p->head->bridges.n)
		return 0;
	PLAN_EACH(struct plan_bridge, b, p, p->head->bridges) {
		h = hash_table(hash_text(h, p, b->name), p, b->addrs, sizeof(struct plan_addr));
		h = sum_more(h, &b->flags, sizeof b->flags);
	}
	PLAN_EACH(struct plan_service, s, p, p->head->services)
		PLAN_EACH(struct plan_link, l, p, s->links) {
			if (!l->bridge.n)
				continue;
			h = hash_text(hash_text(hash_text(h, p, s->name), p, l->ifname), p, l->bridge);
			h = sum_more(h, &l->limited, sizeof l->limited);
			h = hash_table(h, p, l->addrs, sizeof(struct plan_addr));
			h = hash_table(h, p, l->ports, sizeof(struct plan_port));
			h = hash_table(h, p, l->egress, sizeof(struct plan_egress));
		}
	return h ? h : 1;
}
