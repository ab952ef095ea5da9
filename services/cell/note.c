/* What builder and service tell each other, and what PID 1 is told. */
/* SPDX-License-Identifier: ISC */
#include "init/base/mono.h"
#include "init/base/pass.h"
#include "init/base/sys.h"
#include "services/cell/inner.h"
#include <linux/capability.h>
#include <string.h>

int note_send(const struct cell *c, const struct note *n, int fd, struct err *e)
{
	if (pass_send(c->sync, n, sizeof *n, fd, 0) < 0)
		return err_sys(e, "the other process of the start is gone");
	return 0;
}

int note_receive(const struct cell *c, struct note *n, int *fd, struct err *e)
{
	const ssize_t got = pass_receive(c->sync, n, sizeof *n, fd, 0);

	if (got < 0)
		return err_sys(e, "wait for the other process of the start");
	if (got != sizeof *n)
		return err_set(e, EPIPE, "the other process of the start is gone");
	return 0;
}

int note_ask(const struct cell *c, uint32_t kind, int *fd, struct err *e)
{
	struct note n = { .kind = kind };

	if (note_send(c, &n, FD_NONE, e) < 0 || note_receive(c, &n, fd, e) < 0)
		return -e->code;
	return n.kind == NOTE_GO ? 0 : err_set(e, EPROTO, "the builder answered %u", n.kind);
}

bool may_trace_anybody(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[2] = { 0 };

	return syscall(SYS_capget, &head, d) == 0 && (d[0].effective >> CAP_SYS_PTRACE & 1);
}

int report_send(const struct cell *c, const struct cell_report *r)
{
	/* SIGPIPE is blocked, as all that PID 1 watches: it would come at the exec, and who supervises is gone then. */
	return (int)(c->start->spawned ? write(c->report, r, sizeof *r)
				       : send(c->report, r, sizeof *r, MSG_NOSIGNAL));
}

int report_born(const struct cell *c, struct err *e)
{
	struct cell_report r = { .kind = CELL_MSG_BORN, .service = getpid() };

	if (c->start->spawned && report_send(c, &r) < 0)
		return err_sys(e, "tell PID 1");
	return 0;
}

int cell_failed(const struct cell *c, uint32_t step, bool missing, const struct err *e)
{
	struct cell_report r = { .kind = CELL_MSG_FAILED, .service = c->service, .reaper = c->reaper, .step = step,
				 .missing = missing, .setup_us = mono_us() - c->began_us, .err = *e };
	struct note n = { .kind = NOTE_FAILED, .step = step, .missing = missing, .err = *e };
	struct err lost;

	if (c->sync >= 0 && c->service == 0)
		note_send(c, &n, FD_NONE, &lost);	/* the service tells its builder */
	else
		report_send(c, &r);
	return (int)step;
}
