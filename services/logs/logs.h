/* Logs and events: the logger process, the files it keeps, and how the control tool reads them. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/err.h"
#include <regex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/*
 * PID 1 makes one pipe per service (O_CLOEXEC, write end = the service's stdout and stderr) and keeps both
 * ends, so that the logger can die and come back without losing a line. The logger is this binary started as
 * `prior-logger`; it gets, over a SOCK_SEQPACKET socket on descriptor 3, one struct logger_add per stream, up to
 * LOGGER_BATCH in a message, with the read ends (SCM_RIGHTS), confines itself, and runs until its socket ends (then
 * drains every pipe and exits). Stream 0 is PID 1's own: event lines (JSON, one per line).
 */
struct logger_add {
	char name[64];		/* service name; "prior" for events */
	uint32_t sink;		/* enum log_sink of spec.h */
	uint32_t max_files;
	uint64_t max_bytes;
	uint16_t forward;	/* LOG_TO_* */
	uint8_t facility, level;	/* syslog's numbers; the level is that of lines that say none */
	char identifier[64];	/* the name in syslog; "": the service's */
	char socket[108];	/* LOG_TO_SYSLOG: a UNIX datagram socket */
};
#define LOG_TO_SYSLOG	1u
#define LOG_TO_KMSG	2u
#define LOG_RFC5424	4u	/* syslog's newer form */
#define LOG_NO_PREFIX	8u	/* "<3>" at the beginning of a line is text, not a level */

struct logger_setup {		/* first message, without a descriptor */
	char run_dir[96];	/* /run/prior: events and the rings live here */
	char log_dir[96];	/* /var/log/prior: files, where writable; "" : never */
	uint32_t console;	/* 1: echo services' lines and events to the console descriptor (4) */
	uint32_t json;		/* console lines as JSON (containers with --json-logs) */
};

/*
 * Where a service's lines are: "DIR/NAME.log", older ones NAME.log.1 ...; the same format everywhere: "UNIX_MS
 * STREAM TEXT\n" with STREAM o (line), 0 to 7 (one of that syslog level), p (partial line: more follows);
 * TEXT has control bytes escaped as \xNN.
 */

/* What a logger says to PID 1, in its last message: the disk does not answer (guard.h). */
#define LOGGER_HUNG "h"

int logger_main(int argc, char **argv);		/* argv[0] == "prior-logger" */

/* PID 1's side: start exe_fd as the logger; *sock is the caller's. Never blocks. */
int logger_start(int exe_fd, int cgroup_fd, const struct logger_setup *s, int console_fd, int *pid, int *sock,
		 struct err *e);
#define LOGGER_BATCH 12		/* their bytes fit into one page of the kernel's */
/* Send n streams, all or none; EAGAIN: the logger is not reading (PID 1 tries again when the socket is writable). */
int logger_send(int sock, const struct logger_add *a, const int *read_ends, unsigned n, struct err *e);
/*
 * The service has ended: what it left without a newline is a line. For a stream that was sent before; as
 * logger_send.
 */
int logger_flush(int sock, const char *name, struct err *e);

/*
 * The control tool's side: print to `to`. since_ms 0: all; n < 0: all. follow: until the reader ends us
 * (inotify).
 */
struct logs_query {
	const char *const *services;	/* NULL-ended; empty: all */
	int64_t since_ms, until_ms;	/* until_ms 0: no end */
	const regex_t *grep;	/* NULL: all; matched against a line (an event: against its JSON) */
	unsigned level;		/* 1 + the highest syslog level that is shown; 0: all */
	long n;
	bool follow, json, events;	/* events: the event ring instead */
	bool colour, names;
	bool times;		/* a time before each line of services' output; events always have one */
};
/* Whether there is something of this service, which may be long gone. */
bool logs_exist(const char *run_dir, const char *log_dir, const char *service);
int logs_print(const char *run_dir, const char *log_dir, const struct logs_query *q, FILE *to, struct err *e);

/*
 * An event: built in PID 1 without a heap, written to the event pipe (stream 0) as one line of at most EVENT_MAX bytes:
 * {"time":"2026-01-02T03:04:05.678Z","level":"info","event":"started","service":"web", ...fields}
 * Never blocks: when the pipe is full the event is counted as lost, and the next one that fits says so.
 */
#define EVENT_MAX 900
struct event {
	char line[EVENT_MAX];
	size_t n;
	bool cut;		/* a field was left out */
};
void event_begin(struct event *ev, const char *level, const char *name, const char *service);
void event_str(struct event *ev, const char *key, const char *value);
void event_num(struct event *ev, const char *key, int64_t value);
void event_end(struct event *ev);	/* closes the object, adds '\n'; a line that got too long is cut at a field */
/* For the console: "12.345 web: started pid 81". */
void event_human(const char *json_line, size_t n, char *out, size_t size);
