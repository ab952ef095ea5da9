/* From spec to plan: each service by itself, then the graph, then the machine; problems go to the spec. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "init/base/text.h"
#include "services/logs/logs.h"
#include "services/plan/compiling.h"
#include "services/plan/types.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *compiling_get(struct compiling *c, size_t n)
{
	void *p = arena_get(&c->s->arena, n);

	if (!p)
		c->no_memory = true;
	return p;
}

static const char *format(struct compiling *c, const char *fmt, va_list ap)
{
	const char *p = arena_vfmt(&c->s->arena, fmt, ap);

	c->no_memory |= !p;
	return p ? p : "";
}

const char *compiling_fmt(struct compiling *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	const char *text = format(c, fmt, ap);
	va_end(ap);
	return text;
}

const char *compiling_copy(struct compiling *c, const char *text)
{
	const char *p = arena_copy(&c->s->arena, text, strlen(text));

	c->no_memory |= !p;
	return p ? p : "";
}

/* What is said to people: paths and links in it may be an image's, and go to terminals. */
static const char *words(struct compiling *c, const char *fmt, va_list ap)
{
	char text[1024];

	vsnprintf(text, sizeof text, fmt, ap);
	text_tame(text);
	return compiling_fmt(c, "%s", text);
}

/* "FILE:LINE:COL: " or "preset server: ". */
static const char *place(struct compiling *c, struct origin at)
{
	if (at.kind != FROM_FILE || !c->s->files || at.file > c->s->nfiles)
		return "";
	return compiling_fmt(c, "%s:%u:%u: ", c->s->files[at.file], at.line, at.col);
}

/* A value of a preset or a default has no place in a file: the service's own is the next best. */
static struct origin place_of(const struct work *w, struct origin at)
{
	return at.kind == FROM_FILE ? at : w->svc->from;
}

void refuse_at(struct compiling *c, struct work *w, struct origin at, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	const char *text = words(c, fmt, ap);
	va_end(ap);
	at = place_of(w, at);
	spec_problem(c->s, SEV_ERROR, at, w->svc->name, "%s", text);
	if (!w->why)
		w->why = compiling_fmt(c, "%s%s", place(c, at), text);
	w->refused = true;
}

void tell_at(struct compiling *c, struct work *w, struct origin at, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	const char *text = words(c, fmt, ap);
	va_end(ap);
	spec_problem(c->s, SEV_NOTE, place_of(w, at), w->svc->name, "%s", text);
	w->notes = w->notes ? compiling_fmt(c, "%s; %s", w->notes, text) : text;
}

bool path_is_below(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	return n == 1 || (!strncmp(path, dir, n) && (path[n] == '/' || !path[n]));
}

struct plan_ref write_words(struct compiling *c, const struct str_list *l)
{
	struct plan_ref *r = l->n ? compiling_get(c, l->n * sizeof *r) : NULL;

	if (!r)
		return (struct plan_ref){ 0 };
	for (unsigned i = 0; i < l->n; i++)
		r[i] = write_string(&c->w, l->v[i]);
	return write_table(&c->w, r, l->n, sizeof *r);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct work *)a)->svc->name, ((const struct work *)b)->svc->name);
}

struct work *work_find(struct compiling *c, const char *name)
{
	struct spec_service svc = { .name = name };
	struct work key = { .svc = &svc };

	return bsearch(&key, c->work, c->n, sizeof key, by_name);
}

static void compile_logs(struct compiling *c, struct work *w)
{
	const struct spec_service *e = &w->eff;
	struct plan_service *o = &w->out;

	o->log_sink = e->log_sink;
	o->log_max_files = (uint32_t)e->log_max_files;
	o->log_max_bytes = e->log_max_bytes;
	for (unsigned i = 0; i < e->log_forward.n; i++)
		o->log_forward |= !strcmp(e->log_forward.v[i], "syslog") ? LOG_TO_SYSLOG : LOG_TO_KMSG;
	o->log_forward |= (e->syslog_format == SYSLOG_RFC5424 ? LOG_RFC5424 : 0u) |
			  (e->syslog_level_prefix ? 0u : LOG_NO_PREFIX);
	o->log_facility = (uint8_t)spec_facility(e->syslog_facility);
	o->log_level = (uint8_t)e->syslog_level;
	if (e->syslog_identifier)
		o->log_identifier = write_string(&c->w, e->syslog_identifier);
	if (o->log_forward & LOG_TO_SYSLOG)
		o->log_socket = write_string(&c->w, e->syslog_socket);
}

