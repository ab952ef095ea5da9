/* For people's eyes: see term.h. */
/* SPDX-License-Identifier: ISC */
#include "init/ctl/term.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *const codes[COLOURS] = {
	[PLAIN] = "", [BOLD] = "\033[1m", [DIM] = "\033[2m",
	[GREEN] = "\033[32m", [YELLOW] = "\033[33m", [RED] = "\033[31m",
};

bool colour_wanted(FILE *to)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return !(no && *no) && !(term && strcmp(term, "dumb") == 0) && isatty(fileno(to));
}

const char *colour_on(bool wanted, enum colour c)
{
	return wanted ? codes[c] : "";
}

const char *colour_off(bool wanted, enum colour c)
{
	return wanted && c != PLAIN ? "\033[0m" : "";
}

const char *span_text(int64_t ms, char buf[static SHORT_TEXT])
{
	int64_t s = ms / 1000;

	if (ms < 0)
		snprintf(buf, SHORT_TEXT, "0s");
	else if (s < 10)
		snprintf(buf, SHORT_TEXT, "%" PRId64 ".%" PRId64 "s", s, ms % 1000 / 100);
	else if (s < 60)
		snprintf(buf, SHORT_TEXT, "%" PRId64 "s", s);
	else if (s < 3600)
		snprintf(buf, SHORT_TEXT, "%" PRId64 "m %" PRId64 "s", s / 60, s % 60);
	else if (s < 86400)
		snprintf(buf, SHORT_TEXT, "%" PRId64 "h %" PRId64 "m", s / 3600, s % 3600 / 60);
	else
		snprintf(buf, SHORT_TEXT, "%" PRId64 "d %" PRId64 "h", s / 86400, s % 86400 / 3600);
	return buf;
}

const char *bytes_text(uint64_t n, char buf[static SHORT_TEXT])
{
	static const char units[] = "KMGTPE";
	int unit = -1;
	double v = (double)n;

	for (; v >= 1024 && unit < 5; unit++)
		v /= 1024;
	if (unit < 0)
		snprintf(buf, SHORT_TEXT, "%" PRIu64, n);
	else
		snprintf(buf, SHORT_TEXT, "%.1f%c", v, units[unit]);
	return buf;
}

const char *date_text(int64_t wall_ms, char buf[static SHORT_TEXT])
{
	time_t s = (time_t)(wall_ms / 1000);
	struct tm tm;
	size_t n = gmtime_r(&s, &tm) ? strftime(buf, SHORT_TEXT, "%Y-%m-%dT%H:%M:%S", &tm) : 0;

	snprintf(buf + n, SHORT_TEXT - n, ".%03dZ", (int)(wall_ms % 1000));
	return buf;
}

void put_clean(FILE *to, const char *s)
{
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		bool c1 = c == 0xc2 && (s[1] & 0xe0) == 0x80; /* U+0080 to U+009F */

		if (c < 0x20 || c == 0x7f || c1)
			fprintf(to, "\\x%02x", c);
		else
			fputc(c, to);
	}
}

void table_row(struct table *t)
{
	if (t->nrows == t->room) {
		unsigned room = t->room ? t->room * 2 : 16;
		void *more = realloc(t->rows, room * sizeof *t->rows);

		t->failed |= !more;
		if (!more)
			return;
		t->rows = more;
		t->room = room;
	}
	memset(t->rows[t->nrows++], 0, sizeof *t->rows);
	t->at = 0;
}

void table_cell(struct table *t, enum colour c, const char *fmt, ...)
{
	if (t->failed || t->nrows == 0 || t->at == TABLE_COLS)
		return;
	struct cell *cell = &t->rows[t->nrows - 1][t->at++];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(cell->text, sizeof cell->text, fmt, ap);
	va_end(ap);
	cell->colour = c;
	if (t->at > t->ncols)
		t->ncols = t->at;
}

void table_print(struct table *t, bool colour, FILE *to)
{
	size_t width[TABLE_COLS] = { 0 };

	for (unsigned r = 0; r < t->nrows; r++)
		for (unsigned c = 0; c < t->ncols; c++) {
			size_t n = strlen(t->rows[r][c].text);

			width[c] = n > width[c] ? n : width[c];
		}
	for (unsigned r = 0; r < t->nrows; r++) {
		for (unsigned c = 0; c < t->ncols; c++) {
			const struct cell *cell = &t->rows[r][c];
			int pad = c + 1 < t->ncols ? (int)(width[c] - strlen(cell->text)) + 2 : 0;

			fprintf(to, "%s%s%s%*s", colour_on(colour, cell->colour), cell->text,
				colour_off(colour, cell->colour), pad, "");
		}
		fputc('\n', to);
	}
	if (t->failed)
		fputs("(there is not enough memory for the whole table)\n", to);
	free(t->rows);
	*t = (struct table){ 0 };
}
