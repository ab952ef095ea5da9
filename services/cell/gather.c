/* The child's descriptors, put in their final place before anything else happens. */
/* SPDX-License-Identifier: ISC */
#include "init/base/sys.h"
#include "services/cell/inner.h"

/*
 * PID 1 may hold thousands of descriptors; the child has a copy of that table. Everything it needs is moved to the
 * front, the rest is closed at once, and from here on a leaked descriptor is one that a step opened itself.
 */
#define FIRST_PASSED 3

/* Descriptor for slot i of the final table, before anything moved. */
static int source_of(const struct cell *c, unsigned i, int null)
{
	const struct cell_start *s = c->start;

	if (i == 0)
		return s->stdin_fd == FD_NONE ? null : s->stdin_fd;
	if (i > FIRST_PASSED + s->npass)
		return s->cgroup_fd;
	if (i >= FIRST_PASSED)
		return i < FIRST_PASSED + s->npass ? s->pass[i - FIRST_PASSED] : c->report;
	if (s->log_fd != FD_NONE)
		return s->log_fd;
	return fcntl((int)i, F_GETFD) < 0 ? null : (int)i;
}

int gather(struct cell *c, struct err *e)
{
	const unsigned report = FIRST_PASSED + c->start->npass;
	const bool leaf = has(c, CELL_POLICIES) && c->start->cgroup_fd >= 0;
	const unsigned n = report + 1 + leaf;
	int at[FIRST_PASSED + CELL_FDS_MAX + 2];
	int null = open("/dev/null", O_RDWR | O_CLOEXEC | O_NOCTTY);

	if (c->start->npass > CELL_FDS_MAX)
		return err_set(e, E2BIG, "%u descriptors to pass; at most %d", c->start->npass, CELL_FDS_MAX);
	for (unsigned i = 0; i < n; i++) {
		at[i] = source_of(c, i, null);
		if (at[i] == FD_NONE)
			return err_sys(e, "/dev/null for descriptor %u", i);
		/* Out of the way of what comes to lie there. */
		if (at[i] < (int)n && at[i] != (int)i)
			at[i] = fcntl(at[i], F_DUPFD_CLOEXEC, (int)n);
		if (at[i] < 0)
			return err_sys(e, "move descriptor %u", i);
	}
	for (unsigned i = 0; i < n; i++) {
		const bool own = i >= report;

		if (at[i] == (int)i ? fcntl(at[i], F_SETFD, own ? FD_CLOEXEC : 0) < 0
				    : dup3(at[i], (int)i, own ? O_CLOEXEC : 0) < 0)
			return err_sys(e, "move descriptor %d to %u", at[i], i);
	}
	if (sys_close_range(n, ~0u, 0) < 0)
		return err_sys(e, "close PID 1's descriptors");
	c->report = (int)report;
	c->leaf = leaf ? (int)report + 1 : FD_NONE;
	return 0;
}
