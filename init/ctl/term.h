/* What a person reads: colours where they are wanted, times and sizes in few characters, tables that line up. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum colour { PLAIN, BOLD, DIM, GREEN, YELLOW, RED, COLOURS };

/* Only on a terminal, never with NO_COLOR or TERM=dumb. */
bool colour_wanted(FILE *to);
const char *colour_on(bool wanted, enum colour c);
const char *colour_off(bool wanted, enum colour c);

#define PLURAL(n) ((n) == 1 ? "" : "s")
#define SHORT_TEXT 32
const char *span_text(int64_t ms, char buf[static SHORT_TEXT]);	  /* "0.3s" "41s" "2m 3s" "5h 12m" "3d 4h" */
const char *bytes_text(uint64_t n, char buf[static SHORT_TEXT]);  /* "812" "12.4K" "1.2G" */
const char *date_text(int64_t wall_ms, char buf[static SHORT_TEXT]); /* RFC 3339, UTC, milliseconds */

/* s with control characters made visible: what a service said must not drive the terminal. */
void put_clean(FILE *to, const char *s);

/* A table grows cell by cell; the first row is the heading. Zeroed is empty. */
#define TABLE_COLS 10
struct table {
	struct cell {
		char text[80];
		enum colour colour;
	} (*rows)[TABLE_COLS];
	unsigned nrows, room;
	unsigned ncols, at;	/* the widest row; the next cell of the current one */
	bool failed;		/* no memory */
};
void table_row(struct table *t);
__attribute__((format(printf, 3, 4)))
void table_cell(struct table *t, enum colour c, const char *fmt, ...);
void table_print(struct table *t, bool colour, FILE *to); /* and frees it */
