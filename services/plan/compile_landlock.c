/* Landlock: what a service may open, by path, after all of its mounts. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "services/plan/compiling.h"
#include <dirent.h>
#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* Rights by number: the headers of the build may be older than the rights. */
#define EXECUTE 0x1u
#define WRITE (0x2u | 0x4000u)		/* write and truncate */
#define READ (0x4u | 0x8u)		/* files and directories */
#define CREATE 0x3ff0u			/* remove, make, refer: all kinds */
#define DEVICE 0x8000u			/* ioctl of devices */

/*
 * With unveil, what is listed is what there is, as on OpenBSD. There a program calls unveil() when it is loaded already;
 * here the rules hold before its first instruction, so what it takes to get there is implied: the program itself (rx),
 * its ELF interpreter or the one of its first line (rx), and, for what needs a loader, the directories and files that
 * the loader looks for libraries in (r), /dev/null and the like, and what descriptors are called in /proc. Nothing else: no
 * /etc, no /tmp. `x` on a directory lets everything below be executed.
 */
#define RULES_MAX 512

struct rules {
	struct plan_landlock v[RULES_MAX];
	unsigned n;
};

static void rule(struct compiling *c, struct rules *r, const char *path, uint64_t access)
{
	struct plan_ref at = write_string(&c->w, path);

	for (unsigned i = 0; i < r->n; i++)
		if (r->v[i].path.at == at.at) {
			r->v[i].access |= access;
			return;
		}
	if (r->n < RULES_MAX && access)
		r->v[r->n++] = (struct plan_landlock){ .path = at, .access = access };
}

/* Only what is there now: a rule for a missing path would keep the service from starting. */
static bool rule_if_there(struct compiling *c, struct work *w, struct rules *r, const char *path, uint64_t access)
{
	struct found f = { .fd = FD_NONE };
	int ret = look(c, w, path, &f);

	fd_drop(&f.fd);
	if (ret == 0)
		rule(c, r, f.path, access);
	return ret == 0;
}

static uint64_t letters(const char *perms)
{
	uint64_t access = 0;

	for (; *perms; perms++)
		access |= *perms == 'r' ? READ : *perms == 'w' ? WRITE | DEVICE : *perms == 'x' ? EXECUTE : CREATE;
	return access;
}

