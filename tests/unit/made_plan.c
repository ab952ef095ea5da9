/* Writing the plan of a few rows: see made_plan.h. */
/* SPDX-License-Identifier: ISC */
#include "tests/unit/made_plan.h"
#include "init/base/fd.h"
#include "services/plan/cron.h"
#include "services/plan/types.h"
#include "services/plan/write.h"
#include <arpa/inet.h>
#include <linux/mount.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static uint32_t number_of(const struct made_svc *rows, unsigned n, const char *name)
{
	for (unsigned i = 0; i < n; i++)
		if (!strcmp(rows[i].name, name))
			return i;
	fprintf(stderr, "made_plan: no service %s\n", name);
	return 0;
}

static struct plan_ref deps_of(struct writer *w, const struct made_svc *rows, unsigned n, const struct made_svc *m)
{
	struct plan_dep d[MADE_DEPS];
	unsigned k = 0;

	for (; k < MADE_DEPS && m->deps[k].on; k++)
		d[k] = (struct plan_dep){ number_of(rows, n, m->deps[k].on), m->deps[k].kind, m->deps[k].condition };
	return write_table(w, d, k, sizeof *d);
}

static struct plan_ref listens_of(struct writer *w, const struct made_svc *m)
{
	struct plan_listen l[MADE_LISTENS] = { 0 };
	unsigned k = 0;

	for (; k < MADE_LISTENS && m->listen[k].path; k++) {
		static const struct { const char *prefix; uint32_t kind; } kinds[] = {
			{ "tcp:", LISTEN_TCP }, { "udp:", LISTEN_UDP }, { "dgram:", LISTEN_UNIX_DGRAM },
			{ "seqpacket:", LISTEN_UNIX_SEQPACKET }, { "fifo:", LISTEN_FIFO },
			{ "netlink:", LISTEN_NETLINK }, { "", LISTEN_UNIX_STREAM },
		};
		const char *path = m->listen[k].path;
		unsigned kind = 0;

		while (strncmp(path, kinds[kind].prefix, strlen(kinds[kind].prefix)))
			kind++;
		path += strlen(kinds[kind].prefix);
		l[k] = (struct plan_listen){ .name = write_string(w, m->name), .backlog = 16,
					     .activate = m->listen[k].lazy, .mode = 0600, .kind = kinds[kind].kind };
		if (l[k].kind == LISTEN_TCP || l[k].kind == LISTEN_UDP) {
			l[k].port = (uint16_t)atoi(path);
			l[k].addr = (struct plan_addr){ .family = AF_INET, .prefix = 32, .ip = { 127, 0, 0, 1 } };
		} else if (l[k].kind == LISTEN_NETLINK) {
			l[k].number = (uint32_t)atoi(path);
		} else {
			l[k].path = write_string(w, path);
			l[k].uid = getuid();
			l[k].gid = getgid();
		}
	}
	return write_table(w, l, k, sizeof *l);
}

static void add_connections(struct writer *w, const struct made_svc *rows, unsigned n, const struct made_svc *m,
			    struct plan_service *s)
{
	struct plan_connections c = { .max = m->connections, .per_source = m->per_source };
	struct plan_listen l = { .name = write_string(w, "connection"), .kind = LISTEN_CONNECTION, .number = m->stdio };
	struct plan_dep d = { .kind = DEP_REQUIRES };

	s->connections = write_table(w, &c, c.max != 0, sizeof c);
	if (!m->base)
		return;
	d.service = number_of(rows, n, m->base);
	s->base = write_table(w, &d, 1, sizeof d);
	s->listen = write_table(w, &l, 1, sizeof l);
	s->flags |= CELL_ON_CALL;
}

static struct plan_ref care_of_row(struct writer *w, const struct made_svc *rows, unsigned n, const struct made_svc *m)
{
	static const struct plan_care none;
	struct plan_care c = m->care;

	for (unsigned k = 0; k < CARE_COMMANDS; k++)
		if (m->run[k]) {
			struct plan_ref argv[] = { write_string(w, "sh"), write_string(w, "-c"),
						   write_string(w, m->run[k]) };

			c.command[k] = (struct plan_command){ write_table(w, argv, 3, sizeof *argv),
							      write_string(w, "/bin/sh") };
		}
	if (m->on_failure_start) {
		struct plan_dep d = { .service = number_of(rows, n, m->on_failure_start), .kind = DEP_WANTS };

		c.on_failure = write_table(w, &d, 1, sizeof d);
	}
	c.pid_file = write_string(w, m->pid_file);
	c.http_path = write_string(w, m->http_path);
	return write_table(w, &c, memcmp(&c, &none, sizeof c) != 0, sizeof c);
}

/* What only one service can have. */
static void add_own(struct writer *w, const struct made_svc *m, struct plan_service *s)
{
	const bool ro = m->bind && !strncmp(m->bind, "ro:", 3);
	struct plan_addr a = { .family = AF_INET, .prefix = 24 };
	const struct plan_port port = { .from = m->port, .to = 80, .proto = IPPROTO_TCP };
	const struct plan_dir d = { .base = write_string(w, m->state ? "/var/lib" : NULL),
				    .name = write_string(w, m->state), .kind = DIR_STATE, .mode = 0700 };
	const struct plan_mount bind = { .kind = MOUNT_BIND, .attr = ro ? MOUNT_ATTR_RDONLY : 0,
					 .source = write_string(w, ro ? m->bind + 3 : m->bind),
					 .target = write_string(w, m->bind ? "/mnt" : NULL) };

	s->uid = m->uid ? m->uid : s->uid;
	s->flags |= bind.source.n ? CELL_MOUNT : 0;
	if (m->address || m->port) {
		const bool one = m->address && inet_pton(AF_INET, m->address, a.ip) == 1;
		const struct plan_link l = { .bridge = write_string(w, "b0"), .ifname = write_string(w, m->name),
					     .addrs = write_table(w, &a, one, sizeof a),
					     .ports = write_table(w, &port, m->port != 0, sizeof port) };

		s->flags |= CELL_NET;
		s->links = write_table(w, &l, 1, sizeof l);
	}
	s->dirs = write_table(w, &d, m->state != NULL, sizeof d);
	s->mounts = write_table(w, &bind, m->bind != NULL, sizeof bind);
}

