/* Hooks, health checks, the watchdog, stored descriptors: what a service has beside its one process. */
/* SPDX-License-Identifier: ISC */
#include "services/plan/compiling.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define URL_MAX 1024

/* Whoever asks for nothing of this has no record at all. */
static bool asks_for_care(const struct spec_service *e)
{
	const struct spec_health *h = &e->healthcheck;

	return e->pre_start.n || e->post_start.n || e->pre_stop.n || e->post_stop.n || h->test.n || h->http || h->tcp ||
	       e->watchdog || e->idle_timeout || e->fd_store_max || e->pid_file || e->ready == READY_FD ||
	       e->ready == READY_NOTIFY_RELOAD || e->on_failure == ON_FAILURE_START;
}

/* "HOST:PORT" or "[V6]:PORT", n bytes; port 0: none must be there. NULL, or why it is none. */
static const char *parse_peer(struct compiling *c, const char *text, size_t n, unsigned port, struct plan_care *o)
{
	const char *all = compiling_fmt(c, "%.*s", (int)n, text), *close = strchr(all, ']'), *host;
	const char *colon = strrchr(close ? close : all, ':');
	char *end = NULL;

	if (colon)
		port = (unsigned)strtoul(colon + 1, &end, 10);
	if ((colon && (colon[1] < '1' || colon[1] > '9' || *end)) || port == 0 || port > 65535)
		return "has no port from 1 to 65535";
	n = colon ? (size_t)(colon - all) : n;
	host = all[0] == '[' && n > 2 ? compiling_fmt(c, "%.*s", (int)n - 2, all + 1) : compiling_fmt(c, "%.*s", (int)n,
												     all);
	if (!*host || !strcmp(host, "localhost"))
		host = "127.0.0.1";
	o->check_port = (uint16_t)port;
	return parse_address(host, &o->check_addr) ? NULL : "has a host that is no address (names are not looked up)";
}

/* http://HOST[:PORT][/PATH]; no user, no fragment: what is sent is what stands there. */
static const char *parse_url(struct compiling *c, const char *url, struct plan_care *o)
{
	const char *host = url + 7;
	const size_t n = strlen(url) > 7 ? strcspn(host, "/?") : 0;

	if (!strncmp(url, "https://", 8))
		return "is https, which prior cannot speak: let a program do it (healthcheck.test)";
	if (strncmp(url, "http://", 7) || strlen(url) > URL_MAX)
		return "is not http://HOST:PORT/PATH";
	for (const char *s = url; *s; s++)
		if (*s <= ' ' || *s >= 0x7f || *s == '#' || *s == '@')
			return "has a byte in it that does not belong there";
	o->http_host = write_string_n(&c->w, host, n);
	o->http_path = write_string(&c->w, host[n] == '/' ? host + n : compiling_fmt(c, "/%s", host + n));
	return parse_peer(c, host, n, 80, o);
}

static void compile_health(struct compiling *c, struct work *w, struct plan_care *o)
{
	const struct spec_health *h = &w->eff.healthcheck;
	const char *why = NULL;

	if (h->http) {
		o->check_kind = HEALTH_BY_HTTP;
		why = parse_url(c, h->http, o);
		if (why)
			refuse(c, w, healthcheck.http, "healthcheck.http: '%s' %s", h->http, why);
	} else if (h->tcp) {
		o->check_kind = HEALTH_BY_TCP;
		why = parse_peer(c, h->tcp, strlen(h->tcp), 0, o);
		if (why)
			refuse(c, w, healthcheck.tcp, "healthcheck.tcp: '%s' %s", h->tcp, why);
	} else if (h->test.n) {
		o->check_kind = HEALTH_BY_EXEC;
		compile_command(c, w, "healthcheck.test", spec_from(w->svc, &w->svc->healthcheck.test), &h->test,
				&o->command[CARE_TEST]);
	}
	o->interval_ms = (uint32_t)h->interval;
	o->timeout_ms = (uint32_t)h->timeout;
	o->start_period_ms = (uint32_t)h->start_period;
	o->retries = (uint32_t)h->retries;
}

static void compile_hooks(struct compiling *c, struct work *w, struct plan_care *o)
{
	const struct spec_service *e = &w->eff, *s = w->svc;
	const struct {
		const char *key;
		const struct str_list *list, *written;
		enum care_command at;
	} hooks[] = {
		{ "hooks.pre_start", &e->pre_start, &s->pre_start, CARE_PRE_START },
		{ "hooks.post_start", &e->post_start, &s->post_start, CARE_POST_START },
		{ "hooks.pre_stop", &e->pre_stop, &s->pre_stop, CARE_PRE_STOP },
		{ "hooks.post_stop", &e->post_stop, &s->post_stop, CARE_POST_STOP },
	};

	for (unsigned i = 0; i < sizeof hooks / sizeof *hooks; i++)
		compile_command(c, w, hooks[i].key, spec_from(s, hooks[i].written), hooks[i].list,
				&o->command[hooks[i].at]);
}

void compile_care(struct compiling *c, struct work *w)
{
	const struct spec_service *e = &w->eff;
	struct plan_care *o = &w->care;
	const unsigned first = 3 + w->svc->listen.n;

	w->has_care = asks_for_care(e);
	if (!w->has_care)
		return;
	compile_health(c, w, o);
	compile_hooks(c, w, o);
	o->watchdog_ms = (uint32_t)e->watchdog;
	o->idle_ms = (uint32_t)e->idle_timeout;
	o->fd_store_max = (uint32_t)e->fd_store_max;
	o->pid_file = write_string(&c->w, e->pid_file);
	if (e->ready == READY_FD && e->ready_fd != UNSET_NUM)
		o->ready_fd = (int32_t)e->ready_fd;
	if (o->ready_fd && (unsigned)o->ready_fd < first)
		refuse(c, w, ready_fd, "ready.fd: descriptor %d is one of its sockets; the first free one is %u",
		       o->ready_fd, first);
	if (e->ready == READY_FD && e->fd_store_max && o->ready_fd)
		refuse(c, w, ready_fd, "ready.fd: contradicts fd_store_max, whose descriptors come to lie there; "
		       "without a number it is told in NOTIFY_FD");
}
