/* `prior run` with --preset, --set or -c: the command becomes the one service of a configuration. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/run/wrap.h"

/*
 * The command's exit code (128+N on signal N), 126: it cannot be run, 127: it is not there; -errno: we failed, and
 * *e says why. Passes on what w->send says for each signal.
 */
int run_confine(struct wrap *w, struct err *e);

/* argv after "run"; see init/run/wrap.h for the rest. */
int run_main(int argc, char **argv);
