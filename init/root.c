/* In an initramfs: the root is found, checked, mounted, overlaid, and becomes ours. See stages.h. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "init/base/sys.h"
#include "init/base/text.h"
#include "init/bootslot.h"
#include "init/child.h"
#include "init/base/cmdline.h"
#include "init/device.h"
#include "init/mounts.h"
#include "init/stages.h"
#include "rootfs/options.h"
#include "rootfs/switch.h"
#include "rootfs/verity.h"
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#define WORK_MS 120000
#define FREE_MS 30000
#define CHOOSE_MS (DEVICE_WAIT_MS + 15000)	/* the wait, and the work */
#define VERITY_NAME "root"
#define BY_VIRTIOFS "virtiofs:"	/* and a tag: dracut's way to say it; with rootfstype= it is the tag alone */
#define LOWER "/.prior/root"
#define UPPER "/.prior/writes"
#define BOTH "/.prior/both"

struct wish {
	char device[256], type[32], options[512], verity[136], overlay[256], init[128];
	char slot[SLOT_NAME];	/* "": none */
};

/* The configuration's value, and what the command line says instead; false: too long. */
static bool say(char *to, size_t size, const struct plan *p, struct plan_ref r, const char *word)
{
	bool whole = text_copy(to, size, plan_str(p, r));

	if (word)
		cmdline_value(word, to, size);
	return whole && strlen(to) + 1 < size;
}

/*
 * Who can write the command line could name another root. A hash of the configuration's stays in force whatever it
 * says: the command line may give one only where there is none.
 */
static int read_wish(const struct boot *b, struct wish *w, struct err *e)
{
	const struct plan *p = &b->plan;
	const struct plan_head *h = p->head;
	const struct plan_boot_slot *s = *w->slot ? bootslot_find(p, w->slot) : NULL;
	const struct plan_ref device = s && s->device.n ? s->device : h->root_device;
	const struct plan_ref type = s && s->type.n ? s->type : h->root_type;
	const struct plan_ref verity = s && s->verity.n ? s->verity : h->root_verity;
	bool has_hash = verity.n > 0;

	if (!say(w->device, sizeof w->device, p, device, s && s->device.n ? NULL : "root") ||
	    !say(w->type, sizeof w->type, p, type, "rootfstype") ||
	    !say(w->options, sizeof w->options, p, h->root_options, "rootflags") ||
	    !say(w->verity, sizeof w->verity, p, verity, has_hash ? NULL : "prior.verity") ||
	    !say(w->overlay, sizeof w->overlay, p, h->root_overlay, has_hash ? NULL : "prior.overlay"))
		return err_set(e, ENAMETOOLONG, "machine.root or the kernel's command line: a value is too long");
	if (!strncmp(w->device, BY_VIRTIOFS, strlen(BY_VIRTIOFS))) {
		memmove(w->device, w->device + strlen(BY_VIRTIOFS), strlen(w->device + strlen(BY_VIRTIOFS)) + 1);
		text_copy(w->type, sizeof w->type, "virtiofs");
	}
	w->init[0] = '\0';
	cmdline_value("init", w->init, sizeof w->init);
	return *w->verity ? verity_hash_is_good(w->verity, e) : 0;
}

static bool in_initramfs(void)
{
	struct statfs fs;

	return statfs("/", &fs) == 0 && (fs.f_type == RAMFS_MAGIC || fs.f_type == TMPFS_MAGIC);
}

/* The device to be mounted: with a hash, one that lets through only what it says. */
static int check_device(struct wish *w, char path[64], struct err *e)
{
	struct device d;

	if (device_find(w->device, DEVICE_WAIT_MS, &d, e) < 0)
		return -e->code;
	text_copy(path, 64, d.path);
	if (!*w->verity)
		return 0;
	if (!*w->type)	/* a guess, from what is not checked yet: reading it says whether that is true */
		text_copy(w->type, sizeof w->type, d.type);
	return verity_open(VERITY_NAME, d.path, &d.verity, d.size, w->verity, path, e);
}

