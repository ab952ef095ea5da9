/* Taking a plan in: mapping it, checking every reference once, finding services. */
/* SPDX-License-Identifier: ISC */
#include "services/plan/plan.h"
#include "init/base/sum.h"
#include "services/plan/types.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

/*
 * Nothing here allocates and nothing recurses deeper than the types do (head, service, table, string). A plan made to
 * waste time could have every service point to the same megabytes; `left` bounds the bytes looked at.
 */
struct walk {
	struct plan p;
	uint64_t left;
	const char *service;	/* its name, once that has been checked */
	struct err *e;
};

#define WALK_MAX (16ull * PLAN_MAX)
#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

static int bad(const struct walk *w, const char *type, const char *field, const char *why)
{
	return err_set(w->e, EBADMSG, "plan: %s%s%s%s%s: %s", w->service ? w->service : "",
		       w->service ? ": " : "", type, field ? "." : "", field ? field : "", why);
}

static bool has_dotdot(const char *s)
{
	for (const char *at = s; (at = strstr(at, "..")); at += 2)
		if ((at == s || at[-1] == '/') && (at[2] == '/' || !at[2]))
			return true;
	return false;
}

static bool name_byte(char c, bool first)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (!first && c && strchr("_.-", c));
}

/* NAME or NAME@INSTANCE, both of the same alphabet: neither can be a way up a path. */
static bool is_service_name(const char *s, uint32_t n)
{
	bool first = true, instance = false;

	if (n == 0 || n > PLAN_NAME_MAX)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		bool at_sign = s[i] == '@' && !first && !instance;

		if (!at_sign && !name_byte(s[i], first))
			return false;
		instance |= at_sign;
		first = at_sign;
	}
	return !first;
}

static bool is_listen_name(const char *s, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f || s[i] == ':')
			return false;
	return n > 0 && n <= 255;
}

static bool is_interface_name(const char *s, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if ((unsigned char)s[i] <= 0x20 || s[i] == '/' || s[i] == ':')
			return false;
	return n > 0 && n <= 15 && strcmp(s, ".") && strcmp(s, "..");
}

static const char *text_wrong(enum plan_text kind, const char *s, uint32_t n)
{
	switch (kind) {
	case TEXT_ANY:
		return NULL;
	case TEXT_FULL:
		return n ? NULL : "empty";
	case TEXT_ABSOLUTE:
		return s[0] == '/' ? NULL : "not an absolute path";
	case TEXT_INSIDE:
		return s[0] == '/' && !has_dotdot(s) ? NULL : "not an absolute path without '..'";
	case TEXT_RELATIVE:
		return n && s[0] != '/' && !has_dotdot(s) ? NULL : "not a relative path without '..'";
	case TEXT_FILE:
		return n && !strchr(s, '/') && strcmp(s, ".") && strcmp(s, "..") ? NULL : "not a file name";
	case TEXT_SERVICE:
		return is_service_name(s, n) ? NULL : "not a service's name";
	case TEXT_LISTEN:
		return is_listen_name(s, n) ? NULL : "not a socket's name";
	case TEXT_INTERFACE:
		return is_interface_name(s, n) ? NULL : "not an interface's name";
	case TEXT_ASSIGN:
		return n && s[0] != '=' && strchr(s, '=') ? NULL : "not NAME=VALUE";
	}
	return "unknown rule";
}

/* The string at r is whole: inside, ended by its only NUL. */
static int check_string(struct walk *w, const struct plan_type *t, const struct plan_field *f, struct plan_ref r)
{
	const char *s = (const char *)w->p.at + r.at;

	if (r.n >= w->p.size - r.at || s[r.n] || memchr(s, 0, r.n))
		return bad(w, t->name, f->name, "a string without its end");
	const char *why = text_wrong(f->text, s, r.n);

	return why ? bad(w, t->name, f->name, why) : 0;
}

static int check_record(struct walk *w, const struct plan_type *t, const unsigned char *at);

