/* Odd spellings around limits: resource limits with two halves, and the CPU quota's three ways. */
/* SPDX-License-Identifier: ISC */
#include "services/spec/rows.h"
#include <errno.h>
#include <string.h>

static int parse_limit(struct conf_read *r, const struct node *n, uint64_t *out)
{
	const char *s = NULL;

	if (conf_scalar(r, n, &s) < 0)
		return -EINVAL;
	if (!strcmp(s, "unlimited") || !strcmp(s, "max") || !strcmp(s, "-1")) {
		*out = VALUE_MAX;
		return 0;
	}
	if (value_size(s, out) == 0)
		return 0;
	conf_error(r, n, "'%.60s' is not a number, a size like 100M, or unlimited", s);
	return -EINVAL;
}

/* {soft: , hard: }; both are needed, because a missing half would have to be guessed. */
static int parse_halves(struct conf_read *r, const struct node *n, struct spec_rlimit *l)
{
	unsigned have = 0;

	for (const struct node *c = n->first; c; c = c->next) {
		bool soft = !strcmp(c->key, "soft"), hard = !strcmp(c->key, "hard");

		if (!soft && !hard) {
			conf_error_key(r, c, "unknown key '%s'; a limit has soft and hard", c->key);
			return -EINVAL;
		}
		if (parse_limit(r, c, soft ? &l->soft : &l->hard) < 0)
			return -EINVAL;
		have |= soft ? 1 : 2;
	}
	if (have != 3) {
		conf_error(r, n, "needs both soft and hard");
		return -EINVAL;
	}
	return 0;
}

READER(set_rlimit)
{
	struct spec_rlimit *out = (struct spec_rlimit *)((char *)obj + k->at), l = { .given = true };

	if (n->kind == NODE_MAP) {
		if (parse_halves(r, n, &l) < 0)
			return;
	} else if (parse_limit(r, n, &l.soft) < 0) {
		return;
	} else {
		l.hard = l.soft;
	}
	if (l.soft > l.hard)
		conf_error(r, n, "the soft limit is above the hard one");
	else
		*out = l;
}

bool rlimit_given(const struct conf_key *k, const void *obj)
{
	return ((const struct spec_rlimit *)((const char *)obj + k->at))->given;
}

static void put_half(struct conf_out *o, uint64_t v)
{
	if (o->form == CONF_FORM_FROM)
		conf_put_origin(o, o->at);
	else if (v == VALUE_MAX)
		conf_put_text(o, "unlimited");
	else
		fprintf(o->to, "%llu", (unsigned long long)v);
}

PRINTER(put_rlimit)
{
	const struct spec_rlimit *l = (const struct spec_rlimit *)((const char *)obj + k->at);

	if (!l->given && o->form != CONF_FORM_FROM) {
		fputs("null", o->to);
	} else if (l->soft == l->hard) {
		put_half(o, l->soft);
	} else {
		fputc('{', o->to);
		conf_put_text(o, "soft");
		fputs(": ", o->to);
		put_half(o, l->soft);
		fputs(", ", o->to);
		conf_put_text(o, "hard");
		fputs(": ", o->to);
		put_half(o, l->hard);
		fputc('}', o->to);
	}
}

#define PERIOD 100000	/* microseconds: the kernel's own default */

static int quota_and_period(const char *s, uint64_t *quota, uint64_t *period)
{
	char first[24];
	size_t n = strcspn(s, " ");
	int64_t q = 0, p = PERIOD;

	if (n >= sizeof first)
		return -EINVAL;
	memcpy(first, s, n);
	first[n] = '\0';
	if (s[n] && (value_number(s + n + strspn(s + n, " "), &p) < 0 || p < 1000 || p > 1000000))
		return -EINVAL;
	*period = (uint64_t)p;
	*quota = VALUE_MAX;
	if (!strcmp(first, "max"))
		return 0;
	if (!s[n] || value_number(first, &q) < 0 || q < 1000 || q > INT64_C(1000000) * 10000)
		return -EINVAL;
	*quota = (uint64_t)q;
	return 0;
}