static struct plan_ref cron_of(struct writer *w, const char *text)
{
	struct plan_offset utc[2] = { { 0 } };
	struct plan_cron c;
	struct err e;

	if (!text || cron_parse(text, &c, &e) < 0 || zone_rule("UTC0", utc, 2, &e) != 1)
		return (struct plan_ref){ 0 };
	c.zone = write_table(w, utc, 1, sizeof *utc);
	return write_table(w, &c, 1, sizeof c);
}

static struct plan_service service_of(struct writer *w, const struct made_svc *rows, unsigned n,
				      const struct made_svc *m)
{
	struct plan_ref argv[] = { write_string(w, "sh"), write_string(w, "-c"),
				   write_string(w, m->sh ? m->sh : "exec sleep 1000") };
	struct plan_ref env[] = { write_string(w, "PATH=/bin:/usr/bin") };
	struct plan_service s = {
		.name = write_string(w, m->name), .type = m->type, .ready = m->ready, .restart = m->restart,
		.on_failure = m->on_failure, .flags = m->flags, .stop_signal = SIGTERM,
		.start_timeout_ms = m->start_ms ? m->start_ms : 30000,
		.stop_timeout_ms = m->stop_ms ? m->stop_ms : 10000,
		.backoff_initial_ms = m->backoff_ms ? m->backoff_ms : 100, .backoff_max_ms = 30000,
		.max_restarts = m->max_restarts ? m->max_restarts : 5, .restart_window_ms = 60000,
		.nice = INT32_MIN, .oom_score_adj = INT32_MIN, .umask = 022, .uid = getuid(), .gid = getgid(),
		.argv = write_table(w, argv, 3, sizeof *argv), .env = write_table(w, env, 1, sizeof *env),
		.exe = write_string(w, m->exe ? m->exe : "/bin/sh"), .cwd = write_string(w, "/"),
	};

	s.deps = deps_of(w, rows, n, m);
	s.every_ms = m->every_ms;
	s.cron = cron_of(w, m->cron);
	s.care = care_of_row(w, rows, n, m);
	s.reload_signal = SIGHUP;
	s.listen = listens_of(w, m);
	add_connections(w, rows, n, m, &s);
	add_own(w, m, &s);
	return s;
}

/* Dependencies first: a service is placed when all it names are; n rounds at most. */
static void order_of(const struct made_svc *rows, unsigned n, uint32_t *order)
{
	char *placed = calloc(n, 1);
	unsigned at = 0;

	for (unsigned round = 0; round < n && at < n; round++)
		for (unsigned i = 0; i < n; i++) {
			bool free_now = !placed[i];

			for (unsigned k = 0; free_now && k < MADE_DEPS && rows[i].deps[k].on; k++)
				free_now = placed[number_of(rows, n, rows[i].deps[k].on)];
			if (free_now) {
				placed[i] = 1;
				order[at++] = i;
			}
		}
	free(placed);
}

/* The one that some are on, if any, and the names on it. */
static void add_bridge(struct writer *w, const struct plan_service *s, unsigned n, struct plan_head *h)
{
	for (unsigned i = 0; i < n && !h->bridges.n; i++) {
		const struct plan_bridge b = { .name = write_string(w, s[i].links.n ? "b0" : NULL) };
		const struct plan_file names = { b.name, write_string(w, "127.0.0.1 localhost\n") };

		h->bridges = write_table(w, &b, s[i].links.n != 0, sizeof b);
		h->hosts = write_table(w, &names, s[i].links.n != 0, sizeof names);
	}
}

uint32_t made_good_after_ms;

int made_plan(const struct made_svc *rows, unsigned n)
{
	struct plan_service *s = calloc(n, sizeof *s);
	uint32_t *order = calloc(n, sizeof *order);
	struct plan_head h = { .shutdown_timeout_ms = 60000 };
	struct writer w;
	struct err e = { 0 };
	int fd = FD_NONE;

	write_begin(&w);
	for (unsigned i = 0; i < n; i++)
		s[i] = service_of(&w, rows, n, &rows[i]);
	order_of(rows, n, order);
	h.last_boot = write_string(&w, made_good_after_ms ? "/dev/null/boots" : NULL);
	h.good_after_ms = made_good_after_ms;
	add_bridge(&w, s, n, &h);
	h.services = write_table(&w, s, n, sizeof *s);
	h.start_order = write_table(&w, order, n, sizeof *order);
	memcpy(w.at, &h, sizeof h);
	for (unsigned i = 0; i < n; i++) {
		struct plan p = { w.at, (const struct plan_head *)w.at, w.used };
		struct plan_service *x = (struct plan_service *)(w.at + h.services.at) + i;

		x->hash = plan_service_hash(&p, x);
	}
	if (write_end(&w, &h, &fd, &e) < 0)
		fprintf(stderr, "made_plan: %s\n", e.text);
	write_free(&w);
	free(order);
	free(s);
	return fd;
}
