/* Facts about labels: what AppArmor and SELinux say the process runs under. */
/* SPDX-License-Identifier: ISC */
#include "services/cell/attest_inner.h"
#include <stdio.h>
#include <string.h>

/* Of the first file of the two that there is; "" when there is none. */
static const char *label_of(struct attest_run *r, const char *first, const char *second, char got[512])
{
	struct err lost;

	if (file_read(r->dir, first, got, 512, &lost) < 0 &&
	    (!second || file_read(r->dir, second, got, 512, &lost) < 0))
		got[0] = '\0';
	got[strcspn(got, "\n")] = '\0';
	return got;
}

/* A profile in complain mode forbids nothing: it is another than the one that was asked for. */
int attest_labels(struct attest_run *r, struct err *e)
{
	const char *apparmor = plan_str(r->in->plan, r->in->svc->apparmor);
	const char *selinux = plan_str(r->in->plan, r->in->svc->selinux);
	char want[300], got[512];

	(void)e;
	if (*apparmor) {
		snprintf(want, sizeof want, strcmp(apparmor, "unconfined") ? "%s (enforce)" : "%s", apparmor);
		fact_text(r, "apparmor", want, label_of(r, "attr/apparmor/current", "attr/current", got));
	}
	if (*selinux)
		fact_text(r, "selinux", selinux, label_of(r, "attr/current", NULL, got));
	return 0;
}
