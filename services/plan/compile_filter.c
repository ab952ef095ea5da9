/* Which filter a service gets: profile, restrictions in effect, its own lists; equal wishes share one program. */
/* SPDX-License-Identifier: ISC */
#include "init/base/sum.h"
#include "services/plan/compile_profile.h"
#include "services/spec/signers.h"
#include "services/plan/oci.h"
#include "services/plan/types.h"
#include "services/spec/families.h"
#include <string.h>

/* A filter made before, found again by a sum over what was wished. */
struct filter_made {
	struct filter_made *next;
	uint64_t wishes;
	struct plan_ref program;
	uint64_t sum;
};

/*
 * `strict` brings its argument rules with it. A key that a file sets to false is a decision all the same: a
 * program that compiles at run time needs memory_deny_write_execute: false and can still have the rest.
 */
#define IN_EFFECT(w, key) ((w)->eff.key || ((w)->eff.seccomp == SECCOMP_STRICT && !is_asked(w, key)))

static void wish_families(struct compiling *c, struct work *w, struct filter_wishes *f)
{
	static const uint32_t strict[] = { 1, 2, 10 };	/* unix, inet, inet6 */
	const struct str_list *l = &w->eff.restrict_address_families;

	for (unsigned i = 0; i < l->n && f->nfamilies < VALUES_MAX - 1; i++) {
		int n = family_number(l->v[i]);

		if (n < 0)
			refuse(c, w, restrict_address_families, "security.restrict_address_families: '%s' is no family",
			       l->v[i]);
		else
			f->family_list[f->nfamilies++] = (uint32_t)n;
	}
	if (!l->n && w->eff.seccomp == SECCOMP_STRICT) {
		memcpy(f->family_list, strict, sizeof strict);
		f->nfamilies = 3;
	}
	f->families = f->nfamilies > 0;
}

/* A second table of system calls would need a second filter, and its multiplexed calls cannot be filtered at all. */
static void wish_architectures(struct compiling *c, struct work *w, struct filter_wishes *f)
{
	static const char *const native = PLAN_ARCH == AUDIT_ARCH_X86_64 ? "x86-64" : "arm64";
	const struct str_list *l = &w->eff.system_call_architectures;

	for (unsigned i = 0; i < l->n; i++)
		if (strcmp(l->v[i], "native") && strcmp(l->v[i], native))
			refuse(c, w, system_call_architectures, "security.system_call_architectures: '%s' cannot be "
			       "let in: filters are for this machine's own architecture, %s, alone", l->v[i], native);
	f->archs = l->n > 0;
}

static struct filter_wishes wishes_of(struct compiling *c, struct work *w)
{
	const struct spec_service *e = &w->eff;
	struct filter_wishes f = {
		.arch = PLAN_ARCH, .profile = e->seccomp, .action = e->seccomp_action,
		.namespaces = IN_EFFECT(w, restrict_namespaces), .realtime = IN_EFFECT(w, restrict_realtime),
		.suid_sgid = IN_EFFECT(w, restrict_suid_sgid), .personality = IN_EFFECT(w, lock_personality),
		.write_execute = IN_EFFECT(w, memory_deny_write_execute), .modules = e->protect_kernel_modules,
		.logs = e->protect_kernel_logs, .clock = e->protect_clock, .hostname = e->protect_hostname,
		.raw_io = e->private_devices, .allow = e->seccomp_allow, .deny = e->seccomp_deny,
	};

	f.spaces_allowed = f.namespaces ? e->namespaces_allowed : 0;
	f.promises = w->promises;
	f.loads = w->loads;
	f.namespaces = f.namespaces || w->promises;
	f.truncation = w->out.flags & CELL_LANDLOCK && !w->out.landlock_abi &&
		       (!e->ns_mount || e->unveil.n || w->promises);
	wish_families(c, w, &f);
	wish_architectures(c, w, &f);
	return f;
}

int filter_policy(struct compiling *c, struct work *w, struct policy *p, struct err *e)
{
	struct filter_wishes f = wishes_of(c, w);

	return policy_make(p, &f, e);
}

static bool wants_filter(const struct filter_wishes *f)
{
	return f->profile != SECCOMP_NONE || f->namespaces || f->realtime || f->suid_sgid || f->personality ||
	       f->write_execute || f->modules || f->logs || f->clock || f->hostname || f->raw_io || f->families ||
	       f->archs || f->truncation || f->promises || f->deny.n;
}

/* Named by all that asked for it. */
static void refuse_filter(struct compiling *c, struct work *w, const struct filter_wishes *f)
{
	const struct {
		bool asks;
		const char *key;
	} keys[] = {
		{ f->profile != SECCOMP_NONE || f->deny.n, "security.seccomp" },
		{ f->promises, "security.pledge" },
		{ f->namespaces && !f->promises, "security.restrict_namespaces" },
		{ f->realtime, "security.restrict_realtime" }, { f->suid_sgid, "security.restrict_suid_sgid" },
		{ f->personality, "security.lock_personality" },
		{ f->write_execute, "security.memory_deny_write_execute" },
		{ f->families, "security.restrict_address_families" },
		{ f->archs, "security.system_call_architectures" }, { f->truncation, "isolation.unveil" },
		{ f->modules, "isolation.protect_kernel_modules" }, { f->logs, "isolation.protect_kernel_logs" },
		{ f->clock, "isolation.protect_clock" }, { f->hostname, "isolation.protect_hostname" },
		{ f->raw_io, "isolation.private_devices" },
	};
	const char *text = "";

	for (unsigned i = 0; i < sizeof keys / sizeof *keys; i++)
		if (keys[i].asks)
			text = compiling_fmt(c, "%s%s%s", text, *text ? ", " : "", keys[i].key);
	refuse(c, w, seccomp, "%s: this kernel has no system call filters (is it built with CONFIG_SECCOMP_FILTER, and "
	       "does the container leave the call seccomp?)", text);
}

