/* What each page says: from the ledger, which is PID 1's own memory, and the services' names. */
/* SPDX-License-Identifier: ISC */
#include "services/http/http.h"
#include "init/base/fd.h"
#include "init/base/text.h"
#include "init/base/version.h"
#include "services/supervise/prior.h"
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#define PLAIN "text/plain; charset=utf-8"
#define OPEN_METRICS "application/openmetrics-text; version=1.0.0; charset=utf-8"

/* One service at one moment. */
struct seen {
	const struct http_row *row;
	struct ledger_svc now;
	bool known;		/* not refused, and its record could be read */
	int cgroup_fd;
};

static struct seen look(const struct http_view *v, uint32_t k)
{
	struct seen s = { .row = &v->rows[k], .cgroup_fd = v->cgroup_fd };

	s.known = s.row->index < v->ledger.head->nservices && ledger_read_svc(&v->ledger, s.row->index, &s.now);
	if (!s.known)
		s.now = (struct ledger_svc){ .state = SVC_REFUSED };
	return s;
}

static const char *ill(const struct seen *s)
{
	return ledger_svc_ill(&s->now, true);
}

static bool is_attested(const struct seen *s)
{
	return s->now.pid > 0 && s->now.flags & SVC_F_ATTESTED;
}

static const char *state_of(const struct seen *s)
{
	return s->now.state < SVC_STATES ? svc_state_name[s->now.state] : "unknown";
}

/* --- readyz, healthz --- */

static unsigned readyz(FILE *to, const struct http_view *v)
{
	unsigned bad = 0;

	if (v->ledger.head->shutdown) {
		fputs("prior is shutting down\n", to);
		return 503;
	}
	for (uint32_t k = 0; k < v->nrows; k++) {
		const struct seen s = look(v, k);
		const char *why = ill(&s);

		if (why)
			bad++, fprintf(to, "%.63s is %s\n", s.row->name, why);
	}
	if (!bad)
		fputs(v->ledger.head->settled ? "ok\n" : "prior is still starting\n", to);
	return bad || !v->ledger.head->settled ? 503 : 200;
}

static unsigned healthz(FILE *to, const struct http_view *v)
{
	const struct ledger_head *h = v->ledger.head;
	unsigned bad = 0;
	char name[160];

	fputs("{\"services\":[", to);
	for (uint32_t k = 0; k < v->nrows; k++) {
		const struct seen s = look(v, k);
		const char *health = s.now.health <= HEALTH_BAD ? health_name[s.now.health] : NULL;
		struct text t = TEXT_IN(name);

		text_json(&t, s.row->name, strnlen(s.row->name, sizeof s.row->name));
		fprintf(to, "%s\n{\"service\":%s,\"state\":\"%s\",\"ready\":%s,\"health\":%s%s%s,\"attested\":%s,"
			"\"restarts\":%u,\"well\":%s}", k ? "," : "", name, state_of(&s),
			s.now.flags & SVC_F_READY ? "true" : "false", health ? "\"" : "", health ? health : "null",
			health ? "\"" : "", !s.row->confined && s.known ? "null" : is_attested(&s) ? "true" : "false",
			s.now.restarts, ill(&s) ? "false" : "true");
		bad += ill(&s) != NULL;
	}
	const char *status = h->shutdown ? "stopping" : !h->settled ? "starting" : bad ? "failing" : "ok";

	fprintf(to, "%s],\"status\":\"%s\"}\n", v->nrows ? "\n" : "", status);
	return strcmp(status, "ok") ? 503 : 200;
}

/* --- metrics --- */

/* Each writes the value, or says that there is none for this service. */
static bool put_number(struct text *to, uint64_t v)
{
	text_num(to, (int64_t)v);
	return true;
}

static bool put_seconds(struct text *to, int64_t us)
{
	text_fmt(to, "%" PRId64 ".%06" PRId64, us / 1000000, us % 1000000);
	return true;
}

static bool put_up(struct text *to, const struct seen *s)
{
	return put_number(to, s->now.state == SVC_UP);
}

static bool put_ready(struct text *to, const struct seen *s)
{
	return put_number(to, (s->now.flags & SVC_F_READY) != 0);
}

