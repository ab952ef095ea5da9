/* Times of day: expressions, the calendar, and what happens where a zone's clock is set forward or back. */
/* SPDX-License-Identifier: ISC */
#include "services/plan/cron.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define BERLIN "CET-1CEST,M3.5.0,M10.5.0/3"
#define NEW_YORK "EST5EDT,M3.2.0,M11.1.0"
#define LORD_HOWE "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0"	/* half an hour */

static struct plan_offset zone[ZONE_CHANGES_MAX];
static uint32_t nzone;

static void in(const char *rule)
{
	struct err e;
	int n = zone_rule(rule, zone, ZONE_CHANGES_MAX, &e);

	if (n < 0)
		fail_msg("%s", e.text);
	nzone = (uint32_t)n;
}

/* "2026-03-29 01:59:59", in UTC. */
static int64_t at(const char *utc)
{
	int y, mo, d, h, mi, s;

	assert_int_equal(sscanf(utc, "%d-%d-%d %d:%d:%d", &y, &mo, &d, &h, &mi, &s), 6);
	return cron_days(y, (unsigned)mo, (unsigned)d) * 86400 + h * 3600 + mi * 60 + s;
}

static const char *text(int64_t t)
{
	static char buf[2][64];
	static unsigned k;
	int64_t year, days = t >= 0 ? t / 86400 : (t - 86399) / 86400;
	unsigned month, day, s = (unsigned)(t - days * 86400);

	cron_date(days, &year, &month, &day);
	k = !k;
	snprintf(buf[k], sizeof buf[k], "%04d-%02u-%02u %02u:%02u:%02u", (int)year, month, day, s / 3600, s / 60 % 60,
		 s % 60);
	return buf[k];
}

/* The moments after `from` that the expression means, one behind the other. */
static void expect(const char *expression, const char *from, const char *const *want)
{
	struct plan_cron c;
	struct err e;
	int64_t t = at(from);

	if (cron_parse(expression, &c, &e) < 0)
		fail_msg("%s", e.text);
	for (; *want; want++) {
		t = cron_next(&c, zone, nzone, t);
		if (strcmp(text(t), *want))
			fail_msg("%s after %s: want %s, got %s", expression, from, *want, text(t));
	}
}
#define EXPECT(expression, from, ...) expect(expression, from, (const char *const[]){ __VA_ARGS__, NULL })

static void the_calendar_goes_both_ways(void **state)
{
	(void)state;
	assert_int_equal(cron_days(1970, 1, 1), 0);
	assert_int_equal(cron_days(2000, 3, 1), 11017);
	for (int64_t d = -800000; d < 800000; d += 7) {
		int64_t year;
		unsigned month, day;

		cron_date(d, &year, &month, &day);
		assert_int_equal(cron_days(year, month, day), d);
		assert_true(month >= 1 && month <= 12 && day >= 1 && day <= 31);
	}
}

static void expressions_mean_what_cron_users_expect(void **state)
{
	(void)state;
	in("UTC0");
	EXPECT("0 0 2 * * *", "2026-01-31 12:00:00", "2026-02-01 02:00:00", "2026-02-02 02:00:00");
	EXPECT("0 2 * * *", "2026-01-31 12:00:00", "2026-02-01 02:00:00");
	EXPECT("*/20 * * * * *", "2026-01-01 00:00:05", "2026-01-01 00:00:20", "2026-01-01 00:00:40",
	       "2026-01-01 00:01:00");
	EXPECT("0 5-10/5,30 8 * * MON-FRI", "2026-01-02 08:30:00", "2026-01-05 08:05:00", "2026-01-05 08:10:00",
	       "2026-01-05 08:30:00", "2026-01-06 08:05:00");
	EXPECT("0 0 0 1 jan,JUL ?", "2026-01-01 00:00:00", "2026-07-01 00:00:00", "2027-01-01 00:00:00");
	EXPECT("0 0 0 * * 7", "2026-01-01 00:00:00", "2026-01-04 00:00:00", "2026-01-11 00:00:00");
	/* Both restricted: one is enough. */
	EXPECT("0 0 0 13 * 5", "2026-02-01 00:00:00", "2026-02-06 00:00:00", "2026-02-13 00:00:00",
	       "2026-02-20 00:00:00", "2026-02-27 00:00:00", "2026-03-06 00:00:00", "2026-03-13 00:00:00");
	EXPECT("0 0 0 29 2 *", "2026-01-01 00:00:00", "2028-02-29 00:00:00", "2032-02-29 00:00:00");
	EXPECT("0 0 0 29 2 *", "2096-03-01 00:00:00", "2104-02-29 00:00:00");
	EXPECT("59 59 23 31 12 *", "2026-12-31 23:59:58", "2026-12-31 23:59:59", "2027-12-31 23:59:59");
	EXPECT("@hourly", "2026-01-01 00:00:00", "2026-01-01 01:00:00");
	EXPECT("@monthly", "2026-01-01 00:00:00", "2026-02-01 00:00:00");
	EXPECT("0 30/15 * * * *", "2026-01-01 00:00:00", "2026-01-01 00:30:00", "2026-01-01 00:45:00",
	       "2026-01-01 01:30:00");
}

