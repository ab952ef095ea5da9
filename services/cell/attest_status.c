/* Facts from the status file: ids, capabilities, no_new_privs, seccomp mode, signals, umask. */
/* SPDX-License-Identifier: ISC */
#include "init/base/text.h"
#include "services/cell/attest_inner.h"
#include <inttypes.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

/* A service that may change its ids has the right to have done so. */
static bool may_have_changed_ids(const struct attest_run *r)
{
	return !r->in->at_exec && (r->in->svc->uid == 0 || (r->in->svc->caps >> CAP_SETUID & 1));
}

/* Real, effective, saved and file system's. */
static void four_ids(struct attest_run *r, const char *key, uint32_t id)
{
	char want[64], got[64];
	const char *at = status_value(r, key, got, sizeof got);
	bool equal = *at;

	for (int i = 0; i < 4; i++)
		equal &= digits(&at, 10) == id;
	if (fact_is_plain(r, equal && !*at))
		return;
	snprintf(want, sizeof want, "%u\t%u\t%u\t%u", id, id, id, id);
	fact_text(r, key, want, got);
}

/* The kernel prints them sorted. */
static void groups(struct attest_run *r)
{
	const struct plan_ref ref = r->in->svc->groups;
	const uint32_t *g = plan_array(r->in->plan, ref);
	char want[2048], got[2048];
	struct text t = TEXT_IN(want);
	int64_t last = -1;

	want[0] = '\0';
	status_value(r, "Groups", got, sizeof got);
	if (fact_is_plain(r, !ref.n && !*got))
		return;
	for (uint32_t i = 0; i < ref.n; i++) {
		int64_t next = INT64_MAX;

		for (uint32_t k = 0; k < ref.n; k++)
			if (g[k] > last && g[k] < next)
				next = g[k];
		if (next == INT64_MAX)
			break;
		text_fmt(&t, "%s%" PRId64, i ? " " : "", next);
		last = next;
	}
	fact_text(r, "Groups", want, got);
}

int attest_ids(struct attest_run *r, struct err *e)
{
	(void)e;
	if (may_have_changed_ids(r))
		return 0;
	four_ids(r, "Uid", r->in->svc->uid);
	four_ids(r, "Gid", r->in->svc->gid);
	groups(r);
	return 0;
}

/* What this kernel knows of the planned set. */
static uint64_t known_caps(uint64_t caps)
{
	for (int cap = 63; cap >= 0 && caps >> cap; cap--)
		if (prctl(PR_CAPBSET_READ, cap, 0, 0, 0) < 0)
			caps &= ~(1ull << cap);
	return caps;
}

int attest_caps(struct attest_run *r, struct err *e)
{
	static const char *const sets[] = { "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb" };
	const uint64_t want = known_caps(r->in->svc->caps);

	(void)e;
	if (!planned(r, CELL_CAPS))
		return 0;
	for (unsigned i = 0; i < sizeof sets / sizeof *sets; i++) {
		const uint64_t got = status_number(r, sets[i], 16);

		/* A running service may have given some of them up. */
		fact_hex(r, sets[i], r->in->at_exec ? want : want & got, got);
	}
	return 0;
}

static void seccomp_mode(struct attest_run *r)
{
	char text[16];

	fact_text(r, "Seccomp", "2", status_value(r, "Seccomp", text, sizeof text));
	status_value(r, "Seccomp_filters", text, sizeof text);
	const char *at = text;

	if (r->in->at_exec && *at)	/* absent before Linux 5.10 */
		fact_num(r, "Seccomp_filters", r->in->ref.filters + 1, (int64_t)digits(&at, 10));
}

static void umask_fact(struct attest_run *r)
{
	char want[16], got[16];
	const char *at = status_value(r, "Umask", got, sizeof got);

	if (fact_is_plain(r, *at && digits(&at, 8) == r->in->svc->umask))
		return;
	snprintf(want, sizeof want, "%04o", r->in->svc->umask);
	fact_text(r, "Umask", want, got);
}

/* In the order of the status file. */
static void at_exec_only(struct attest_run *r)
{
	char session[64], pid[64];

	umask_fact(r);
	if (r->in->reference)
		fact_num(r, "PPid", r->in->reference, (int64_t)status_number(r, "PPid", 10));
	status_value(r, "NSpid", pid, sizeof pid);
	fact_text(r, "session", pid, status_value(r, "NSsid", session, sizeof session));
	fact_hex(r, "SigBlk", 0, status_number(r, "SigBlk", 16));
	fact_hex(r, "SigIgn", 0, status_number(r, "SigIgn", 16));
}

int attest_flags(struct attest_run *r, struct err *e)
{
	char got[16];

	if (planned(r, CELL_NNP))
		fact_text(r, "NoNewPrivs", "1", status_value(r, "NoNewPrivs", got, sizeof got));
	if (planned(r, CELL_SECCOMP))
		seccomp_mode(r);
	if (r->in->at_exec)
		at_exec_only(r);
	if (!planned(r, CELL_LOCK_PERSONALITY))
		return 0;
	if (file_read(r->dir, "personality", got, sizeof got, e) < 0)
		return -e->code;
	fact_text(r, "personality", "00000000\n", got);
	return 0;
}
