/* Wall-clock time in words: see stamp.h. */
/* SPDX-License-Identifier: ISC */
#include "services/logs/stamp.h"

#define DAY_MS 86400000ll
#define LAST_MS 253402300799999ll	/* the end of 9999 */

/* Howard Hinnant's days-from-civil and back: years start in March, so that leap days come last. */
static int64_t days_of(int64_t y, unsigned m, unsigned d)
{
	y -= m <= 2;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	unsigned yoe = (unsigned)(y - era * 400), doy = (153 * (m > 2 ? m - 3 : m + 9) + 2) / 5 + d - 1;

	return era * 146097 + (int64_t)(yoe * 365 + yoe / 4 - yoe / 100 + doy) - 719468;
}

static void civil_of(int64_t days, unsigned *y, unsigned *m, unsigned *d)
{
	unsigned doe = (unsigned)((days + 719468) % 146097), era = (unsigned)((days + 719468) / 146097);
	unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;

	*d = doy - (153 * mp + 2) / 5 + 1;
	*m = mp < 10 ? mp + 3 : mp - 9;
	*y = yoe + era * 400 + (*m <= 2);
}

static void digits(char *at, unsigned value, unsigned n)
{
	while (n--) {
		at[n] = (char)('0' + value % 10);
		value /= 10;
	}
}

void stamp_put(struct text *t, int64_t ms)
{
	char s[STAMP_LEN] = "0000-00-00T00:00:00.000Z";
	unsigned y, m, d;

	ms = ms < 0 ? 0 : ms > LAST_MS ? LAST_MS : ms;
	unsigned in_day = (unsigned)(ms % DAY_MS);

	civil_of(ms / DAY_MS, &y, &m, &d);
	digits(s, y, 4);
	digits(s + 5, m, 2);
	digits(s + 8, d, 2);
	digits(s + 11, in_day / 3600000, 2);
	digits(s + 14, in_day / 60000 % 60, 2);
	digits(s + 17, in_day / 1000 % 60, 2);
	digits(s + 20, in_day % 1000, 3);
	text_add_n(t, s, sizeof s);
}

int64_t stamp_read(const char *s, size_t n)
{
	static const char form[] = "dddd-dd-ddTdd:dd:dd.dddZ";
	static const uint8_t part[STAMP_LEN] = { 1, 1, 1, 1, 0, 2, 2, 0, 3, 3, 0, 4,
						 4, 0, 5, 5, 0, 6, 6, 0, 7, 7, 7, 0 };
	unsigned v[8] = { 0 };

	if (n < STAMP_LEN)
		return -1;
	for (size_t i = 0; i < STAMP_LEN; i++) {
		if (form[i] != 'd' ? s[i] != form[i] : s[i] < '0' || s[i] > '9')
			return -1;
		if (part[i])
			v[part[i]] = v[part[i]] * 10 + (unsigned)(s[i] - '0');
	}
	if (v[2] < 1 || v[2] > 12 || v[3] < 1 || v[3] > 31)
		return -1;
	return days_of(v[1], v[2], v[3]) * DAY_MS + v[4] * 3600000ll + v[5] * 60000ll + v[6] * 1000ll + v[7];
}
