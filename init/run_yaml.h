/* The configuration that `prior run --preset P --set key=value -- COMMAND` stands for, as YAML text. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/err.h"
#include "init/base/text.h"

#define RUN_SETS_MAX 64

struct run_set {
	const char *key;	/* dotted: "limits.nofile" */
	const char *value;	/* YAML, as written */
};

/*
 * base (may be NULL) is the text of `-c FILE`; it may hold defaults, network and the like, but no services. sets are
 * sorted in place. E2BIG: it does not fit into out.
 */
int run_yaml(struct text *out, const char *base, struct run_set *sets, unsigned n, char *const *command, struct err *e);
