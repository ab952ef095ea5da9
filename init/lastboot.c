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
#include "init/device.h"
#include "init/folder.h"
#include "init/boot_record.h"
#include "init/run_dir.h"
#include "init/stages.h"
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
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

static int open_place(const char *place, struct err *e)
{
	const char *name = strrchr(place, '/');
	struct statfs fs;

	if (device_is_named(place)) {
		struct device d;

		if (device_find(place, DEVICE_MS, &d, e) < 0)
			return -e->code;
		int fd = open(d.path, O_RDWR | O_CLOEXEC);

		return fd < 0 ? err_sys(e, "open %s", d.path) : fd;
	}
	owned_fd folder = folder_open(place, e);

	if (folder < 0)
		return folder;
	owned_fd fd = openat(folder, name + 1, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0 || fstatfs(fd, &fs) < 0 || fsync(folder) < 0)
		return err_sys(e, "open %s", place);
	if (fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC)
		return err_set(e, EROFS, "%s is in memory, which no reboot outlives", place);
	return fd_take(&fd);
}

/* The last bytes of a file, from the beginning of a line on. */
static void read_tail(int fd, char *to, size_t size)
{
	struct stat st;
	off_t at = fstat(fd, &st) == 0 && st.st_size >= (off_t)size ? st.st_size - (off_t)size + 1 : 0;
	ssize_t n = pread(fd, to, size - 1, at);

	to[n > 0 ? n : 0] = '\0';
	const char *whole = at ? strchr(to, '\n') : NULL;

	if (whole)
		memmove(to, whole + 1, strlen(whole + 1) + 1);
}

/* What the kernel wrote as it died (dmesg-ramoops-0, dmesg-efi-...): kept for who asks, and its place given back. */
static void take_pstore(char *to, size_t size)
{
	static _Alignas(8) char room[4096];

	if (sys_mount("pstore", PSTORE, "pstore", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0 && errno != EBUSY)
		return;
	owned_fd dir = open(PSTORE, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dir_scan s = { .fd = dir, .room = room, .size = sizeof room };

	for (const struct dir_entry *d; dir >= 0 && (d = dir_next(&s));) {
		owned_fd fd = strncmp(d->name, "dmesg-", 6) ? -1 : openat(dir, d->name, O_RDONLY | O_CLOEXEC);

		if (fd < 0)
			continue;
		if (!*to)
			read_tail(fd, to, size);
		unlinkat(dir, d->name, 0);
	}
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

/* The record becomes this boot's. A soft reboot is a boot, too: its end is in the record by then. */
static int begin(int fd, struct boot_record *r, struct err *e)
{
	char id[40];
	struct err ignored;	/* without it every boot counts as a new one */
	int rc = boot_record_read(fd, r, e);

	if (rc < 0 && rc != -ENODATA)
		return rc;
	file_line("/proc/sys/kernel/random/boot_id", id, sizeof id, &ignored);
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
	owned_fd fd = open_place(ctx, e);

	return fd < 0 ? fd : begin(fd, &record, e);
}

int stage_record(struct boot *b, struct err *e)
{
	const char *place = plan_str(&b->plan, b->plan.head->last_boot);

	if (!*place)
		return 0;
	return child_run(begin_boot, (void *)(uintptr_t)place, BEGIN_MS, e) < 0 ? err_in(e, "the last boot") : 0;
}

/* In a child. EALREADY: kept, and it is one reboot too many. */
static int keep_end(void *ctx, struct err *e)
{
	const struct job *j = ctx;
	owned_fd fd = open_place(j->place, e);

	if (fd < 0 || begin(fd, &record, e) < 0)
		return -e->code;
	record.state = j->state;
	record.ended_s = time(NULL);
	record.uptime_ms = mono_now().ms;
	text_copy(record.how, sizeof record.how, j->how);
	text_copy(record.why, sizeof record.why, j->why);
	record.braked = j->within_ms && boot_record_fails(&record, record.uptime_ms, j->reboots, j->within_ms);
	owned_fd events = open(RUN_DIR "/events", O_RDONLY | O_CLOEXEC);

	if (events >= 0)
		read_tail(events, record.events, sizeof record.events);
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

bool lastboot_end(int console, const struct ledger_head *h)
{
	const struct emergency_rules *r = &h->emergency;
	const char *how = shutdown_name[h->shutdown < SHUTDOWN_KINDS ? h->shutdown : SHUTDOWN_REBOOT];
	struct job j = { .state = h->failed ? RECORD_FAILED : RECORD_ASKED, .how = how, .reboots = r->reboots,
			 .within_ms = h->failed && h->shutdown == SHUTDOWN_REBOOT ? r->within_ms : 0 };
	bool braked = false;
	struct err e;

	if (*r->record && keep(&j, r->record, h->failed_why, &braked, &e) < 0)
		dprintf(console, "prior: %s\n", e.text);
	return braked;
}
