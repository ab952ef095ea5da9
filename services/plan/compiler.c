/* The compiler as a program: a child of PID 1 that reads the configuration and answers with a plan. */
/* SPDX-License-Identifier: ISC */
#include "init/base/cmdline.h"
#include "init/base/fd.h"
#include "init/base/mono.h"
#include "init/base/pass.h"
#include "init/base/text.h"
#include "services/plan/anchor.h"
#include "services/plan/compile.h"
#include "services/plan/confine.h"
#include "services/plan/enabled.h"
#include "services/plan/image_door.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANSWER_FD 3
#define IMAGES_MS 20000	/* of the 30 s that boot waits */

/* One that was compiled before is handed on, with what was said since; who gets it checks it. */
static int take_plan(int file, const char *path, const char *trust, const struct machine_facts *f, int *out,
		     struct err *e)
{
	owned_fd fd = FD_NONE;
	struct plan p;
	int ret = plan_seal(file, &fd, e);

	if (ret == 0 && trust)	/* of the copy, which nobody can change any more */
		ret = anchor_verify_plan(trust, path, fd, e);
	if (ret < 0 || plan_map(&p, fd, e) < 0)
		return ret < 0 ? ret : err_in(e, "%s", path);
	ret = plan_is_for(&p, path, f->container, e);
	if (ret == 0 && f->enabled->n)
		ret = enabled_apply(&p, f->enabled, out, e);
	else if (ret == 0)
		*out = fd_take(&fd);
	plan_unmap(&p);
	return ret;
}

/* At boot ("*") these are the instances that somebody has enabled. */
static struct str_list instances_of(char **argv, unsigned n, const struct enabled *x)
{
	struct str_list l = { (const char **)argv, n };

	if (n != 1 || strcmp(argv[0], ENABLED_INSTANCES))
		return l;
	l = (struct str_list){ calloc(x->n + 1, sizeof *l.v), 0 };
	for (unsigned i = 0; l.v && i < x->n; i++)
		if (x->v[i].on && strchr(x->v[i].name, '@'))
			l.v[l.n++] = x->v[i].name;
	return l;
}

static int load_and_compile(struct spec *s, const char *path, const struct spec_beside *b,
			    const struct machine_facts *f, int *fd, struct err *e)
{
	owned_fd file = FD_NONE;
	char magic[8] = "";
	int ret = confine_compiler(e);

	if (ret == 0)
		file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (file >= 0 && pread(file, magic, sizeof magic, 0) == (ssize_t)sizeof magic &&
	    !memcmp(magic, PLAN_MAGIC, sizeof magic)) {
		if (b->ip)
			fprintf(stderr, "note: ip=%s on the kernel's command line: the plan is compiled already, "
				"without it\n", b->ip);
		return take_plan(file, path, b->trust, f, fd, e);
	}
	if (ret == 0)
		ret = spec_load_with(s, path, b, e);
	return ret == 0 ? plan_compile_unchecked(s, f, fd, e) : ret;
}

int compiler_main(int argc, char **argv)
{
	struct compiler_report r = { 0 };
	struct machine_facts facts;
	owned_fd fd = FD_NONE;
	struct spec s = { 0 };

	if (argc < 3) {
		fprintf(stderr, "usage: prior-compiler CONFIG machine|container [INSTANCE...] 3<>SOCKET\n");
		return 2;
	}
	facts_find(&facts);	/* before the confinement: it tries things out */
	image_door_open(&facts);
	facts.images_until = mono_now().ms + IMAGES_MS;
	facts.container = !strcmp(argv[2], "container");
	struct enabled said = { 0 };
	struct err why;

	/* What cannot be read was not said: services are then as their files have them. */
	if (enabled_read(&said, getenv(ENABLED_ENV), &why) < 0)
		fprintf(stderr, "note: %s\n", why.text);
	facts.enabled = &said;
	char ip[512], trust[ANCHOR_MAX];
	const struct spec_beside beside = { .instances = instances_of(argv + 3, (unsigned)argc - 3, &said),
					    .container = facts.container,
					    .ip = !facts.container && cmdline_value("ip", ip, sizeof ip) ? ip : NULL,
					    .trust = anchor_find(facts.container, trust) };

	if (load_and_compile(&s, argv[1], &beside, &facts, &fd, &r.err) < 0 && !r.err.code)
		err_set(&r.err, EIO, "compiler: failed without a reason");
	spec_print_problems(&s, stderr);
	fflush(stderr);
	r.errors = s.nerrors;
	r.notes = s.nproblems - s.nerrors;
	return pass_send(ANSWER_FD, &r, sizeof r, fd, 0) < 0;
}
