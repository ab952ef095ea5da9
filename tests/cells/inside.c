/* Runs inside a cell: says what it sees, and tries what must not work. One line "KEY VALUE" each. */
/* SPDX-License-Identifier: ISC */
#include "init/base/sys.h"
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <mqueue.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>

/* "ok", or the errno's name as far as the tests need one. */
static void say(const char *key, long ret)
{
	static const struct { int code; const char *name; } names[] = {
		{ EPERM, "EPERM" }, { EACCES, "EACCES" }, { ENOENT, "ENOENT" }, { EINVAL, "EINVAL" },
		{ ENOSPC, "ENOSPC" }, { ENOSYS, "ENOSYS" }, { ENOTTY, "ENOTTY" }, { ENXIO, "ENXIO" },
		{ EROFS, "EROFS" }, { EBADF, "EBADF" },
		{ EAFNOSUPPORT, "EAFNOSUPPORT" }, { EXDEV, "EXDEV" }, { ESRCH, "ESRCH" }, { EMFILE, "EMFILE" },
		{ ETXTBSY, "ETXTBSY" }, { ENODEV, "ENODEV" }, { EOVERFLOW, "EOVERFLOW" },
	};
	const int code = errno;

	if (ret >= 0) {
		printf("%s ok\n", key);
		return;
	}
	for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
		if (names[i].code == code) {
			printf("%s %s\n", key, names[i].name);
			return;
		}
	printf("%s errno %d\n", key, code);
}

static void try_open(const char *key, const char *path, int flags)
{
	const int fd = open(path, flags | O_CLOEXEC, 0600);

	say(key, fd);
	if (fd >= 0)
		close(fd);
}

static void status_lines(void)
{
	char line[512];
	FILE *f = fopen("/proc/self/status", "re");

	while (f && fgets(line, sizeof line, f)) {
		char *colon = strchr(line, ':');

		if (!colon)
			continue;
		*colon = '\0';
		printf("status.%s %s", line, colon + 1 + strspn(colon + 1, "\t "));
	}
	if (f)
		fclose(f);
}

static void list(const char *key, const char *path)
{
	DIR *d = opendir(path);
	char names[64][256];
	int n = 0;

	if (!d) {
		say(key, -1);
		return;
	}
	for (struct dirent *e; (e = readdir(d)) && n < 64;)
		if (e->d_name[0] != '.' && (strcmp(path, "/proc/self/fd") || atoi(e->d_name) != dirfd(d)))
			snprintf(names[n++], 256, "%s", e->d_name);
	closedir(d);
	qsort(names, (size_t)n, sizeof *names, (int (*)(const void *, const void *))strcmp);
	printf("%s", key);
	for (int i = 0; i < n; i++)
		printf(" %s", names[i]);
	printf("\n");
}

static void mounts(void)
{
	char line[4096];
	FILE *f = fopen("/proc/self/mountinfo", "re");
	int n = 0;

	while (f && fgets(line, sizeof line, f)) {
		char target[1024], options[1024];

		if (sscanf(line, "%*d %*d %*s %*s %1023s %1023s", target, options) == 2)
			printf("mount.%s %s\n", target, options);
		n++;
	}
	printf("mounts %d\n", n);
	if (f)
		fclose(f);
}

static void identity(void)
{
	struct utsname u;
	char cwd[1024];
	struct rlimit r;

	uname(&u);
	printf("pid %d\nppid %d\nsid %d\n", getpid(), getppid(), getsid(0));
	printf("uid %d %d\n", getuid(), geteuid());
	printf("hostname %s\n", u.nodename);
	printf("cwd %s\n", getcwd(cwd, sizeof cwd) ? cwd : "unknown");
	getrlimit(RLIMIT_NOFILE, &r);
	printf("nofile %llu:%llu\n", (unsigned long long)r.rlim_cur, (unsigned long long)r.rlim_max);
	printf("nice %d\n", getpriority(PRIO_PROCESS, 0));
	say("is-pid-1-init", kill(1, 0));
	list("fds", "/proc/self/fd");
	list("root", "/");
	list("dev", "/dev");
	list("processes", "/proc");
	printf("env.LISTEN_FDS %s\n", getenv("LISTEN_FDS") ? getenv("LISTEN_FDS") : "none");
	printf("env.LISTEN_PID %s\n", getenv("LISTEN_PID") ? getenv("LISTEN_PID") : "none");
	printf("env.LISTEN_FDNAMES %s\n", getenv("LISTEN_FDNAMES") ? getenv("LISTEN_FDNAMES") : "none");
	printf("env.NOTIFY_SOCKET %s\n", getenv("NOTIFY_SOCKET") ? getenv("NOTIFY_SOCKET") : "none");
}

