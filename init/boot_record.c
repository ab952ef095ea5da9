/* The record of boots, as bytes: see boot_record.h. */
/* SPDX-License-Identifier: ISC */
#include "init/boot_record.h"
#include "init/base/sum.h"
#include "init/base/text.h"
#include "init/base/twice.h"
#include <stddef.h>

static uint64_t sum_of(const struct boot_record *r)
{
	const size_t from = offsetof(struct boot_record, seq);

	return sum_long(SUM_START, (const char *)r + from, sizeof *r - from);
}

bool boot_record_is_whole(const struct boot_record *r)
{
	return !memcmp(r->magic, RECORD_MAGIC, sizeof r->magic) && r->version == RECORD_VERSION &&
	       r->size == sizeof *r && r->sum == sum_of(r) && r->state < RECORD_STATES &&
	       r->nfailures <= RECORD_FAILURES && memchr(r->boot_id, '\0', sizeof r->boot_id) &&
	       memchr(r->how, '\0', sizeof r->how) && memchr(r->why, '\0', sizeof r->why) &&
	       memchr(r->kernel, '\0', sizeof r->kernel) && memchr(r->events, '\0', sizeof r->events);
}

static bool is_whole(const void *copy, uint64_t *seq)
{
	*seq = ((const struct boot_record *)copy)->seq;
	return boot_record_is_whole(copy);
}

static const struct twice place = {
	.what = "the record of boots", .magic = RECORD_MAGIC, .size = sizeof(struct boot_record), .apart = RECORD_COPY,
	.is_whole = is_whole,
};

int boot_record_read(int fd, struct boot_record *r, struct err *e)
{
	return twice_load(fd, &place, r, e);
}

int boot_record_write(int fd, struct boot_record *r, struct err *e)
{
	memcpy(r->magic, RECORD_MAGIC, sizeof r->magic);
	r->version = RECORD_VERSION;
	r->size = sizeof *r;
	r->seq++;
	r->sum = sum_of(r);
	return twice_save(fd, &place, r, r->seq, e);
}

void boot_record_begin(struct boot_record *r, const char *boot_id, int64_t now_s)
{
	const struct boot_record was = *r;

	*r = (struct boot_record){ .seq = was.seq, .boots = was.boots + 1, .state = RECORD_RUNS, .began_s = now_s };
	text_copy(r->boot_id, sizeof r->boot_id, boot_id);
	if (was.state == RECORD_ASKED || (was.state == RECORD_RUNS && was.well))
		return;		/* somebody has seen it, or there was nothing to see */
	r->nfailures = was.nfailures;
	memcpy(r->failure_ms, was.failure_ms, sizeof r->failure_ms);
}

bool boot_record_has_ended(const struct boot_record *r, const char *boot_id)
{
	return r->state != RECORD_RUNS && !strcmp(r->boot_id, boot_id);
}

bool boot_record_fails(struct boot_record *r, int64_t uptime_ms, uint32_t reboots, int64_t within_ms)
{
	int64_t all = 0;

	memmove(r->failure_ms + 1, r->failure_ms, (RECORD_FAILURES - 1) * sizeof *r->failure_ms);
	r->failure_ms[0] = uptime_ms > UINT32_MAX ? UINT32_MAX : (uint32_t)uptime_ms;
	r->nfailures += r->nfailures < RECORD_FAILURES;
	if (!reboots || r->nfailures < reboots)
		return false;
	/* How long those boots lasted together: a machine without a clock knows that, too. */
	for (uint32_t i = 0; i < reboots && i < RECORD_FAILURES; i++)
		all += r->failure_ms[i];
	return all <= within_ms;
}
