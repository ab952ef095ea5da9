/* Verbs that ask PID 1 to do something: start, stop, restart, signal, wait, reexec. */
/* SPDX-License-Identifier: ISC */
#include "services/supervise/control.h"
#include "init/base/fd.h"
#include "init/base/mono.h"
#include "init/base/text.h"
#include "init/conf/value.h"
#include "init/ctl/live.h"
#include "init/ctl/request.h"
#include <errno.h>
#include <signal.h>
#include <string.h>

/* --timeout in milliseconds; -1: none was given. */
static int timeout_of(const struct ctl *c, int *ms, struct err *e)
{
	int64_t v = -1;

	if (has(c, OPT_TIMEOUT) && (value_msec(c->value[OPT_TIMEOUT], &v) < 0 || v > INT32_MAX))
		return err_set(e, EINVAL, "--timeout %s: not a time such as 500ms, 30s or 5m", c->value[OPT_TIMEOUT]);
	*ms = (int)v;
	return 0;
}

/* PID 1 knows what it can start; the plan also knows what was refused, and what a person may have meant. */
static int explain(const struct ctl *c, const char *service, struct ctl_reply *r)
{
	const char *names[] = { service, NULL };
	struct live live = { 0 };
	struct views views = { 0 };
	struct err better;
	int code = r->code;

	if (live_open(&live, ctl_run_dir(c), &better) < 0)
		return code;
	int rc = views_take(&views, &live, names, mono_now().ms, &better);

	if (rc == -ENOENT) {
		r->err = better;
	} else if (rc == 0 && views.v[0].refused) {
		err_set(&r->err, EINVAL, "%s was refused: %s", service, views.v[0].refused);
		code = FAILED;
	}
	views_free(&views);
	live_close(&live);
	return code;
}

int request(const struct ctl *c, uint32_t verb, const char *service, int arg, int timeout_ms)
{
	struct ctl_request q = {
		.version = CTL_VERSION, .verb = verb, .arg = arg,
		.flags = has(c, OPT_NO_WAIT) ? CTL_F_NO_WAIT : 0,
	};
	struct ctl_reply r = { 0 };
	struct err e;

	if (service && !text_copy(q.service, sizeof q.service, service))
		return ctl_say(c, UNKNOWN, "there is no service '%.80s': names have at most %zu bytes", service,
			       sizeof q.service - 1);
	if (ctl_ask(ctl_run_dir(c), &q, &r, NULL, timeout_ms, &e) < 0)
		return ctl_fail(c, FAILED, &e);
	if (r.code == UNKNOWN && service)
		r.code = explain(c, service, &r);
	return r.code ? ctl_fail(c, r.code, &r.err) : DONE;
}

#define AT_ONCE 16	/* fewer than PID 1 takes */

/* Asked one after the other, without waiting for one before the next is asked: they start and stop side by side. */
static int many(struct ctl *c, uint32_t verb, int timeout_ms)
{
	int64_t end = mono_now().ms + timeout_ms;
	int fds[AT_ONCE], code = DONE;

	for (int i = 0, asked = 0; i < c->nargs; i++) {
		struct ctl_reply r = { 0 };
		struct err e = { 0 };

		for (; asked < c->nargs && asked < i + AT_ONCE; asked++) {
			struct ctl_request q = { .verb = verb };
			int *fd = &fds[asked % AT_ONCE];

			*fd = FD_NONE;
			if (text_copy(q.service, sizeof q.service, c->args[asked]) &&
			    ctl_connect(ctl_run_dir(c), fd, &e) == 0 && ctl_send(*fd, &q, &e) < 0)
				fd_drop(fd);
		}
		owned_fd fd = fds[i % AT_ONCE];
		int64_t left = end - mono_now().ms;

		int left_ms = timeout_ms < 0 ? -1 : left < 0 ? 0 : (int)left;

		if (fd < 0) {		/* once more, for what is to be said about it */
			int one = request(c, verb, c->args[i], 0, left_ms);

			code = one ? one : code;
		} else if (ctl_hear(fd, &r, NULL, left_ms, &e) < 0) {
			code = ctl_fail(c, FAILED, &e);
		} else if (r.code) {
			r.code = r.code == UNKNOWN ? explain(c, c->args[i], &r) : r.code;
			code = ctl_fail(c, r.code, &r.err);
		}
	}
	return code;
}

/* Each service in its turn; the others too when one fails. */
static int each_service(struct ctl *c, uint32_t verb, int arg, int timeout_ms)
{
	int code = DONE;

	for (int i = 0; i < c->nargs; i++) {
		int one = request(c, verb, c->args[i], arg, timeout_ms);

		code = one ? one : code;
	}
	return code;
}

static int change(struct ctl *c, uint32_t verb)
{
	struct err e;
	int ms = -1;

	if (timeout_of(c, &ms, &e) < 0)
		return ctl_fail(c, USAGE, &e);
	return c->nargs > 1 && !has(c, OPT_NO_WAIT) ? many(c, verb, ms) : each_service(c, verb, 0, ms);
}

int verb_start(struct ctl *c)
{
	return change(c, CTL_START);
}

int verb_stop(struct ctl *c)
{
	return change(c, CTL_STOP);
}

int verb_restart(struct ctl *c)
{
	return change(c, CTL_RESTART);
}

int verb_reload(struct ctl *c)
{
	return change(c, CTL_RELOAD);
}

int verb_signal(struct ctl *c)
{
	const char *name = c->value[OPT_SIGNAL];
	int64_t sig = SIGTERM;

	/* As with kill: a number in front of the services is one, too; only alone it can be the name of a service. */
	if (!name && ((c->args[0][0] >= 'A' && c->args[0][0] <= 'Z') ||
		      (c->nargs > 1 && !c->args[0][strspn(c->args[0], "0123456789")]))) {
		name = *c->args++;
		c->nargs--;
	}
	if (name && value_signal(name, &sig) < 0)
		return ctl_say(c, USAGE, "'%s' is no signal", name);
	if (c->nargs == 0)
		return ctl_say(c, USAGE, "too few arguments; it takes: %s", c->verb->args);
	return each_service(c, CTL_SIGNAL, (int)sig, REQUEST_MS);
}

int verb_wait(struct ctl *c)
{
	struct err e;
	int ms = -1;

	if (timeout_of(c, &ms, &e) < 0)
		return ctl_fail(c, USAGE, &e);
	return request(c, CTL_SETTLED, NULL, 0, ms);
}

int verb_reexec(struct ctl *c)
{
	return request(c, CTL_REEXEC, NULL, 0, REQUEST_MS);
}
