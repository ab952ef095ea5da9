/* One socket of `listen`, made from its row of the plan. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/err.h"
#include "services/plan/plan.h"
#include <stdbool.h>

/*
 * *out is the caller's: bound, listening where its kind listens, CLOEXEC, blocking, because it is shared with the
 * service. The directories on the way to a file are made when they are missing (0755). A socket or FIFO that nobody
 * has open, left by an earlier run, is replaced; anything else that is there is EEXIST or EADDRINUSE. e says "listen
 * on ADDRESS: why". Nothing here blocks: no name is looked up.
 */
int bind_socket(const struct plan *p, const struct plan_listen *l, int *out, struct err *e);

/* Whether fd, which somebody handed us, is a socket of that kind; its address is who handed it in to choose. */
int bind_check(const struct plan_listen *l, int fd, struct err *e);

/* Whether the path still leads to this socket or FIFO: somebody may have removed it. True where there is no path. */
bool bind_is_there(const struct plan *p, const struct plan_listen *l, int fd);

/* The file of a socket that is to go, if it is still ours. */
void bind_remove_file(const struct plan *p, const struct plan_listen *l, int fd);

/*
 * The directory of path (O_PATH, the caller's) and the name in it. Missing directories are made. Where somebody but
 * root and us can write to a directory, no link in it is followed: ELOOP.
 */
int place_open(const char *path, int *dir, const char **name, struct err *e);
