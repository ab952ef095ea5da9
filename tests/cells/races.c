/* A thousand starts while somebody exchanges what they name for links to elsewhere: nothing outside may change. */
/* SPDX-License-Identifier: ISC */
#include "init/base/sum.h"
#include "tests/cells/harness.h"
#include "tests/cells/image.h"
#include <ftw.h>
#include <signal.h>

#define OUTSIDE "/mnt/outside"	/* the machine, as far as these services are concerned */
#define SHARED "/mnt/shared"	/* folders that somebody else may write to */
#define LINK SHARED "/link"	/* to OUTSIDE */

/* ---- what is there: names, kinds, modes, owners, sizes and times, as one number ---- */

static uint64_t seen;

static int look_at(const char *path, const struct stat *st, int type, struct FTW *f)
{
	const uint64_t what[] = { (uint64_t)type, st->st_mode, st->st_uid, st->st_gid, (uint64_t)st->st_size,
				  (uint64_t)st->st_mtim.tv_sec, (uint64_t)st->st_mtim.tv_nsec, st->st_ino };

	(void)f;
	seen = sum_more(sum_more(seen, path, strlen(path)), what, sizeof what);
	return 0;
}

static uint64_t tree(const char *path)
{
	seen = SUM_START;
	image_must(nftw(path, look_at, 16, FTW_PHYS) == 0, path);
	return seen;
}

static void put(const char *path, const char *text)
{
	owned_fd fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

	image_must(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text), path);
}

/* ---- the races ---- */

static pid_t start_racer(const char *a, const char *b)
{
	const pid_t p = fork();

	if (p == 0)
		for (;;)
			syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, 2 /* EXCHANGE */);
	return p;
}

static void open_rig(struct rig *r, const char *root)
{
	rig_strict(r, root);
	r->s.cwd = write_string(&r->w, "/");
	r->nlandlock = 0;
	r->s.flags &= ~(uint32_t)CELL_LANDLOCK;
}

/* A row instead of the last one, which would make the root read-only. */
static void last_mount(struct rig *r, enum mount_kind kind, const char *source, const char *target, uint32_t flags)
{
	r->nmounts--;
	rig_mount(r, kind, source, target, NULL, QUIET_ATTR, flags);
}

static void made_below(struct rig *r)
{
	open_rig(r, IMAGE);
	last_mount(r, MOUNT_TMPFS, NULL, "/srv/made", MOUNT_F_CREATE);
}

static void file_made_below(struct rig *r)
{
	open_rig(r, IMAGE);
	r->nmounts--;
	rig_mount(r, MOUNT_FILE, NULL, "/srv/made-file", "text\n", 0, MOUNT_F_CREATE);
}

static void volume(struct rig *r)
{
	open_rig(r, IMAGE);
	last_mount(r, MOUNT_BIND, SHARED "/source/sub", "/data", MOUNT_F_REC);
}

static void root_tree(struct rig *r)
{
	open_rig(r, SHARED "/root");
}

static void proc_of_the_image(struct rig *r)
{
	open_rig(r, IMAGE);
}

static const struct race {
	const char *name, *a, *b;
	unsigned starts;
	void (*rig)(struct rig *);
} races[] = {
	{ "exchanged: the parent of a folder to be made (CVE-2021-30465, CVE-2024-45310, CVE-2026-87766)",
	  IMAGE "/srv", LINK, 250, made_below },
	{ "exchanged: the parent of a file to be made (CVE-2024-45310)", IMAGE "/srv", LINK, 200, file_made_below },
	{ "exchanged: the parent of a volume's source", SHARED "/source", LINK, 250, volume },
	{ "exchanged: the root itself", SHARED "/root", LINK, 150, root_tree },
	{ "exchanged: /proc of the image (CVE-2019-19921, CVE-2023-27561)", IMAGE "/proc", LINK, 150,
	  proc_of_the_image },
};

