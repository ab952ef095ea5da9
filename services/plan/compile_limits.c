/* How much a service may use: rlimits, files of its control group, scheduling. */
/* SPDX-License-Identifier: ISC */
#include "services/plan/compiling.h"
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static const char *amount(struct compiling *c, uint64_t v)
{
	return v == UINT64_MAX ? "max" : compiling_fmt(c, "%llu", (unsigned long long)v);
}

/* What a preset asks for above what we have ourselves is told, what a file asks for is refused. */
static struct plan_rlimit within_ours(struct compiling *c, struct work *w, unsigned i, const struct spec_rlimit *l)
{
	const struct plan_rlimit asked = { .resource = i, .soft = l->soft, .hard = l->hard };
	const struct origin from = spec_from(w->svc, &w->svc->rlimit[i]);
	const uint64_t most = c->f->hard[i];

	if (!c->f->limits_fixed || l->hard <= most)
		return asked;
	if (from.kind == FROM_FILE && w->eff.required)
		refuse_at(c, w, from, "limits: %s is above our own hard limit of %llu, which only CAP_SYS_RESOURCE of "
			  "the machine can raise: start prior with a higher one (ulimit -H, --ulimit of podman and "
			  "docker); or isolation.required: false", amount(c, l->hard), (unsigned long long)most);
	else
		tell_at(c, w, from, "limits: %s instead of %s: our own hard limit, which only CAP_SYS_RESOURCE of the "
			"machine can raise", amount(c, most), amount(c, l->hard));
	return (struct plan_rlimit){ .resource = i, .soft = l->soft < most ? l->soft : most, .hard = most };
}

static void compile_rlimits(struct compiling *c, struct work *w)
{
	struct plan_rlimit r[SPEC_RLIMITS];
	unsigned n = 0;

	for (unsigned i = 0; i < SPEC_RLIMITS; i++) {
		const struct spec_rlimit *l = &w->eff.rlimit[i];
		/* a core file is a copy of its secrets */
		bool core = i == RLIMIT_CORE && w->eff.preset != PRESET_NONE;
		bool rt = i == RLIMIT_RTPRIO && w->eff.restrict_realtime;

		if (l->given && l->soft > l->hard)
			refuse(c, w, rlimit[i], "limits: the soft limit is above the hard one");
		else if (l->given)
			r[n++] = within_ours(c, w, i, l);
		else if (core || rt)
			r[n++] = (struct plan_rlimit){ .resource = i };
	}
	w->out.rlimits = write_table(&c->w, r, n, sizeof *r);
}

struct cgroup_files {
	struct plan_file v[16];
	unsigned n;
	struct origin asked;	/* of the first that a file asks for; kind FROM_DEFAULT: none */
};

static void cgroup_add(struct compiling *c, struct work *w, struct cgroup_files *g, const void *field,
		       const char *file, const char *value)
{
	g->v[g->n++] = (struct plan_file){ write_string(&c->w, file), write_string(&c->w, value) };
	if (spec_from(w->svc, field).kind == FROM_FILE && g->asked.kind != FROM_FILE)
		g->asked = spec_from(w->svc, field);
}

/* The kernel counts in pages, here and there of another size: 4096 bytes nearly everywhere. */
static void tell_rounded(struct compiling *c, struct work *w, const void *field, const char *key, uint64_t v)
{
	if (v && v != UINT64_MAX && v % 4096)
		tell_at(c, w, spec_from(w->svc, field), "limits.cgroup.%s: %llu is not a whole number of pages: the "
			"kernel makes it %llu", key, (unsigned long long)v, (unsigned long long)(v - v % 4096));
}

static void compile_cgroup(struct compiling *c, struct work *w)
{
	const struct spec_service *e = &w->eff, *s = w->svc;
	struct cgroup_files g = { .n = 0 };

	tell_rounded(c, w, &s->memory_high, "memory_high", e->memory_high);
	tell_rounded(c, w, &s->memory_max, "memory_max", e->memory_max);
	/* high before max: the other way round, what would only be slowed could be killed. */
	if (e->memory_high)
		cgroup_add(c, w, &g, &s->memory_high, "memory.high", amount(c, e->memory_high));
	if (e->memory_max)
		cgroup_add(c, w, &g, &s->memory_max, "memory.max", amount(c, e->memory_max));
	if (e->cpu_quota_us)
		cgroup_add(c, w, &g, &s->cpu_quota_us, "cpu.max", compiling_fmt(c, "%s %llu", amount(c,
												     e->cpu_quota_us),
			   (unsigned long long)(e->cpu_period_us ? e->cpu_period_us : 100000)));
	if (e->cpu_weight != UNSET_NUM)
		cgroup_add(c, w, &g, &s->cpu_weight, "cpu.weight", compiling_fmt(c, "%lld", (long long)e->cpu_weight));
	if (e->io_weight != UNSET_NUM)
		cgroup_add(c, w, &g, &s->io_weight, "io.weight",
			   compiling_fmt(c, "default %lld", (long long)e->io_weight));
	if (e->pids_max != UNSET_NUM)
		cgroup_add(c, w, &g, &s->pids_max, "pids.max",
			   e->pids_max < 0 ? "max" : compiling_fmt(c, "%lld", (long long)e->pids_max));
	if (c->f->can_cgroup || e->cgroup_root) {
		w->out.cgroup = write_table(&c->w, g.v, g.n, sizeof *g.v);
		w->out.cgroup_root = write_string(&c->w, e->cgroup_root);
		return;
	}
	if (g.asked.kind == FROM_FILE && e->required)
		refuse_at(c, w, g.asked, "limits.cgroup: there is no cgroup2 that can be written here; "
		       "limits.cgroup.root can name one; or isolation.required: false lets it run without");
	else if (g.n)
		tell(c, w, pids_max, "no limits of a control group: there is no cgroup2 that can be written here");
}

static void compile_affinity(struct compiling *c, struct work *w)
{
	const struct str_list *l = &w->eff.cpu_affinity;
	uint64_t mask[16] = { 0 };
	unsigned words = 0;

	for (unsigned i = 0; i < l->n; i++) {
		char *end;
		unsigned long from = strtoul(l->v[i], &end, 10), to = *end == '-' ? strtoul(end + 1, &end, 10) : from;

		if (*end || end == l->v[i] || from > to || to >= sizeof mask * 8) {
			refuse(c, w, cpu_affinity, "limits.cpu_affinity: '%s' is not a CPU or a range like 4-7",
			       l->v[i]);
			return;
		}
		for (; from <= to; from++)
			mask[from / 64] |= UINT64_C(1) << from % 64;
		words = to / 64 + 1 > words ? (unsigned)(to / 64 + 1) : words;
	}
	w->out.affinity = write_table(&c->w, mask, words, sizeof *mask);
}

void compile_limits(struct compiling *c, struct work *w)
{
	compile_rlimits(c, w);
	compile_cgroup(c, w);
	compile_affinity(c, w);
	w->out.nice = w->eff.nice == UNSET_NUM ? INT32_MIN : (int32_t)w->eff.nice;
	w->out.oom_score_adj = w->eff.oom_score_adj == UNSET_NUM ? INT32_MIN : (int32_t)w->eff.oom_score_adj;
}