static int mount_writes(const struct wish *w, struct err *e)
{
	char data[256];
	struct text t = TEXT_IN(data);
	bool memory = !strcmp(w->overlay, "tmpfs");
	const struct mount_job upper = { w->overlay, UPPER, memory ? "tmpfs" : "auto", memory ? "mode=0755" : "",
					 MS_NODEV, DEVICE_WAIT_MS };
	/* The source is for lasting.h: once the root is ours, nobody can see where the writes go. */
	const struct mount_job both = { memory ? "tmpfs" : "overlay", BOTH, "overlay", data, 0, 0 };

	text_add(&t, "lowerdir=" LOWER ",upperdir=" UPPER "/upper,workdir=" UPPER "/work");
	if (mount_one(&upper, e) < 0)
		return err_in(e, "overlay of the root");
	if (mount_one(&both, e) < 0)
		return -e->code;
	/* The overlay keeps both; nobody else is to reach them. */
	sys_umount2(UPPER, MNT_DETACH);
	sys_umount2(LOWER, MNT_DETACH);
	return 0;
}

static int prepare(void *ctx, struct err *e)
{
	struct wish *w = ctx;
	char data[512] = "", path[64];
	struct mount_words words = { .data = TEXT_IN(data), .wait_s = -1 };
	const char *source = w->device;

	if (device_is_named(source)) {
		if (check_device(w, path, e) < 0)
			return -e->code;
		source = path;
	} else if (*w->verity) {
		return err_set(e, EINVAL, "root %s: a hash is for a device", source);
	}
	mount_words(&words, w->options);
	if (*w->verity || *w->overlay || (cmdline_word("ro") && !cmdline_word("rw")))
		words.flags |= MS_RDONLY;
	else if (cmdline_word("rw"))
		words.flags &= ~(uint64_t)MS_RDONLY;
	const struct mount_job root = { source, LOWER, *w->type ? w->type : "auto", data, words.flags, 0 };

	if (mount_one(&root, e) < 0)
		return *w->verity ? err_in(e, "verity") : -e->code;
	return *w->overlay ? mount_writes(w, e) : 0;
}

static int free_old(void *ctx, struct err *e)
{
	return switch_free(*(int *)ctx, e);
}

static int become(const struct wish *w, struct boot *b, struct err *e)
{
	static const char *const usual[] = { "/sbin/prior", "/sbin/init", "/etc/init", "/bin/init", "/init" };
	const char *init = *w->init ? w->init : NULL;
	owned_fd old = FD_NONE;
	struct err ignored;

	if (switch_root(*w->overlay ? BOTH : LOWER, &old, e) < 0)
		return -e->code;
	for (unsigned i = 0; !init && i < sizeof usual / sizeof *usual; i++)
		init = access(usual[i], X_OK) == 0 ? usual[i] : NULL;
	if (!init || access(init, X_OK) < 0)
		return err_set(e, ENOENT, "there is no %s in the root", init ? init : "/sbin/prior or /sbin/init");
	if (child_run(free_old, &old, FREE_MS, &ignored) < 0)
		boot_say(b, "%s; its memory stays in use", ignored.text);
	boot_say(b, "root is %s; going on with its %s", w->device, init);
	char *argv[] = { (char *)init, NULL };

	execve(init, argv, environ);
	return err_sys(e, "execute %s of the root", init);
}

static int choose(void *ctx, struct err *e)
{
	return bootslot_choose(ctx, e);
}

static int take_first(void *ctx, struct err *e)
{
	return bootslot_first(ctx, e);
}

/* What counts the tries may be broken while the slots are not: better a boot that is not counted than none. */
static void choose_one(struct boot *b)
{
	char said[SLOT_NAME + 1];
	struct err e;

	if (cmdline_value("prior.slot", said, sizeof said) && !bootslot_find(&b->plan, said))
		boot_say(b, "prior.slot=%s: machine.slots.list has no such slot; choosing as without it", said);
	if (child_run(choose, &b->plan, CHOOSE_MS, &e) == 0)
		return;
	boot_say(b, "%s; taking the first slot, and not counting it", e.text);
	if (child_run(take_first, &b->plan, CHOOSE_MS, &e) < 0)
		boot_say(b, "%s", e.text);
}