static int check_table(struct walk *w, const struct plan_type *t, const struct plan_field *f, struct plan_ref r)
{
	if (r.at % f->of->align || (uint64_t)r.n * f->of->size > w->p.size - r.at)
		return bad(w, t->name, f->name, "reaches beyond the end or between the records");
	if (!f->of->nfields && !f->of->wrong)
		return 0;
	for (uint32_t i = 0; i < r.n; i++) {
		int ret = check_record(w, f->of, w->p.at + r.at + (size_t)i * f->of->size);

		if (ret < 0)
			return ret;
	}
	return 0;
}

static int check_ref(struct walk *w, const struct plan_type *t, const struct plan_field *f, struct plan_ref r)
{
	if ((!r.at && r.n) || (f->needed && !r.n))
		return bad(w, t->name, f->name, "missing");
	if (!r.at)
		return 0;
	if (r.at < sizeof(struct plan_head) || r.at >= w->p.size)
		return bad(w, t->name, f->name, "points outside");
	if (f->max && r.n > f->max)
		return bad(w, t->name, f->name, "too many elements");
	uint64_t bytes = (uint64_t)r.n * f->of->size + 8;

	if (bytes > w->left)
		return bad(w, t->name, f->name, "the same bytes are used too often");
	w->left -= bytes;
	return f->of->is_string ? check_string(w, t, f, r) : check_table(w, t, f, r);
}

static int check_record(struct walk *w, const struct plan_type *t, const unsigned char *at)
{
	if (t == &plan_service_type)
		w->service = NULL;
	for (const struct plan_field *f = t->fields; f < t->fields + t->nfields; f++) {
		struct plan_ref r;

		memcpy(&r, at + f->at, sizeof r);
		int ret = check_ref(w, t, f, r);

		if (ret < 0)
			return ret;
		if (f->text == TEXT_SERVICE)
			w->service = (const char *)w->p.at + r.at;
	}
	const char *why = t->wrong ? t->wrong(&w->p, at) : NULL;

	return why ? bad(w, t->name, NULL, why) : 0;
}

/* Names ascend; start_order has each service once, after what it waits for. */
static int check_order(struct walk *w)
{
	const struct plan *p = &w->p;
	const uint32_t *order = plan_array(p, p->head->start_order);
	uint32_t n = p->head->services.n;
	uint16_t place[PLAN_SERVICES_MAX] = { 0 };	/* 1 + position */

	for (uint32_t i = 0; i < n; i++) {
		if (order[i] >= n || place[order[i]])
			return bad(w, "start_order", NULL, "not every service once");
		place[order[i]] = (uint16_t)(i + 1);
	}
	for (uint32_t i = 0; i < n; i++) {
		const struct plan_service *s = plan_service(p, i);

		w->service = plan_str(p, s->name);
		if (i && strcmp(plan_str(p, s[-1].name), w->service) >= 0)
			return bad(w, "services", NULL, "not in the order of their names");
		PLAN_EACH(struct plan_dep, d, p, s->deps)
			if (d->service == i || ((d->kind == DEP_REQUIRES || d->kind == DEP_AFTER) &&
						place[d->service] > place[i]))
				return bad(w, "start_order", NULL, "starts before what it waits for");
	}
	return 0;
}

int plan_verify(const void *at, size_t size, struct err *e)
{
	const struct plan_head *h = at;
	struct walk w = { .p = { at, at, size }, .left = WALK_MAX, .e = e };
	const size_t summed = offsetof(struct plan_head, sum) + sizeof h->sum;

	if (size < sizeof *h || size > PLAN_MAX || (uintptr_t)at % 8 || memcmp(h->magic, PLAN_MAGIC, 8))
		return err_set(e, EBADMSG, "not a plan");
	if (h->version != PLAN_VERSION)
		return err_set(e, EBADMSG, "a plan of version %u, not %u: compile it again", h->version, PLAN_VERSION);
	if (h->size != size)
		return err_set(e, EBADMSG, "a plan of %u bytes, of which there are %zu", h->size, size);
	if (h->sum != sum_long(SUM_START, (const char *)at + summed, size - summed))
		return err_set(e, EBADMSG, "plan: damaged: its sum is wrong");
	if (h->arch != PLAN_ARCH)
		return err_set(e, EBADMSG, "plan: made for another processor (%#x, not %#x): compile it again",
			       h->arch, PLAN_ARCH);
	int ret = check_record(&w, &plan_head_type, at);

	w.service = NULL;
	return ret < 0 ? ret : check_order(&w);
}

