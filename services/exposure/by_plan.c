/* What a plan says about exposure. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "init/base/sys.h"
#include "services/cell/root.h"
#include "services/exposure/exposure.h"
#include "services/plan/types.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static struct exposed_mount *lay(struct exposed *x, struct exposed_mount m)
{
	x->mounts[x->nmounts] = m;
	return &x->mounts[x->nmounts++];
}

/* What lies there, and below where the row says so, gets other attributes; a place without a mount becomes one. */
static void change_attributes(struct exposed *x, const struct plan *p, const struct plan_mount *row)
{
	const char *target = plan_str(p, row->target);
	const struct exposed_mount *there = exposed_at(x, target);

	if (there && strcmp(there->target, target) != 0) {
		struct exposed_mount m = *there;

		m.target = target;
		lay(x, m);
	}
	for (struct exposed_mount *m = x->mounts; m < x->mounts + x->nmounts; m++)
		if (!strcmp(m->target, target) || (row->flags & MOUNT_F_REC && path_is_at_or_below(m->target, target)))
			m->attr = (m->attr | row->attr) & ~row->clear;
}

static void lay_row(struct exposed *x, const struct plan *p, const struct plan_mount *row)
{
	const struct mount_kind_row *k = &mount_kinds[row->kind];
	const char *target = plan_str(p, row->target);

	if (row->kind == MOUNT_REMOUNT) {
		change_attributes(x, p, row);
		return;
	}
	/* The machine's own, once more: to be writable again, or with other attributes. */
	const bool again = row->kind == MOUNT_BIND && !x->root_tree && !strcmp(plan_str(p, row->source), target);

	lay(x, (struct exposed_mount){
		.machines = again, .target = target, .type = k->type,
		.options = plan_str(p, row->data), .attr = row->attr | k->attr,
		.covered = row->kind == MOUNT_INACCESSIBLE,
		.volume = row->kind == MOUNT_BIND && !again &&
			  !(row->flags & (MOUNT_F_RUNTIME | MOUNT_F_OWN | MOUNT_F_HOSTS)),
	});
}

static int lay_mounts(struct exposed *x, const struct plan *p, const struct plan_service *s, struct err *e)
{
	x->mounts = x->owned[0] = calloc(2 * s->mounts.n + 1, sizeof *x->mounts);
	if (!x->mounts)
		return err_set(e, ENOMEM, "memory for %u mounts", s->mounts.n);
	lay(x, (struct exposed_mount){ .target = "/", .machines = !(s->flags & CELL_ROOT_TREE),
				       .attr = s->flags & CELL_ROOT_IMAGE ? MOUNT_ATTR_RDONLY : 0 });
	if (s->flags & CELL_MOUNT)
		PLAN_EACH(struct plan_mount, m, p, s->mounts)
			lay_row(x, p, m);
	return 0;
}

static bool has_limit(const struct plan *p, const struct plan_service *s, const char *file)
{
	PLAN_EACH(struct plan_file, f, p, s->cgroup)
		if (!strcmp(plan_str(p, f->path), file) && strcmp(plan_str(p, f->value), "max") != 0)
			return true;
	return false;
}

static bool dumps_core(const struct plan *p, const struct plan_service *s)
{
	PLAN_EACH(struct plan_rlimit, l, p, s->rlimits)
		if (l->resource == RLIMIT_CORE)
			return l->soft != 0;
	return true;
}

/* A user without CELL_CAPS has what an ordinary user has: nothing, but a full bounding set. */
static void capabilities(struct exposed *x, const struct plan_service *s)
{
	x->bounding = s->flags & CELL_CAPS ? s->caps : UINT64_MAX;
	x->ambient = s->flags & CELL_CAPS ? s->caps : 0;
}

int exposed_by_plan(struct exposed *x, const struct plan *p, const struct plan_service *s, struct err *e)
{
	const char *root = s->flags & CELL_ROOT_TREE ? plan_str(p, s->root) : "/";

	*x = (struct exposed){
		.uid = s->uid, .gid = s->gid, .umask = s->umask, .spaces = s->flags & CELL_NAMESPACES,
		.more_groups = s->groups.n > 0, .no_new_privs = s->flags & CELL_NNP, .keyring = s->flags & CELL_KEYRING,
		.root_tree = s->flags & CELL_ROOT_TREE, .only_loopback = !plan_network(p, s)->links.n,
		.device_program = s->flags & CELL_DEVICES, .inert_caps = s->flags & CELL_USER,
		.no_new_spaces = s->flags & CELL_NO_NEW_NS,
		.any_may_notify = any_may_notify(s),
		.landlock = s->flags & CELL_LANDLOCK, .core_dumps = dumps_core(p, s),
		.pids_limit = has_limit(p, s, "pids.max"), .memory_limit = has_limit(p, s, "memory.max"),
		.arch = p->head->arch, .owned_root = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC),
	};
	if (s->flags & CELL_SECCOMP) {
		x->filter = plan_array(p, s->seccomp);
		x->nfilter = s->seccomp.n;
	}
	x->root = x->owned_root;
	x->maps_root = !(s->flags & CELL_NAMESPACES & CELL_USERS);
	capabilities(x, s);
	if (lay_mounts(x, p, s, e) == 0)
		return 0;
	exposed_free(x);
	return -e->code;
}

void exposed_free(struct exposed *x)
{
	for (unsigned i = 0; i < sizeof x->owned / sizeof *x->owned; i++)
		free(x->owned[i]);
	fd_drop(&x->owned_root);
	*x = (struct exposed){ .root = FD_NONE, .owned_root = FD_NONE };
}
