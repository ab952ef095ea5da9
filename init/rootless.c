/* The user namespace of an ordinary user's supervisor: see rootless.h. */
/* SPDX-License-Identifier: ISC */
#include "init/rootless.h"
#include "init/base/fd.h"
#include "init/base/file.h"
#include "init/base/sys.h"
#include "init/base/text.h"
#include "init/child.h"
#include <errno.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define SPACES (CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS)
#define TRY_MS 5000
#define MAP_SECONDS 10

struct range {
	char first[12], count[12];
};

static int caps_get(struct __user_cap_data_struct d[2])
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };

	return (int)syscall(SYS_capget, &h, d);
}

static bool may_make_namespaces(void)
{
	struct __user_cap_data_struct d[2] = { { 0 } };

	return caps_get(d) == 0 && d[0].effective & 1u << CAP_SYS_ADMIN;
}

/* Whether the file's first character is this. */
static bool says(const char *path, char is)
{
	owned_fd fd = open(path, O_RDONLY | O_CLOEXEC);
	char c = 0;

	return fd >= 0 && read(fd, &c, 1) == 1 && c == is;
}

/* The reasons that administrators and distributions have for saying no. */
static const struct {
	const char *path;
	char is;
	const char *why;
} locks[] = {
	{ "/proc/sys/user/max_user_namespaces", '0', "user.max_user_namespaces is 0: sysctl "
	  "user.max_user_namespaces=10000" },
	{ "/proc/sys/kernel/unprivileged_userns_clone", '0', "kernel.unprivileged_userns_clone is 0: sysctl "
	  "kernel.unprivileged_userns_clone=1" },
	{ "/proc/sys/kernel/apparmor_restrict_unprivileged_userns", '1', "AppArmor restricts user namespaces: sysctl "
	  "kernel.apparmor_restrict_unprivileged_userns=0, or a profile for prior that allows userns" },
};

static int refused(struct err *e)
{
	const int code = errno;

	for (unsigned i = 0; i < sizeof locks / sizeof *locks; i++)
		if (says(locks[i].path, locks[i].is))
			return err_set(e, code, "no user namespace can be made: %s", locks[i].why);
	return err_set(e, code, "no user namespace can be made: %s (a filter of the container's, or a chroot, forbids "
		       "it)", strerror(code));
}