int plan_map(struct plan *p, int fd, struct err *e)
{
	struct stat st;
	int seals = fcntl(fd, F_GET_SEALS);

	if (fstat(fd, &st) < 0)
		return err_sys(e, "plan: fstat");
	/* A file that can shrink under the mapping would fault PID 1. plan_seal() makes a copy that cannot. */
	if (seals < 0 || (seals & SEALS) != SEALS)
		return err_set(e, EINVAL, "plan: not a sealed memfd");
	if (st.st_size < (off_t)sizeof(struct plan_head) || st.st_size > PLAN_MAX)
		return err_set(e, EBADMSG, "not a plan: %lld bytes", (long long)st.st_size);
	size_t size = (size_t)st.st_size;
	void *at = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);

	if (at == MAP_FAILED)
		return err_sys(e, "plan: mmap of %zu bytes", size);
	int ret = plan_verify(at, size, e);

	if (ret < 0) {
		munmap(at, size);
		return ret;
	}
	*p = (struct plan){ at, at, size };
	return 0;
}

void plan_unmap(struct plan *p)
{
	if (p->at)
		munmap((void *)p->at, p->size);
	*p = (struct plan){ 0 };
}

int plan_find(const struct plan *p, const char *name)
{
	uint32_t low = 0, high = p->head->services.n;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		int c = strcmp(plan_str(p, plan_service(p, mid)->name), name);

		if (c == 0)
			return (int)mid;
		if (c < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return -1;
}

static bool is_among(const struct plan *p, struct plan_ref r, uint32_t service)
{
	const uint32_t *v = PLAN_FIRST(p, r, uint32_t);
	uint32_t low = 0, high = r.n;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (v[mid] == service)
			return true;
		if (v[mid] < service)
			low = mid + 1;
		else
			high = mid;
	}
	return false;
}

bool plan_is_asked(const struct plan *p, uint32_t service)
{
	return is_among(p, p->head->asked, service);
}

bool plan_is_disabled(const struct plan *p, uint32_t service)
{
	return is_among(p, p->head->disabled, service);
}

const struct plan_service *plan_network(const struct plan *p, const struct plan_service *s)
{
	return s->share.n ? plan_service(p, PLAN_FIRST(p, s->share, struct plan_dep)->service) : s;
}

bool plan_is_bridged(const struct plan *p, const struct plan_service *s)
{
	PLAN_EACH(struct plan_link, l, p, s->links)
		if (l->bridge.n)
			return true;
	return false;
}

uint32_t plan_named(const struct plan *p)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < p->head->services.n; i++)
		n += plan_service(p, i)->base.n == 0;
	return n;
}

/* n: the length of what stands up to the '@', and with it. */
static bool is_template(const struct plan *p, const char *name, size_t n)
{
	PLAN_EACH(struct plan_ref, t, p, p->head->templates)
		if (t->n == n && !strncmp(plan_str(p, *t), name, n))
			return true;
	return false;
}

bool plan_has_template_itself(const struct plan *p, const char *name)
{
	const size_t n = strcspn(name, "@") + 1;

	return strlen(name) == n && is_template(p, name, n);
}

bool plan_has_template(const struct plan *p, const char *instance)
{
	return is_service_name(instance, (uint32_t)strnlen(instance, PLAN_NAME_MAX + 1)) &&
	       is_template(p, instance, strcspn(instance, "@") + 1);
}

const struct plan_refused *plan_find_refused(const struct plan *p, const char *name)
{
	PLAN_EACH(struct plan_refused, r, p, p->head->refused)
		if (!strcmp(plan_str(p, r->name), name))
			return r;
	return NULL;
}
