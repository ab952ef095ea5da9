/* PID 1's side of the control socket: see server.h and control.h. */
/* SPDX-License-Identifier: ISC */
#include "services/supervise/server.h"
#include "init/base/text.h"
#include "services/supervise/care.h"
#include "services/supervise/client.h"
#include "services/supervise/control.h"
#include "services/supervise/ending.h"
#include "services/supervise/fsm.h"
#include "services/supervise/instances.h"
#include "services/supervise/reload.h"
#include "services/supervise/stop.h"
#include "services/supervise/trial.h"
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

/* In ledger_client.service of one that waits for a reload. */
#define RELOAD_NOT_SAID 1u	/* what the compiler says of it is still to be sent */
#define RELOAD_DRY 2u
#define RELOAD_NOT_DONE 4u	/* it was said that it is good; it is not in effect yet */

void client_drop(struct prior *p, uint32_t c)
{
	instances_forget(p, c);
	loop_remove(&p->loop, &p->client_src[c]);
	fd_drop(&client(p, c)->fd);
	*client(p, c) = (struct ledger_client){ .fd = FD_NONE, .verb = CTL_VERBS };
}

/* One packet, never blocking. False: the client is gone or does not read. */
bool client_send(int fd, int code, const struct err *why, const int *fds)
{
	struct ctl_reply r = { .version = CTL_VERSION, .code = code };
	union {
		char at[CMSG_SPACE(2 * sizeof(int))];
		struct cmsghdr head;
	} control = { { 0 } };
	struct iovec v = { &r, sizeof r };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };

	if (why)
		r.err = *why;
	if (fds) {
		m.msg_control = control.at;
		m.msg_controllen = sizeof control.at;
		control.head = (struct cmsghdr){ .cmsg_len = CMSG_LEN(2 * sizeof(int)), .cmsg_level = SOL_SOCKET,
						 .cmsg_type = SCM_RIGHTS };
		memcpy(CMSG_DATA(&control.head), fds, 2 * sizeof(int));
	}
	return sendmsg(fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)sizeof r;
}

/* Who went away or does not read is told nothing; that the kernel would not take an answer is worth an event. */
static void reply_or_drop(struct prior *p, uint32_t c, int code, const struct err *why, const int *fds)
{
	struct err e;

	if (client_send(client(p, c)->fd, code, why, fds))
		return;
	if (errno != EPIPE && errno != ECONNRESET && errno != EAGAIN) {
		err_sys(&e, "send an answer");
		prior_say(p, "warning", "control", NULL, e.text);
	}
	client_drop(p, c);
}

void client_answer(struct prior *p, uint32_t c, int code, const struct err *why)
{
	client(p, c)->verb = CTL_VERBS;
	client(p, c)->name[0] = '\0';
	reply_or_drop(p, c, code, why, NULL);
}

static void refuse(struct prior *p, uint32_t c, int code, int number, const char *text)
{
	struct err e;

	err_set(&e, number, "%s", text);
	client_answer(p, c, code, &e);
}

/* --- what the verbs do; index: a service, or 0 where the verb takes none --- */

static void wait_for_result(struct prior *p, uint32_t c, const struct ctl_request *q, uint32_t i)
{
	if (q->flags & CTL_F_NO_WAIT) {
		client_answer(p, c, 0, NULL);
		return;
	}
	client(p, c)->verb = q->verb;
	client(p, c)->service = i;
	client(p, c)->since_ms = p->loop.now.ms;
}

void server_open_ledger(struct prior *p)
{
	char path[40];
	struct text t = TEXT_IN(path);

	text_fmt(&t, "/proc/self/fd/%d", p->ledger.fd);
	p->ledger.head->ledger_ro_fd = open(path, O_RDONLY | O_CLOEXEC);
}