/* Namespaces and mounts: none may be made, joined or changed. */
static void try_spaces(void)
{
	static const struct { const char *key; int flag; } kinds[] = {
		{ "unshare.user", CLONE_NEWUSER }, { "unshare.mnt", CLONE_NEWNS }, { "unshare.pid", CLONE_NEWPID },
		{ "unshare.net", CLONE_NEWNET }, { "unshare.ipc", CLONE_NEWIPC }, { "unshare.uts", CLONE_NEWUTS },
		{ "unshare.cgroup", CLONE_NEWCGROUP },
	};
	struct mount_attr rw = { .attr_clr = MOUNT_ATTR_RDONLY };
	const int self = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++)
		say(kinds[i].key, unshare(kinds[i].flag));
	say("setns", self < 0 ? self : setns(self, 0));
	say("mount", sys_mount("none", "/tmp", "tmpfs", 0, NULL));
	say("mount-cgroup1", sys_mount("none", "/tmp", "cgroup", 0, "memory"));
	say("umount", sys_umount2("/tmp", MNT_DETACH));
	say("remount", sys_mount_setattr(AT_FDCWD, "/", 0, &rw));
	say("fsopen", sys_fsopen("tmpfs", 0));
	say("open_tree", sys_open_tree(AT_FDCWD, "/", OPEN_TREE_CLONE));
	say("pivot_root", sys_pivot_root("/tmp", "/tmp"));
	say("chroot", chroot("/tmp"));
	say("sethostname", sethostname("x", 1));
}

static void try_ids(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct all[2] = { { ~0u, ~0u, ~0u }, { ~0u, ~0u, ~0u } };

	say("setuid-0", setresuid(0, 0, 0));
	say("setgid-0", setresgid(0, 0, 0));
	say("setgroups", syscall(SYS_setgroups, 0, NULL));
	say("capset", syscall(SYS_capset, &head, all));
	say("securebits", prctl(PR_SET_SECUREBITS, 0, 0, 0, 0));
	say("ambient", prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_RAW, 0, 0));
}

static void try_files(void)
{
	try_open("open-secret", "/secret/key", O_RDONLY);
	try_open("open-secret-folder", "/secret", O_RDONLY | O_DIRECTORY);
	try_open("open-shadow", "/etc/shadow", O_RDONLY);
	try_open("open-hosts", "/etc/hosts", O_RDONLY);
	try_open("write-root", "/srv/new", O_WRONLY | O_CREAT);
	try_open("write-bin", "/bin/inside", O_WRONLY);
	try_open("write-tmp", "/tmp/new", O_WRONLY | O_CREAT);
	try_open("open-marker", "/marker", O_RDONLY);
	try_open("open-marker-below", "/data/marker", O_RDONLY);
	try_open("open-not-unveiled", "/data/file", O_RDONLY);
	try_open("list-root", "/", O_RDONLY | O_DIRECTORY);
	try_open("write-proc-sys", "/proc/sys/kernel/core_pattern", O_WRONLY);
	try_open("open-kmsg", "/dev/kmsg", O_RDONLY);
	try_open("open-null", "/dev/null", O_RDWR);
	try_open("open-urandom", "/dev/urandom", O_RDONLY);
	try_open("open-sys", "/sys/kernel", O_RDONLY | O_DIRECTORY);
	try_open("proc-1-root", "/proc/1/root", O_RDONLY | O_DIRECTORY);
	try_open("proc-1-exe", "/proc/1/exe", O_RDONLY);
	try_open("proc-1-mem", "/proc/1/mem", O_RDWR);
	try_open("write-self-exe", "/proc/self/exe", O_WRONLY);
	try_open("escape-dotdot", "/../../../data/file", O_RDONLY);
	try_open("write-cgroup", "/run/cgroup.procs", O_WRONLY);
	say("mknod", mknod("/tmp/null", S_IFCHR | 0666, 0x103));
	if (mknod("/tmp/file", S_IFREG | 0600, 0) == 0)
		say("chmod-suid", chmod("/tmp/file", 04755));
}

static void try_kernel(void)
{
	char c = 'x';
	struct ifreq lo = { .ifr_name = "lo" };
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	say("socket-alg", socket(AF_ALG, SOCK_SEQPACKET, 0));
	say("socket-alg-high", syscall(SYS_socket, 0x100000000ul | AF_ALG, SOCK_SEQPACKET, 0));
	say("socket-raw", socket(AF_INET, SOCK_RAW, 1));
	say("socket-packet", socket(AF_PACKET, SOCK_RAW, 0));
	say("socket-inet", s);
	ioctl(s, SIOCGIFFLAGS, &lo);
	printf("lo %s\n", lo.ifr_flags & IFF_UP ? "up" : "down");
	say("ptrace", ptrace(PTRACE_TRACEME, 0, NULL, NULL));
	say("keyctl", syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, -3, 0));
	say("io_uring", syscall(425, 1, NULL));
	say("tiocsti", ioctl(0, TIOCSTI, &c));
	say("tiocsti-stdout", ioctl(1, TIOCSTI, &c));
	try_open("tty", "/dev/tty", O_RDWR);
}

