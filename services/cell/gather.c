/* The child's descriptors, put in their final place before anything else happens. */
/* SPDX-License-Identifier: ISC */
#include "init/base/sys.h"
#include "init/base/text.h"
#include "services/cell/inner.h"

/*
 * PID 1 may hold thousands of descriptors; the child has a copy of that table. Everything it needs is moved to the
 * front, the rest is closed at once, and from here on a leaked descriptor is one that a step opened itself.
 */

/* The final table: 0, 1, 2, the passed ones, behind them our own; the readiness pipe may lie anywhere above those. */
struct layout {
	unsigned first, ready, report, leaf, net, n; /* ready, leaf, net: 0 when there is none */
	int null;
};

static struct layout layout_of(const struct cell *c)
{
	struct layout l = { .first = FIRST_PASSED + c->start->npass, .ready = ready_at(c) };
	const bool leaf = makes(c) && has(c, CELL_POLICIES) && c->start->cgroup_fd >= 0;

	const bool net = makes(c) && c->start->net_fd > 0;

	/* Ours go behind the pipe where it would be in their way. */
	l.report = l.ready && l.ready < l.first + 3 ? l.ready + 1 : l.first;
	l.leaf = leaf ? l.report + 1 : 0;
	l.net = net ? l.report + 1 + leaf : 0;
	l.n = l.report + 1 + leaf + net;
	return l;
}

/*
 * Behind a mount of its own that is read-only: who owns a device file may change it through any descriptor of it, and a
 * cell's uid 0 without a capability still owns the machine's /dev/null (an OCI runtime gives it to the service's user).
 * Where no mount can be made it is the plain one, as somebody else's container or user namespace has it.
 */
int gather_null(void)
{
	owned_fd tree = sys_open_tree(AT_FDCWD, "/dev/null", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	struct mount_attr a = { .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC };
	char path[40] = "/dev/null";
	struct text t = TEXT_IN(path);

	if (tree >= 0 && sys_mount_setattr(tree, "", AT_EMPTY_PATH, &a) == 0)
		text_fmt(&t, "/proc/self/fd/%d", tree);
	return open(path, O_RDWR | O_CLOEXEC | O_NOCTTY);
}

/* Descriptor for slot i, before anything moved; FD_NONE: the slot stays empty. */
static int source_of(const struct cell *c, const struct layout *l, unsigned i)
{
	const struct cell_start *s = c->start;

	if (i == 0)
		return s->stdin_fd == FD_NONE ? l->null : s->stdin_fd;
	if (i == 1 && s->stdio)
		return s->stdin_fd;
	if (i == 1 && s->out_fd > 0)
		return s->out_fd;
	if (i < FIRST_PASSED && s->log_fd != FD_NONE)
		return s->log_fd;
	if (i < FIRST_PASSED)
		return fcntl((int)i, F_GETFD) < 0 ? l->null : (int)i;
	if (i < l->first)
		return s->pass[i - FIRST_PASSED];
	if (l->ready && i == l->ready)
		return s->ready_fd;
	if (l->net && i == l->net)
		return s->net_fd;
	return i == l->report ? c->report : l->leaf && i == l->leaf ? s->cgroup_fd : FD_NONE;
}

static bool is_empty(const struct layout *l, unsigned i)
{
	return i >= l->first && i != l->ready && i != l->report && i != l->leaf && i != l->net;
}

/* Out of the way of what comes to lie there. */
static int take_up(const struct cell *c, const struct layout *l, int *at, struct err *e)
{
	for (unsigned i = 0; i < l->n; i++) {
		at[i] = source_of(c, l, i);
		if (is_empty(l, i))
			continue;
		if (at[i] == FD_NONE)
			return err_sys(e, "/dev/null for descriptor %u", i);
		if (at[i] < (int)l->n && at[i] != (int)i)
			at[i] = fcntl(at[i], F_DUPFD_CLOEXEC, (int)l->n);
		if (at[i] < 0)
			return err_sys(e, "move descriptor %u", i);
	}
	return 0;
}

static int put_down(const struct layout *l, const int *at, struct err *e)
{
	for (unsigned i = 0; i < l->n; i++) {
		const bool own = i >= l->first && i != l->ready;

		if (is_empty(l, i))
			sys_close_range(i, i, 0);
		else if (at[i] == (int)i ? fcntl(at[i], F_SETFD, own ? FD_CLOEXEC : 0) < 0
					 : dup3(at[i], (int)i, own ? O_CLOEXEC : 0) < 0)
			return err_sys(e, "move descriptor %d to %u", at[i], i);
	}
	return 0;
}

int gather(struct cell *c, struct err *e)
{
	int at[FIRST_PASSED + CELL_FDS_MAX + 5], pipe = c->start->ready_fd;
	struct layout l = layout_of(c);
	const bool far = l.ready >= l.n;

	/* With both given nothing is missing. */
	l.null = c->start->stdin_fd >= 0 && c->start->log_fd >= 0 ? FD_NONE :
		 gather_null();
	if (c->start->npass > CELL_FDS_MAX)
		return err_set(e, E2BIG, "%u descriptors to pass; at most %d", c->start->npass, CELL_FDS_MAX);
	if (far && (pipe = fcntl(pipe, F_DUPFD_CLOEXEC, (int)l.n)) < 0)
		return err_sys(e, "move the readiness pipe");
	if (take_up(c, &l, at, e) < 0 || put_down(&l, at, e) < 0)
		return -e->code;
	if (far && (pipe == (int)l.ready ? fcntl(pipe, F_SETFD, 0) : dup2(pipe, (int)l.ready)) < 0)
		return err_sys(e, "move the readiness pipe to %u", l.ready);
	if ((far && l.ready > l.n && sys_close_range(l.n, l.ready - 1, 0) < 0) ||
	    sys_close_range(far ? l.ready + 1 : l.n, ~0u, 0) < 0)
		return err_sys(e, "close PID 1's descriptors");
	c->report = (int)l.report;
	c->leaf = l.leaf ? (int)l.leaf : FD_NONE;
	c->net = l.net ? (int)l.net : FD_NONE;
	return 0;
}