static void what_is_no_expression_is_refused_with_its_field(void **state)
{
	static const struct { const char *text, *says; } bad[] = {
		{ "", "0 fields" }, { "* * * *", "4 fields" }, { "* * * * * * *", "7 fields" },
		{ "60 * * * * *", "seconds (0 to 59" }, { "0 * 24 * * *", "hours (0 to 23" },
		{ "0 0 0 0 * *", "days of the month (1 to 31" }, { "0 0 0 1 13 *", "months (1 to 12" },
		{ "0 0 0 * * 8", "weekdays (0 to 7" }, { "0 0 0 * * mox", "weekdays" }, { "0 5-1 * * * *", "minutes" },
		{ "0 */0 * * * *", "minutes" }, { "0 1,,2 * * * *", "minutes" }, { "0 1, * * * *", "minutes" },
		{ "0 -1 * * * *", "minutes" }, { "@often", "1 field;" }, { "0 1x * * * *", "minutes" },
	};
	struct plan_cron c;
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_int_equal(cron_parse(bad[i].text, &c, &e), -EINVAL);
		if (!strstr(e.text, bad[i].says))
			fail_msg("'%s': %s", bad[i].text, e.text);
	}
	assert_int_equal(cron_parse("0 0 0 31 2 *", &c, &e), 0);
	in("UTC0");
	assert_int_equal(cron_next(&c, zone, nzone, at("2026-01-01 00:00:00")), 0);
}

static void a_day_is_that_of_the_zone(void **state)
{
	(void)state;
	in(BERLIN);
	EXPECT("0 0 0 * * *", "2026-01-15 12:00:00", "2026-01-15 23:00:00", "2026-01-16 23:00:00");
	EXPECT("0 0 0 * * *", "2026-07-15 12:00:00", "2026-07-15 22:00:00");
	in(NEW_YORK);
	EXPECT("0 0 9 * * mon", "2026-01-01 00:00:00", "2026-01-05 14:00:00");
	in("<+0545>-5:45");
	EXPECT("0 0 12 * * *", "2026-01-01 00:00:00", "2026-01-01 06:15:00");
}

/* Berlin, 2026-03-29: 01:59:59 is followed by 03:00:00, which is 01:00:00 UTC. */
static void a_time_that_is_left_out_in_spring_is_made_up_for_at_once(void **state)
{
	(void)state;
	in(BERLIN);
	EXPECT("0 30 2 * * *", "2026-03-28 00:00:00", "2026-03-28 01:30:00", "2026-03-29 01:00:00",
	       "2026-03-30 00:30:00");
	/* Several in the hour that is left out are one. */
	EXPECT("0 */15 2 * * *", "2026-03-28 12:00:00", "2026-03-29 01:00:00", "2026-03-30 00:00:00");
	/* What is meant after it anyway comes when it comes. */
	EXPECT("0 0 3 * * *", "2026-03-28 12:00:00", "2026-03-29 01:00:00", "2026-03-30 01:00:00");
	EXPECT("0 59 1 * * *", "2026-03-28 12:00:00", "2026-03-29 00:59:00", "2026-03-29 23:59:00");
	/* By the hour: time goes on. */
	EXPECT("0 0 * * * *", "2026-03-29 00:30:00", "2026-03-29 01:00:00", "2026-03-29 02:00:00");
	EXPECT("0 30 */2 * * *", "2026-03-28 22:45:00", "2026-03-28 23:30:00", "2026-03-29 02:30:00");
}

/* Berlin, 2026-10-25: 02:59:59 (00:59:59 UTC) is followed by 02:00:00. */
static void a_time_that_is_shown_twice_in_autumn_counts_once(void **state)
{
	(void)state;
	in(BERLIN);
	EXPECT("0 30 2 * * *", "2026-10-24 12:00:00", "2026-10-25 00:30:00", "2026-10-26 01:30:00");
	EXPECT("0 */30 2 * * *", "2026-10-24 12:00:00", "2026-10-25 00:00:00", "2026-10-25 00:30:00",
	       "2026-10-26 01:00:00");
	/* Asked for the first time within the second showing: it has been. */
	EXPECT("0 30 2 * * *", "2026-10-25 01:10:00", "2026-10-26 01:30:00");
	EXPECT("0 0 3 * * *", "2026-10-24 12:00:00", "2026-10-25 02:00:00");
	/* By the hour or the minute: time goes on, through both. */
	EXPECT("0 0 * * * *", "2026-10-24 23:30:00", "2026-10-25 00:00:00", "2026-10-25 01:00:00",
	       "2026-10-25 02:00:00");
	EXPECT("0 59 * * * *", "2026-10-25 00:58:00", "2026-10-25 00:59:00", "2026-10-25 01:59:00");
}

