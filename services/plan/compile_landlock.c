/* Landlock: what a service may open, by path, after all of its mounts. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "services/plan/compiling.h"
#include "services/spec/families.h"
#include "services/spec/promises.h"
#include <dirent.h>
#include <elf.h>
#include <limits.h>
#include <string.h>

/* Rights by number: the headers of the build may be older than the rights. */
#define EXECUTE 0x1u
#define WRITE (0x2u | 0x4000u)		/* write and truncate */
#define READ (0x4u | 0x8u)		/* files and directories */
#define RUN (EXECUTE | 0x4u)		/* the kernel reads what it executes, in the service's name */
#define CREATE 0x3ff0u			/* remove, make, refer: all kinds */
#define DEVICE 0x8000u			/* ioctl of devices */
#define NODES 0xc40u			/* make devices and fifos */
#define MAKE_SOCK 0x200u
#define TEMPORARY (READ | WRITE | 0x120u) /* make and remove regular files */
#define EVERYTHING 0xffffu
#define NET_TCP 3u			/* bind, connect */
#define SCOPE_UNIX 1u			/* abstract sockets of others */
#define SCOPE_SIGNALS 2u
#define ABI_REFER 2
#define ABI_TRUNCATE 3

/*
 * With unveil, what is listed is what there is, as on OpenBSD. There a program calls unveil() when it is loaded
 * already; here the rules hold before its first instruction, so what it takes to get there is implied: the
 * program itself (rx), its ELF interpreter or the one of its first line (rx), and, for what needs a loader, the
 * directories and files that the loader looks for libraries in (r), /dev/null and the like, and what
 * descriptors are called in /proc. Nothing else: no /etc, no /tmp. `x` on a directory lets everything below be
 * executed.
 */
#define RULES_MAX 512

struct rules {
	struct plan_landlock v[RULES_MAX];
	const char *path[RULES_MAX];
	unsigned n;
};

/* Rules add up along a path: what a folder above gives already needs none. */
static void rule(struct compiling *c, struct rules *r, const char *path, uint64_t access)
{
	for (unsigned i = 0; i < r->n; i++) {
		if (path_is_below(path, r->path[i]) && !(access & ~r->v[i].access))
			return;
		if (!strcmp(r->path[i], path)) {
			r->v[i].access |= access;
			return;
		}
	}
	if (r->n == RULES_MAX)
		return;
	r->path[r->n] = path;
	r->v[r->n++] = (struct plan_landlock){ .path = write_string(&c->w, path), .access = access };
}

/* Only what is there now: a rule for a missing path would keep the service from starting. */
static bool rule_if_there(struct compiling *c, struct work *w, struct rules *r, const char *path, uint64_t access)
{
	struct found f;
	int ret = look(c, w, path, &f);

	if (ret == 0)
		rule(c, r, f.path, access);
	return ret == 0;
}

static uint64_t letters(const char *perms)
{
	uint64_t access = 0;

	for (; *perms; perms++)
		access |= *perms == 'r' ? READ : *perms == 'w' ? WRITE | DEVICE : *perms == 'x' ? RUN : CREATE;
	return access;
}

/* The path in a PT_INTERP of an ELF program whose beginning is in head; "" when there is none. */
static const char *elf_interpreter(struct compiling *c, int fd, const unsigned char *head, size_t n)
{
	Elf64_Ehdr elf;

	memcpy(&elf, head, sizeof elf);
	if (memcmp(elf.e_ident, ELFMAG, SELFMAG) != 0 || elf.e_phentsize != sizeof(Elf64_Phdr))
		return "";
	if (elf.e_phoff > n)	/* and no sum below can wrap */
		return "";
	for (unsigned i = 0; i < elf.e_phnum && elf.e_phoff + (i + 1) * sizeof(Elf64_Phdr) <= n; i++) {
		Elf64_Phdr p;
		char path[PATH_MAX] = "";

		memcpy(&p, head + elf.e_phoff + i * sizeof p, sizeof p);
		if (p.p_type == PT_INTERP && p.p_filesz < sizeof path &&
		    pread(fd, path, p.p_filesz, (off_t)p.p_offset) == (ssize_t)p.p_filesz)
			return compiling_fmt(c, "%s", path);
	}
	return "";
}

