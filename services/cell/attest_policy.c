/* Facts about the programs on the service's cgroup: they are there, and they are the planned ones. */
/* SPDX-License-Identifier: ISC */
#include "init/base/bpf.h"
#include "init/base/fd.h"
#include "services/cell/attest_inner.h"
#include "services/cell/awaited.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define PROGRAMS_MAX 64

static const struct {
	const char *name;
	uint32_t flag;
} policies[] = {
	[POLICY_DEVICES] = { "device policy", CELL_DEVICES },
	[POLICY_SOCKETS] = { "socket policy", CELL_SOCKETS },
};

static int meant_devices(struct attest_run *r, struct err *e)
{
	struct device_rule rules[DEVICE_RULES_MAX];
	const int n = run_root(r, e) < 0 ? -e->code : awaited_rules(r->in->plan, r->in->svc, r->root,
								   r->in->without_devices, rules, e);

	return n < 0 ? n : bpf_devices(rules, (unsigned)n, e);
}

/* The program that the plan means, made once more where the start's own is not at hand: equal programs have one tag. */
static int meant(struct attest_run *r, enum cgroup_policy policy, struct bpf_identity *id, struct err *e)
{
	const struct plan_service *s = r->in->svc;
	owned_fd made = FD_NONE;
	int program = r->in->policy[policy];

	if (program < 0) {
		made = policy == POLICY_DEVICES ? meant_devices(r, e) : bpf_sockets(s->inet & 1, s->inet & 2, e);
		program = made;
	}
	return program < 0 ? -e->code : bpf_identify(program, id, e);
}

static void tag_text(const struct bpf_identity *id, char to[32])
{
	const unsigned char *t = id->tag;

	snprintf(to, 32, "tag %02x%02x%02x%02x%02x%02x%02x%02x", t[0], t[1], t[2], t[3], t[4], t[5], t[6], t[7]);
}

/* Of what is attached: ours by number, or the one that does the same. *got is ours, or the last one there. */
static bool is_attached(const uint32_t *ids, unsigned n, const struct bpf_identity *want, struct bpf_identity *got)
{
	struct err gone;

	for (unsigned i = 0; i < n; i++) {
		*got = (struct bpf_identity){ .id = ids[i] };
		if (ids[i] == want->id)
			return true;
		owned_fd program = bpf_by_id(ids[i], &gone);

		if (program >= 0 && bpf_identify(program, got, &gone) == 0 &&
		    !memcmp(got->tag, want->tag, sizeof want->tag))
			return true;
	}
	return false;
}

static int one_policy(struct attest_run *r, enum cgroup_policy policy, int leaf, struct err *e)
{
	struct bpf_identity want, got = { 0 };
	uint32_t ids[PROGRAMS_MAX];
	char planned_tag[32], attached_tag[32] = "no program";

	if (meant(r, policy, &want, e) < 0)
		return -e->code;
	int n = bpf_attached(leaf, policy, ids, PROGRAMS_MAX, e);

	if (n < 0)
		return n;
	n = n > PROGRAMS_MAX ? PROGRAMS_MAX : n;
	const bool fine = is_attached(ids, (unsigned)n, &want, &got);

	if (fact_is_plain(r, fine))
		return 0;
	tag_text(&want, planned_tag);
	if (fine)
		tag_text(&want, attached_tag);
	else if (n > 0)
		tag_text(&got, attached_tag);
	fact(r, policies[policy].name, planned_tag, attached_tag, fine);
	return 0;
}

int attest_policies(struct attest_run *r, int leaf, struct err *e)
{
	for (unsigned i = 0; i < sizeof policies / sizeof *policies; i++)
		if (planned(r, policies[i].flag) && one_policy(r, i, leaf, e) < 0)
			return err_in(e, "%s", policies[i].name);
	return 0;
}
