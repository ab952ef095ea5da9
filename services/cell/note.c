/* What builder and service tell each other, and what PID 1 is told. */
/* SPDX-License-Identifier: ISC */
#include "init/base/mono.h"
#include "services/cell/inner.h"
#include <string.h>
#include <sys/socket.h>

int note_send(const struct cell *c, const struct note *n, struct err *e)
{
	if (send(c->sync, n, sizeof *n, MSG_NOSIGNAL) < 0)
		return err_sys(e, "the other process of the start is gone");
	return 0;
}

int note_receive(const struct cell *c, struct note *n, struct err *e)
{
	const ssize_t got = recv(c->sync, n, sizeof *n, 0);

	if (got < 0)
		return err_sys(e, "wait for the other process of the start");
	if (got != sizeof *n)
		return err_set(e, EPIPE, "the other process of the start is gone");
	return 0;
}

int note_ask(const struct cell *c, uint32_t kind, struct err *e)
{
	struct note n = { .kind = kind };

	if (note_send(c, &n, e) < 0 || note_receive(c, &n, e) < 0)
		return -e->code;
	return n.kind == NOTE_GO ? 0 : err_set(e, EPROTO, "the builder answered %u", n.kind);
}

int report_send(const struct cell *c, const struct cell_report *r)
{
	return (int)send(c->report, r, sizeof *r, MSG_NOSIGNAL);
}

int cell_failed(const struct cell *c, uint32_t step, bool missing, const struct err *e)
{
	struct cell_report r = { .kind = CELL_MSG_FAILED, .service = c->service, .reaper = c->reaper, .step = step,
				 .missing = missing, .setup_us = mono_us() - c->began_us, .err = *e };
	struct note n = { .kind = NOTE_FAILED, .step = step, .missing = missing, .err = *e };
	struct err lost;

	if (c->sync >= 0 && c->service == 0)
		note_send(c, &n, &lost);	/* the service tells its builder */
	else
		report_send(c, &r);
	return (int)step;
}
