/* For tests of the compiler: a YAML text becomes a plan in a folder of its own, with an image beside it. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/plan/compile.h"

struct compiled {
	struct spec spec;
	struct plan plan;	/* at == NULL: there is none */
	struct err err;
	int fd, ret;
};

/*
 * The folder: image/ has bin/sh (a link to /bin/tool), etc/passwd, etc/group, etc/resolv.conf, dev proc tmp srv; data/
 * has links.
 */
const char *compiled_folder(void);
int compiled_make_folder(void);
void compiled_remove_folder(void);

/* "@" in the text stands for the folder. facts may be NULL: of a machine. */
void compiled_make(struct compiled *c, const struct machine_facts *facts, const char *yaml);
void compiled_free(struct compiled *c);

const struct plan_service *compiled_service(const struct compiled *c, const char *name);
/* The text of the first problem of that severity which contains `part`; NULL: there is none. */
const char *compiled_problem(const struct compiled *c, unsigned severity, const char *part);
/* Why a service was refused, as in the plan; NULL: it was not. */
const char *compiled_refused(const struct compiled *c, const char *name);
const struct plan_mount *compiled_mount(const struct compiled *c, const struct plan_service *s, const char *target);
const char *compiled_env(const struct compiled *c, const struct plan_service *s, const char *key);

/* One service `web` with these lines, indented by four: it must be planned, or refused with such words. */
const struct plan_service *compiled_web(struct compiled *c, const char *lines);
void compiled_refuses(struct compiled *c, const char *lines, const char *says);
/* For groups of tests: the folder. */
int compiled_setup(void **state);
int compiled_teardown(void **state);
