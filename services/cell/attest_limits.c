/* Facts about how much it may use: resource limits and scheduling. */
/* SPDX-License-Identifier: ISC */
#include "init/base/sys.h"
#include "services/cell/attest_inner.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* RLIMIT_* as /proc/PID/limits calls them. */
static const char *const names[] = {
	"Max cpu time", "Max file size", "Max data size", "Max stack size", "Max core file size",
	"Max resident set", "Max processes", "Max open files", "Max locked memory", "Max address space",
	"Max file locks", "Max pending signals", "Max msgqueue size", "Max nice priority",
	"Max realtime priority", "Max realtime timeout",
};

static void limit_text(uint64_t v, char to[24])
{
	if (v == UINT64_MAX)
		snprintf(to, 24, "unlimited");
	else
		snprintf(to, 24, "%" PRIu64, v);
}

static void one_limit(struct attest_run *r, const char *table, const struct plan_rlimit *l)
{
	const char *name = l->resource < sizeof names / sizeof *names ? names[l->resource] : "";
	char want[64], got[64] = "", soft[24], hard[24];
	const char *line = strstr(table, name);

	limit_text(l->soft, soft);
	limit_text(l->hard, hard);
	snprintf(want, sizeof want, "%s:%s", soft, hard);
	if (line && sscanf(line + strlen(name), "%23s %23s", soft, hard) == 2)
		snprintf(got, sizeof got, "%s:%s", soft, hard);
	fact_text(r, name, want, got);
}

int attest_limits(struct attest_run *r, struct err *e)
{
	const struct plan_ref ref = r->in->svc->rlimits;
	char table[4096];

	if (ref.n == 0 || !r->in->at_exec)
		return 0;
	if (file_read(r->dir, "limits", table, sizeof table, e) < 0)
		return -e->code;
	for (const struct plan_rlimit *l = PLAN_FIRST(r->in->plan, ref, struct plan_rlimit);
	     l < PLAN_END(r->in->plan, ref, struct plan_rlimit); l++)
		one_limit(r, table, l);
	return 0;
}

static int affinity(struct attest_run *r, struct err *e)
{
	const struct plan_ref ref = r->in->svc->affinity;
	const uint64_t *want = plan_array(r->in->plan, ref);
	uint64_t got[128] = { 0 };
	bool inside = true;

	if (ref.n == 0)
		return 0;
	const long n = syscall(SYS_sched_getaffinity, r->in->pid, sizeof got, got);

	if (n < 0)
		return err_sys(e, "its CPUs");
	/* The kernel leaves out CPUs that are not there. */
	for (long i = 0; i < n / 8; i++)
		inside &= !(got[i] & ~(i < (long)ref.n ? want[i] : 0));
	fact(r, "affinity", "only the listed CPUs", inside ? "only the listed CPUs" : "others", inside);
	return 0;
}

int attest_sched(struct attest_run *r, struct err *e)
{
	char text[16];

	if (!r->in->at_exec)
		return 0;
	if (r->in->svc->oom_score_adj != INT32_MIN) {
		if (file_read(r->dir, "oom_score_adj", text, sizeof text, e) < 0)
			return -e->code;
		fact_num(r, "oom_score_adj", r->in->svc->oom_score_adj, atoi(text));
	}
	if (r->in->svc->nice != INT32_MIN) {
		errno = 0;
		fact_num(r, "nice", r->in->svc->nice, getpriority(PRIO_PROCESS, (id_t)r->in->pid));
	}
	return affinity(r, e);
}