/* The interpreter named by an ELF header or by "#!"; "" when there is none. */
static const char *interpreter(struct compiling *c, struct work *w)
{
	struct found f = { .fd = FD_NONE };
	unsigned char head[4096] = { 0 };
	char self[40];
	Elf64_Ehdr *elf = (void *)head;

	if (look(c, w, w->exe, &f) < 0)
		return "";
	snprintf(self, sizeof self, "/proc/self/fd/%d", f.fd);
	owned_fd fd = open(self, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n = fd < 0 ? 0 : pread(fd, head, sizeof head - 1, 0);

	fd_drop(&f.fd);
	if (n > 2 && head[0] == '#' && head[1] == '!') {
		const char *at = (const char *)head + 2 + strspn((const char *)head + 2, " \t");

		return compiling_fmt(c, "%.*s", (int)strcspn(at, " \t\r\n"), at);
	}
	if (n < (ssize_t)sizeof *elf || memcmp(head, ELFMAG, SELFMAG) != 0 || elf->e_phentsize != sizeof(Elf64_Phdr))
		return "";
	for (unsigned i = 0; i < elf->e_phnum && elf->e_phoff + (i + 1) * sizeof(Elf64_Phdr) <= (size_t)n; i++) {
		Elf64_Phdr p;
		char path[PATH_MAX] = "";

		memcpy(&p, head + elf->e_phoff + i * sizeof p, sizeof p);
		if (p.p_type == PT_INTERP && p.p_filesz < sizeof path &&
		    pread(fd, path, p.p_filesz, (off_t)p.p_offset) == (ssize_t)p.p_filesz)
			return compiling_fmt(c, "%s", path);
	}
	return "";
}

static void imply_loader(struct compiling *c, struct work *w, struct rules *r)
{
	static const char *const libraries[] = { "/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib",
						 "/etc/ld.so.cache", "/etc/ld.so.preload", NULL };
	const char *loader = interpreter(c, w);

	rule(c, r, w->exe, EXECUTE | READ);
	if (!*loader)
		return;
	rule_if_there(c, w, r, loader, EXECUTE | READ);
	for (unsigned i = 0; libraries[i]; i++)
		rule_if_there(c, w, r, libraries[i], READ);
}

/* In a /dev or /proc of our own nothing can be looked up now, but it will be there. */
static void imply_system(struct compiling *c, struct work *w, struct rules *r)
{
	static const char *const nodes[] = { "/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom",
					     "/dev/tty", NULL };
	bool own_proc = false;

	for (unsigned i = 0; nodes[i]; i++)
		if (w->has_dev)
			rule(c, r, nodes[i], READ | WRITE | DEVICE);
		else
			rule_if_there(c, w, r, nodes[i], READ | WRITE | DEVICE);
	for (unsigned i = 0; i < w->nseats; i++)
		own_proc = own_proc || !strcmp(w->seats[i].target, "/proc");
	if (own_proc)
		rule(c, r, "/proc", READ);
	else
		rule_if_there(c, w, r, "/proc", READ);
}

static bool is_own_seat(const struct work *w, const char *path)
{
	bool own = false;

	for (unsigned i = 0; i < w->nseats; i++)
		if (path_is_below(path, w->seats[i].target))
			own = w->seats[i].fd < 0;
	return own;
}

static void unveil(struct compiling *c, struct work *w, struct rules *r)
{
	const struct spec_unveil_list *l = &w->eff.unveil;

	if (l->n > RULES_MAX / 2)
		refuse(c, w, unveil, "isolation.unveil: more than %d paths", RULES_MAX / 2);
	for (unsigned i = 0; i < l->n && i <= RULES_MAX / 2; i++) {
		struct found f = { .fd = FD_NONE };
		int ret = look(c, w, l->v[i].path, &f);

		fd_drop(&f.fd);
		if (ret == 0 || (ret == -ENOENT && is_own_seat(w, f.path) && w->nseats))
			rule(c, r, f.path, letters(l->v[i].perms));
		else
			refuse(c, w, unveil, "isolation.unveil: %s: %s in %s", l->v[i].path, strerror(-ret),
			       *w->root_path ? w->root_path : "the machine's root");
	}
	imply_loader(c, w, r);
	imply_system(c, w, r);
}

/* Whether something that can be written lies at or below path, or path lies in it. */
static bool touches_writable(const struct work *w, const char *path)
{
	for (unsigned i = 0; i < w->nseats; i++)
		if (w->seats[i].writable && (path_is_below(w->seats[i].target, path) ||
					     path_is_below(path, w->seats[i].target)))
			return true;
	return false;
}

static bool is_hidden_home(const struct work *w, const char *path)
{
	return w->contained && w->protect_home != PROTECT_HOME_NO && w->protect_home != PROTECT_HOME_READ_ONLY &&
	       (!strcmp(path, "/home") || !strcmp(path, "/root"));
}

/*
 * Rules add up along a path, so "/" may not carry what one of its folders is to lack: executing is given folder by
 * folder, and where a home is to be hidden, reading too.
 */
static void each_folder(struct compiling *c, struct work *w, struct rules *r, uint64_t access)
{
	char self[40];

	snprintf(self, sizeof self, "/proc/self/fd/%d", w->root);
	DIR *d = opendir(self);

	for (struct dirent *e; d && (e = readdir(d));) {
		const char *path = compiling_fmt(c, "/%s", e->d_name);

		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..") || e->d_type == DT_LNK)
			continue;
		if (!strcmp(path, "/proc") || !strcmp(path, "/dev") || is_hidden_home(w, path))
			continue;
		rule(c, r, path, access & (touches_writable(w, path) ? ~(uint64_t)EXECUTE : ~UINT64_C(0)));
	}
	if (d)
		closedir(d);
}

/* From the mount plan: everything can be read, what is mounted writable can be written, and nothing is both. */
static void from_mounts(struct compiling *c, struct work *w, struct rules *r)
{
	static const char *const shared_tmp[] = { "/tmp", "/var/tmp", "/dev/shm", NULL };

	if (!w->contained)
		rule(c, r, "/", READ);
	each_folder(c, w, r, READ | EXECUTE);
	for (unsigned i = 0; i < w->nseats; i++)
		if (w->seats[i].writable)
			rule(c, r, w->seats[i].target, READ | WRITE | CREATE | DEVICE |
			     (w->seats[i].exec ? EXECUTE : 0));
	rule(c, r, w->exe, EXECUTE | READ);
	imply_system(c, w, r);
	if (w->has_dev)
		rule(c, r, "/dev", READ | WRITE | DEVICE);
	if (w->has_dev)
		rule(c, r, "/dev/shm", READ | WRITE | CREATE);
	for (unsigned i = 0; w->contained && shared_tmp[i]; i++)
		rule_if_there(c, w, r, shared_tmp[i], READ | WRITE | CREATE);
}

void compile_landlock(struct compiling *c, struct work *w)
{
	/* A second mechanism beside the mounts, or the only one where there can be none. */
	bool derived = (w->eff.preset == PRESET_STRICT && w->eff.ns_mount && !w->root_is_writable) ||
		       (w->contained && w->protect_system == PROTECT_SYSTEM_STRICT);
	struct rules *r = w->eff.unveil.n || derived ? compiling_get(c, sizeof *r) : NULL;

	if (!r || !w->exe)
		return;
	if (c->f->landlock_abi == 0) {
		if (w->eff.unveil.n)
			refuse(c, w, unveil, "isolation.unveil: this kernel has no Landlock (is it in the lsm= list?)");
		else
			tell(c, w, preset, "no Landlock in this kernel: %s", w->contained
			     ? "files are protected by their permissions only" : "the mounts alone protect files");
		return;
	}
	if (w->eff.unveil.n)
		unveil(c, w, r);
	else
		from_mounts(c, w, r);
	w->out.landlock = write_table(&c->w, r->v, r->n, sizeof *r->v);
	w->out.flags |= CELL_LANDLOCK;
}