/* What the kernel starts in the place of a program: of its first line, or its dynamic loader. */
static const char *interpreter(struct compiling *c, struct work *w, const char *program)
{
	owned_fd fd = look_open(w, program);
	unsigned char head[4096] = { 0 };
	ssize_t n = fd < 0 ? 0 : pread(fd, head, sizeof head - 1, 0);

	if (n > 2 && head[0] == '#' && head[1] == '!') {
		const char *at = (const char *)head + 2;

		at += strspn(at, " \t");
		return compiling_fmt(c, "%.*s", (int)strcspn(at, " \t\r\n"), at);
	}
	return n < (ssize_t)sizeof(Elf64_Ehdr) ? "" : elf_interpreter(c, fd, head, (size_t)n);
}

static void imply_loader(struct compiling *c, struct work *w, struct rules *r, const char *program)
{
	static const char *const libraries[] = { "/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib",
						 "/etc/ld.so.cache", "/etc/ld.so.preload", NULL };
	bool loads = false;

	rule(c, r, program, EXECUTE | READ);
	/* A script, its shell, the shell's loader: the kernel itself goes no deeper than five. */
	for (unsigned i = 0; i < 5; i++) {
		struct found f;
		int ret = look(c, w, interpreter(c, w, program), &f);

		if (ret < 0 || !strcmp(f.path, "/"))
			break;
		rule(c, r, f.path, EXECUTE | READ);
		program = f.path;
		loads = true;
	}
	w->loads = w->loads || loads;
	for (unsigned i = 0; loads && libraries[i]; i++)
		rule_if_there(c, w, r, libraries[i], READ);
}

/* In a /dev or /proc of our own nothing can be looked up now, but it will be there. */
static void imply_system(struct compiling *c, struct work *w, struct rules *r, bool with_proc)
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
	if (with_proc && own_proc)
		rule(c, r, "/proc", READ);
	else if (with_proc)
		rule_if_there(c, w, r, "/proc", READ);
}

/* What prior makes for the service is its own to use; the compiler need not see it yet. */
static void imply_own(struct compiling *c, struct work *w, struct rules *r)
{
	for (unsigned i = 0; i < w->ndirs; i++)
		if (w->dirs[i].row.kind <= DIR_RUNTIME)
			rule(c, r, w->dirs[i].shown, READ | WRITE | CREATE);
	if (w->credentials)
		rule(c, r, w->credentials, READ);
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
		struct found f;
		int ret = look(c, w, l->v[i].path, &f);

		if (ret == 0 || (ret == -ENOENT && is_own_seat(w, f.path) && w->nseats))
			rule(c, r, f.path, letters(l->v[i].perms));
		else
			refuse(c, w, unveil, "isolation.unveil: %s: %s in %s", l->v[i].path, strerror(-ret),
			       *w->root_path ? w->root_path : "the machine's root");
	}
}

/* What promises say about paths: which rights there can be at all. */
static uint64_t promised_rights(uint64_t set)
{
	return (PROMISED(set, RPATH) ? READ : 0) | (PROMISED(set, WPATH) ? WRITE | DEVICE : 0) |
	       (PROMISED(set, CPATH) ? CREATE & ~(uint64_t)(NODES | MAKE_SOCK) : 0) |
	       (PROMISED(set, DPATH) ? NODES : 0) | (PROMISED(set, UNIX) ? MAKE_SOCK : 0) |
	       (PROMISED(set, EXEC) ? EXECUTE | READ : 0);	/* what is executed is read, and reads its libraries */
}

static void keep_promised(struct rules *r, uint64_t rights)
{
	unsigned n = 0;

	for (unsigned i = 0; i < r->n; i++) {
		r->v[n] = r->v[i];
		r->path[n] = r->path[i];
		r->v[n].access &= rights;
		n += r->v[n].access != 0;
	}
	r->n = n;
}

static void rules_if_there(struct compiling *c, struct work *w, struct rules *r, const char *const *paths,
			   uint64_t access)
{
	for (; *paths; paths++)
		rule_if_there(c, w, r, *paths, access);
}

