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

static uint64_t limit_in(const char **at)
{
	*at += strspn(*at, " ");
	if (strncmp(*at, "unlimited", 9) != 0)
		return digits(at, 10);
	*at += 9;
	return UINT64_MAX;
}

/* Asked one by one: printing the whole of /proc/PID/limits costs twenty such questions. It is there for everybody. */
static int ask(struct attest_run *r, const struct plan_rlimit *l, struct plan_rlimit *now, const char *name,
	       struct err *e)
{
	struct { uint64_t soft, hard; } got;

	if (syscall(SYS_prlimit64, r->in->pid, l->resource, NULL, &got) == 0) {
		now->soft = got.soft;
		now->hard = got.hard;
		return 0;
	}
	if (errno != EPERM)	/* CAP_SYS_RESOURCE over another user is not everybody's */
		return err_sys(e, "its %s", name);
	if (file_read(r->dir, "limits", r->room, FILE_ROOM, e) < 0)
		return -e->code;
	const char *line = *name ? strstr(r->room, name) : NULL;

	if (!line)
		return err_set(e, EBADMSG, "its limits have no line '%s'", name);
	line += strlen(name);
	now->soft = limit_in(&line);
	now->hard = limit_in(&line);
	return 0;
}

/* A running service may have lowered its limits, and raised the soft ones up to the hard. */
static int one_limit(struct attest_run *r, const struct plan_rlimit *l, struct err *e)
{
	const char *name = l->resource < sizeof names / sizeof *names ? names[l->resource] : "";
	char want[64], got[64], soft[24], hard[24];
	struct plan_rlimit now = { 0 };

	if (ask(r, l, &now, name, e) < 0)
		return -e->code;
	const bool fine = r->in->at_exec ? now.soft == l->soft && now.hard == l->hard : now.hard <= l->hard;

	if (fact_is_plain(r, fine))
		return 0;
	limit_text(l->soft, soft);
	limit_text(l->hard, hard);
	snprintf(want, sizeof want, "%s:%s", soft, hard);
	limit_text(now.soft, soft);
	limit_text(now.hard, hard);
	snprintf(got, sizeof got, "%s:%s", soft, hard);
	fact(r, name, want, got, fine);
	return 0;
}

int attest_limits(struct attest_run *r, struct err *e)
{
	const struct plan_ref ref = r->in->svc->rlimits;

	PLAN_EACH(struct plan_rlimit, l, r->in->plan, ref)
		if (one_limit(r, l, e) < 0)
			return -e->code;
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
		fact_num(r, "oom_score_adj", r->in->svc->oom_score_adj, strtol(text, NULL, 10));
	}
	if (r->in->svc->nice != INT32_MIN) {
		errno = 0;
		fact_num(r, "nice", r->in->svc->nice, getpriority(PRIO_PROCESS, (id_t)r->in->pid));
	}
	return affinity(r, e);
}