static bool put_well(struct text *to, const struct seen *s)
{
	return put_number(to, ill(s) == NULL);
}

static bool put_healthy(struct text *to, const struct seen *s)
{
	return s->now.health != HEALTH_NONE && put_number(to, s->now.health == HEALTH_GOOD);
}

static bool put_attested(struct text *to, const struct seen *s)
{
	return s->row->confined && s->now.pid > 0 && put_number(to, is_attested(s));
}

static bool put_starts(struct text *to, const struct seen *s)
{
	return s->known && put_number(to, s->now.starts);
}

static bool put_restarts(struct text *to, const struct seen *s)
{
	return s->known && put_number(to, s->now.restarts);
}

static bool put_failures(struct text *to, const struct seen *s)
{
	return s->known && put_number(to, s->now.failures);
}

static bool put_since(struct text *to, const struct seen *s)
{
	return s->now.since_wall_ms > 0 && put_seconds(to, s->now.since_wall_ms * 1000);
}

static bool put_start(struct text *to, const struct seen *s)
{
	return s->now.ready_us > 0 && put_seconds(to, s->now.ready_us);
}

/* A file of its leaf; key "": the file is the number. The call itself: the filter allows reading only, by its flags. */
static bool read_cgroup(const struct seen *s, const char *file, const char *key, uint64_t *value)
{
	char path[96], text[1024];
	struct text t = TEXT_IN(path);

	text_fmt(&t, "%.63s/%s", s->row->name, file);
	owned_fd fd = s->cgroup_fd < 0 || !s->known || t.cut ? FD_NONE :
		      (int)syscall(SYS_openat, s->cgroup_fd, path, O_RDONLY | O_CLOEXEC, 0);
	const ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);

	if (n <= 0)
		return false;
	text[n] = '\0';
	const char *at = strstr(text, key);

	if (!at)
		return false;
	at += strlen(key);
	*value = strtoull(at, NULL, 10);
	return *at >= '0' && *at <= '9';
}

static bool put_memory(struct text *to, const struct seen *s)
{
	uint64_t bytes;

	return read_cgroup(s, "memory.current", "", &bytes) && put_number(to, bytes);
}

static bool put_cpu(struct text *to, const struct seen *s)
{
	uint64_t us;

	return read_cgroup(s, "cpu.stat", "usage_usec ", &us) && put_seconds(to, (int64_t)us);
}

static const struct metric {
	const char *family, *type, *unit, *help;
	bool (*put)(struct text *to, const struct seen *s);
} metrics[] = {
	{ "prior_service_up", "gauge", NULL, "It runs and is ready.", put_up },
	{ "prior_service_ready", "gauge", NULL, "It has said, in its way, that it is ready.", put_ready },
	{ "prior_service_well", "gauge", NULL, "It is as it should be, as `prior healthy` has it.", put_well },
	{ "prior_service_healthy", "gauge", NULL, "Its health check says so.", put_healthy },
	{ "prior_service_attested", "gauge", NULL,
	  "Its sandbox was read back from the kernel and found as planned.", put_attested },
	{ "prior_service_starts", "counter", NULL, "How often it was started.", put_starts },
	{ "prior_service_restarts", "counter", NULL, "How often it was started again by itself.", put_restarts },
	{ "prior_service_failures", "counter", NULL, "How often it has ended badly.", put_failures },
	{ "prior_service_since_timestamp_seconds", "gauge", "seconds", "When its state changed last.", put_since },
	{ "prior_service_start_duration_seconds", "gauge", "seconds",
	  "From its last start until it was ready.", put_start },
	{ "prior_service_memory_bytes", "gauge", "bytes", "Memory of its control group.", put_memory },
	{ "prior_service_cpu_seconds", "counter", "seconds", "CPU time of its control group.", put_cpu },
};

static void family(FILE *to, const char *name, const char *type, const char *unit, const char *help)
{
	fprintf(to, "# TYPE %s %s\n", name, type);
	if (unit)
		fprintf(to, "# UNIT %s %s\n", name, unit);
	fprintf(to, "# HELP %s %s\n", name, help);
}

