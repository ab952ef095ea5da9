/* The mounts of a cell as facts: what each kind of row makes, so that making and comparing agree. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/cell/inner.h"

struct mount_kind_row {
	const char *name;	/* for messages */
	const char *type;	/* what mountinfo calls it; NULL: whatever the source is */
	bool exact;		/* the attributes are the row's and no more; otherwise the source's may come to them */
	uint64_t attr;		/* attributes that the kind always has */
};
extern const struct mount_kind_row mount_kinds[MOUNT_KINDS];

/* What MOUNT_DEV mounts inside, unless the plan has a row of its own for that place. */
struct dev_part {
	const char *name, *type, *options;
	uint64_t attr;
};
#define DEV_PARTS 2u
extern const struct dev_part dev_parts[DEV_PARTS];
bool dev_part_is_replaced(const struct plan *p, const struct plan_service *s, const struct plan_mount *dev,
			  const struct dev_part *part);
uint64_t dev_attr(const struct plan_mount *m);	/* of the sealed /dev */

/* path is dir, or below it. */
bool path_is_at_or_below(const char *path, const char *dir);
/* A row of the plan lays something over this path or above it, so that a mount of the machine there is not wanted. */
bool is_covered(const struct plan *p, const struct plan_service *s, const char *path);

/* image.c: the service's root out of its image, which must be the one that was signed; a detached mount. */
int root_from_image(const struct cell *c, struct err *e);
/* What a bind shows: the plan's path, or the machine's notify socket; O_PATH, the caller's. */
int root_open_source(const struct cell *c, const struct plan_mount *m, struct err *e);
/* The service's credentials; a detached mount. */
int root_secrets(struct cell *c, const struct plan_mount *m, int target, struct err *e);
/* Nothing, to lie over target; a detached mount. */
int root_cover(struct cell *c, const struct plan_mount *m, int target, struct err *e);
/* Attributes of what is there; where no mount begins, one is made, so that they have something to hold on to. */
int root_remount(const struct cell *c, const struct plan_mount *m, int target, struct err *e);
/* Service: the machine's mounts that no row covers, into the new root. */
int root_copy_machine(struct cell *c, struct err *e);

/* step_secrets.c: the detached ramfs for a MOUNT_CREDENTIALS row, filled, handed over and read-only. */
int secrets_mount(const struct cell *c, struct err *e);
