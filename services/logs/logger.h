/* Inside the logger: its streams, where their lines go, and the turn each of them gets. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/fd.h"
#include "services/logs/console.h"
#include "services/logs/guard.h"
#include "services/logs/journal.h"
#include "services/logs/logs.h"
#include "services/logs/store.h"

#define EVENTS_NAME "prior"	/* the stream that carries PID 1's events */

struct stream {
	struct stream *next, *next_ready;
	int fd;			/* read end of the pipe, owned */
	bool events;		/* PID 1's: lines of JSON, kept in logger.events */
	bool ready, queued;	/* may have more in its pipe; is in the list of those */
	bool ended;		/* no writer is left */
	bool open_line;		/* the last record was a part */
	bool waits;		/* `held` bytes, the beginning of a line, are in its pipe since waits_ms */
	bool in_ring, troubled;	/* where its lines go now; it should be elsewhere */
	uint32_t sink;		/* enum log_sink */
	int64_t waits_ms, retry_ms;
	int held;
	uint64_t lost;		/* lines that nothing could keep */
	struct store store;
	bool prefix, rfc5424;	/* "<3>" is a level; its form for syslog */
	uint8_t facility, usual_level, level;	/* level: of the line that is being written */
	struct target *to_syslog, *to_kmsg;	/* of logger.targets; NULL: not there */
	char name[64], identifier[64];
};

struct logger {
	int epoll, sock;
	int scratch[2];		/* where pipes are looked at */
	int run_dir, ring_dir, file_dir;	/* file_dir FD_NONE: no files */
	int64_t now_ms;		/* wall clock, read when bytes are */
	int64_t look_ms;	/* the earliest of the streams that wait; like all but now_ms, since boot */
	struct stream *all, *ready;
	unsigned waiting;	/* streams with the beginning of a line */
	struct console console;
	bool echo;		/* every service's lines go there too */
	struct journal *journal;
	struct store events;
	struct guard guard;
	struct target *targets;	/* where lines are forwarded to */
	int kmsg;		/* the kernel's log, opened before the lockdown */
	bool kmsg_limited;	/* the kernel takes only some lines of it */
	int64_t tell_ms;	/* a target that fails is told after this: at boot, syslog comes later */
};

/* What to do with bytes after the last newline. */
enum rest { REST_WAITS, REST_IS_PART, REST_IS_LINE };

/*
 * Read, split, keep: at most TURN_BYTES, so that a flood takes turns with everybody else. Clears `ready` when
 * empty.
 */
#define TURN_BYTES 65536
void stream_turn(struct logger *l, struct stream *s, enum rest rest);
int stream_holds(const struct stream *s);	/* bytes in its pipe */
/* All that is in the pipe now, and the rest as a line. */
void stream_drain(struct logger *l, struct stream *s);

/* Where the lines go (keep.c). first and n: the bytes of the pipe that they were made from. */
void keep_choose(struct logger *l, struct stream *s);
/* After a restart: put right what the logger before was in the middle of. */
void keep_recover(struct logger *l, struct stream *s);
void keep(struct logger *l, struct stream *s, unsigned char first, size_t n, const char *out, size_t out_n);
/* An event of the logger's own: to the event file and the console. */
void keep_event(struct logger *l, struct event *ev);

/* What the process can do from here on (lockdown.c). *e says what could not be had. */
int lockdown_group(void);	/* before files are made: they belong to the group prior, when there is one */
int lockdown(const struct logger *l, struct err *e);
void lockdown_guard(void);	/* of the guard's thread: it can wait, tell and kill */

/* The rest of main, after the setup message; tests run it unconfined. trouble: to be told; NULL: none so far. */
int logger_run(struct logger *l, const struct logger_setup *setup, bool confined, const struct err *trouble);
