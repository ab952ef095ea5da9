/* A prior that is not there: a plan and a ledger made by hand, and the control tool run against them. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/ctl/live.h"
#include "services/supervise/control.h"

/* Services of the sample, in name order; "mail" is refused and follows in `refused`. */
enum { S_DB, S_JOB, S_LOOP, S_PROXY, S_SLOW, S_WEB, S_ZED, SAMPLE_SERVICES };
#define SAMPLE_NOW 100000	/* CLOCK_BOOTTIME milliseconds; its wall clock stands at 2026-01-02T03:04:05.678Z */

struct sample {
	struct live live;
	int plan_fd, ledger_fd;
};

/* Fails the test when it cannot be made. */
void ctl_sample_make(struct sample *s);
void ctl_sample_free(struct sample *s);

/*
 * With -Wl,--wrap=ctl_ask: what was asked last, what is answered. CTL_STATE gets the descriptors of `sample`;
 * asked.error stands for there being no prior.
 */
extern struct asked {
	struct ctl_request q;
	unsigned count;
	int timeout_ms;
	int error;
	struct ctl_reply reply;
	const struct sample *sample;
} asked;

/* ctl_main() with these words, a NULL at the end; out gets both streams. */
int ctl_words(char *out, size_t size, const char *const *words);
#define CTL(out, ...) ctl_words(out, sizeof(out), (const char *const[]){ __VA_ARGS__, NULL })