/* The few files that some promises are about, whatever else may be opened. */
static void promised_files(struct compiling *c, struct work *w, struct rules *r)
{
	static const char *const tmp[] = { "/tmp", NULL };
	static const char *const dns[] = { "/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/host.conf",
					   "/etc/gai.conf", "/etc/services", "/etc/protocols", NULL };
	static const char *const getpw[] = { "/etc/passwd", "/etc/group", "/etc/nsswitch.conf", NULL };

	if (PROMISED(w->promises, TMPPATH))
		rules_if_there(c, w, r, tmp, TEMPORARY);
	if (PROMISED(w->promises, DNS))
		rules_if_there(c, w, r, dns, READ);
	if (PROMISED(w->promises, GETPW))
		rules_if_there(c, w, r, getpw, READ);
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

/*
 * Rules add up along a path, so "/" may not carry what one of its folders is to lack. Everything can be read; executing
 * is given to the folders that programs live in and to the program's own, unless they can be written: what can be
 * written cannot be executed, and the other way round.
 */
static void give_execute(struct compiling *c, struct work *w, struct rules *r)
{
	static const char *const programs[] = { "/usr", "/bin", "/sbin", "/lib", "/lib64", "/opt", NULL };
	for (unsigned i = 0; programs[i]; i++) {
		struct found f;
		int ret = look(c, w, programs[i], &f);

		if (ret == 0 && !strcmp(f.path, programs[i]) && !touches_writable(w, f.path))
			rule(c, r, f.path, READ | EXECUTE);
	}
	for (unsigned i = 0; i < w->nprograms; i++) {
		const char *exe = w->programs[i], *slash = strrchr(exe, '/');
		const char *own = compiling_fmt(c, "%.*s", (int)(slash - exe), exe);

		if (*own && !touches_writable(w, own))
			rule(c, r, own, READ | EXECUTE);
		rule(c, r, exe, READ | EXECUTE);
	}
}

/* Where nothing can be mounted over homes, all but they are let through, folder by folder. */
static void give_read_but_homes(struct compiling *c, struct work *w, struct rules *r)
{
	owned_fd fd = look_open(w, "/");
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (d)
		fd_take(&fd);	/* closedir() closes it */
	for (struct dirent *e; d && (e = readdir(d));) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..") || !strcmp(e->d_name, "home") ||
		    !strcmp(e->d_name, "root") || e->d_type == DT_LNK)
			continue;
		rule_if_there(c, w, r, compiling_fmt(c, "/%s", e->d_name), READ);
	}
	if (d)
		closedir(d);
}

/* From the mount plan, as a second mechanism beside it. */
static void from_mounts(struct compiling *c, struct work *w, struct rules *r)
{
	rule(c, r, "/", READ);
	give_execute(c, w, r);
	for (unsigned i = 0; i < w->nseats; i++)
		if (w->seats[i].writable)
			rule(c, r, w->seats[i].target, READ | WRITE | CREATE | (w->seats[i].exec ? EXECUTE : 0));
	if (!w->has_dev) {
		imply_system(c, w, r, true);
		return;
	}
	rule(c, r, "/dev", READ | WRITE | DEVICE);
	rule(c, r, "/dev/shm", READ | WRITE | CREATE);
}

/* From what the mounts would have been, where there can be none: protect_system strict, protect_home, a shared /tmp. */
static void instead_of_mounts(struct compiling *c, struct work *w, struct rules *r)
{
	static const char *const writable[] = { "/tmp", "/var/tmp", "/dev/shm", NULL };

	if (w->protect_home == PROTECT_HOME_YES || w->protect_home == PROTECT_HOME_TMPFS)
		give_read_but_homes(c, w, r);
	else
		rule(c, r, "/", READ);
	give_execute(c, w, r);
	for (unsigned i = 0; writable[i]; i++)
		rule_if_there(c, w, r, writable[i], READ | WRITE | CREATE);
	rule_if_there(c, w, r, "/dev", READ | WRITE | DEVICE);
}