static void do_state(struct prior *p, uint32_t c, const struct ctl_request *q, uint32_t i)
{
	struct ledger_head *h = p->ledger.head;
	struct err e;

	(void)q, (void)i;
	if (h->ledger_ro_fd < 0)
		server_open_ledger(p);
	const int fds[2] = { h->ledger_ro_fd, h->plan_fd };

	if (h->ledger_ro_fd >= 0) {
		reply_or_drop(p, c, 0, NULL, fds);
		return;
	}
	err_sys(&e, "open the ledger for reading (is /proc mounted?)");
	client_answer(p, c, 1, &e);
}

static void do_start(struct prior *p, uint32_t c, const struct ctl_request *q, uint32_t i)
{
	if (p->ledger.head->shutdown) {
		refuse(p, c, 1, ESHUTDOWN, "everything is being shut down");
		return;
	}
	if (p->run[i].base) {
		refuse(p, c, 1, EINVAL, "it serves one connection; only a connection starts it");
		return;
	}
	svc_post(p, i, q->verb == CTL_START ? EV_START : EV_RESTART);
	wait_for_result(p, c, q, i);
}

static void do_stop(struct prior *p, uint32_t c, const struct ctl_request *q, uint32_t i)
{
	{
		LEDGER_WRITE(svc_of(p, i));
		svc_of(p, i)->flags |= SVC_F_STOPPED_BY_USER;
		svc_of(p, i)->flags &= ~SVC_F_BACK;
	}
	svc_post(p, i, EV_STOP);
	wait_for_result(p, c, q, i);
}

static void do_reload_service(struct prior *p, uint32_t c, const struct ctl_request *q, uint32_t i)
{
	struct err e;

	if (care_reload(p, i, &e) < 0)
		client_answer(p, c, 1, &e);
	else if (svc_of(p, i)->flags & SVC_F_RELOAD_ASKED)
		wait_for_result(p, c, q, i);
	else
		client_answer(p, c, 0, NULL);
}

static void do_signal(struct prior *p, uint32_t c, const struct ctl_request *q, uint32_t i)
{
	struct err e = { 0 };
	int rc = q->arg < 0 || q->arg > 64 ? err_set(&e, EINVAL, "signal %d: there is none of that number", q->arg) :
		 stop_signal_main(p, i, q->arg, &e);

	client_answer(p, c, rc < 0 ? 1 : 0, rc < 0 ? &e : NULL);
}

static void do_end(struct prior *p, uint32_t c, const struct ctl_request *q, uint32_t i)
{
	static const enum shutdown_kind kinds[CTL_VERBS] = {
		[CTL_POWEROFF] = SHUTDOWN_POWEROFF, [CTL_REBOOT] = SHUTDOWN_REBOOT, [CTL_HALT] = SHUTDOWN_HALT,
		[CTL_KEXEC] = SHUTDOWN_KEXEC, [CTL_SOFT_REBOOT] = SHUTDOWN_SOFT,
	};
	struct ledger_head *h = p->ledger.head;
	enum shutdown_kind kind = h->mode == MODE_MACHINE ? kinds[q->verb] : SHUTDOWN_EXIT;

	(void)i;
	if (q->arg < 0 || !memchr(q->service, '\0', sizeof q->service)) {
		refuse(p, c, 1, EINVAL, "when, or the argument for the firmware, is none");
		return;
	}
	if (h->shutdown) {	/* the first kind stays */
		client_answer(p, c, 0, NULL);
		return;
	}
	text_copy(h->reboot_arg, sizeof h->reboot_arg, q->service);
	if (q->arg > 0)
		ending_plan(p, kind, q->arg * 1000ll);
	else
		ending_begin(p, kind);
	client_answer(p, c, 0, NULL);
}

static void do_cancel(struct prior *p, uint32_t c, const struct ctl_request *q, uint32_t i)
{
	(void)q, (void)i;
	if (ending_cancel(p))
		client_answer(p, c, 0, NULL);
	else
		refuse(p, c, 1, ENOENT, "nothing was planned");
}

