/* Images and neighbours that mean harm: what broke other runtimes must not break this one. */
/* SPDX-License-Identifier: ISC */
#include "tests/cells/harness.h"
#include "tests/cells/image.h"
#include <dirent.h>
#include <ftw.h>
#include <signal.h>
#include <sys/ptrace.h>

#define OUTSIDE "/mnt/outside"

static void start(struct rig *r, struct outcome *o)
{
	r->argv[1] = "exit";
	r->argv[2] = "0";
	rig_run(r, o);
}

static void refused(struct rig *r, const char *name, const char *text)
{
	struct outcome o;

	start(r, &o);
	check(o.failed && !o.running && strstr(o.err.text, text), name, "%s", o.running ? "it started" : o.err.text);
}

/* Replace a folder of the image by a link for the length of a test. */
static void link_instead(const char *path, const char *to)
{
	char full[256], aside[300];

	snprintf(full, sizeof full, IMAGE "%s", path);
	snprintf(aside, sizeof aside, "%s.aside", full);
	image_must(rename(full, aside) == 0 && symlink(to, full) == 0, full);
}

static void link_away(const char *path)
{
	char full[256], aside[300];

	snprintf(full, sizeof full, IMAGE "%s", path);
	snprintf(aside, sizeof aside, "%s.aside", full);
	image_must(unlink(full) == 0 && rename(aside, full) == 0, full);
}

static int entries_in(const char *path)
{
	DIR *d = opendir(path);
	int n = 0;

	for (struct dirent *e; d && (e = readdir(d));)
		n += e->d_name[0] != '.';
	if (d)
		closedir(d);
	return n;
}

static void links_as_mount_points(void)
{
	struct rig r;

	link_instead("/proc", "/data");
	rig_strict(&r, IMAGE);
	refused(&r, "/proc of the image is a link (CVE-2019-19921, CVE-2023-27561)", "symbolic link");
	link_away("/proc");

	link_instead("/dev", "../../mnt/outside");
	rig_strict(&r, IMAGE);
	refused(&r, "/dev of the image is a link out of it (CVE-2026-41579)", "symbolic link");
	check(entries_in(OUTSIDE) == 0, "nothing is made behind that link", "%d entries", entries_in(OUTSIDE));
	link_away("/dev");

	link_instead("/srv", OUTSIDE);
	rig_strict(&r, IMAGE);
	r.mounts[r.nmounts - 1] = (struct plan_mount){ .kind = MOUNT_TMPFS, .flags = MOUNT_F_CREATE,
						       .target = write_string(&r.w, "/srv/deep/er") };
	refused(&r, "a parent of a mount point to be made is a link (CVE-2026-87766)", "symbolic link");
	check(entries_in(OUTSIDE) == 0, "nothing is made behind that link either (CVE-2024-45310)", "%d entries",
	      entries_in(OUTSIDE));
	link_away("/srv");
}

static void planted_devices(void)
{
	char before[256] = "", after[256] = "";
	struct rig r;
	struct outcome o;
	FILE *f = fopen("/proc/sys/kernel/core_pattern", "re");

	if (!f || !fgets(before, sizeof before, f))
		before[0] = '\0';
	if (f)
		fclose(f);
	image_must(symlink("/proc/sys/kernel/core_pattern", IMAGE "/dev/null") == 0, "plant /dev/null");
	rig_strict(&r, IMAGE);
	rig_run(&r, &o);
	check(o.running, "a planted /dev/null does no harm (CVE-2025-31133)", "%s", o.err.text);
	expect(&o, "it is not what covers a file", "open-shadow", "EACCES");
	expect(&o, "and not what the service gets", "open-null", "ok");
	f = fopen("/proc/sys/kernel/core_pattern", "re");
	check(f && (fgets(after, sizeof after, f) || !before[0]) && !strcmp(before, after),
	      "the machine's tunable is as it was", "%s",
	      after);
	if (f)
		fclose(f);
	unlink(IMAGE "/dev/null");
}

/* A fake /proc, in which everything can be written: what goes to the kernel must not go there. */
static void fake_procfs(void)
{
	struct rig r;
	struct outcome o;

	mkdir(IMAGE "/fake", 0755);
	mkdir(IMAGE "/fake/sys", 0777);
	mkdir(IMAGE "/fake/sys/user", 0777);
	image_file("/fake/sys/user/max_user_namespaces", "7\n", 0666);
	rig_strict(&r, IMAGE);
	r.mounts[0] = (struct plan_mount){ .kind = MOUNT_BIND, .source = write_string(&r.w, IMAGE "/fake"),
					   .target = write_string(&r.w, "/proc"), .attr = QUIET_ATTR };
	rig_run(&r, &o);
	check(o.running, "a cell with a fake /proc starts", "%s", o.err.text);
	expect(&o, "the ban on namespaces reached the kernel all the same (CVE-2019-16884, CVE-2025-52881)",
	       "unshare.user",
	       "ENOSPC");
}

