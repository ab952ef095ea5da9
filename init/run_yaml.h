/* The configuration that `prior run --preset P --set key=value -- COMMAND` stands for, as YAML text. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/err.h"
#include "init/base/text.h"
#include "init/run/wrap.h"

/*
 * base (may be NULL) is the text of `-c FILE`; it may hold defaults, network and the like, but no services. sets are
 * sorted in place. E2BIG: it does not fit into out.
 */
int run_yaml(struct text *out, const char *base, struct run_set *sets, unsigned n, char *const *command, struct err *e);

/*
 * The service `main`: a container's CMD beside the declared services. It gets our environment, and its end is the end.
 * E2BIG, EILSEQ: as above.
 */
int run_yaml_main(struct text *out, char *const *command, char *const *env, struct err *e);
