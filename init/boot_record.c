/* The record of boots, as bytes: see boot_record.h. */
/* SPDX-License-Identifier: ISC */
#include "init/boot_record.h"
#include "init/base/sum.h"
#include "init/base/text.h"
#include <errno.h>
#include <stddef.h>
#include <unistd.h>

#define SECTOR 512	/* what a disk writes whole or not at all */

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

/* Nothing was ever written here: all is zero, or the file is empty. */
static bool is_fresh(const unsigned char *copy, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (copy[i])
			return false;
	return true;
}

int boot_record_read(int fd, struct boot_record *r, struct err *e)
{
	static union { struct boot_record r; unsigned char bytes[RECORD_COPY]; } copy;
	bool found = false, ours = false, fresh = true;
	int unread = 0;

	for (unsigned i = 0; i < 2; i++) {
		ssize_t n = pread(fd, copy.bytes, sizeof copy.bytes, i * RECORD_COPY);

		/* One that cannot be read is as good as one that was being written: the other one counts. */
		if (n < 0) {
			unread = errno;
			continue;
		}
		fresh = fresh && is_fresh(copy.bytes, (size_t)n);
		ours = ours || (n >= SECTOR && !memcmp(copy.r.magic, RECORD_MAGIC, sizeof copy.r.magic));
		if (n < (ssize_t)sizeof copy.r || !boot_record_is_whole(&copy.r) || (found && copy.r.seq < r->seq))
			continue;
		*r = copy.r;
		found = true;
	}
	if (found)
		return 0;
	errno = unread;
	if (unread)
		return err_sys(e, "read the record of boots");
	if (!fresh && !ours)
		return err_set(e, EBADMSG, "the record of boots: something else is kept there; not overwriting it (its "
			       "first %d bytes have to be zero)", RECORD_BYTES);
	return err_set(e, ENODATA, "the record of boots: nothing is kept there yet");
}

static int put(int fd, const void *at, size_t n, off_t to, struct err *e)
{
	ssize_t done = pwrite(fd, at, n, to);

	if (done < 0 || fsync(fd) < 0)
		return err_sys(e, "write the record of boots");
	return (size_t)done == n ? 0 : err_set(e, ENOSPC, "write the record of boots: no room for %d bytes",
					       RECORD_BYTES);
}

int boot_record_write(int fd, struct boot_record *r, struct err *e)
{
	memcpy(r->magic, RECORD_MAGIC, sizeof r->magic);
	r->version = RECORD_VERSION;
	r->size = sizeof *r;
	r->seq++;
	r->sum = sum_of(r);
	const off_t to = (off_t)(r->seq & 1) * RECORD_COPY;

	/* The first time, the beginning goes first: whatever is torn after it is known to be ours. */
	if (r->seq == 1 && put(fd, r, SECTOR, to, e) < 0)
		return -e->code;
	return put(fd, r, sizeof *r, to, e);
}

void boot_record_begin(struct boot_record *r, const char *boot_id, int64_t now_s)
{
	const struct boot_record was = *r;

	*r = (struct boot_record){ .seq = was.seq, .boots = was.boots + 1, .state = RECORD_RUNS, .began_s = now_s };
	text_copy(r->boot_id, sizeof r->boot_id, boot_id);
	if (was.state == RECORD_ASKED)	/* somebody has seen it */
		return;
	r->nfailures = was.nfailures;
	memcpy(r->failure_ms, was.failure_ms, sizeof r->failure_ms);
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