static void zones_of_the_south_and_of_half_an_hour(void **state)
{
	(void)state;
	in(LORD_HOWE);
	/* 2026-10-04 02:00 becomes 02:30, at 15:30 UTC of the day before; 2026-04-05 02:00 becomes 01:30. */
	EXPECT("0 15 2 * * *", "2026-10-03 00:00:00", "2026-10-03 15:30:00", "2026-10-04 15:15:00");
	EXPECT("0 45 1 * * *", "2026-04-04 00:00:00", "2026-04-04 14:45:00", "2026-04-05 15:15:00");
	in("AEST-10AEDT,M10.1.0,M4.1.0/3");
	EXPECT("0 0 12 * * *", "2026-01-01 12:00:00", "2026-01-02 01:00:00");
	EXPECT("0 0 12 * * *", "2026-06-01 12:00:00", "2026-06-02 02:00:00");
	EXPECT("0 30 2 * * *", "2026-10-02 20:00:00", "2026-10-03 16:00:00", "2026-10-04 15:30:00");
}

static void rules_of_every_kind_are_read(void **state)
{
	struct err e;

	(void)state;
	in("XXX0YYY,J60/0,J300/0");		/* J60 is March 1st, in a leap year too */
	assert_int_equal(zone[1].from, at("2020-03-01 00:00:00"));
	in("XXX0YYY,59/0,300/0");		/* day 59 is February 29th then */
	assert_int_equal(zone[1].from, at("2020-02-29 00:00:00"));
	in("XXX0YYY,M1.1.1/-24,M6.1.1/25");
	assert_int_equal(zone[1].from, at("2020-01-05 00:00:00"));
	static const char *const bad[] = { "", "CET", "CET-1CEST", "CET-1CEST,M3.5.0", "CET-1CEST,M13.5.0,M10.5.0",
		"CET-1CEST,M3.6.0,M10.5.0", "C-1", "CET-200", "CET-1CEST,M3.5.0,M10.5.0x", "<CET-1" };

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(zone_rule(bad[i], zone, ZONE_CHANGES_MAX, &e), -EINVAL);
	assert_int_equal(zone_rule(BERLIN, zone, 10, &e), -E2BIG);
}

/* With whatever tzdata is here: the same list as the rule, for the years in which the rule holds. */
static void a_file_of_the_time_zones_says_the_same(void **state)
{
	static unsigned char bytes[1 << 16];
	static struct plan_offset from_file[ZONE_CHANGES_MAX];
	FILE *f = fopen("/usr/share/zoneinfo/Europe/Berlin", "r");
	struct err e;

	(void)state;
	if (!f)
		skip();
	size_t n = fread(bytes, 1, sizeof bytes, f);

	fclose(f);
	int got = zone_read(bytes, n, from_file, ZONE_CHANGES_MAX, &e);

	if (got < 0)
		fail_msg("%s", e.text);
	in(BERLIN);
	assert_int_equal(got, nzone);
	assert_memory_equal(from_file + 1, zone + 1, ((size_t)got - 1) * sizeof *zone);
	for (size_t cut = 0; cut < n; cut += 13)
		zone_read(bytes, cut, from_file, ZONE_CHANGES_MAX, &e);
	srandom(7);
	for (int round = 0; round < 20000; round++) {
		size_t k = (size_t)random() % n;
		unsigned char was = bytes[k];

		bytes[k] = (unsigned char)random();
		zone_read(bytes, n, from_file, ZONE_CHANGES_MAX, &e);
		bytes[k] = was;
	}
}

/* Whatever is next is after, and there is nothing between; for many expressions and moments. */
static void the_next_is_the_next(void **state)
{
	static const char *const all[] = { "*/7 * * * * *", "0 */13 * * * *", "0 0 */5 * * *", "30 30 2 * * *" };
	struct plan_cron c;
	struct err e;

	(void)state;
	in(BERLIN);
	srandom(3);
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		assert_int_equal(cron_parse(all[i], &c, &e), 0);
		for (int round = 0; round < 2000; round++) {
			int64_t t = at("2026-01-01 00:00:00") + random() % (400 * 86400);
			int64_t a = cron_next(&c, zone, nzone, t), b = cron_next(&c, zone, nzone, (t + a) / 2);

			assert_true(a > t);
			assert_int_equal((t + a) / 2 < a ? b : a, a);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_calendar_goes_both_ways),
		cmocka_unit_test(expressions_mean_what_cron_users_expect),
		cmocka_unit_test(what_is_no_expression_is_refused_with_its_field),
		cmocka_unit_test(a_day_is_that_of_the_zone),
		cmocka_unit_test(a_time_that_is_left_out_in_spring_is_made_up_for_at_once),
		cmocka_unit_test(a_time_that_is_shown_twice_in_autumn_counts_once),
		cmocka_unit_test(zones_of_the_south_and_of_half_an_hour),
		cmocka_unit_test(rules_of_every_kind_are_read),
		cmocka_unit_test(a_file_of_the_time_zones_says_the_same),
		cmocka_unit_test(the_next_is_the_next),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
