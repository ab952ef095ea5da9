/* Steps that ask for a label of AppArmor or SELinux, which the kernel gives at the exec. */
/* SPDX-License-Identifier: ISC */
#include "init/base/text.h"
#include "services/cell/steps.h"
#include <errno.h>
#include <string.h>

/*
 * Through the machine's procfs, opened before anything of the service's was mounted: a /proc of an image's making would
 * take the words and do nothing (CVE-2019-16884, CVE-2019-19921). "self" in it is this very thread.
 */
#define APPARMOR "thread-self/attr/apparmor/exec"
#define SELINUX "thread-self/attr/exec"

static int write_label(struct cell *c, const char *file, const char *before, const char *label, const char *why,
		       struct err *e)
{
	char text[300];
	struct text t = TEXT_IN(text);
	const int proc = machine_proc(c, e);

	if (proc < 0)
		return proc;
	text_add(&t, before);
	text_add(&t, label);
	if (file_write(proc, file, text, e) == 0)
		return 0;
	if (e->code == ENOENT || e->code == EINVAL)
		return err_set(e, e->code, "%s: %s", label, why);
	return err_in(e, "%s", label);
}

/* What is asked for now, and nothing else, up to a blank. */
static bool reads_label(struct cell *c, const char *file, const char *label)
{
	struct err lost;
	char got[512];
	const size_t n = strlen(label);

	return c->machine_proc >= 0 && file_read(c->machine_proc, file, got, sizeof got, &lost) > 0 &&
	       !strncmp(got, label, n) && (!got[n] || got[n] == '\n' || got[n] == ' ');
}

int step_apparmor(struct cell *c, struct err *e)
{
	return write_label(c, APPARMOR, "exec ", plan_str(c->plan, c->svc->apparmor), "there is no such profile in the "
			   "kernel (apparmor_parser -r FILE loads one), or no AppArmor", e);
}

bool is_apparmor(struct cell *c)
{
	return reads_label(c, APPARMOR, plan_str(c->plan, c->svc->apparmor));
}

int step_selinux(struct cell *c, struct err *e)
{
	return write_label(c, SELINUX, "", plan_str(c->plan, c->svc->selinux),
			   "the loaded policy has no such context, or there is no SELinux", e);
}

bool is_selinux(struct cell *c)
{
	return reads_label(c, SELINUX, plan_str(c->plan, c->svc->selinux));
}
