/* The boot's stages for a machine's interfaces, alone, with the counted messages of net.c. For net.py. */
/* SPDX-License-Identifier: ISC */
#include "init/base/text.h"
#include "init/stages.h"
#include "services/plan/compile.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int load(struct boot *b, const char *config, const char *ip, struct err *e)
{
	const struct spec_beside beside = { .ip = ip };
	struct machine_facts facts;
	struct spec s;

	facts_of_machine(&facts);
	if (spec_load_with(&s, config, &beside, e) < 0 || plan_compile(&s, &facts, &b->plan_fd, e) < 0)
		return -e->code;
	spec_free(&s);
	return plan_map(&b->plan, b->plan_fd, e);
}

/* CONFIG STAGE [IP]: what fails is said, as at boot. */
int main(int argc, char **argv)
{
	struct boot b = { .console_fd = STDOUT_FILENO };
	struct err e;

	if (argc < 3 || load(&b, argv[1], argv[3], &e) < 0) {
		fprintf(stderr, "stages: %s\n", argc < 3 ? "CONFIG STAGE [IP]" : e.text);
		return 2;
	}
	const int ret = !strcmp(argv[2], "names") ? stage_names(&b, &e) : stage_network(&b, &e);

	if (ret < 0)
		boot_say(&b, "%s FAILED: %s", argv[2], e.text);
	return ret < 0;
}
