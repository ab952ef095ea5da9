/* The machine's mounts, each in a child: see mounts.h. */
/* SPDX-License-Identifier: ISC */
#include "init/mounts.h"
#include "init/stages.h"
#include "init/base/fd.h"
#include "init/base/sys.h"
#include "init/base/text.h"
#include "init/child.h"
#include "init/device.h"
#include "rootfs/modules.h"
#include "rootfs/options.h"
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/wait.h>

#define WORK_MS 600000		/* a check of a large file system */
#define WAIT_MS 30000		/* for a device of fstab that says nothing */
#define FLAGS_OF_BIND (MS_BIND | MS_REC)

static int make_folders(const char *path, struct err *e)
{
	char part[512];

	if (!text_copy(part, sizeof part, path))
		return err_set(e, ENAMETOOLONG, "make %s", path);
	for (char *p = part + 1; ; p++) {
		char was = *p;

		if (was != '/' && was != '\0')
			continue;
		*p = '\0';
		if (mkdir(part, 0755) < 0 && errno != EEXIST && errno != EROFS)
			return err_sys(e, "make %s", part);
		*p = was;
		if (!was)
			return 0;
	}
}

/* What an overlay writes to need not be there yet: on a fresh disk it is not. */
static int make_overlay_folders(const char *data, struct err *e)
{
	static const char *const keys[] = { "upperdir=", "workdir=" };
	char path[512];

	for (unsigned i = 0; i < 2; i++) {
		const char *at = strstr(data, keys[i]);
		size_t n = at ? strcspn(at + strlen(keys[i]), ",") : 0;

		if (!n || n >= sizeof path)
			continue;
		memcpy(path, at + strlen(keys[i]), n);
		path[n] = '\0';
		if (make_folders(path, e) < 0)
			return -e->code;
	}
	return 0;
}

