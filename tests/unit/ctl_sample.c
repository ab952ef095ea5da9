/* The sample: see ctl_sample.h. */
/* SPDX-License-Identifier: ISC */
#include "tests/unit/ctl_sample.h"
#include "init/base/fd.h"
#include "init/base/text.h"
#include "init/ctl/ctl.h"
#include "services/plan/write.h"
#include "services/spec/spec.h"
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
/* after the four that it needs */
#include <cmocka.h>

struct asked asked;

static const char *const names[SAMPLE_SERVICES] = { "db", "job", "loop", "proxy", "slow", "web", "zed" };

static struct plan_service service(struct writer *w, const char *name)
{
	struct plan_service s = {
		.name = write_string(w, name), .exe = write_string(w, "/usr/bin/thing"), .cwd = write_string(w, "/"),
		.preset = PRESET_SERVER, .flags = CELL_ATTEST | CELL_CAPS | CELL_NNP, .stop_signal = SIGTERM,
		.max_restarts = 5, .restart_window_ms = 60000, .nice = INT32_MIN, .oom_score_adj = INT32_MIN,
	};
	struct plan_ref argv[] = { s.exe };

	s.argv = write_table(w, argv, 1, sizeof *argv);
	return s;
}

static void fill_plan(struct writer *w, struct plan_service *s)
{
	struct plan_file max = { .path = write_string(w, "memory.max"), .value = write_string(w, "67108864") };
	struct plan_addr a = { .family = AF_INET, .prefix = 24, .ip = { 10, 88, 0, 2 } };
	struct plan_listen l[] = {
		{ .name = write_string(w, "http"), .kind = LISTEN_TCP, .port = 80, .activate = 1,
		  .addr = { .family = AF_INET6, .prefix = 128 } },
		{ .name = write_string(w, "admin"), .kind = LISTEN_UNIX_STREAM, .mode = 0660,
		  .path = write_string(w, "/run/web.sock") },
	};
	struct plan_dep on_slow = { .service = S_SLOW, .kind = DEP_REQUIRES, .condition = COND_HEALTHY };
	struct plan_dep on_db = { .service = S_DB, .kind = DEP_REQUIRES, .condition = COND_STARTED };

	const struct plan_link net = { .bridge = write_string(w, "prior0"), .ifname = write_string(w, "p-db"),
				      .addrs = write_table(w, &a, 1, sizeof a) };

	for (unsigned i = 0; i < SAMPLE_SERVICES; i++)
		s[i] = service(w, names[i]);
	s[S_DB].cgroup = write_table(w, &max, 1, sizeof max);
	s[S_DB].links = write_table(w, &net, 1, sizeof net);
	s[S_DB].flags |= CELL_NET;
	s[S_JOB].type = TYPE_ONESHOT;
	s[S_JOB].flags = 0;
	s[S_JOB].preset = PRESET_NONE;
	s[S_PROXY].deps = write_table(w, &on_slow, 1, sizeof on_slow);
	s[S_SLOW].deps = write_table(w, &on_db, 1, sizeof on_db);
	s[S_SLOW].ready = READY_NOTIFY;
	s[S_WEB].listen = write_table(w, l, 2, sizeof *l);
	s[S_ZED].note = write_string(w, "contained: no namespace can be made here");
}

static int make_plan(void)
{
	static const uint32_t order[] = { S_DB, S_JOB, S_LOOP, S_SLOW, S_PROXY, S_WEB, S_ZED };
	struct plan_service s[SAMPLE_SERVICES];
	struct plan_head h = { 0 };
	struct writer w;
	struct err e;
	int fd = FD_NONE;

	write_begin(&w);
	fill_plan(&w, s);
	struct plan_refused r = { .name = write_string(&w, "mail"),
				  .why = write_string(&w, "mail.yaml:3:5: user: there is no user 'postfix'") };

	struct plan_bridge b = { .name = write_string(&w, "prior0") };

	h.bridges = write_table(&w, &b, 1, sizeof b);
	h.refused = write_table(&w, &r, 1, sizeof r);
	h.services = write_table(&w, s, SAMPLE_SERVICES, sizeof *s);
	h.start_order = write_table(&w, order, SAMPLE_SERVICES, sizeof *order);
	if (write_end(&w, &h, &fd, &e) < 0)
		fail_msg("%s", e.text);
	write_free(&w);
	return fd;
}

/* One row per service: what the ledger says about it. */
static const struct {
	uint8_t state, exit_kind;
	int32_t exit_status, pid;
	uint32_t flags, facts, starts, restarts, waits_for;
	int64_t age_ms, deadline_in_ms;
	const char *why, *status;
} rows[SAMPLE_SERVICES] = {
	[S_DB]	  = { .state = SVC_UP, .pid = 81, .flags = SVC_F_WANTED | SVC_F_READY | SVC_F_ATTESTED, .facts = 61,
		      .starts = 1, .age_ms = 83000, .status = "accepting connections" },
	[S_JOB]	  = { .state = SVC_DONE, .exit_kind = EXIT_CODE, .starts = 1, .age_ms = 84000 },
	[S_LOOP]  = { .state = SVC_BACKOFF, .exit_kind = EXIT_SIGNAL, .exit_status = SIGSEGV, .starts = 3,
		      .restarts = 2, .age_ms = 300, .deadline_in_ms = 1500, .why = "killed by SIGSEGV" },
	[S_PROXY] = { .state = SVC_WAITING, .flags = SVC_F_WANTED, .waits_for = S_SLOW + 1, .age_ms = 84000 },
	[S_SLOW]  = { .state = SVC_STARTING, .pid = 90, .flags = SVC_F_WANTED | SVC_F_ATTESTED, .facts = 58,
		      .starts = 1, .age_ms = 2000, .deadline_in_ms = 28000 },
	[S_WEB]	  = { .state = SVC_LISTENING, .flags = SVC_F_WANTED, .age_ms = 84000 },
	[S_ZED]	  = { .state = SVC_FAILED, .exit_kind = EXIT_CODE, .exit_status = 1, .starts = 6, .restarts = 5,
		      .age_ms = 40000, .why = "ended 6 times within 60 s" },
};

