/* `prior show SERVICE --bundle`: the config.json that an OCI runtime would get. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "init/ctl/config.h"
#include "services/plan/image_door.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Where a start puts its own words, the ones of a machine that prior boots; its sockets' variables are left out. */
static void print(const struct plan *p, const struct plan_service *s)
{
	const char *at = plan_str(p, s->bundle), *end = at + s->bundle.n;

	while (at < end) {
		const size_t n = strcspn(at, OCI_MARK_RUN OCI_MARK_CGROUP OCI_MARK_ENV);

		fwrite(at, 1, n, stdout);
		at += n;
		if (at < end && *at == OCI_MARK_RUN[0])
			fputs("/run/prior", stdout);
		else if (at < end && *at == OCI_MARK_CGROUP[0])
			printf("/%s", plan_str(p, s->name));
		else if (at < end)
			printf("container=%s", oci_runtimes[s->runtime_kind]);
		at++;
	}
	putchar('\n');
}

static int of_plan(struct ctl *c, int fd)
{
	const char *name = c->args[0];
	struct plan p;
	struct err e;

	if (plan_map(&p, fd, &e) < 0)
		return ctl_fail(c, FAILED, &e);
	const int i = plan_find(&p, name);
	const bool has_one = i >= 0 && plan_service(&p, (uint32_t)i)->runtime_kind;

	if (has_one)
		print(&p, plan_service(&p, (uint32_t)i));
	plan_unmap(&p);
	if (has_one)
		return DONE;
	return i < 0 ? ctl_say(c, FAILED, "%s: refused, or no such service", name) :
	       ctl_say(c, FAILED, "%s: has no bundle: it runs under no OCI runtime (security.runtime)", name);
}

int show_bundle(struct ctl *c, struct spec *s)
{
	struct machine_facts facts;
	owned_fd fd = FD_NONE;
	struct err e;

	facts_of_machine(&facts);
	image_door_open(&facts);
	const int rc = plan_compile(s, &facts, &fd, &e);

	image_door_close(&facts);
	if (s->nerrors > 0)
		spec_print_problems(s, stderr);
	return rc < 0 ? ctl_fail(c, FAILED, &e) : of_plan(c, fd);
}
