/* `prior status --prior`: PID 1's own facts, from the ledger's head. */
/* SPDX-License-Identifier: ISC */
#include "init/ctl/json.h"
#include "init/ctl/status.h"
#include <inttypes.h>
#include <stddef.h>
#include <string.h>

static const char *const mode_names[] = {
	[MODE_MACHINE] = "machine", [MODE_CONTAINER] = "container", [MODE_UP] = "up", [MODE_RUN] = "run",
};
static const char *const shutdown_names[] = {
	[SHUTDOWN_NONE] = "no", [SHUTDOWN_POWEROFF] = "poweroff", [SHUTDOWN_REBOOT] = "reboot",
	[SHUTDOWN_HALT] = "halt", [SHUTDOWN_EXIT] = "exit",
};

/* Both forms are printed through these two. */
static void number(const struct status *s, struct json *j, const char *key, int64_t v)
{
	if (j)
		json_int(j, key, v);
	else
		fprintf(s->to, "%16s  %" PRId64 "\n", key, v);
}

static void text(const struct status *s, struct json *j, const char *key, const char *v)
{
	if (j)
		json_text(j, key, v);
	else
		fprintf(s->to, "%16s  %s\n", key, v);
}

/* A descriptor that the ledger names. */
struct named_fd {
	const char *what;
	size_t at;
};

static const struct named_fd head_fds[] = {
	{ "plan", offsetof(struct ledger_head, plan_fd) },
	{ "ledger", offsetof(struct ledger_head, ledger_fd) },
	{ "binary", offsetof(struct ledger_head, exe_fd) },
	{ "cgroup", offsetof(struct ledger_head, cgroup_fd) },
	{ "control", offsetof(struct ledger_head, control_fd) },
	{ "console", offsetof(struct ledger_head, console_fd) },
	{ "events, to read", offsetof(struct ledger_head, event_rd) },
	{ "events, to write", offsetof(struct ledger_head, event_wr) },
	{ "logger", offsetof(struct ledger_head, logger_fd) },
};

static const struct named_fd svc_fds[] = {
	{ "report", offsetof(struct ledger_svc, report_fd) },
	{ "pidfd", offsetof(struct ledger_svc, pidfd) },
	{ "notify", offsetof(struct ledger_svc, notify_fd) },
	{ "log, to read", offsetof(struct ledger_svc, log_rd) },
	{ "log, to write", offsetof(struct ledger_svc, log_wr) },
	{ "cgroup", offsetof(struct ledger_svc, cgroup_fd) },
	{ "cgroup.events", offsetof(struct ledger_svc, events_fd) },
};

#define COUNT(a) (sizeof(a) / sizeof *(a))

static unsigned one_fd(struct json *j, int32_t fd, const char *whose, const char *what)
{
	if (fd < 0)
		return 0;
	if (j) {
		json_object(j, NULL);
		json_int(j, "fd", fd);
		json_text(j, "of", whose);
		json_text(j, "what", what);
		json_end(j);
	}
	return 1;
}

static unsigned fds_at(struct json *j, const void *record, const struct named_fd *rows, size_t n,
		       const char *whose)
{
	unsigned count = 0;

	for (size_t i = 0; i < n; i++) {
		int32_t fd;

		memcpy(&fd, (const char *)record + rows[i].at, sizeof fd);
		count += one_fd(j, fd, whose, rows[i].what);
	}
	return count;
}

static unsigned all_fds(const struct live *l, struct json *j)
{
	unsigned count = fds_at(j, l->ledger.head, head_fds, COUNT(head_fds), "prior");

	for (uint32_t i = 0; i < l->ledger.head->nservices && i < l->plan.head->services.n; i++) {
		const struct plan_service *p = plan_service(&l->plan, i);
		const char *name = plan_str(&l->plan, p->name);
		struct ledger_svc n;

		if (!ledger_read_svc(&l->ledger, i, &n))
			continue;
		count += fds_at(j, &n, svc_fds, COUNT(svc_fds), name);
		for (uint32_t k = 0; k < p->listen.n && n.first_listen + k < l->ledger.head->nlisten; k++)
			count += one_fd(j, l->ledger.listen[n.first_listen + k], name, "listen");
	}
	return count;
}

static void stages(const struct ledger_head *h, struct json *j)
{
	json_list(j, "boot_us");
	for (unsigned i = 0; i < BOOT_STAGES_MAX && h->boot_us[i]; i++)
		json_int(j, NULL, h->boot_us[i]);
	json_end(j);
}

static const char *named(const char *const *names, size_t n, uint32_t i)
{
	return i < n ? names[i] : "?";
}

void status_prior(const struct status *s, bool as_json)
{
	const struct ledger_head *h = s->live->ledger.head;
	struct json writer = { .to = s->to }, *j = as_json ? &writer : NULL;

	if (j)
		json_object(j, NULL);
	text(s, j, "mode", named(mode_names, COUNT(mode_names), h->mode));
	text(s, j, "config", h->config);
	text(s, j, "run_dir", h->run_dir);
	text(s, j, "log_dir", h->log_dir);
	text(s, j, "shutdown", named(shutdown_names, COUNT(shutdown_names), h->shutdown));
	number(s, j, "services", h->nservices);
	number(s, j, "settled", h->settled);
	number(s, j, "boot_done_us", h->boot_done_us);
	number(s, j, "generation", h->generation);
	number(s, j, "crashes", h->crashes);
	number(s, j, "last_fault", h->last_fault);
	number(s, j, "orphans", (int64_t)h->orphans);
	number(s, j, "impossible", (int64_t)h->impossible);
	number(s, j, "wakeups", (int64_t)h->wakeups);
	number(s, j, "events_lost", (int64_t)h->events_lost);
	number(s, j, "logger_pid", h->logger_pid);
	number(s, j, "logger_restarts", h->logger_restarts);
	if (j) {
		stages(h, j);
		json_list(j, "fds");
		all_fds(s->live, j);
		json_end(j);
	}
	number(s, j, "fd_count", all_fds(s->live, NULL));
	if (j)
		json_end(j);
}
