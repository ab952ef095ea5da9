/* Starts by somebody who is not the machine's root: an ordinary user, and root of a user namespace. */
/* SPDX-License-Identifier: ISC */
#include "tests/cells/harness.h"
#include "tests/cells/image.h"
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>

#define SOMEBODY 1234

static void write_file(const char *path, const char *text)
{
	owned_fd fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text)) {
		perror(path);
		exit(2);
	}
}

static void become_somebody(void)
{
	if (setgroups(0, NULL) < 0 || setresgid(SOMEBODY, SOMEBODY, SOMEBODY) < 0 ||
	    setresuid(SOMEBODY, SOMEBODY, SOMEBODY) < 0) {
		perror("become an ordinary user");
		exit(2);
	}
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);	/* as a program has it that a shell started */
}

static void ordinary_user(void)
{
	struct rig r;
	struct outcome o;

	become_somebody();
	rig_strict(&r, IMAGE);
	r.nmounts = r.nlandlock = r.ngroups = 0;
	r.s.flags = CELL_ATTEST | CELL_NNP | CELL_SECCOMP | CELL_LANDLOCK | CELL_KEYRING | CELL_CONTAINED;
	r.s.uid = r.s.gid = SOMEBODY;
	r.s.exe = write_string(&r.w, IMAGE "/bin/inside");
	rig_landlock(&r, IMAGE "/bin", READ_DIR_FILE);
	rig_landlock(&r, "/proc", READ_DIR_FILE);
	rig_landlock(&r, "/srv", READ_DIR_FILE);
	rig_run(&r, &o);
	check(o.running && o.report.attested > 10, "an ordinary user's contained service is attested", "%u: %s",
	      o.report.attested, o.err.text);
	expect(&o, "its ids are his", "status.Uid", "1234\t1234\t1234\t1234");
	expect(&o, "no new privileges", "status.NoNewPrivs", "1");
	expect(&o, "Landlock holds", "list-root", "EACCES");
	expect(&o, "the filter holds", "socket-alg", "EPERM");

	rig_plain(&r, IMAGE "/bin/inside");
	r.s.uid = r.s.gid = SOMEBODY;
	rig_run(&r, &o);
	check(!o.failed && o.direct && !strcmp(said(&o, "end"), "yes"), "an ordinary user's plain service starts", "%s",
	      o.err.text);

	rig_plain(&r, IMAGE "/bin/inside");
	r.s.uid = r.s.gid = 0;
	rig_run(&r, &o);
	check(o.failed && strstr(o.err.text, "ids: gid 0"), "an ordinary user cannot start one as root", "%s",
	      o.err.text);

	rig_strict(&r, IMAGE);
	rig_run(&r, &o);
	check(o.start == -EPERM && strstr(o.err.text, "clone"), "an ordinary user cannot make namespaces", "%s",
	      o.err.text);
}

/* As `unshare -Ur`: all capabilities, over nothing but what is made in there. */
static bool become_root_of_a_namespace(void)
{
	char map[64];

	become_somebody();
	if (unshare(CLONE_NEWUSER) < 0)
		return false;
	snprintf(map, sizeof map, "0 %d 1\n", SOMEBODY);
	write_file("/proc/self/setgroups", "deny");
	write_file("/proc/self/uid_map", map);
	write_file("/proc/self/gid_map", map);
	return true;
}

static void root_of_a_namespace(void)
{
	struct rig r;
	struct outcome o;

	if (!become_root_of_a_namespace()) {
		skip("root of a user namespace", "user namespaces are forbidden here");
		return;
	}
	rig_strict(&r, IMAGE);
	r.ngroups = r.nlandlock = r.nmounts = 0;
	r.s.oom_score_adj = INT32_MIN;
	r.s.uid = r.s.gid = 0;
	r.s.exe = write_string(&r.w, IMAGE "/bin/inside");
	r.s.flags = CELL_ATTEST | CELL_NNP | CELL_SECCOMP | CELL_LANDLOCK | CELL_CAPS | CELL_KEYRING | CELL_CONTAINED;
	rig_landlock(&r, IMAGE "/bin", READ_DIR_FILE);
	rig_landlock(&r, "/proc", READ_DIR_FILE);
	rig_landlock(&r, "/srv", READ_DIR_FILE);
	rig_run(&r, &o);
	check(o.running && o.report.attested > 10, "contained, in a user namespace of others, is attested", "%s",
	      o.err.text);
	expect(&o, "it has no capability there", "status.CapBnd", "0000000000000000");

	rig_strict(&r, IMAGE);
	r.ngroups = 0;
	r.s.oom_score_adj = INT32_MIN;
	r.s.uid = r.s.gid = 0;
	r.s.flags &= ~(uint32_t)(CELL_USER | CELL_NO_NEW_NS | CELL_TIME);
	rig_run(&r, &o);
	check(o.running && o.report.attested > 40, "a cell made by root of a user namespace is attested", "%s",
	      o.err.text);
	expect(&o, "device nodes are copies of the machine's", "open-null", "ok");
	expect(&o, "they cannot be programs", "mount./dev/null", "rw,nosuid,noexec,relatime");
	expect(&o, "it cannot mount", "mount", "EPERM");
}

static int in_child(void (*test)(void))
{
	const pid_t p = fork();
	int status = 0;

	if (p == 0) {
		test();
		fflush(stdout);
		_exit(failures > 0);
	}
	waitpid(p, &status, 0);
	return status;
}

int main(void)
{
	int bad;

	group = "users";
	image_make("/bin/inside");
	image_file("/etc/hosts", "", 0644);	/* he may not make it himself */
	bad = in_child(ordinary_user);
	bad |= in_child(root_of_a_namespace);
	return bad != 0;
}
