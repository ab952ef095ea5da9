/* Expressions and the next moment: see cron.h. */
/* SPDX-License-Identifier: ISC */
#include "services/plan/cron.h"
#include <errno.h>
#include <string.h>
#include <strings.h>

#define DAY 86400
#define YEARS 12	/* of February 29ths, eight may lie between two */

static const char *const month_names[] = { "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov",
					   "dec", NULL };
static const char *const day_names[] = { "sun", "mon", "tue", "wed", "thu", "fri", "sat", NULL };

static const struct field {
	const char *name;
	unsigned low, high;
	const char *const *names;	/* the first means `low` */
} fields[] = {
	{ "seconds", 0, 59, NULL }, { "minutes", 0, 59, NULL }, { "hours", 0, 23, NULL },
	{ "days of the month", 1, 31, NULL }, { "months", 1, 12, month_names }, { "weekdays", 0, 7, day_names },
};
#define FIELDS (sizeof fields / sizeof *fields)

/* A number or a name at *s; false: neither. */
static bool number(const struct field *f, const char **s, unsigned *out)
{
	unsigned v = 0, digits = 0;

	for (; **s >= '0' && **s <= '9' && digits < 4; (*s)++, digits++)
		v = v * 10 + (unsigned)(**s - '0');
	for (unsigned i = 0; !digits && f->names && f->names[i]; i++)
		if (!strncasecmp(*s, f->names[i], 3)) {
			*s += 3;
			*out = f->low + i;
			return true;
		}
	*out = v;
	return digits > 0 && v >= f->low && v <= f->high;
}

/* "*", "5", "1-5", "star/10", "1-30/2", at *s up to a comma or the end. */
static bool part(const struct field *f, const char **s, uint64_t *set)
{
	unsigned from = f->low, to = f->high, step = 1;
	struct field steps = { .low = 1, .high = f->high ? f->high : 1 };

	if (**s == '*' || **s == '?') {
		(*s)++;
		to = f->high == 7 ? 6 : f->high;
	} else {
		if (!number(f, s, &from))
			return false;
		to = from;
		if (**s == '-' && (++*s, !number(f, s, &to)))
			return false;
		if (**s == '/' && to == from)
			to = f->high == 7 ? 6 : f->high;
	}
	if (**s == '/' && (++*s, !number(&steps, s, &step)))
		return false;
	if (to < from)
		return false;
	for (unsigned v = from; v <= to; v += step)
		*set |= UINT64_C(1) << (f->high == 7 && v == 7 ? 0 : v);
	return true;
}

static int read_field(const struct field *f, const char *text, size_t n, uint64_t *set, struct err *e)
{
	char copy[64] = "";
	const char *s = copy;

	*set = 0;
	if (n < sizeof copy)
		memcpy(copy, text, n);
	do {
		if (!part(f, &s, set))
			break;
	} while (*s == ',' && *++s);
	if (n >= sizeof copy || *s || !*set || copy[n - 1] == ',')
		return err_set(e, EINVAL, "'%.*s' are not %s (%u to %u: *, 5, 1-5, */10, 1,15)", (int)(n < 60 ? n : 60),
			       text, f->name, f->low, f->high);
	return 0;
}

static const char *nickname(const char *text)
{
	static const struct { const char *name, *means; } known[] = {
		{ "@yearly", "0 0 0 1 1 *" }, { "@annually", "0 0 0 1 1 *" }, { "@monthly", "0 0 0 1 * *" },
		{ "@weekly", "0 0 0 * * 0" }, { "@daily", "0 0 0 * * *" }, { "@midnight", "0 0 0 * * *" },
		{ "@hourly", "0 0 * * * *" },
	};

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (!strcmp(text, known[i].name))
			return known[i].means;
	return text;
}

int cron_parse(const char *text, struct plan_cron *out, struct err *e)
{
	const char *word[FIELDS + 1];
	size_t len[FIELDS + 1];
	uint64_t set[FIELDS] = { 1 };
	unsigned n = 0;

	for (const char *s = nickname(text); *(s += strspn(s, " \t")) && n <= FIELDS; s += len[n++]) {
		word[n] = s;
		len[n] = strcspn(s, " \t");
	}
	if (n != FIELDS && n != FIELDS - 1)
		return err_set(e, EINVAL, "'%.60s' has %u field%s; it takes seconds, minutes, hours, days, months, "
			       "weekdays (five: without the seconds)", text, n, n == 1 ? "" : "s");
	for (unsigned i = 0, skip = FIELDS - n; i < n; i++)
		if (read_field(&fields[i + skip], word[i], len[i], &set[i + skip], e) < 0)
			return -e->code;
	const char *hour = word[n - 4], *day = word[n - 3], *weekday = word[n - 1];

	*out = (struct plan_cron){
		.seconds = set[0], .minutes = set[1], .hours = (uint32_t)set[2], .days = (uint32_t)set[3],
		.months = (uint32_t)set[4], .weekdays = (uint32_t)set[5],
		.flags = (*hour == '*' ? CRON_ANY_HOUR : 0u) |
			 (*day == '*' || *day == '?' || *weekday == '*' || *weekday == '?' ? CRON_BOTH_DAYS : 0u),
	};
	return 0;
}