static uint64_t wishes_sum(const struct filter_wishes *f, const struct profile *from)
{
	uint64_t h = sum_more(SUM_START, f, offsetof(struct filter_wishes, allow));

	if (from)
		h = sum_more(sum_more(h, from->path, strlen(from->path)), &from->caps, sizeof from->caps);

	for (unsigned i = 0; i < f->allow.n; i++)
		h = sum_more(h, f->allow.v[i], strlen(f->allow.v[i]) + 1);
	h = sum_more(h, "|", 1);
	for (unsigned i = 0; i < f->deny.n; i++)
		h = sum_more(h, f->deny.v[i], strlen(f->deny.v[i]) + 1);
	return h;
}

static struct filter_made *make(struct compiling *c, struct work *w, const struct filter_wishes *f,
				const struct profile *from, uint64_t sum)
{
	struct filter_made *m = compiling_get(c, sizeof *m);
	static struct sock_filter program[BPF_MAXINSNS];	/* too large for the stack; there is one thread */
	static struct policy p;
	struct err e = { 0 };
	int n = -1;

	if (!m)
		return NULL;
	if (policy_make(&p, f, &e) == 0)
		n = policy_emit(&p, program, &e);
	if (n > 0 && from && from->program)
		n = filter_append(program, n, from->program, from->nprogram, &e);
	if (n < 0) {
		refuse(c, w, seccomp, "security.%s", e.text);
		return NULL;
	}
	*m = (struct filter_made){ .next = c->filters, .wishes = sum, .program = write_table(&c->w, program, (size_t)n,
				   sizeof *program), .sum = sum_more(SUM_START, program, (size_t)n * sizeof *program) };
	c->filters = m;
	return m;
}

/* The kernel takes a filter, and a Landlock rule set, only from who has given up gaining privileges. */
static void require_nnp(struct compiling *c, struct work *w)
{
	if (!(w->out.flags & (CELL_SECCOMP | CELL_LANDLOCK)) || w->out.flags & CELL_NNP)
		return;
	if (is_asked(w, no_new_privileges))
		refuse(c, w, no_new_privileges, "security.no_new_privileges: false: seccomp, the restrict_ keys and "
		       "unveil need it");
	w->out.flags |= CELL_NNP;
}

/* The profile's own words about itself. */
static void tell_profile(struct compiling *c, struct work *w, const struct profile *from)
{
	if (from->said.foreign)
		tell(c, w, seccomp, "security.seccomp: %s: system calls of %s are killed all the same: prior lets no "
		     "second architecture in", from->path, from->said.foreign);
	if (from->said.unknown)
		tell(c, w, seccomp, "security.seccomp: %s: these stay refused, because no such system call is known "
		     "here: %s", from->path, from->said.unknown);
	if (from->said.log)
		w->eff.seccomp_log = true;
}

/* NULL when there is none; then, if one was wanted, the service is refused. */
static const struct profile *from_file(struct compiling *c, struct work *w, struct filter_wishes *f)
{
	const bool wanted = w->eff.seccomp == SECCOMP_CUSTOM && !w->promises;
	const struct profile *from = wanted ? profile_get(c, w) : NULL;
	struct err e;

	if (!from)
		return NULL;
	if (signers_allow(c->s, from->path, &from->bytes, w->svc->name, &e) < 0) {
		refuse(c, w, seccomp, "security.seccomp: %s", e.text);
		return NULL;
	}
	if (from->why_not)
		refuse(c, w, seccomp, "security.seccomp: %s", from->why_not);
	else if (from->program && f->allow.n)
		refuse(c, w, seccomp_allow, "security.seccomp.allow: a BPF program is taken as it is: what it refuses "
		       "cannot be allowed beside it");
	else
		tell_profile(c, w, from);
	f->base = from->base;
	return from->why_not ? NULL : from;
}

void compile_filter(struct compiling *c, struct work *w)
{
	struct filter_wishes f = wishes_of(c, w);
	const struct profile *from = from_file(c, w, &f);
	struct filter_made *m = c->filters;

	if (wants_filter(&f) && c->f->no_filters) {
		refuse_filter(c, w, &f);
		return;
	}
	if (wants_filter(&f) && (from || w->promises || w->eff.seccomp != SECCOMP_CUSTOM)) {
		const uint64_t sum = wishes_sum(&f, from);

		while (m && m->wishes != sum)
			m = m->next;
		m = m ? m : make(c, w, &f, from, sum);
		if (m) {
			w->out.seccomp = m->program;
			w->out.seccomp_sum = m->sum;
			w->out.flags |= CELL_SECCOMP | (w->eff.seccomp_log ? CELL_SECCOMP_LOG : 0);
		}
	}
	require_nnp(c, w);
	if (is_asked(w, memory_deny_write_execute) && w->eff.memory_deny_write_execute && !w->eff.ns_mount &&
	    !(w->out.flags & CELL_LANDLOCK))
		tell(c, w, memory_deny_write_execute, "security.memory_deny_write_execute: /proc/self/mem still leads "
		     "around it: isolation.mount: true gives it a /proc that is read-only");
}