static void fill_ledger(struct ledger *l)
{
	for (uint32_t i = 0; i < SAMPLE_SERVICES; i++) {
		struct ledger_svc *s = &l->svc[i];

		ledger_open_svc(s);
		s->state = rows[i].state;
		s->exit_kind = rows[i].exit_kind;
		s->exit_status = rows[i].exit_status;
		s->pid = rows[i].pid;
		s->flags = rows[i].flags;
		s->attested_facts = rows[i].facts;
		s->starts = rows[i].starts;
		s->failures = s->restarts = s->window_restarts = rows[i].restarts;
		s->waits_for = rows[i].waits_for;
		s->since_ms = SAMPLE_NOW - rows[i].age_ms;
		s->since_wall_ms = 1767323045678 - rows[i].age_ms;
		s->deadline_ms = rows[i].deadline_in_ms ? SAMPLE_NOW + rows[i].deadline_in_ms : 0;
		s->setup_us = 1200;
		s->attest_us = 400;
		s->ready_us = 2500;
		text_copy(s->why, sizeof s->why, rows[i].why ? rows[i].why : "");
		text_copy(s->status, sizeof s->status, rows[i].status ? rows[i].status : "");
		ledger_seal_svc(s);
	}
	text_copy(l->head->run_dir, sizeof l->head->run_dir, "/run/prior");
	text_copy(l->head->log_dir, sizeof l->head->log_dir, "/var/log/prior");
	text_copy(l->head->config, sizeof l->head->config, "/etc/prior/");
	l->head->mode = MODE_MACHINE;
	l->head->generation = 1;
	l->head->boot_done_us = 840000;
	l->head->settled = 1;
	l->head->plan_fd = 5;
	l->head->ledger_fd = 6;
	ledger_seal_head(l);
}

void ctl_sample_make(struct sample *s)
{
	struct err e;

	*s = (struct sample){ .plan_fd = make_plan() };
	if (plan_map(&s->live.plan, s->plan_fd, &e) < 0 || ledger_create(&s->live.ledger, &s->live.plan, &e) < 0)
		fail_msg("%s", e.text);
	s->ledger_fd = s->live.ledger.fd;
	fill_ledger(&s->live.ledger);
}

void ctl_sample_free(struct sample *s)
{
	live_close(&s->live);
	fd_drop(&s->plan_fd);
	fd_drop(&s->ledger_fd);
}

int __wrap_ctl_ask(const char *run_dir, const struct ctl_request *q, struct ctl_reply *r, int *fds,
		   int timeout_ms, struct err *e);
int __wrap_ctl_ask(const char *run_dir, const struct ctl_request *q, struct ctl_reply *r, int *fds,
		   int timeout_ms, struct err *e)
{
	if (asked.error)
		return err_set(e, asked.error, "%s: no prior runs there", run_dir);
	if (q->verb == CTL_STATE) {
		*r = (struct ctl_reply){ .version = CTL_VERSION };
		fds[0] = dup(asked.sample->ledger_fd);
		fds[1] = dup(asked.sample->plan_fd);
		return 0;
	}
	asked.q = *q;
	asked.count++;
	asked.timeout_ms = timeout_ms;
	*r = asked.reply;
	return 0;
}

/* The same where a connection comes first: it is to ourselves. */
static const char *connected;
int __wrap_ctl_connect(const char *run_dir, int *fd, struct err *e);
int __wrap_ctl_connect(const char *run_dir, int *fd, struct err *e)
{
	int pair[2];

	if (asked.error)
		return err_set(e, asked.error, "%s: no prior runs there", run_dir);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	connected = run_dir;
	fd_drop(&pair[1]);
	*fd = pair[0];
	return 0;
}

int __wrap_ctl_ask_on(int fd, const struct ctl_request *q, struct ctl_reply *r, int *fds, int timeout_ms,
		      struct err *e);
int __wrap_ctl_ask_on(int fd, const struct ctl_request *q, struct ctl_reply *r, int *fds, int timeout_ms,
		      struct err *e)
{
	(void)fd;
	return __wrap_ctl_ask(connected, q, r, fds, timeout_ms, e);
}

int ctl_words(char *out, size_t size, const char *const *words)
{
	char *argv[32] = { 0 };
	int argc = 0;
	owned_fd file = memfd_create("output", MFD_CLOEXEC);
	owned_fd one = dup(1), two = dup(2);

	for (; words[argc] && argc < 31; argc++)
		argv[argc] = strdup(words[argc]);
	char *kept[32];

	memcpy(kept, argv, sizeof kept);	/* the parser moves operands */
	fflush(NULL);
	dup2(file, 1);
	dup2(file, 2);
	int code = ctl_main(argc, argv);

	fflush(NULL);
	dup2(one, 1);
	dup2(two, 2);
	for (int i = 0; i < argc; i++)
		free(kept[i]);
	ssize_t n = pread(file, out, size - 1, 0);

	out[n > 0 ? n : 0] = '\0';
	return code;
}
