/* The record of boots, on its disk: see lastboot.h, boot_record.h and stages.h. */
/* SPDX-License-Identifier: ISC */
#include "init/lastboot.h"
#include "init/base/dir.h"
#include "init/base/fd.h"
#include "init/base/file.h"
#include "init/base/mono.h"
#include "init/base/sys.h"
#include "init/base/text.h"
#include "init/child.h"
#include "init/last_words.h"
#include "init/boot_record.h"
#include "init/lasting.h"
#include "init/run_dir.h"
#include "init/stages.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define BEGIN_MS 20000
#define END_MS 10000
#define DEVICE_MS 3000		/* for a device that may still be on its way */
#define PSTORE "/sys/fs/pstore"

static struct boot_record record;	/* of a child; PID 1 never touches its page */

/* With copies: no child can read the ledger. */
struct job {
	char place[256], why[320];
	enum boot_record_state state;
	const char *how;
	uint32_t reboots, within_ms;	/* within_ms 0: it is not rebooted */
};

/* What the kernel wrote as it died (dmesg-ramoops-0, dmesg-efi-...): kept for who asks, and its place given back. */
static void take_pstore(char *to, size_t size)
{
	static _Alignas(8) char room[4096];
	static struct last_words words;

	if (sys_mount("pstore", PSTORE, "pstore", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0 && errno != EBUSY)
		return;
	owned_fd dir = open(PSTORE, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dir_scan s = { .fd = dir, .room = room, .size = sizeof room }, again = s;

	words = (struct last_words){ .n = 0 };
	for (const struct dir_entry *d; dir >= 0 && (d = dir_next(&s));)
		last_words_add(&words, dir, d->name);
	last_words_join(&words, dir, to, size);
	/* Those too that were too many or cannot be read: they would be told as a later boot's. */
	last_words_forget(&again);
}

/* For `prior last-boot`, readable as the events are. */
static void show(struct boot_record *r)
{
	owned_fd fd = FD_NONE;

	take_pstore(r->kernel, sizeof r->kernel);
	mkdir(RUN_DIR, 0755);
	fd_put(&fd, open(LASTBOOT_FILE, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
	ssize_t ignored = fd < 0 ? 0 : write(fd, r, sizeof *r);

	(void)ignored;
	memset(r->kernel, 0, sizeof r->kernel);
}

/* The record becomes this boot's. A soft reboot is a boot, too: its end is in the record by then. EALREADY: as this
 * one's is, and it is not `anew` that begins. */
static int begin(int fd, struct boot_record *r, bool anew, struct err *e)
{
	char id[40];
	struct err ignored;	/* without it every boot counts as a new one */
	int rc = boot_record_read(fd, r, e);

	if (rc < 0 && rc != -ENODATA)
		return rc;
	file_line("/proc/sys/kernel/random/boot_id", id, sizeof id, &ignored);
	if (rc == 0 && !anew && boot_record_has_ended(r, id))
		return err_set(e, EALREADY, "this boot has ended already");
	if (rc == 0 && r->state == RECORD_RUNS && !strcmp(r->boot_id, id))
		return 0;
	if (rc == 0)
		show(r);
	else
		memset(r, 0, sizeof *r);
	boot_record_begin(r, id, time(NULL));
	return boot_record_write(fd, r, e);
}

static int begin_boot(void *ctx, struct err *e)
{
	owned_fd fd = lasting_open(ctx, DEVICE_MS, e);

	return fd < 0 ? fd : begin(fd, &record, true, e);
}

int stage_record(struct boot *b, struct err *e)
{
	const char *place = plan_str(&b->plan, b->plan.head->last_boot);

	if (!*place)
		return 0;
	return child_run(begin_boot, (void *)(uintptr_t)place, BEGIN_MS, e) < 0 ? err_in(e, "the last boot") : 0;
}

int lastboot_well(const char *place, struct err *e)
{
	owned_fd fd = lasting_open(place, DEVICE_MS, e);

	if (fd < 0 || begin(fd, &record, false, e) < 0)
		return err_in(e, "the last boot");
	if (record.well)
		return 0;
	record.well = 1;
	return boot_record_write(fd, &record, e) < 0 ? err_in(e, "the last boot") : 0;
}

/* In a child. EALREADY: kept, and it is one reboot too many. */
static int keep_end(void *ctx, struct err *e)
{
	const struct job *j = ctx;
	owned_fd fd = lasting_open(j->place, DEVICE_MS, e);

	if (fd < 0 || begin(fd, &record, true, e) < 0)
		return -e->code;
	record.state = j->state;
	record.ended_s = time(NULL);
	record.uptime_ms = mono_now().ms;
	text_copy(record.how, sizeof record.how, j->how);
	text_copy(record.why, sizeof record.why, j->why);
	record.braked = j->within_ms && boot_record_fails(&record, record.uptime_ms, j->reboots, j->within_ms);
	owned_fd events = open(RUN_DIR "/events", O_RDONLY | O_CLOEXEC);

	if (events >= 0)
		last_words_tail(events, record.events, sizeof record.events);
	if (boot_record_write(fd, &record, e) < 0)
		return -e->code;
	return record.braked ? err_set(e, EALREADY, "one reboot for failure too many") : 0;
}

static int keep(struct job *j, const char *place, const char *why, bool *braked, struct err *e)
{
	text_copy(j->place, sizeof j->place, place);
	text_copy(j->why, sizeof j->why, why);
	int rc = child_run(keep_end, j, END_MS, e);

	*braked = rc == -EALREADY;
	return rc < 0 && !*braked ? err_in(e, "the reason is not kept: %s", j->place) : 0;
}

int lastboot_fails(const struct emergency_rules *r, const char *how, const char *why, bool *braked, struct err *e)
{
	const bool again = !strcmp(how, "reboot");
	/* With a shell the boot may go on: only what follows says how it ends. */
	struct job j = { .state = strcmp(how, "shell") ? RECORD_FAILED : RECORD_RUNS, .how = how,
			 .reboots = r->reboots, .within_ms = again ? r->within_ms : 0 };

	if (!*r->record)
		return err_set(e, ENOENT, "the reason is not kept, and reboots are not counted: machine.last_boot "
			       "names no place");
	return keep(&j, r->record, why, braked, e);
}

enum lastboot_says lastboot_end(int console, const struct ledger_head *h)
{
	const struct emergency_rules *r = &h->emergency;
	const char *how = shutdown_name[h->shutdown < SHUTDOWN_KINDS ? h->shutdown : SHUTDOWN_REBOOT];
	const bool again = h->failed && h->shutdown == SHUTDOWN_REBOOT;
	struct job j = { .state = h->failed ? RECORD_FAILED : RECORD_ASKED, .how = how, .reboots = r->reboots,
			 .within_ms = again ? r->within_ms : 0 };
	bool braked = false;
	struct err e;

	if (*r->record && keep(&j, r->record, h->failed_why, &braked, &e) == 0)
		return braked ? LASTBOOT_BRAKED : LASTBOOT_GO;
	if (*r->record)
		dprintf(console, "prior: %s\n", e.text);
	return again ? LASTBOOT_UNCOUNTED : LASTBOOT_GO;
}
