/* The compiler as a program: a child of PID 1 that reads the configuration and answers with a plan. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "init/base/pass.h"
#include "init/base/text.h"
#include "services/plan/compile.h"
#include "services/plan/confine.h"
#include "services/plan/image_door.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define ANSWER_FD 3

static int load_and_compile(struct spec *s, const char *path, const struct str_list *instances,
			    const struct machine_facts *f, int *fd, struct err *e)
{
	owned_fd file = FD_NONE;
	char magic[8] = "";
	int ret = confine_compiler(e);

	/* A plan that was compiled before is handed on; who gets it checks it. */
	if (ret == 0)
		file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (file >= 0 && pread(file, magic, sizeof magic, 0) == (ssize_t)sizeof magic &&
	    !memcmp(magic, PLAN_MAGIC, sizeof magic))
		return plan_seal(file, fd, e);
	if (ret == 0)
		ret = spec_load_with(s, path, instances, e);
	return ret == 0 ? plan_compile_unchecked(s, f, fd, e) : ret;
}

int compiler_main(int argc, char **argv)
{
	struct compiler_report r = { 0 };
	struct machine_facts facts;
	struct plan_head head;
	owned_fd fd = FD_NONE;
	struct spec s = { 0 };

	if (argc < 3) {
		fprintf(stderr, "usage: prior-compiler CONFIG machine|container [INSTANCE...] 3<>SOCKET\n");
		return 2;
	}
	facts_find(&facts);	/* before the confinement: it tries things out */
	image_door_open(&facts);
	facts.container = !strcmp(argv[2], "container");
	const struct str_list instances = { (const char **)argv + 3, (unsigned)argc - 3 };

	if (load_and_compile(&s, argv[1], &instances, &facts, &fd, &r.err) < 0 && !r.err.code)
		err_set(&r.err, EIO, "compiler: failed without a reason");
	spec_print_problems(&s, stderr);
	fflush(stderr);
	r.errors = s.nerrors;
	r.notes = s.nproblems - s.nerrors;
	if (fd >= 0 && pread(fd, &head, sizeof head, 0) == (ssize_t)sizeof head) {
		r.services = head.services.n;
		r.refused = head.refused.n;
	}
	return pass_send(ANSWER_FD, &r, sizeof r, fd, 0) < 0;
}