/* A container that covers parts of its /proc keeps who lives in it from mounting another, which would show them. */
static int try_proc(struct err *e)
{
	int status = 0;
	const pid_t pid = fork();	/* the first of the new pid namespace */

	if (pid == 0) {
		owned_fd fs = sys_fsopen("proc", FSOPEN_CLOEXEC), at = FD_NONE;

		if (fs >= 0 && sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
			at = sys_fsmount(fs, FSMOUNT_CLOEXEC, 0);
		_exit(at >= 0 ? 0 : errno & 0x7f);
	}
	if (pid > 0 && sys_wait(pid, &status) == 0 && status == 0)
		return 0;
	errno = pid < 0 ? errno : WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
	return err_sys(e, "a user namespace can be made here, but no procfs can be mounted in it (a container needs "
		       "--security-opt unmask=all)");
}

/* What the first cell will do, in a child that is thrown away: a namespace without mounts would be of no use. */
static int try_it(void *ctx, struct err *e)
{
	(void)ctx;
	if (unshare(CLONE_NEWUSER) < 0)
		return refused(e);
	if (unshare(SPACES) < 0)
		return err_sys(e, "a user namespace can be made here, but no other in it");
	if (sys_mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return err_sys(e, "a user namespace can be made here, but nothing can be mounted in it");
	return try_proc(e);
}

static void name_of(uid_t uid, char *to, size_t size)
{
	FILE *f = fopen("/etc/passwd", "re");

	*to = '\0';
	for (struct passwd *p; f && !*to && (p = fgetpwent(f));)
		if (p->pw_uid == uid)
			text_copy(to, size, p->pw_name);
	if (f)
		fclose(f);
}

/* "NAME:FIRST:COUNT", where NAME may be the number. */
static bool range_in(const char *line, const char *name, const char *number, struct range *r)
{
	char who[64];
	unsigned long first, count;

	if (sscanf(line, "%63[^:]:%lu:%lu", who, &first, &count) != 3 ||
	    (strcmp(who, name) != 0 && strcmp(who, number) != 0))
		return false;
	snprintf(r->first, sizeof r->first, "%lu", first);
	snprintf(r->count, sizeof r->count, "%lu", count);
	return count > 0 && first < UINT32_MAX && count < UINT32_MAX;
}

static bool find_range(const char *path, const char *name, uid_t uid, struct range *r)
{
	FILE *f = fopen(path, "re");
	char line[256], number[12];
	bool found = false;

	snprintf(number, sizeof number, "%u", (unsigned)uid);
	while (f && !found && fgets(line, sizeof line, f))
		found = range_in(line, name, number, r);
	if (f)
		fclose(f);
	return found;
}

static const char *program(const char *const places[2])
{
	return access(places[0], X_OK) == 0 ? places[0] : access(places[1], X_OK) == 0 ? places[1] : NULL;
}

static bool run_map(const char *path, char *pid, char *own, struct range *r)
{
	char zero[] = "0", one[] = "1";
	char *argv[] = { (char *)path, pid, zero, own, one, one, r->first, r->count, NULL }, *envp[] = { NULL };
	int status = -1;
	pid_t child = fork();

	if (child == 0) {
		const int null = open("/dev/null", O_RDWR);

		if (null >= 0)
			dup2(null, 2);
		alarm(MAP_SECONDS / 2);
		execve(path, argv, envp);
		_exit(127);
	}
	return child > 0 && sys_wait(child, &status) == 0 && status == 0;
}

/* A child that stays outside, where the two programs must run, until we are inside. */
static int write_ranges(const char *const map[2], struct range r[2], int go)
{
	char pid[12], uid[12], gid[12], c;

	snprintf(pid, sizeof pid, "%d", (int)getppid());
	snprintf(uid, sizeof uid, "%u", (unsigned)geteuid());
	snprintf(gid, sizeof gid, "%u", (unsigned)getegid());
	if (read(go, &c, 1) != 1)
		return 1;
	return !run_map(map[0], pid, uid, &r[0]) || !run_map(map[1], pid, gid, &r[1]);
}

/* The id before and the id inside are the same. */
static int map_own(uid_t uid, gid_t gid, struct err *e)
{
	char text[40];

	snprintf(text, sizeof text, "%u %u 1", (unsigned)uid, (unsigned)uid);
	if (file_write(AT_FDCWD, "/proc/self/setgroups", "deny", e) < 0 ||
	    file_write(AT_FDCWD, "/proc/self/uid_map", text, e) < 0)
		return -e->code;
	snprintf(text, sizeof text, "%u %u 1", (unsigned)gid, (unsigned)gid);
	return file_write(AT_FDCWD, "/proc/self/gid_map", text, e);
}

/* An exec of ours (the compiler, the logger, our next life) would lose them all: we are not uid 0. */
static int keep_capabilities(struct err *e)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[2];

	if (caps_get(d) < 0)
		return err_sys(e, "capget");
	d[0].inheritable = d[0].permitted;
	d[1].inheritable = d[1].permitted;
	if (syscall(SYS_capset, &h, d) < 0)
		return err_sys(e, "capset");
	for (int cap = 0; cap < 64; cap++)
		if (d[cap / 32].permitted >> cap % 32 & 1 && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0)
			return err_sys(e, "make capability %d ambient", cap);
	return 0;
}

static int enter_one(uid_t uid, gid_t gid, struct err *e)
{
	if (map_own(uid, gid, e) < 0)
		return err_in(e, "map our own id");
	return keep_capabilities(e);
}

static int enter_ranges(const char *const map[2], struct range r[2], struct err *e)
{
	const uid_t uid = geteuid();
	const gid_t gid = getegid();
	int p[2], status = -1;

	if (pipe2(p, O_CLOEXEC) < 0)
		return err_sys(e, "pipe to who maps our ids");
	owned_fd rd = p[0], wr = p[1];
	const pid_t child = fork();

	if (child < 0)
		return err_sys(e, "fork who maps our ids");
	if (child == 0) {
		fd_drop(&wr);
		_exit(write_ranges(map, r, rd));
	}
	const int made = unshare(CLONE_NEWUSER) < 0 ? err_sys(e, "make a user namespace") : 0;

	if (made == 0 && write(wr, "", 1) != 1)
		kill(child, SIGKILL);
	fd_drop(&wr);
	sys_wait(child, &status);
	if (made < 0 || status == 0)
		return made;
	/* no_new_privs, or a range that is not ours: our own id is left. */
	return geteuid() == 0 ? 0 : enter_one(uid, gid, e);
}

#define BEFORE "PRIOR_ROOTLESS"

unsigned rootless_uid(void)
{
	const char *before = getenv(BEFORE);

	return before && may_make_namespaces() ? (unsigned)strtoul(before, NULL, 10) : (unsigned)geteuid();
}

static char **words;

void rootless_words(char **argv)
{
	words = argv;
}

static int again(uid_t before, struct err *e)
{
	char text[12];

	snprintf(text, sizeof text, "%u", (unsigned)before);
	if (setenv(BEFORE, text, 1) < 0)
		return err_sys(e, "keep who started us");
	execv("/proc/self/exe", words);
	return err_sys(e, "execute ourselves in the user namespace");
}

int rootless_enter(struct err *e)
{
	static const char *const uids[2] = { "/usr/bin/newuidmap", "/bin/newuidmap" };
	static const char *const gids[2] = { "/usr/bin/newgidmap", "/bin/newgidmap" };
	const uid_t uid = geteuid();
	const gid_t gid = getegid();
	const char *map[2] = { program(uids), program(gids) };
	struct range r[2];
	char name[64];
	int rc;

	if (uid == 0 || may_make_namespaces())
		return 0;
	if (child_run(try_it, NULL, TRY_MS, e) < 0)
		return -e->code;
	name_of(uid, name, sizeof name);
	if (map[0] && map[1] && find_range("/etc/subuid", name, uid, &r[0]) &&
	    find_range("/etc/subgid", name, uid, &r[1]))
		rc = enter_ranges(map, r, e);
	else
		rc = unshare(CLONE_NEWUSER) < 0 ? err_sys(e, "make a user namespace") : enter_one(uid, gid, e);
	return rc < 0 ? rc : again(uid, e);
}
