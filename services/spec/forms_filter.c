/* Odd spellings around the filter: kinds of namespaces, architectures. */
/* SPDX-License-Identifier: ISC */
#include "services/spec/rows.h"
#include <errno.h>
#include <sched.h>
#include <string.h>

/* The first spelling of a kind is the one that is shown. */
static const struct {
	const char *name;
	uint32_t flag;
} kinds[] = {
	{ "user", CLONE_NEWUSER }, { "mount", CLONE_NEWNS },   { "pid", CLONE_NEWPID }, { "network", CLONE_NEWNET },
	{ "ipc", CLONE_NEWIPC },   { "uts", CLONE_NEWUTS },    { "cgroup", CLONE_NEWCGROUP },
	{ "time", SPACE_TIME },	   { "mnt", CLONE_NEWNS },     { "net", CLONE_NEWNET },
};
#define KINDS (sizeof kinds / sizeof *kinds)

static uint32_t kind_flag(const char *name)
{
	for (size_t i = 0; i < KINDS; i++)
		if (!strcmp(kinds[i].name, name))
			return kinds[i].flag;
	return 0;
}

/* true, false, or a list of the kinds that may be made all the same. */
READER(set_namespaces)
{
	struct spec_service *svc = obj;
	struct str_list l;
	uint32_t allowed = 0;

	if (n->kind != NODE_LIST) {
		svc->namespaces_allowed = 0;
		conf_read_plainly(r, k, obj, n);
		return;
	}
	if (conf_list(r, n, &l) < 0)
		return;
	for (unsigned i = 0; i < l.n; i++) {
		if (!kind_flag(l.v[i])) {
			conf_error(r, n, "'%.40s' is not one of user, mount, pid, network, ipc, uts, cgroup, time",
				   l.v[i]);
			return;
		}
		allowed |= kind_flag(l.v[i]);
	}
	svc->restrict_namespaces = true;
	svc->namespaces_allowed = allowed;
}

PRINTER(put_namespaces)
{
	const struct spec_service *svc = obj;
	const char *names[KINDS];
	struct str_list l = { names, 0 };
	uint32_t seen = 0;

	if (o->form == CONF_FORM_FROM) {
		conf_put_origin(o, o->at);
		return;
	}
	if (!svc->restrict_namespaces || !svc->namespaces_allowed) {
		fputs(svc->restrict_namespaces ? "true" : "false", o->to);
		return;
	}
	(void)k;
	for (size_t i = 0; i < KINDS; i++)
		if (svc->namespaces_allowed & kinds[i].flag & ~seen) {
			seen |= kinds[i].flag;
			names[l.n++] = kinds[i].name;
		}
	conf_put_words(o, &l);
}

/* systemd's names; which of them can be had is the compiler's business. */
int architectures_rule(const void *field, struct err *e)
{
	static const char *const known[] = { "native", "x86-64", "arm64", "x86", "x32", "arm", NULL };
	const struct str_list *l = field;

	for (unsigned i = 0; i < l->n; i++) {
		unsigned j = 0;

		while (known[j] && strcmp(known[j], l->v[i]))
			j++;
		if (!known[j])
			return err_set(e, EINVAL, "'%.40s' is not an architecture like native, x86-64 or arm64",
				       l->v[i]);
	}
	return 0;
}