static void our_own_binary(void)
{
	struct rig r;

	image_file("/bin/evil", "#!/proc/self/exe\n", 0755);
	rig_strict(&r, IMAGE);
	r.s.exe = write_string(&r.w, "/bin/evil");
	refused(&r, "a script whose interpreter is /proc/self/exe (CVE-2019-5736)",
		"exec /bin/evil: Permission denied");
	rig_strict(&r, IMAGE);
	r.s.exe = write_string(&r.w, "/bin/evil");
	r.s.uid = r.s.gid = 0;
	r.s.caps = 1ull << 19;	/* CAP_SYS_PTRACE: may look at itself */
	r.s.flags &= ~(uint32_t)(CELL_USER | CELL_NO_NEW_NS | CELL_LANDLOCK);
	refused(&r, "the same as root with CAP_SYS_PTRACE, which opens it", "exe: planned /bin/evil");
	image_must(symlink("/proc/self/exe", IMAGE "/bin/evil-link") == 0, "plant a link");
	rig_strict(&r, IMAGE);
	r.s.exe = write_string(&r.w, "/bin/evil-link");
	refused(&r, "a program that is a link to /proc/self/exe (CVE-2019-5736)", "executable: /bin/evil-link");
}

/* As root, without a user namespace: no permission stands in the way, only what the start itself looks at. */
static void working_directory_of_a_descriptor(void)
{
	struct rig r;
	struct outcome o;
	int started = 0;

	for (int fd = 0; fd < 24; fd++) {
		char cwd[32];

		rig_strict(&r, IMAGE);
		snprintf(cwd, sizeof cwd, "/proc/self/fd/%d", fd);
		r.s.cwd = write_string(&r.w, cwd);
		r.s.uid = r.s.gid = 0;
		r.s.flags &= ~(uint32_t)(CELL_USER | CELL_NO_NEW_NS | CELL_LANDLOCK);
		start(&r, &o);
		started += o.running;
	}
	check(started == 0, "no descriptor is a working directory (CVE-2024-21626)", "%d of 24 started", started);
}


/* Swap the mount point with a link to the outside, as fast as possible. */
static pid_t start_racer(void)
{
	const pid_t p = fork();

	if (p)
		return p;
	image_must(symlink(OUTSIDE, IMAGE "/data/link") == 0, "plant a link");
	for (;;)
		syscall(SYS_renameat2, AT_FDCWD, IMAGE "/srv", AT_FDCWD, IMAGE "/data/link", 2 /* EXCHANGE */);
}

static void racing_mount_points(void)
{
	const int starts = getenv("FEW") ? 3 : 150;	/* where a racer takes the only, slow CPU from everybody */
	int started = 0, failed = 0, wrong = 0;
	const pid_t racer = start_racer();
	struct rig r;
	struct outcome o;

	for (int i = 0; i < starts; i++) {
		rig_strict(&r, IMAGE);
		r.s.cwd = write_string(&r.w, "/");
		r.nlandlock = 0;
		r.s.flags &= ~(uint32_t)CELL_LANDLOCK;
		r.mounts[r.nmounts - 1] = (struct plan_mount){ .kind = MOUNT_TMPFS, .flags = MOUNT_F_CREATE,
							       .attr = QUIET_ATTR,
							       .target = write_string(&r.w, "/srv/made") };
		rig_run(&r, &o);
		started += o.running;
		failed += o.failed;
		if (o.running)
			wrong += !*said(&o, "mount./srv/made") && !*said(&o, "mount./data/link/made");
	}
	kill(racer, SIGKILL);
	waitpid(racer, NULL, 0);
	if (readlink(IMAGE "/srv", (char[4]){ 0 }, 4) > 0)
		syscall(SYS_renameat2, AT_FDCWD, IMAGE "/srv", AT_FDCWD, IMAGE "/data/link", 2);
	check(started + failed == starts && wrong == 0,
	      "a racer that swaps mount points gets no mount elsewhere (CVE-2021-30465)",
	      "%d started, %d refused, %d wrong", started, failed, wrong);
	check(entries_in(OUTSIDE) == 0, "nor a file outside (CVE-2024-45310)", "%d entries", entries_in(OUTSIDE));
}

static unsigned counted;

static int count(const char *path, const struct stat *st, int type, struct FTW *f)
{
	(void)path, (void)st, (void)type, (void)f;
	counted++;
	return 0;
}