/* 0 and 1 of fsck(8): clean, or mended. */
static int run_check(const char *program, const char *how, const char *device, struct err *e)
{
	char *argv[] = { (char *)program, (char *)how, (char *)device, NULL };
	int status = 0;
	pid_t pid = fork();

	if (pid < 0)
		return err_sys(e, "check %s: fork", device);
	if (pid == 0) {
		execv(program, argv);
		_exit(8);
	}
	sys_wait(pid, &status);
	if (WIFEXITED(status) && WEXITSTATUS(status) <= 1)
		return 0;
	return err_set(e, EUCLEAN, "check %s: %s ended with code %d; run it by hand", device, program,
		       WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

static int check(const char *device, const char *type, struct err *e)
{
	static const char *const places[] = { "/sbin", "/usr/sbin", "/bin", "/usr/bin" };
	char program[64];

	for (unsigned i = 0; i < sizeof places / sizeof *places; i++) {
		struct text t = TEXT_IN(program);

		text_fmt(&t, "%s/fsck.%s", places[i], type);
		if (!t.cut && access(program, X_OK) == 0)
			return run_check(program, !strncmp(type, "ext", 3) ? "-p" : "-a", device, e);
	}
	return 0;
}

static int mount_type(const struct mount_job *m, const char *source, const char *type, const char *data)
{
	struct err absent;
	int rc = sys_mount(source, m->target, type, m->flags, data);

	/* The kernel may know the file system only by its module, and there need not be a modprobe. */
	if (rc < 0 && errno == ENODEV && module_load("", type, module_insert, &absent) == 0)
		rc = sys_mount(source, m->target, type, m->flags, data);
	return rc;
}

static int mount_bind(const struct mount_job *m, struct err *e)
{
	if (sys_mount(m->source, m->target, NULL, m->flags & FLAGS_OF_BIND, NULL) < 0)
		return err_sys(e, "mount %s on %s", m->source, m->target);
	if (m->flags & ~(uint64_t)FLAGS_OF_BIND &&
	    sys_mount(NULL, m->target, NULL, (m->flags | MS_REMOUNT) & ~(uint64_t)MS_REC, NULL) < 0)
		return err_sys(e, "mount %s on %s: its flags", m->source, m->target);
	return 0;
}

static int mount_device(const struct mount_job *m, const char *source, const char *type, struct err *e)
{
	char data[4096];
	struct text t = TEXT_IN(data);

	if (!*type)
		return err_set(e, EMEDIUMTYPE, "mount %s on %s: no file system that is known; name its type", source,
			       m->target);
	text_add(&t, m->data);
	/* A file system that turns out to be damaged is not to be made worse. */
	if (!strncmp(type, "ext", 3) && !strstr(m->data, "errors="))
		text_add(&t, t.n ? ",errors=remount-ro" : "errors=remount-ro");
	if (device_is_named(m->source) && !(m->flags & MS_RDONLY) && check(source, type, e) < 0)
		return err_in(e, "mount %s on %s", source, m->target);
	if (mount_type(m, source, type, data) < 0)
		return err_sys(e, "mount %s (%s) on %s%s", source, type, m->target,
			       errno == EINVAL && !strcmp(type, "virtiofs") ?
			       ": no device has this tag, or an option is wrong" : "");
	return 0;
}

int mount_one(const struct mount_job *m, struct err *e)
{
	struct device d = { .path = "" };
	const char *source = m->source, *type = m->type;

	if (device_is_named(source)) {
		if (device_find(source, m->wait_ms, &d, e) < 0)
			return err_in(e, "mount on %s", m->target);
		source = d.path;
	}
	if (!strcmp(type, "auto"))
		type = d.type;
	if (!strcmp(type, "swap"))
		return swapon(source, 0) < 0 && errno != EBUSY ? err_sys(e, "swap on %s", source) : 0;
	if (make_folders(m->target, e) < 0)
		return err_in(e, "mount %s", m->source);
	if (!strcmp(type, "overlay") && make_overlay_folders(m->data, e) < 0)
		return err_in(e, "mount %s", m->target);
	return m->flags & MS_BIND ? mount_bind(m, e) : mount_device(m, source, type, e);
}

static int in_child(void *ctx, struct err *e)
{
	return mount_one(ctx, e);
}

static struct mount_job job_of(const struct plan *p, const struct plan_fstab *f)
{
	return (struct mount_job){ plan_str(p, f->source), plan_str(p, f->target), plan_str(p, f->type),
				   plan_str(p, f->data), f->flags, (int)f->wait_ms };
}

static bool is_below(const char *path, const char *folder)
{
	const size_t n = strlen(folder);

	return n > 0 && !strncmp(path, folder, n) && (path[n] == '/' || !path[n]);
}

int mounts_below(const struct plan *p, const char *path, struct err *e)
{
	PLAN_EACH(struct plan_fstab, f, p, p->head->mounts) {
		const struct mount_job m = job_of(p, f);

		if (is_below(path, m.target) && mount_one(&m, e) < 0)
			return -e->code;
	}
	return 0;
}

void mounts_below_end(const struct plan *p, const char *path)
{
	const struct plan_fstab *v = PLAN_FIRST(p, p->head->mounts, struct plan_fstab);

	for (uint32_t i = p->head->mounts.n; i-- > 0;)
		if (is_below(path, plan_str(p, v[i].target)))
			sys_umount2(plan_str(p, v[i].target), 0);
}

int stage_mounts(struct boot *b, struct err *e)
{
	const struct plan *p = &b->plan;
	int worst = 0;

	PLAN_EACH(struct plan_fstab, f, p, p->head->mounts) {
		struct mount_job m = job_of(p, f);
		struct err one;
		int rc = child_run(in_child, &m, (int)f->wait_ms + WORK_MS, &one);

		if (rc < 0) {
			boot_say(b, "%s%s", one.text, f->optional ? " (optional; going on)" : "");
			if (!f->optional)
				worst = err_set(e, -rc, "%s", one.text);
		}
	}
	return worst;
}

/* What the API stage has mounted is as it must be. */
static bool is_ours(const char *target)
{
	static const char *const ours[] = { "/proc", "/sys", "/dev", "/dev/pts", "/dev/shm", "/run" };

	for (unsigned i = 0; i < sizeof ours / sizeof *ours; i++)
		if (!strcmp(target, ours[i]))
			return true;
	return false;
}

static int mount_line(const struct boot *b, char *line, unsigned number, struct err *e)
{
	char data[4096] = "", *field[4], *save = NULL;
	struct mount_words w = { .data = TEXT_IN(data), .wait_s = -1 };
	unsigned n = 0;

	for (char *f = strtok_r(line, " \t", &save); f && n < 4; f = strtok_r(NULL, " \t", &save)) {
		text_unescape(f);
		field[n++] = f;
	}
	if (n == 0 || field[0][0] == '#')
		return 0;
	if (n < 3)
		return err_set(e, EINVAL, "/etc/fstab:%u: a line has a device, a place and a type", number);
	if (n == 4)
		mount_words(&w, field[3]);
	if (w.skip || is_ours(field[1]))
		return 0;
	struct mount_job m = { field[0], field[1], field[2], data, w.flags,
			       w.wait_s < 0 ? WAIT_MS : w.wait_s * 1000 };
	int rc = !strcmp(field[1], "/") ?
		 (sys_mount(NULL, "/", NULL, w.flags | MS_REMOUNT, data) < 0 ? err_sys(e, "remount /") : 0) :
		 mount_one(&m, e);

	if (rc == 0)
		return 0;
	boot_say(b, "/etc/fstab:%u: %s%s", number, e->text, w.optional ? " (nofail; going on)" : "");
	return w.optional ? 0 : rc;
}

static int mount_fstab(void *ctx, struct err *e)
{
	char line[4096];
	struct err one;
	int worst = 0;
	FILE *f = fopen("/etc/fstab", "re");

	if (!f)
		return err_sys(e, "read /etc/fstab");
	for (unsigned n = 1; fgets(line, sizeof line, f); n++) {
		line[strcspn(line, "\n")] = '\0';
		int rc = mount_line(ctx, line, n, &one);

		worst = rc < 0 ? err_set(e, -rc, "/etc/fstab:%u: %s", n, one.text) : worst;
	}
	fclose(f);
	return worst;
}

int stage_fstab(struct boot *b, struct err *e)
{
	return b->plan.head->fstab ? child_run(mount_fstab, b, WORK_MS, e) : 0;
}
