/* What the two files that make a mount plan share. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/sys.h"
#include "services/plan/compiling.h"

/* Add a row and, unless it only changes attributes, what is to be seen there; seat.fd is taken over. */
bool mount_add(struct compiling *c, struct work *w, struct plan_mount m, const char *target, struct seat seat);
enum mount_need { NEEDED, IF_POSSIBLE, IF_THERE };
void mount_own(struct compiling *c, struct work *w, struct plan_mount m, const char *path, enum mount_need need,
	       struct seat seat);
bool mount_writable_noexec(const struct work *w);

/* MOUNT_F_CREATE where the target is missing and may be made, 0 where it is there, -1. */
int mount_make_flag(const struct work *w, const struct found *f);

/* compile_volumes.c: what the user mounts himself, and files that prior writes. */
const char *path_plain(struct compiling *c, const char *path);		/* without double and trailing slashes */
const char *volume_target(struct compiling *c, const char *volume);
const char *tmp_options(struct compiling *c, const struct work *w);
/* compile_policies.c: a device of the user's into the policy; NULL, or what is wrong with it. mode: of rwm, "": rw. */
const char *policy_device(struct compiling *c, struct work *w, int fd, const char *mode);
void mount_users(struct compiling *c, struct work *w);
void mount_paths(struct compiling *c, struct work *w);
void mount_names(struct compiling *c, struct work *w);	/* hosts, resolv.conf */
void mount_credentials(struct compiling *c, struct work *w);
void mount_notify(struct compiling *c, struct work *w);