/* Beside paths: what a service without these sockets and without others' processes need not reach. */
static void deny_more(struct work *w)
{
	const struct str_list *l = &w->eff.restrict_address_families;
	const uint64_t set = w->promises;
	bool inet = !l->n;

	for (unsigned i = 0; i < l->n; i++)
		inet = inet || family_number(l->v[i]) == 2 || family_number(l->v[i]) == 10;
	if (!inet || (set && !PROMISED(set, INET) && !PROMISED(set, DNS)))
		w->out.landlock_net = NET_TCP;
	if (set ? !PROMISED(set, PROC) : w->contained || w->eff.preset == PRESET_STRICT)
		w->out.landlock_scope |= SCOPE_SIGNALS;
	if (set ? !PROMISED(set, UNIX) : w->eff.preset == PRESET_STRICT && !w->contained)
		w->out.landlock_scope |= SCOPE_UNIX;
}

/* What this kernel's version lacks: covered by the filter, or said. */
static void judge_version(struct compiling *c, struct work *w)
{
	const struct spec_unveil_list *l = &w->eff.unveil;
	bool creates = false;

	for (unsigned i = 0; i < l->n; i++)
		creates = creates || strchr(l->v[i].perms, 'c');
	if (c->f->landlock_abi >= ABI_TRUNCATE)
		w->out.landlock_abi = ABI_TRUNCATE;
	else if (l->n)
		tell(c, w, unveil, "isolation.unveil: this kernel's Landlock, version %d, does not see truncation: "
		     "truncate() is refused everywhere", c->f->landlock_abi);
	if (c->f->landlock_abi < ABI_REFER && creates)
		tell(c, w, unveil, "isolation.unveil: with this kernel's Landlock, version %d, files cannot be moved "
		     "from one folder to another", c->f->landlock_abi);
}

static void refuse_without(struct compiling *c, struct work *w)
{
	if (w->eff.unveil.n)
		refuse(c, w, unveil, "isolation.unveil: this kernel has no Landlock (is it in the lsm= list?)");
	else if (w->promises)
		refuse(c, w, pledge, "security.pledge: this kernel has no Landlock (is it in the lsm= list?), which "
		       "keeps what is not promised about paths and programs");
	else
		tell(c, w, preset, "no Landlock in this kernel: %s", w->contained
		     ? "files are protected by their permissions only" : "the mounts alone protect files");
}

static void all_rules(struct compiling *c, struct work *w, struct rules *r, bool derived)
{
	imply_own(c, w, r);
	if (w->eff.unveil.n)
		unveil(c, w, r);
	else if (derived && w->contained)
		instead_of_mounts(c, w, r);
	else if (derived)
		from_mounts(c, w, r);
	else
		rule(c, r, "/", EVERYTHING);	/* a pledge alone: it says below how much of that */
	if (w->promises) {
		keep_promised(r, promised_rights(w->promises));
		promised_files(c, w, r);
	}
	if (w->eff.unveil.n || w->promises) {
		for (unsigned i = 0; i < w->nprograms; i++)
			imply_loader(c, w, r, w->programs[i]);
		imply_system(c, w, r, !w->promises || PROMISED(w->promises, RPATH) || PROMISED(w->promises, PS) ||
			     PROMISED(w->promises, VMINFO));
	}
}

void compile_landlock(struct compiling *c, struct work *w)
{
	/* A second mechanism beside the mounts, or the only one where there can be none. */
	bool derived = (w->eff.preset == PRESET_STRICT && w->eff.ns_mount && !w->root_is_writable) ||
		       (w->contained && w->protect_system == PROTECT_SYSTEM_STRICT);
	struct rules *r = w->eff.unveil.n || w->promises || derived ? compiling_get(c, sizeof *r) : NULL;

	if (!r || !w->exe)
		return;
	if (c->f->landlock_abi == 0) {
		refuse_without(c, w);
		return;
	}
	all_rules(c, w, r, derived);
	w->out.landlock = write_table(&c->w, r->v, r->n, sizeof *r->v);
	w->out.flags |= CELL_LANDLOCK;
	deny_more(w);
	judge_version(c, w);
}