static void do_reexec(struct prior *p, uint32_t c, const struct ctl_request *q, uint32_t i)
{
	const char *path = p->ledger.head->exe;
	struct err e;

	(void)i;
	if (p->ledger.head->shutdown) {
		refuse(p, c, 1, ESHUTDOWN, "everything is being shut down");
		return;
	}
	int fd = open(path, O_PATH | O_CLOEXEC);

	if (fd < 0) {
		err_sys(&e, "open the binary %s", path[0] ? path : "(unknown)");
		client_answer(p, c, 1, &e);
		return;
	}
	if (trial_begin(p, fd, &e) < 0) {
		fd_drop(&fd);
		client_answer(p, c, 1, &e);
		return;
	}
	client(p, c)->verb = q->verb;
	client(p, c)->since_ms = p->loop.now.ms;
}

static void do_reload(struct prior *p, uint32_t c, const struct ctl_request *q, uint32_t i)
{
	struct err e;

	(void)i;
	if (reload_begin(p, (int)c, q->flags & CTL_F_DRY, &e) < 0) {
		client_answer(p, c, 1, &e);
		return;
	}
	client(p, c)->verb = q->verb;
	client(p, c)->service = RELOAD_NOT_SAID | (q->flags & CTL_F_DRY ? RELOAD_DRY : 0);
	client(p, c)->since_ms = p->loop.now.ms;
}

void server_reload_said(struct prior *p, int client_slot, const struct err *e, const int *fds)
{
	uint32_t c = (uint32_t)client_slot;

	if (client_slot < 0 || client(p, c)->verb != CTL_RELOAD_CONFIG || !(client(p, c)->service & RELOAD_NOT_SAID))
		return;		/* it has gone */
	if (e || client(p, c)->service & RELOAD_DRY)
		client(p, c)->verb = CTL_VERBS;
	client(p, c)->service = RELOAD_NOT_DONE;
	reply_or_drop(p, c, e ? 1 : 0, e, fds);
}

void server_reload_lost(struct prior *p, const struct err *e)
{
	for (uint32_t c = 0; c < LEDGER_CLIENTS; c++)
		if (client(p, c)->fd >= 0 && client(p, c)->verb == CTL_RELOAD_CONFIG && client(p, c)->service)
			client_answer(p, c, 1, e);
}

void server_reload_done(struct prior *p, const struct err *e)
{
	for (uint32_t c = 0; c < LEDGER_CLIENTS; c++)
		if (client(p, c)->fd >= 0 && client(p, c)->verb == CTL_RELOAD_CONFIG)
			client_answer(p, c, e ? 1 : 0, e);
}

static const struct {
	void (*take)(struct prior *, uint32_t client, const struct ctl_request *, uint32_t service);
	bool changes, names_service;
} verbs[CTL_VERBS] = {
	[CTL_STATE]    = { do_state,   false, false },
	[CTL_START]    = { do_start,   true,  true },
	[CTL_STOP]     = { do_stop,    true,  true },
	[CTL_RESTART]  = { do_start,   true,  true },
	[CTL_RELOAD]   = { do_reload_service,  true,  true },
	[CTL_SIGNAL]   = { do_signal,  true,  true },
	[CTL_POWEROFF] = { do_end,     true,  false },
	[CTL_REBOOT]   = { do_end,     true,  false },
	[CTL_HALT]     = { do_end,     true,  false },
	[CTL_KEXEC]    = { do_end,     true,  false },
	[CTL_SOFT_REBOOT] = { do_end,  true,  false },
	[CTL_CANCEL]   = { do_cancel,  true,  false },
	[CTL_REEXEC]   = { do_reexec,  true,  false },
	[CTL_RELOAD_CONFIG] = { do_reload, true, false },
	[CTL_SETTLED]  = { wait_for_result, false, false },
};

