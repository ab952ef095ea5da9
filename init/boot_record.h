/* What is kept of a boot over a reboot: its reason, its last events, and how often it has failed. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/err.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * Of a fixed size, kept twice (init/base/twice.h) in a file or on a device. The sum tells a whole copy from a torn
 * one; it does not tell who wrote it, so everything in it is bounded, and tamed before it is shown.
 */
#define RECORD_MAGIC "priorrec"
#define RECORD_VERSION 1
#define RECORD_COPY 16384
#define RECORD_BYTES (2 * RECORD_COPY)
#define RECORD_FAILURES 16

enum boot_record_state {
	RECORD_RUNS,	/* that boot still runs; found at the next one: it was cut off */
	RECORD_ASKED,	/* ended because somebody wanted it */
	RECORD_FAILED,	/* ended because something was wrong */
	RECORD_STATES
};

struct boot_record {
	char magic[8];
	uint32_t version, size;
	uint64_t sum;			/* of all after this field */
	uint64_t seq;			/* counts writes */
	char boot_id[40];		/* the kernel's */
	uint32_t state, boots;		/* enum boot_record_state; how many boots this place has seen */
	int64_t began_s, ended_s;	/* time of day; ended_s 0: not ended */
	int64_t uptime_ms;		/* at its end */
	uint32_t nfailures, braked;	/* reboots for failure in a row; 1: this boot was not to be rebooted again */
	uint32_t failure_ms[RECORD_FAILURES]; /* how long each of those boots lasted, newest first */
	char how[32];			/* "reboot", "poweroff", ... */
	char why[320];
	char kernel[4096];		/* the end of what is in pstore; only in what is shown, not on a disk */
	char events[11264];		/* the last lines of the events' ring */
	uint32_t well;			/* 1: all was well in that boot, or it outlasted the brake's time */
	char room[28];
};
_Static_assert(sizeof(struct boot_record) <= RECORD_COPY, "one copy");

/* The newest whole copy. ENODATA: there is none yet; EBADMSG: something else is there, not to be overwritten. */
int boot_record_read(int fd, struct boot_record *r, struct err *e);
/* In the place of the older copy, and on the disk when it returns. Sets magic, seq and sum. */
int boot_record_write(int fd, struct boot_record *r, struct err *e);
/* Whether these bytes are a whole record. */
bool boot_record_is_whole(const struct boot_record *r);

/*
 * A boot begins: what it keeps of the one before, which is *r until then. Failures in a row end with a boot that
 * somebody ended, and with one that was well and then cut off.
 */
void boot_record_begin(struct boot_record *r, const char *boot_id, int64_t now_s);
/* Whether the end of the boot with that id is in the record: nobody says anything of it any more. */
bool boot_record_has_ended(const struct boot_record *r, const char *boot_id);
/* A boot that failed is about to be rebooted, uptime_ms after its start: count it. True: not once more (brake). */
bool boot_record_fails(struct boot_record *r, int64_t uptime_ms, uint32_t reboots, int64_t within_ms);