/* Without a root to find, slots are only counted by who boots us, and said to be good. */
static bool is_to_find_one(const struct plan *p)
{
	char said[2];
	bool is = p->head->root_device.n || cmdline_value("root", said, sizeof said);

	PLAN_EACH(struct plan_boot_slot, s, p, p->head->boot_slots)
		is |= s->device.n > 0;
	return is;
}

/* Which of the roots that take turns: the boot loader has said it, or it is ours to count. */
static int choose_slot(struct boot *b, char name[SLOT_NAME], struct err *e)
{
	struct plan *p = &b->plan;

	name[0] = '\0';
	if (!p->head->boot_slots.n)
		return 0;
	if (p->head->slots_by == SLOTS_BY_FILES)
		choose_one(b);
	if (!bootslot_booted(p, name))
		return err_set(e, ENOENT, "machine.slots: which slot is booted? prior.slot= on the kernel's command "
			       "line is to say it");
	boot_say(b, "slot %s", name);
	return 0;
}

struct bad {
	const struct plan *plan;
	const char *slot;
};

/* 0: it has lost its turn, and there is another one. */
static int give_up(void *ctx, struct err *e)
{
	const struct bad *bad = ctx;
	struct slots s;

	if (bootslot_change(bad->plan, bad->slot, SLOT_BAD, e) < 0 || bootslot_read(bad->plan, &s, e) < 0)
		return -e->code;
	for (unsigned i = 0; i < s.n; i++)
		if (s.v[i].left)
			return 0;
	return err_set(e, ENOENT, "no other slot has tries left");
}

/* The boot loader takes a good slot again and again: it is to count it from now on. */
static int doubt(void *ctx, struct err *e)
{
	const struct bad *bad = ctx;
	const char *at = plan_str(bad->plan, bad->plan->head->slots_at);
	int rc = mounts_below(bad->plan, at, e);

	if (rc == 0)
		rc = bootslot_doubt(bad->plan, bad->slot, e);
	mounts_below_end(bad->plan, at);
	return rc;
}

/* The other one's turn, by a reboot; its error is the one that led here. */
static int next_slot(struct boot *b, const struct wish *w, struct err *e)
{
	static int (*const ways[SLOTS_BY_KINDS])(void *, struct err *) = {
		[SLOTS_BY_FILES] = give_up, [SLOTS_BY_SYSTEMD] = doubt,	/* U-Boot counts the good one, too */
	};
	const uint32_t by = b->plan.head->slots_by;
	struct bad bad = { &b->plan, w->slot };
	struct err second;

	if (!*w->slot)
		return -e->code;
	err_in(e, "slot %s", w->slot);
	/* A device that is late costs a try; what is wrong with a slot's bytes will be wrong the next time, too. */
	if (by >= SLOTS_BY_KINDS || !ways[by] || (by == SLOTS_BY_FILES && e->code == ENOENT))
		return -e->code;
	if (child_run(ways[by], &bad, CHOOSE_MS, &second) < 0)
		boot_say(b, "%s", second.text);
	else
		b->emergency.how = EMERGENCY_REBOOT;
	return -e->code;
}

int stage_root(struct boot *b, struct err *e)
{
	struct wish w;

	if (b->again || !in_initramfs() || !is_to_find_one(&b->plan))
		return 0;
	if (choose_slot(b, w.slot, e) < 0 || read_wish(b, &w, e) < 0)
		return -e->code;
	if (!*w.device)
		return 0;
	if (child_run(prepare, &w, 2 * DEVICE_WAIT_MS + WORK_MS, e) < 0) {
		err_in(e, "root");
		return next_slot(b, &w, e);
	}
	return become(&w, b, e);
}