static int percent(const char *s, uint64_t *quota)
{
	char number[12];
	size_t n = strspn(s, "0123456789");
	int64_t v = 0;

	if (n == 0 || n >= sizeof number || strcmp(s + n, "%"))
		return -EINVAL;
	memcpy(number, s, n);
	number[n] = '\0';
	if (value_number(number, &v) < 0 || v < 1 || v > 1000000)
		return -EINVAL;
	*quota = (uint64_t)v * (PERIOD / 100);
	return 0;
}

/* The kernel's order surprises: one seed reads "100000 50000" as one CPU. */
static void note_cpus(struct conf_read *r, const struct node *n, uint64_t quota, uint64_t period)
{
	char text[200];
	const char *kept;

	snprintf(text, sizeof text, "%s: \"%s\" is quota %llu per period %llu (microseconds): %llu%%, the time of "
		"%.3g CPU%s", conf_label(r, n),
		 n->text, (unsigned long long)quota, (unsigned long long)period,
		 (unsigned long long)(quota * 100 / period),
		 (double)quota / (double)period, quota == period ? "" : "s");
	kept = arena_copy(r->arena, text, strlen(text));
	if (kept)
		r->tell(r, CONF_NOTE, conf_origin(r, n), kept);
}

READER(set_cpu_max)
{
	struct spec_service *svc = obj;
	uint64_t quota = 0, period = PERIOD;
	const char *s = NULL;

	(void)k;
	if (conf_scalar(r, n, &s) < 0)
		return;
	if (percent(s, &quota) < 0 && quota_and_period(s, &quota, &period) < 0) {
		conf_error(r, n, "'%.60s' is not \"200%%\" (of one CPU), \"QUOTA PERIOD\" in microseconds, or max", s);
		return;
	}
	svc->cpu_quota_us = quota;
	svc->cpu_period_us = period;
	if (strchr(s, ' ') && quota != VALUE_MAX && !strcmp(n->key ? n->key : "", "cpu_max"))
		note_cpus(r, n, quota, period);
}

bool cpu_max_given(const struct conf_key *k, const void *obj)
{
	(void)k;
	return ((const struct spec_service *)obj)->cpu_quota_us != 0;
}

PRINTER(put_cpu_max)
{
	const struct spec_service *svc = obj;
	uint64_t q = svc->cpu_quota_us, p = svc->cpu_period_us;

	(void)k;
	if (o->form == CONF_FORM_FROM)
		conf_put_origin(o, o->at);
	else if (q == 0)
		fputs("null", o->to);
	else if (q == VALUE_MAX)
		conf_put_text(o, "max");
	else if (q * 100 % p == 0)
		fprintf(o->to, "\"%llu%%\"", (unsigned long long)(q * 100 / p));
	else
		fprintf(o->to, "\"%llu %llu\"", (unsigned long long)q, (unsigned long long)p);
}

/* A list, or Compose's "0-3,8". */
READER(set_cpus_allowed)
{
	struct node *list = arena_get(r->arena, sizeof *list);
	char *text, *save = NULL;

	if (n->kind != NODE_SCALAR || conf_is_empty(n) || !list) {
		conf_read_plainly(r, k, obj, n);
		return;
	}
	text = arena_copy(r->arena, n->text, strlen(n->text));
	*list = conf_made(n, "");
	list->kind = NODE_LIST;
	for (char *s = text ? strtok_r(text, ",", &save) : NULL; s; s = strtok_r(NULL, ",", &save)) {
		struct node *c = arena_get(r->arena, sizeof *c);

		if (!c)
			return;
		*c = conf_made(n, s + strspn(s, " "));
		c->up = list;
		*(list->last ? &list->last->next : &list->first) = c;
		list->last = c;
		list->n++;
	}
	conf_read_plainly(r, k, obj, list);
}