static void one_metric(FILE *to, const struct metric *m, const struct http_view *v)
{
	const char *suffix = !strcmp(m->type, "counter") ? "_total" : "";

	family(to, m->family, m->type, m->unit, m->help);
	for (uint32_t k = 0; k < v->nrows; k++) {
		const struct seen s = look(v, k);
		char value[64] = "";
		struct text t = TEXT_IN(value);

		if (m->put(&t, &s))
			fprintf(to, "%s%s{service=\"%.63s\"} %s\n", m->family, suffix, s.row->name, value);
	}
}

static void states(FILE *to, const struct http_view *v)
{
	family(to, "prior_service_state", "stateset", NULL, "Its state.");
	for (uint32_t k = 0; k < v->nrows; k++) {
		const struct seen s = look(v, k);

		for (unsigned i = 0; i < SVC_STATES; i++)
			fprintf(to, "prior_service_state{service=\"%.63s\",prior_service_state=\"%s\"} %d\n",
				s.row->name, svc_state_name[i], s.now.state == i);
	}
}

static void of_prior(FILE *to, const struct ledger_head *h)
{
	static const char *const modes[] = { [MODE_MACHINE] = "machine", [MODE_CONTAINER] = "container",
					     [MODE_UP] = "up", [MODE_RUN] = "run" };
	const struct {
		const char *family, *help;
		uint64_t value;
	} counters[] = {
		{ "prior_reexecs", "How often PID 1 was executed anew.", h->generation - 1 },
		{ "prior_faults", "How many of these followed a fault.", h->crashes },
		{ "prior_reloads", "How many configurations have followed the first.", h->reloads },
		{ "prior_orphans_reaped", "Processes that were no service's main one.", h->orphans },
		{ "prior_logger_restarts", "How often the logger was replaced.", h->logger_restarts },
		{ "prior_endpoint_restarts", "How often this endpoint was replaced.", h->http_restarts },
		{ "prior_events_lost", "Events that nobody took in time.", h->events_lost },
		{ "prior_wakeups", "Turns of PID 1's loop.", h->wakeups },
	};

	family(to, "prior", "info", NULL, "What answers.");
	fprintf(to, "prior_info{version=\"%s\",mode=\"%s\"} 1\n", PRIOR_VERSION, h->mode < 4 ? modes[h->mode] : "?");
	family(to, "prior_settled", "gauge", NULL, "Every wanted service is where it should be, or was given up.");
	fprintf(to, "prior_settled %u\n", h->settled ? 1 : 0);
	for (size_t i = 0; i < sizeof counters / sizeof *counters; i++) {
		family(to, counters[i].family, "counter", NULL, counters[i].help);
		fprintf(to, "%s_total %" PRIu64 "\n", counters[i].family, counters[i].value);
	}
}

static unsigned all_metrics(FILE *to, const struct http_view *v)
{
	of_prior(to, v->ledger.head);
	for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++)
		one_metric(to, &metrics[i], v);
	states(to, v);
	fputs("# EOF\n", to);
	return 200;
}

static unsigned livez(FILE *to, const struct http_view *v)
{
	(void)v;	/* it was there: PID 1 has answered */
	fputs("ok\n", to);
	return 200;
}

static const struct {
	unsigned (*write)(FILE *to, const struct http_view *v);
	const char *type;
} pages[HTTP_PAGES] = {
	[HTTP_LIVEZ] = { livez, PLAIN }, [HTTP_READYZ] = { readyz, PLAIN },
	[HTTP_HEALTHZ] = { healthz, "application/json" }, [HTTP_METRICS] = { all_metrics, OPEN_METRICS },
};

void http_page(enum http_page page, const struct http_view *v, struct http_body *b)
{
	*b = (struct http_body){ .status = 503, .type = PLAIN };
	FILE *to = open_memstream(&b->at, &b->n);

	if (!to)
		return;
	if (v) {
		b->type = pages[page].type;
		b->status = pages[page].write(to, v);
	} else {
		fputs("prior does not answer\n", to);
	}
	fclose(to);
}

void http_error(unsigned status, struct http_body *b)
{
	*b = (struct http_body){ .status = status, .type = PLAIN };
	b->at = malloc(128);
	if (b->at)
		b->n = (size_t)snprintf(b->at, 128, "%u %s\n", status, http_reason(status));
}
