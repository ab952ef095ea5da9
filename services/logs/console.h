/* The console: services' lines and events for a person, or for a container's runtime. Never the only copy. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/logs/record.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A console can be slow (a serial line) or stuck (a pipe that nobody reads). It is waited for, at most
 * CONSOLE_WAIT_MS at once; then lines are left out until it takes some again, and it is told how many.
 */
#define CONSOLE_WAIT_MS 200

struct console {
	int fd;			/* not owned; FD_NONE: there is none */
	bool json, colour, stuck;
	uint64_t left_out;	/* lines since it got stuck */
	size_t n;		/* bytes in the (one) buffer that are still to be written */
};

void console_open(struct console *c, int fd, bool json, bool no_colour);
/* r: as in the files, escaped; raw: as the service wrote it. */
void console_line(struct console *c, const char *service, const struct record *r, const char *raw, size_t raw_n);
void console_event(struct console *c, const char *json, size_t n);
void console_flush(struct console *c);