static void take_request(struct prior *p, uint32_t c, const struct ctl_request *q)
{
	int i = 0;

	if (q->version != CTL_VERSION || q->verb >= CTL_VERBS) {
		refuse(p, c, 1, EPROTO, "a request of another version");
		return;
	}
	if (verbs[q->verb].changes && !client(p, c)->may_change) {
		refuse(p, c, 1, EPERM, "only root may change what runs");
		return;
	}
	if (verbs[q->verb].names_service)
		i = memchr(q->service, '\0', sizeof q->service) ? plan_find(&p->plan, q->service) : -1;
	if (i < 0 && instances_take(p, c, q))
		return;
	if (i < 0)
		refuse(p, c, 4, ENOENT, "there is no such service");
	else
		verbs[q->verb].take(p, c, q, (uint32_t)i);
}

void client_heard(void *ctx, uint32_t c, uint32_t events)
{
	struct prior *p = ctx;
	struct ctl_request q;
	ssize_t n = recv(client(p, c)->fd, &q, sizeof q, MSG_DONTWAIT | MSG_TRUNC);
	struct err e;

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) {
		err_sys(&e, "read a request");
		client_answer(p, c, 1, &e);
	}
	if (n <= 0)
		client_drop(p, c);
	else if (n != (ssize_t)sizeof q)
		refuse(p, c, 1, EPROTO, "a request of another size");
	else if (client(p, c)->verb != CTL_VERBS)
		refuse(p, c, 1, EBUSY, "one request at a time");
	else
		take_request(p, c, &q);
}

/* --- results --- */

static bool is_over(const struct prior *p, const struct ledger_svc *s, uint32_t verb)
{
	if (verb == CTL_RELOAD)
		return s->state != SVC_UP || !(s->flags & SVC_F_RELOAD_ASKED);
	if (verb == CTL_STOP)
		return !state_is_live(s->state) && s->state != SVC_WAITING;
	if (s->flags & (SVC_F_LEAVING | SVC_F_BACK))	/* it starts under another configuration */
		return p->ledger.head->shutdown;
	return (state_is_settled(s->state) || s->state == SVC_BACKOFF || p->ledger.head->shutdown) &&
	       !(s->flags & SVC_F_RESTART);
}

static void answer_result(struct prior *p, uint32_t c)
{
	const struct ledger_svc *s = svc_of(p, client(p, c)->service);
	const char *name = svc_name(p, client(p, c)->service);
	bool good = client(p, c)->verb == CTL_STOP || s->state == SVC_UP || s->state == SVC_DONE ||
		    s->state == SVC_LISTENING;
	const struct ledger_care *care = care_of(p, client(p, c)->service);
	struct err e;

	if (good && client(p, c)->verb == CTL_RELOAD && care && care->reload_at_ms < 0) {
		err_set(&e, ETIMEDOUT, "%s did not say in time that it has reloaded", name);
		client_answer(p, c, 1, &e);
		return;
	}
	if (good) {
		client_answer(p, c, 0, NULL);
		return;
	}
	err_set(&e, EIO, "%s is %s%s%s", name, svc_state_name[s->state], s->why[0] ? ": " : "", s->why);
	client_answer(p, c, 1, &e);
}

void server_check(struct prior *p)
{
	for (uint32_t c = 0; c < LEDGER_CLIENTS; c++) {
		uint32_t verb = client(p, c)->verb;

		if (client(p, c)->fd < 0 || verb == CTL_VERBS || verb == CTL_REEXEC || client(p, c)->name[0])
			continue;
		if (verb == CTL_SETTLED || verb == CTL_RELOAD_CONFIG) {
			bool over = verb == CTL_SETTLED || p->reload.phase == RELOAD_NONE;

			if (p->ledger.head->settled && over)
				client_answer(p, c, 0, NULL);
		} else if (is_over(p, svc_of(p, client(p, c)->service), verb) &&
			   (verb != CTL_STOP || p->run[client(p, c)->service].nserved == 0)) {
			answer_result(p, c);
		}
	}
}

void server_reexec_done(struct prior *p, const struct err *e)
{
	for (uint32_t c = 0; c < LEDGER_CLIENTS; c++)
		if (client(p, c)->fd >= 0 && client(p, c)->verb == CTL_REEXEC)
			client_answer(p, c, e ? 1 : 0, e);
}
