/* Times of day: which seconds an expression means, and when the next of them is, in a zone with its changes. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/plan/plan.h"

/*
 * Six fields: seconds, minutes, hours, days of the month, months, weekdays (five: the seconds are 0; @hourly and its
 * kin). When both days and weekdays are restricted, one of them is enough, as in every cron. An hour that the clock
 * leaves out (spring) is made up for at the moment after it; one that it shows twice counts once. Neither holds where
 * the hour is `*` (or a step of it): such a service goes by the time that passes.
 */
int cron_parse(const char *text, struct plan_cron *out, struct err *e);

/*
 * The first moment after `after` (seconds since 1970) that c means; 0: none within twelve years. zone[0] holds from
 * ever, each next one from its `from`. Takes no memory, parses nothing: PID 1's.
 */
int64_t cron_next(const struct plan_cron *c, const struct plan_offset *zone, uint32_t n, int64_t after);

/* Days since 1970 of a date of the Gregorian calendar, and back. */
int64_t cron_days(int64_t year, unsigned month, unsigned day);
void cron_date(int64_t days, int64_t *year, unsigned *month, unsigned *day);

/* zone.c: the changes of a time zone up to 2069. bytes: a TZif file, or NULL; rule: "CET-1CEST,M3.5.0,M10.5.0/3".
 * Returns how many are written to out[max]; -EINVAL: not one, -E2BIG. For the compiler. */
#define ZONE_CHANGES_MAX 512
int zone_read(const unsigned char *bytes, size_t n, struct plan_offset *out, unsigned max, struct err *e);
int zone_rule(const char *rule, struct plan_offset *out, unsigned max, struct err *e);