/* What is decided by numbers alone. */
static void compile_supervision(struct compiling *c, struct work *w)
{
	const struct spec_service *e = &w->eff;
	struct plan_service *o = &w->out;

	o->name = write_string(&c->w, e->name);
	o->type = (uint8_t)e->type;
	o->ready = (uint8_t)e->ready;
	o->restart = (uint8_t)e->restart;
	o->on_failure = (uint8_t)e->on_failure;
	o->stop_signal = (int32_t)e->stop_signal;
	/* A oneshot is starting as long as it works: only who says so bounds that. */
	o->start_timeout_ms = e->type == TYPE_ONESHOT && !is_asked(w, start_timeout) ? 0 : (uint32_t)e->start_timeout;
	o->stop_timeout_ms = (uint32_t)e->stop_timeout;
	o->backoff_initial_ms = (uint32_t)e->backoff_initial;
	o->backoff_max_ms = (uint32_t)e->backoff_max;
	o->max_restarts = (uint32_t)e->max_restarts;
	o->restart_window_ms = (uint32_t)e->restart_window;
	compile_logs(c, w);
	o->preset = e->preset;
	o->reload_signal = (int32_t)e->reload_signal;
	if (ready_is_said(e->ready) || e->watchdog || e->fd_store_max)
		o->flags |= CELL_NOTIFY | (e->notify_access == NOTIFY_MAIN ? CELL_NOTIFY_MAIN : 0);
	if (e->critical)
		o->flags |= CELL_CRITICAL;
}

static void compile_conditions(struct compiling *c, struct work *w)
{
	const struct pair_list *l = &w->eff.conditions;
	struct plan_condition *v = l->n ? compiling_get(c, l->n * sizeof *v) : NULL;

	for (unsigned i = 0; v && i < l->n; i++) {
		const char *value = l->v[i].value;

		v[i].negated = *value == '!';
		v[i].value = write_string(&c->w, value + v[i].negated);
		while (spec_conditions[v[i].kind] && strcmp(spec_conditions[v[i].kind], l->v[i].key))
			v[i].kind++;
	}
	w->out.conditions = write_table(&c->w, v, v ? l->n : 0, sizeof *v);
}

static void compile_one(struct compiling *c, struct work *w)
{
	static void (*const parts[])(struct compiling *, struct work *) = {
		compile_supervision, compile_ids, compile_privilege, compile_dirs, compile_mounts, compile_policies,
		compile_environment, compile_process, compile_care, compile_landlock, compile_limits, compile_listen,
		compile_trust, compile_filter, compile_oci,
		compile_conditions, compile_needs_devices, compile_timer,
	};

	if (strlen(w->svc->name) > PLAN_NAME_MAX)
		refuse_at(c, w, w->svc->from, "a service's name has at most %d bytes", PLAN_NAME_MAX);
	if (look_root(c, w) < 0)
		return;
	w->mounts = c->mounts;
	w->seats = c->seats;
	for (unsigned i = 0; i < sizeof parts / sizeof *parts; i++)
		parts[i](c, w);
	for (unsigned i = 0; i < w->nseats; i++)
		fd_drop(&w->seats[i].fd);
	fd_drop(&w->root);
}

/* The first problem that the spec has with each service already; one of a file is one of all services in it. */
static void take_over_problems(struct compiling *c)
{
	for (const struct problem *p = c->s->problems; p; p = p->next) {
		struct work *one = p->service ? work_find(c, p->service) : NULL;

		if (p->severity != SEV_ERROR || (!one && !p->of_file))
			continue;
		for (struct work *w = one ? one : c->work; w < (one ? one + 1 : c->work + c->n); w++)
			if (!w->why && (one || w->svc->from.file == p->at.file)) {
				w->why = compiling_fmt(c, "%s%s", place(c, p->at), p->text);
				w->refused = true;
			}
	}
}