/* Orphans: children whose parent is gone go to the cell's reaper. */
static void leave_orphans(int n)
{
	for (int i = 0; i < n; i++) {
		const pid_t p = fork();

		if (p == 0) {
			if (fork() == 0)
				_exit(0);
			_exit(0);
		}
		waitpid(p, NULL, 0);
	}
	int zombies = 1;

	for (int i = 0; i < 200 && zombies; i++) {
		char line[512], state;
		DIR *d = opendir("/proc");

		zombies = 0;
		for (struct dirent *e; d && (e = readdir(d));) {
			char path[300];

			snprintf(path, sizeof path, "/proc/%s/stat", e->d_name);
			FILE *f = atoi(e->d_name) > 2 ? fopen(path, "re") : NULL;

			if (f && fgets(line, sizeof line, f) && sscanf(strrchr(line, ')') + 2, "%c", &state) == 1)
				zombies += state == 'Z';
			if (f)
				fclose(f);
		}
		if (d)
			closedir(d);
		nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
	}
	printf("zombies %d\n", zombies);
}

static void network(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(80) };
	struct ifreq r = { .ifr_name = "host0" };
	const int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct if_nameindex *all = if_nameindex();

	say("bind-80", bind(s, (struct sockaddr *)&at, sizeof at));
	if (ioctl(s, SIOCGIFADDR, &r) == 0)
		printf("address %s\n", inet_ntoa(((struct sockaddr_in *)&r.ifr_addr)->sin_addr));
	printf("interfaces");
	for (const char *const *name = (const char *const[]){ "host0", "lo", NULL }; *name; name++)
		for (struct if_nameindex *i = all; i && i->if_name; i++)
			if (!strcmp(i->if_name, *name))
				printf(" %s", *name);
	printf("\n");
	fflush(stdout);
}

/* A service that owns its namespaces: what it may do to them, and what it may not. */
static void administer(void)
{
	struct mount_attr rw = { .attr_clr = MOUNT_ATTR_RDONLY };
	struct ifreq lo = { .ifr_name = "lo" };
	const int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct stat a, b;

	say("exe-is-here", stat("/proc/self/exe", &a) < 0 || stat("/bin/inside", &b) < 0 ? -1 :
			   a.st_ino == b.st_ino ? 0 : -1);
	say("mount-over", sys_mount("none", "/srv", "tmpfs", 0, NULL));
	try_open("write-over", "/srv/new", O_WRONLY | O_CREAT);
	say("umount-over", sys_umount2("/srv", MNT_DETACH));
	say("bind", sys_mount("/data", "/srv", NULL, MS_BIND, NULL));
	say("umount-cover", sys_umount2("/secret", MNT_DETACH));
	say("umount-tmp", sys_umount2("/tmp", MNT_DETACH));
	say("remount-root", sys_mount_setattr(AT_FDCWD, "/", 0, &rw));
	say("remount-proc", sys_mount(NULL, "/proc", NULL, MS_BIND | MS_REMOUNT, NULL));
	say("mount-block", sys_mount("/dev/null", "/srv", "ext4", 0, NULL));
	try_open("open-secret", "/secret/key", O_RDONLY);
	say("sethostname", sethostname("mine", 4));
	say("socket-raw", socket(AF_INET, SOCK_RAW, 1));
	say("lo-down", ioctl(s, SIOCSIFFLAGS, &lo));
	say("queue", mq_open("/inside", O_RDWR | O_CREAT, 0600, NULL));
	try_open("queue-as-a-file", "/dev/mqueue/inside", O_RDONLY);
	say("mknod", mknod("/tmp/null", S_IFCHR | 0666, 0x103));
	say("settime", clock_settime(CLOCK_REALTIME, &(struct timespec){ .tv_sec = 1 }));
	say("unshare.mnt", unshare(CLONE_NEWNS));
	say("setuid-0", setresuid(0, 0, 0));
	say("end", 0);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "all";

	setvbuf(stdout, NULL, _IOFBF, 65536);
	if (!strcmp(what, "exit"))
		return atoi(argv[2]);
	if (!strcmp(what, "pause")) {
		printf("pausing yes\n");
		fflush(stdout);
		for (;;)
			pause();
	}
	if (!strcmp(what, "network")) {
		network();
		return 0;
	}
	if (!strcmp(what, "administer")) {
		administer();
		if (argc > 2)	/* with a mount of its own, until it is killed */
			say("mounted", sys_mount("none", "/tmp", "tmpfs", 0, NULL) | fflush(stdout));
		for (fflush(stdout); argc > 2;)
			pause();
		return 0;
	}
	if (!strcmp(what, "orphans")) {
		leave_orphans(atoi(argv[2]));
		fflush(stdout);
		return 0;
	}
	printf("argv0 %s\n", argv[0]);
	identity();
	status_lines();
	mounts();
	fflush(stdout);
	try_files();
	try_kernel();
	try_ids();
	try_spaces();
	printf("end yes\n");
	fflush(stdout);
	return 0;
}
