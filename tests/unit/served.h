/* A prior that supervises real processes inside a test: no root, no cgroup, a logger that only reads. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/serve.h"
#include "tests/unit/made_plan.h"

/* A test that uses this is linked with LINK, so that the fakes of served.c take their places. */
/* link: -Wl,--wrap=logger_start,--wrap=logger_send,--wrap=logger_flush,--wrap=panic_arm */

extern struct prior prior;
extern char run_dir[64];

void serve_rows(const struct made_svc *rows, unsigned n);	/* begins; fails the test when it cannot */
void serve_rows_as(const struct made_svc *rows, unsigned n, enum prior_mode mode);
int serve_stop(void **state);		/* a teardown: ends everything at once and takes run_dir away */

/* Turns until the condition holds; fails the test after thirty seconds. */
#define UNTIL(condition) do { \
	int64_t end_ = mono_now().ms + 30000; \
	while (!(condition)) { \
		if (mono_now().ms > end_) \
			fail_msg("%s:%d: still not: %s", __FILE__, __LINE__, #condition); \
		served_turn(); \
	} } while (0)
void served_turn(void);		/* one turn, at most 50 ms long */

/* As an exec would have it: all memory is gone, the ledger's descriptors are there. */
void come_back(int fault);

bool heard(const char *words);	/* an event with these words has come; nobody else reads the pipe */
struct ledger_svc *named(const char *service);
bool is_in(const char *service, enum svc_state st);
bool traps(const char *service, int sig);	/* its process has got so far that this signal does not end it */
const char *read_file(const char *path);	/* at most 4095 bytes; "" when it is not there */
