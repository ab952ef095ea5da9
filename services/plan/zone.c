/* Time zones: compiled files (RFC 8536) and rules (POSIX TZ) as a list of changes: see cron.h. */
/* SPDX-License-Identifier: ISC */
#include "services/plan/cron.h"
#include <errno.h>
#include <string.h>

#define FIRST_YEAR 2020		/* fixed, so that the same zone is the same list whenever it is compiled */
#define LAST_YEAR 2069
#define DAY 86400
#define HEAD 44

struct list {
	struct plan_offset *v;
	unsigned n, max;
};

/* Changes that change nothing are none; one of the same moment replaces the other. */
static int add(struct list *l, int64_t from, int32_t offset, struct err *e)
{
	if (l->n && l->v[l->n - 1].offset == offset)
		return 0;
	if (l->n && l->v[l->n - 1].from == from)
		l->n--;
	if (l->n == l->max)
		return err_set(e, E2BIG, "a time zone with more than %u changes", l->max);
	l->v[l->n++] = (struct plan_offset){ .from = from, .offset = offset };
	return 0;
}

/* --- rules --- */

struct day_rule {
	char kind;		/* 'M' month.week.day, 'J' 1 to 365 without leap days, 'D' 0 to 365 */
	unsigned a, b, c;
	int32_t time;		/* seconds of local time */
};

static bool number(const char **s, unsigned max, unsigned *out)
{
	unsigned v = 0, digits = 0;

	for (; **s >= '0' && **s <= '9' && digits < 5; (*s)++, digits++)
		v = v * 10 + (unsigned)(**s - '0');
	*out = v;
	return digits && v <= max;
}

/* [+-]hh[:mm[:ss]] */
static bool hours(const char **s, int32_t *out)
{
	unsigned h = 0, m = 0, sec = 0;
	bool minus = **s == '-';

	*s += **s == '-' || **s == '+';
	if (!number(s, 167, &h) || (**s == ':' && (++*s, !number(s, 59, &m))) ||
	    (**s == ':' && (++*s, !number(s, 59, &sec))))
		return false;
	*out = (int32_t)(h * 3600 + m * 60 + sec) * (minus ? -1 : 1);
	return true;
}

