/* `prior status --prior`: PID 1's own facts, from the ledger's head. */
/* SPDX-License-Identifier: ISC */
#include "init/boot.h"
#include "init/ctl/json.h"
#include "init/ctl/status.h"
#include <inttypes.h>

static const char *const mode_names[] = {
	[MODE_MACHINE] = "machine", [MODE_CONTAINER] = "container", [MODE_UP] = "up", [MODE_RUN] = "run",
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

/* Descriptors of PID 1 while they are listed. */
struct fds {
	const struct ledger_head *head;
	struct json *json;	/* NULL: only counted */
	unsigned n;
};

/* Connections of the control tool come and go, this one too: they are not listed. */
static void one_fd(void *ctx, int fd)
{
	struct fds *f = ctx;

	for (unsigned i = 0; i < LEDGER_CLIENTS; i++)
		if (f->head->clients[i].fd == fd)
			return;
	f->n++;
	if (!f->json)
		return;
	json_object(f->json, NULL);
	json_int(f->json, "fd", fd);
	json_end(f->json);
}

static unsigned all_fds(const struct live *l, struct json *j)
{
	struct fds f = { .head = l->ledger.head, .json = j };

	ledger_each_fd(&l->ledger, one_fd, &f);
	return f.n;
}

#define COUNT(a) (sizeof(a) / sizeof *(a))

/* Only the machine has them; the first that is 0 was not reached. */
static void stages(const struct ledger_head *h, struct json *j)
{
	json_list(j, "boot");
	for (unsigned i = 0; i < BOOT_STAGES_MAX && i < boot_stage_count() && h->boot_us[i]; i++) {
		json_object(j, NULL);
		json_text(j, "stage", boot_stage_name(i));
		json_int(j, "end_us", h->boot_us[i]);
		json_end(j);
	}
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
	text(s, j, "shutdown", named(shutdown_name, SHUTDOWN_KINDS, h->shutdown));
	text(s, j, "planned", named(shutdown_name, SHUTDOWN_KINDS, h->planned));
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
	number(s, j, "devices_pid", h->devices_pid);
	number(s, j, "devices_restarts", h->devices_restarts);
	number(s, j, "endpoint_pid", h->http_pid);
	number(s, j, "endpoint_restarts", h->http_restarts);
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