/* --- the calendar: days are counted from March 1st of year 0, so that a leap day is a year's last --- */

int64_t cron_days(int64_t year, unsigned month, unsigned day)
{
	int64_t y = year - (month <= 2), era = (y >= 0 ? y : y - 399) / 400;
	unsigned of_era = (unsigned)(y - era * 400), m = month > 2 ? month - 3 : month + 9;
	unsigned before = (153 * m + 2) / 5 + day - 1;

	return era * 146097 + (int64_t)(of_era * 365 + of_era / 4 - of_era / 100 + before) - 719468;
}

void cron_date(int64_t days, int64_t *year, unsigned *month, unsigned *day)
{
	int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097;
	unsigned of_era = (unsigned)(z - era * 146097);
	unsigned y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	unsigned of_year = of_era - (365 * y + y / 4 - y / 100), m = (5 * of_year + 2) / 153;

	*day = of_year - (153 * m + 2) / 5 + 1;
	*month = m < 10 ? m + 3 : m - 9;
	*year = (int64_t)y + era * 400 + (*month <= 2);
}

static bool is_day(const struct plan_cron *c, int64_t days)
{
	int64_t year;
	unsigned month, day, weekday = (unsigned)(((days + 4) % 7 + 7) % 7);

	cron_date(days, &year, &month, &day);
	bool by_day = c->days >> day & 1, by_weekday = c->weekdays >> weekday & 1;

	return c->months >> month & 1 && (c->flags & CRON_BOTH_DAYS ? by_day && by_weekday : by_day || by_weekday);
}

/* The lowest member of a set that is at least `from`; 64: none. */
static unsigned at_least(uint64_t set, unsigned from)
{
	uint64_t rest = from < 64 ? set >> from << from : 0;

	return rest ? (unsigned)__builtin_ctzll(rest) : 64;
}

/* The first second of a day, from `from` on, that c means; -1: none. */
static int in_day(const struct plan_cron *c, unsigned from)
{
	unsigned h0 = from / 3600, m0 = from / 60 % 60, s0 = from % 60;

	for (unsigned h = at_least(c->hours, h0); h < 24; h = at_least(c->hours, h + 1)) {
		unsigned first = h == h0 ? m0 : 0;

		for (unsigned m = at_least(c->minutes, first); m < 60; m = at_least(c->minutes, m + 1)) {
			unsigned s = at_least(c->seconds, h == h0 && m == m0 ? s0 : 0);

			if (s < 60)
				return (int)(h * 3600 + m * 60 + s);
		}
	}
	return -1;
}

static int64_t floor_days(int64_t seconds)
{
	return (seconds >= 0 ? seconds : seconds - DAY + 1) / DAY;
}

/* The first local time in [from, to) that c means; false: none. */
static bool first_in(const struct plan_cron *c, int64_t from, int64_t to, int64_t *out)
{
	for (int64_t day = floor_days(from); day * DAY < to; day++, from = day * DAY) {
		int s = is_day(c, day) ? in_day(c, (unsigned)(from - day * DAY)) : -1;

		if (s < 0)
			continue;
		*out = day * DAY + s;
		return *out < to;
	}
	return false;
}

int64_t cron_next(const struct plan_cron *c, const struct plan_offset *zone, uint32_t n, int64_t after)
{
	int64_t end = after + (int64_t)YEARS * 366 * DAY, local;
	bool fixed = !(c->flags & CRON_ANY_HOUR);
	uint32_t k = 0;

	while (k + 1 < n && zone[k + 1].from <= after + 1)
		k++;
	for (; k < n && (k == 0 || zone[k].from < end); k++) {
		int64_t begin = k && zone[k].from > after ? zone[k].from : after + 1;
		int64_t until = k + 1 < n && zone[k + 1].from < end ? zone[k + 1].from : end;
		int64_t from = begin + zone[k].offset;

		/* What is left out between the two: at the moment after it. */
		if (fixed && k && begin == zone[k].from && zone[k].offset > zone[k - 1].offset &&
		    first_in(c, begin + zone[k - 1].offset, from, &local))
			return begin;
		/* What was shown before already. */
		if (fixed && k && from < zone[k].from + zone[k - 1].offset)
			from = zone[k].from + zone[k - 1].offset;
		if (first_in(c, from, until + zone[k].offset, &local))
			return local - zone[k].offset;
	}
	return 0;
}