static void run_race(const struct race *race)
{
	const uint64_t before = tree(OUTSIDE);
	unsigned started = 0, failed = 0, outside = 0, strange = 0;
	const pid_t racer = start_racer(race->a, race->b);
	char strange_text[300] = "";
	struct stat st;
	struct rig r;
	struct outcome o;

	for (unsigned i = 0; i < race->starts; i++) {
		race->rig(&r);
		rig_run(&r, &o);
		started += o.running;
		failed += o.failed;
		outside += !strcmp(said(&o, "open-marker"), "ok") || !strcmp(said(&o, "open-marker-below"), "ok");
		/* A refusal names the link, what was not there at that moment, or the mount that was led away since. */
		if (o.failed && !strstr(o.err.text, "symbolic link") && !strstr(o.err.text, "No such file") &&
		    !strstr(o.err.text, "attestation: mount /") && !strstr(o.err.text, "ross-device") && !strange++)
			snprintf(strange_text, sizeof strange_text, "%.280s", o.err.text);
	}
	kill(racer, SIGKILL);
	waitpid(racer, NULL, 0);
	if (lstat(race->a, &st) == 0 && S_ISLNK(st.st_mode))
		syscall(SYS_renameat2, AT_FDCWD, race->a, AT_FDCWD, race->b, 2);
	check(started + failed == race->starts && outside == 0, race->name,
	      "%u started, %u refused, %u saw the outside", started, failed, outside);
	check(strange == 0, "each refusal says why", "%u others: %s", strange, strange_text);
	check(tree(OUTSIDE) == before, "the outside is as it was", "it is not");
	printf("# %u started, %u refused\n", started, failed);
}

/* ---- every place, once ---- */

static void link_instead(const char *path, const char *to)
{
	char aside[300];

	snprintf(aside, sizeof aside, "%s.aside", path);
	image_must(rename(path, aside) == 0 && symlink(to, path) == 0, path);
}

static void link_away(const char *path)
{
	char aside[300];

	snprintf(aside, sizeof aside, "%s.aside", path);
	image_must(unlink(path) == 0 && rename(aside, path) == 0, path);
}

static void links_everywhere(void)
{
	static const char *const targets[] = {
		"/proc", "/dev", "/tmp", "/secret", "/etc/shadow", "/etc/hosts", "/etc" };
	char full[300], name[128];
	const uint64_t before = tree(OUTSIDE);
	struct rig r;
	struct outcome o;

	put(IMAGE "/etc/hosts", "");
	for (unsigned i = 0; i < sizeof targets / sizeof *targets; i++) {
		snprintf(full, sizeof full, IMAGE "%s", targets[i]);
		link_instead(full, OUTSIDE);
		open_rig(&r, IMAGE);
		rig_run(&r, &o);
		snprintf(name, sizeof name, "%s of the image is a link (CVE-2025-52565)", targets[i]);
		check(o.failed && !o.running && strstr(o.err.text, "symbolic link"), name, "%s",
		      o.running ? "it started" : o.err.text);
		link_away(full);
	}
	link_instead(SHARED "/source/sub", OUTSIDE);
	volume(&r);
	rig_run(&r, &o);
	check(o.failed && strstr(o.err.text, "there is a symbolic link in it now"), "a volume's source is a link since "
	      "it was planned", "%s", o.running ? "it started" : o.err.text);
	link_away(SHARED "/source/sub");
	check(tree(OUTSIDE) == before, "nothing was made behind any of them", "something was");
}

/* CVE-2022-0492: release_agent needs a mount of cgroup version 1. */
static void no_other_cgroups(void)
{
	struct rig r;
	struct outcome o;

	open_rig(&r, IMAGE);
	r.s.caps = (1ull << 41) - 1;
	rig_run(&r, &o);
	expect(&o, "no cgroup of version 1 can be mounted, with every capability (CVE-2022-0492)", "mount-cgroup1",
	       "EPERM");
}

int main(void)
{
	group = "races";
	image_make("/bin/inside");
	image_must(mkdir(OUTSIDE, 0777) == 0 && mkdir(OUTSIDE "/sub", 0777) == 0 && mkdir(SHARED, 0777) == 0 &&
		   mkdir(SHARED "/source", 0777) == 0 && mkdir(SHARED "/source/sub", 0777) == 0 &&
		   symlink(OUTSIDE, LINK) == 0, "folders");
	put(OUTSIDE "/marker", "outside\n");
	put(OUTSIDE "/sub/marker", "outside\n");
	image_must(system("cp -a " IMAGE " " SHARED "/root") == 0, "another root");
	links_everywhere();
	no_other_cgroups();
	for (unsigned i = 0; i < sizeof races / sizeof *races; i++)
		run_race(&races[i]);
	return failures > 0;
}