static void write_refused(struct compiling *c, struct plan_head *h)
{
	struct plan_refused *r = c->n ? compiling_get(c, c->n * sizeof *r) : NULL;
	unsigned n = 0;

	for (unsigned i = 0; r && i < c->n; i++)
		if (c->work[i].refused)
			r[n++] = (struct plan_refused){ write_string(&c->w, c->work[i].svc->name),
							write_string(&c->w, c->work[i].why),
							c->work[i].exit_code };
	h->refused = write_table(&c->w, r, n, sizeof *r);
}

/* The hash is over the whole record with its neighbours' names, so it comes when all is in its place. */
static void hash_all(struct compiling *c, struct plan_head *h)
{
	if (c->w.failed || !c->w.at)
		return;
	memcpy(c->w.at, h, sizeof *h);
	struct plan p = { c->w.at, (const struct plan_head *)c->w.at, c->w.used };
	struct plan_service *s = (struct plan_service *)(c->w.at + h->services.at);

	for (uint32_t i = 0; i < h->services.n; i++)
		s[i].hash = plan_service_hash(&p, s + i);
	h->network_tag = plan_network_hash(&p);
}

static int begin(struct compiling *c, struct err *e)
{
	struct spec *s = c->s;

	if (s->nservices > PLAN_SERVICES_MAX)
		return err_set(e, E2BIG, "%u services; a plan has at most %u", s->nservices, PLAN_SERVICES_MAX);
	c->n = s->nservices;
	c->work = malloc((c->n + 1) * sizeof *c->work);	/* all of it is written below */
	c->mounts = calloc(WORK_MOUNTS, sizeof *c->mounts);
	c->seats = calloc(WORK_MOUNTS, sizeof *c->seats);
	c->machine_root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (!c->work || !c->mounts || !c->seats)
		return err_set(e, ENOMEM, "plan: out of memory");
	if (c->machine_root < 0)
		return err_sys(e, "plan: open /");
	for (unsigned i = 0; i < c->n; i++)
		c->work[i] = (struct work){ .svc = s->services + i, .eff = s->services[i], .root = FD_NONE };
	qsort(c->work, c->n, sizeof *c->work, by_name);
	write_begin(&c->w);
	return 0;
}

static int compile_all(struct compiling *c, int *fd, struct err *e)
{
	struct plan_head h = { .flags = c->f->container ? PLAN_F_CONTAINER : 0 };
	int ret = begin(c, e);

	if (ret < 0)
		return ret;
	take_over_problems(c);
	for (unsigned i = 0; i < c->n; i++)
		if (!c->work[i].refused)
			decide(c, c->work + i);
	compile_networks(c, &h);
	for (unsigned i = 0; i < c->n; i++)
		if (!c->work[i].refused)
			compile_one(c, c->work + i);
	compile_shares(c);
	compile_uppers(c);
	compile_clash(c);
	graph_make(c);
	compile_machine(c, &h);
	graph_write(c, &h);
	write_refused(c, &h);
	hash_all(c, &h);
	return c->no_memory ? err_set(e, ENOMEM, "plan: out of memory") : write_end(&c->w, &h, fd, e);
}

int plan_compile_unchecked(struct spec *s, const struct machine_facts *f, int *out, struct err *e)
{
	struct compiling c = { .s = s, .f = f, .machine_root = FD_NONE };
	owned_fd fd = FD_NONE;
	int ret = spec_has_errors(s, NULL)
			? err_set(e, EINVAL, "the configuration as a whole is unusable: no plan is made of it")
			: compile_all(&c, &fd, e);

	user_bases_free(&c);
	look_forget(&c);
	write_free(&c.w);
	free(c.spots);
	free(c.mounts);
	free(c.seats);
	free(c.work);
	fd_drop(&c.machine_root);
	if (ret == 0)
		*out = fd_take(&fd);
	return ret;
}

/* A plan that its own check refuses is a mistake of ours, and better found here than in PID 1. */
static int check_own_work(int fd, struct err *e)
{
	struct plan p;
	int ret = plan_map(&p, fd, e);

	if (ret < 0)
		return err_in(e, "the compiler made a plan that does not hold");
	plan_unmap(&p);
	return 0;
}

int plan_compile(struct spec *s, const struct machine_facts *f, int *out, struct err *e)
{
	owned_fd fd = FD_NONE;
	int ret = plan_compile_unchecked(s, f, &fd, e);

	if (ret == 0)
		ret = check_own_work(fd, e);
	if (ret == 0)
		*out = fd_take(&fd);
	return ret;
}