static void nothing_is_staged(void)
{
	unsigned before;
	struct rig r;
	struct outcome o;

	image_file("/etc/hosts", "", 0644);
	counted = 0;
	nftw("/mnt", count, 16, FTW_PHYS | FTW_MOUNT);
	before = counted;
	rig_strict(&r, IMAGE);
	start(&r, &o);
	counted = 0;
	nftw("/mnt", count, 16, FTW_PHYS | FTW_MOUNT);
	check(o.running && counted == before, "a start leaves no folder to stage in (CVE-2019-12439, CVE-2026-3888)",
	      "%u entries, were %u", counted, before);
}

/* A process of the same uid, outside: a user namespace that belongs to root does not let it in. */
static void neighbour_of_the_same_uid(void)
{
	struct rig r;
	struct outcome o;
	int report, out, status = 0;

	rig_strict(&r, IMAGE);
	r.argv[1] = "pause";
	rig_start(&r, &o, &report, &out);
	rig_until_running(&o, report);
	const pid_t p = fork();

	if (p == 0) {
		char path[64];

		if (setresgid(61184, 61184, 61184) < 0 || setresuid(61184, 61184, 61184) < 0)
			_exit(9);
		snprintf(path, sizeof path, "/proc/%d/root/etc", (int)o.service);
		_exit((ptrace(PTRACE_SEIZE, o.service, NULL, NULL) == 0) | (open(path, O_RDONLY) >= 0) << 1);
	}
	waitpid(p, &status, 0);
	check(o.running && status == 0, "a process of the same uid cannot trace into the cell (CVE-2016-9962)",
	      "status %x %s",
	      status, o.err.text);
	rig_wait(&o, report, out, 50);
	fd_drop(&report);
	fd_drop(&out);
}

/* Like the service, and without rest: tries to trace it until it is killed; ends with 1 when it can. */
static pid_t start_tracer(pid_t service)
{
	const pid_t p = fork();

	if (p != 0)
		return p;
	if (setresgid(61184, 61184, 61184) < 0 || setresuid(61184, 61184, 61184) < 0)
		_exit(9);
	for (;;)
		if (ptrace(PTRACE_SEIZE, service, NULL, NULL) == 0)
			_exit(1);
}

/* From the moment it is known until its end: while it has the service's uid already, and is still being made. */
static void setup_is_not_traced(void)
{
	const int starts = getenv("FEW") ? 3 : 40;
	int ran = 0, traced = 0;

	for (int i = 0; i < starts; i++) {
		struct cell_report rep;
		struct rig r;
		struct outcome o;
		int report, out, status = 0;
		pid_t tracer = 0;

		rig_strict(&r, IMAGE);
		r.argv[1] = "exit";
		r.argv[2] = "0";
		rig_start(&r, &o, &report, &out);
		for (int k = 0; k < 20000 && !o.running && !o.failed; k++) {
			if (cell_report_read(report, &rep, &o.err) == 1)
				take_report(&o, &rep);
			if (o.service > 0 && !tracer)
				tracer = start_tracer(o.service);
			poll(NULL, 0, 1);
		}
		ran += o.running;
		rig_wait(&o, report, out, 60000);
		if (tracer > 0) {
			kill(tracer, SIGKILL);
			waitpid(tracer, &status, 0);
		}
		traced += !WIFSIGNALED(status);
		fd_drop(&report);
		fd_drop(&out);
		fd_drop(&o.pidfd);
		munmap((void *)(uintptr_t)r.plan.at, PLAN_MAX);
	}
	check(ran == starts && traced == 0, "at no moment of its setup can a process of the same uid trace it "
	      "(CVE-2026-41163, CVE-2020-5291)", "%d of %d ran, %d traced", ran, starts, traced);
}

/* CVE-2023-25809: the cgroup files, seen from inside as root. */
static void cgroup_files(void)
{
	struct rig r;
	struct outcome o;

	rig_strict(&r, IMAGE);
	r.s.uid = r.s.gid = 0;
	r.s.flags &= ~(uint32_t)(CELL_USER | CELL_NO_NEW_NS | CELL_LANDLOCK);
	rig_mount(&r, MOUNT_CGROUP2, NULL, "/run", NULL, QUIET_ATTR | MOUNT_ATTR_RDONLY, 0);
	rig_run(&r, &o);
	if (o.failed && strstr(o.err.text, "cgroup2")) {
		skip("cgroup files are read-only", o.err.text);
		return;
	}
	expect(&o, "cgroup files are read-only, for root too (CVE-2023-25809)", "write-cgroup", "EROFS");
}

int main(void)
{
	group = "hostile";
	image_make("/bin/inside");
	image_must(mkdir(OUTSIDE, 0777) == 0 && chmod(OUTSIDE, 0777) == 0, OUTSIDE);
	links_as_mount_points();
	planted_devices();
	fake_procfs();
	our_own_binary();
	working_directory_of_a_descriptor();
	racing_mount_points();
	nothing_is_staged();
	neighbour_of_the_same_uid();
	setup_is_not_traced();
	cgroup_files();
	return failures > 0;
}
