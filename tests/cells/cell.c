/* A cell with everything strict: what the program inside sees and what it cannot do. Run by cell.sh, as root. */
/* SPDX-License-Identifier: ISC */
#include "tests/cells/harness.h"
#include "tests/cells/image.h"

static void sees_only_its_own(const struct outcome *o)
{
	expect(o, "the service is the second process of its pid namespace", "pid", "2");
	expect(o, "its parent is outside", "ppid", "0");
	expect(o, "it leads a session of its own", "sid", "2");
	expect(o, "it sees its own name for the host", "hostname", "cell");
	expect(o, "its working directory is the planned one", "cwd", "/srv");
	expect(o, "it has three descriptors", "fds", "0 1 2");
	expect(o, "procfs shows only its own processes", "processes", "2 self thread-self");
	expect(o, "its root is the tree and nothing else", "root", "EACCES");
	expect(o, "rlimits hold", "nofile", "64:64");
	expect(o, "nice holds", "nice", "3");
	expect(o, "the loopback interface is up", "lo", "up");
	expect(o, "argv[0] is what was planned", "argv0", "/bin/inside");
	expect(o, "the process is called after its file", "status.Name", "inside");
}

static void has_given_up_everything(const struct outcome *o)
{
	expect(o, "all four uids are the service's", "status.Uid", "61184\t61184\t61184\t61184");
	expect(o, "all four gids are the service's", "status.Gid", "61184\t61184\t61184\t61184");
	expect(o, "no inheritable capability", "status.CapInh", "0000000000000000");
	expect(o, "no permitted capability", "status.CapPrm", "0000000000000000");
	expect(o, "an empty bounding set", "status.CapBnd", "0000000000000000");
	expect(o, "no new privileges", "status.NoNewPrivs", "1");
	expect(o, "a filter is on", "status.Seccomp", "2");
	expect(o, "no signal is blocked", "status.SigBlk", "0000000000000000");
	expect(o, "no signal is ignored", "status.SigIgn", "0000000000000000");
	expect(o, "the umask is the planned one", "status.Umask", "0027");
	expect(o, "becoming root is impossible: uid 0 does not exist", "setuid-0", "EINVAL");
	expect(o, "becoming group root is impossible", "setgid-0", "EINVAL");
	expect(o, "setgroups is denied", "setgroups", "EPERM");
	expect(o, "capset cannot add", "capset", "EPERM");
	expect(o, "secure bits are locked", "securebits", "EPERM");
	expect(o, "ambient capabilities cannot be raised", "ambient", "EPERM");
}

static void cannot_leave(const struct outcome *o)
{
	static const char *const spaces[] = { "unshare.user", "unshare.mnt", "unshare.pid", "unshare.net",
					      "unshare.ipc", "unshare.uts", "unshare.cgroup", "setns", "mount",
						"umount", "remount",
					      "fsopen", "open_tree", "pivot_root", "chroot", "sethostname" };
	char name[96];

	expect(o, "user.max_user_namespaces is 0 in there", "unshare.user", "ENOSPC");
	for (unsigned i = 1; i < sizeof spaces / sizeof *spaces; i++) {
		snprintf(name, sizeof name, "%s is refused", spaces[i]);
		check(!strcmp(said(o, spaces[i]), "EPERM"), name, "it says '%s'", said(o, spaces[i]));
	}
}

static void files_are_as_planned(const struct outcome *o)
{
	expect(o, "a covered file cannot be read", "open-shadow", "EACCES");
	expect(o, "a covered folder cannot be listed", "open-secret-folder", "EACCES");
	expect(o, "a file in a covered folder cannot be read", "open-secret", "EACCES");
	expect(o, "prior's file is there", "open-hosts", "ok");
	expect(o, "the root is read-only", "write-root", "EROFS");
	expect(o, "its program is read-only (CVE-2019-5736)", "write-bin", "EACCES");
	expect(o, "/proc/self/exe is read-only (CVE-2019-5736)", "write-self-exe", "EACCES");
	expect(o, "its /tmp is writable", "write-tmp", "ok");
	expect(o, "what is not unveiled cannot be opened", "open-not-unveiled", "EACCES");
	expect(o, "dot-dot does not lead out", "escape-dotdot", "EACCES");
	expect(o, "/ cannot be listed (Landlock)", "list-root", "EACCES");
	expect(o, "there is no /proc/sys", "write-proc-sys", "ENOENT");
	expect(o, "there is no /dev/kmsg", "open-kmsg", "ENOENT");
	expect(o, "/dev/null works", "open-null", "ok");
	expect(o, "/dev/urandom works", "open-urandom", "ok");
	expect(o, "devices cannot be made", "mknod", "EPERM");
	expect(o, "/dev is the minimal one", "dev",
	       "fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero");
	expect(o, "the reaper's root is closed (CVE-2019-5736)", "proc-1-root", "ENOENT");
	expect(o, "the reaper's program is closed (CVE-2019-5736)", "proc-1-exe", "ENOENT");
	expect(o, "the reaper's memory is closed", "proc-1-mem", "ENOENT");
}

static void kernel_is_closed(const struct outcome *o)
{
	expect(o, "AF_ALG is refused (CVE-2026-31431)", "socket-alg", "EPERM");
	expect(o, "AF_ALG with upper bits is refused (CVE-2019-10063)", "socket-alg-high", "EPERM");
	expect(o, "raw sockets are refused", "socket-raw", "EPERM");
	expect(o, "packet sockets are refused", "socket-packet", "EPERM");
	expect(o, "an ordinary socket works", "socket-inet", "ok");
	expect(o, "ptrace is filtered", "ptrace", "EPERM");
	expect(o, "io_uring is filtered", "io_uring", "EPERM");
	expect(o, "nothing to inject keys into (CVE-2017-5226)", "tiocsti", "ENOTTY");
	expect(o, "no controlling terminal", "tty", "ENXIO");
}

static void mounts_are_as_planned(const struct outcome *o)
{
	expect(o, "no mount beyond the plan", "mounts", "10");
	expect(o, "/ is read-only", "mount./", "ro,relatime");
	expect(o, "/dev is sealed", "mount./dev", "ro,nosuid,noexec,relatime");
	expect(o, "/tmp is nosuid, nodev, noexec", "mount./tmp", "rw,nosuid,nodev,noexec,relatime");
	expect(o, "/proc is nosuid, nodev, noexec", "mount./proc", "rw,nosuid,nodev,noexec,relatime");
	expect(o, "a cover is empty and sealed", "mount./secret", "ro,nosuid,nodev,noexec,relatime");
}

int main(void)
{
	struct rig r;
	struct outcome o;

	group = "cell";
	image_make("/bin/inside");
	rig_strict(&r, IMAGE);
	rig_run(&r, &o);
	if (!check(o.start == 0 && o.running && !o.failed, "a strict cell starts", "%s", o.err.text))
		return 1;
	check(o.report.attested > 40, "it is attested", "%u facts", o.report.attested);
	check(!strcmp(said(&o, "end"), "yes"), "the program inside ran to its end", "status %x: %s", o.status, o.out);
	sees_only_its_own(&o);
	has_given_up_everything(&o);
	cannot_leave(&o);
	files_are_as_planned(&o);
	kernel_is_closed(&o);
	mounts_are_as_planned(&o);
	printf("# setup %lld us, attestation %lld us, %u facts\n", (long long)o.report.setup_us,
	       (long long)o.report.attest_us, o.report.attested);
	return failures > 0;
}