/* CET, or <+03> */
static bool skip_name(const char **s)
{
	const char *end = **s == '<' ? strchr(*s, '>') : NULL;
	size_t n = end ? (size_t)(end + 1 - *s) : strspn(*s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");

	*s += n;
	return n >= 3;
}

static bool day_rule(const char **s, struct day_rule *r)
{
	*r = (struct day_rule){ .kind = **s == 'M' ? 'M' : **s == 'J' ? 'J' : 'D', .time = 7200 };
	*s += r->kind != 'D';
	if (!number(s, r->kind == 'M' ? 12 : 365, &r->a))
		return false;
	if (r->kind == 'M' && (r->a < 1 || *(*s)++ != '.' || !number(s, 5, &r->b) || r->b < 1 || *(*s)++ != '.' ||
			       !number(s, 6, &r->c)))
		return false;
	return **s != '/' || (++*s, hours(s, &r->time));
}

static bool is_leap(int64_t year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* Local time of the change in a year, in seconds since 1970. */
static int64_t moment(const struct day_rule *r, int64_t year)
{
	int64_t day = cron_days(year, 1, 1);

	if (r->kind == 'J') {
		day += r->a - 1 + (is_leap(year) && r->a >= 60);
	} else if (r->kind == 'D') {
		day += r->a;
	} else {
		int64_t next = r->a == 12 ? cron_days(year + 1, 1, 1) : cron_days(year, r->a + 1, 1);

		day = cron_days(year, r->a, 1);
		day += (int64_t)((r->c + 7 - (unsigned)((day + 4) % 7)) % 7 + (r->b - 1) * 7);
		while (day >= next)
			day -= 7;
	}
	return day * DAY + r->time;
}

static int bad_rule(const char *rule, struct err *e)
{
	return err_set(e, EINVAL, "'%.60s' is not a time zone's rule such as CET-1CEST,M3.5.0,M10.5.0/3", rule);
}

/* What the rule says from `after` on is added to the list. */
static int expand(const char *rule, int64_t after, struct list *l, struct err *e)
{
	const char *s = rule;
	int32_t west, dst_west;
	struct day_rule begin, end;

	if (!skip_name(&s) || !hours(&s, &west))
		return bad_rule(rule, e);
	if (!*s)
		return l->n ? add(l, after, -west, e) : add(l, INT64_MIN / 4, -west, e);
	if (!skip_name(&s))
		return bad_rule(rule, e);
	dst_west = west - 3600;
	if (*s != ',' && !hours(&s, &dst_west))
		return bad_rule(rule, e);
	if (*s++ != ',' || !day_rule(&s, &begin) || *s++ != ',' || !day_rule(&s, &end) || *s)
		return bad_rule(rule, e);
	if (!l->n && add(l, INT64_MIN / 4, -west, e) < 0)
		return -e->code;
	for (int64_t year = FIRST_YEAR; year <= LAST_YEAR; year++) {
		int64_t on = moment(&begin, year) + west, off = moment(&end, year) + dst_west;
		bool north = on < off;

		for (int half = 0; half < 2; half++) {
			bool to_dst = north == (half == 0);
			int64_t at = to_dst ? on : off;

			if (at > after && add(l, at, to_dst ? -dst_west : -west, e) < 0)
				return -e->code;
		}
	}
	return 0;
}

int zone_rule(const char *rule, struct plan_offset *out, unsigned max, struct err *e)
{
	struct list l = { out, 0, max };
	int rc = expand(rule, INT64_MIN / 4, &l, e);

	return rc < 0 ? rc : (int)l.n;
}

/* --- files --- */

static int64_t big_endian(const unsigned char *p, unsigned n)
{
	uint64_t v = p[0] & 0x80 ? ~UINT64_C(0) : 0;

	for (unsigned i = 0; i < n; i++)
		v = v << 8 | p[i];
	return (int64_t)v;
}

struct counts {
	int64_t isut, isstd, leap, times, types, chars;
};

static bool read_head(const unsigned char *p, size_t n, struct counts *c)
{
	int64_t *const to[] = { &c->isut, &c->isstd, &c->leap, &c->times, &c->types, &c->chars };

	if (n < HEAD || memcmp(p, "TZif", 4))
		return false;
	for (unsigned i = 0; i < 6; i++) {
		*to[i] = big_endian(p + 20 + 4 * i, 4);
		if (*to[i] < 0 || *to[i] > 1 << 20)
			return false;
	}
	return c->types > 0;
}

static size_t body(const struct counts *c, unsigned width)
{
	return (size_t)(c->times * width + c->times + c->types * 6 + c->chars + c->leap * (width + 4) + c->isstd +
			c->isut);
}

/* The second half: 64-bit times, then the rule for what comes after the last of them. */
static int read_wide(const unsigned char *p, size_t n, struct list *l, struct err *e)
{
	struct counts c;
	char rule[128] = "";

	if (!read_head(p, n, &c) || HEAD + body(&c, 8) + 2 > n)
		return err_set(e, EINVAL, "its file is damaged");
	const unsigned char *times = p + HEAD, *kinds = times + c.times * 8, *types = kinds + c.times;
	const unsigned char *foot = p + HEAD + body(&c, 8), *end = memchr(foot + 1, '\n', n - (size_t)(foot + 1 - p));
	int64_t last = INT64_MIN / 4;

	if (add(l, INT64_MIN / 4, (int32_t)big_endian(types, 4), e) < 0)
		return -e->code;
	for (int64_t i = 0; i < c.times; i++) {
		if (kinds[i] >= c.types)
			return err_set(e, EINVAL, "its file is damaged");
		int64_t at = big_endian(times + i * 8, 8);
		int32_t offset = (int32_t)big_endian(types + kinds[i] * 6, 4);

		if (at < cron_days(FIRST_YEAR, 1, 1) * DAY) {
			l->n = 0;	/* before our time: it is what has always been */
			at = INT64_MIN / 4;
		}
		if (at < cron_days(LAST_YEAR + 1, 1, 1) * DAY && add(l, at, offset, e) < 0)
			return -e->code;
		last = big_endian(times + i * 8, 8);
	}
	if (foot[0] != '\n' || !end || (size_t)(end - foot) > sizeof rule)
		return err_set(e, EINVAL, "its file is damaged");
	memcpy(rule, foot + 1, (size_t)(end - foot - 1));
	return rule[0] ? expand(rule, last, l, e) : 0;
}

int zone_read(const unsigned char *bytes, size_t n, struct plan_offset *out, unsigned max, struct err *e)
{
	struct list l = { out, 0, max };
	struct counts c;

	if (!read_head(bytes, n, &c) || bytes[4] < '2' || HEAD + body(&c, 4) > n)
		return err_set(e, EINVAL, "its file is no time zone (of version 2 or later)");
	size_t at = HEAD + body(&c, 4);
	int rc = read_wide(bytes + at, n - at, &l, e);

	return rc < 0 ? rc : (int)l.n;
}
