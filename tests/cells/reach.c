/* What a service can reach: each argument is an act, ACT or ACT:ARGUMENT; says ACT=ok or the errno's name. */
/* SPDX-License-Identifier: ISC */
#include "init/base/sys.h"
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/timex.h>
#include <sys/un.h>
#include <sys/wait.h>
#ifdef __x86_64__
#include <sys/io.h>
#endif

static int open_it(const char *path, int flags)
{
	const int fd = open(path, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0600);

	if (fd >= 0)
		close(fd);
	return fd;
}

static int do_read(const char *path)
{
	return open_it(path, O_RDONLY);
}

static int do_write(const char *path)
{
	return open_it(path, O_WRONLY);
}

static int do_create(const char *path)
{
	const int ret = open_it(path, O_WRONLY | O_CREAT | O_EXCL);

	return ret < 0 || unlink(path) < 0 ? -1 : 0;
}

/* PATH,BYTES */
static int do_fill(const char *arg)
{
	static const char block[4096];
	const char *comma = strchr(arg, ',');
	char path[256];
	long left = atol(comma + 1);
	ssize_t n = 1;

	snprintf(path, sizeof path, "%.*s", (int)(comma - arg), arg);
	const int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	for (; fd >= 0 && left > 0 && (n = write(fd, block, sizeof block)) > 0; left -= n)
		;
	return fd < 0 || n <= 0 ? -1 : 0;
}

static int do_exec(const char *path)
{
	int status = 0;
	const pid_t p = fork();

	if (p == 0) {
		execl(path, path, NULL);
		_exit(errno);
	}
	waitpid(p, &status, 0);
	errno = WEXITSTATUS(status);
	return errno ? -1 : 0;
}

static int do_map(const char *path)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd < 0 || mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) == MAP_FAILED ? -1 : 0;
}

static int do_node(const char *path)
{
	return mknod(path, S_IFCHR | 0666, makedev(1, 3));
}

/* Setting what is set already takes the same right. */
static int do_clock(const char *none)
{
	struct timex t = { 0 };

	(void)none;
	if (adjtimex(&t) < 0)
		return -1;
	t.modes = ADJ_TICK;
	return adjtimex(&t);
}

static int do_module(const char *none)
{
	(void)none;
	if (syscall(SYS_init_module, "garbage", 7, "") == 0)
		return 0;
	return errno == ENOEXEC || errno == EINVAL ? 0 : -1;	/* the kernel has looked at it */
}

static int do_syslog(const char *none)
{
	(void)none;
	return klogctl(10 /* the buffer's size */, NULL, 0);
}

static int do_hostname(const char *none)
{
	char name[256] = "";

	(void)none;
	return gethostname(name, sizeof name - 1) < 0 ? -1 : sethostname(name, strlen(name));
}

static int do_queue(const char *key)
{
	return msgget((key_t)atoi(key), 0);
}

static int do_new_queue(const char *key)
{
	return msgget((key_t)atoi(key), IPC_CREAT | 0666);
}

static int do_ioperm(const char *none)
{
	(void)none;
#ifdef __x86_64__
	return ioperm(0x80, 1, 1);
#else
	errno = ENOSYS;
	return -1;
#endif
}

static int do_socket(const char *family)
{
	return socket(atoi(family), SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

static int do_cap(const char *number)
{
	const int ret = prctl(PR_CAPBSET_READ, atoi(number), 0, 0, 0);

	errno = ENODATA;
	return ret == 1 ? 0 : -1;
}

static int do_signal(const char *pid)
{
	return kill(atoi(pid), 0);
}

/* A socket without a file, which hold:NAME listens at. */
static int abstract(const char *name, int (*call)(int, const struct sockaddr *, socklen_t))
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path + 1, sizeof a.sun_path - 1, "%s", name);
	return call(fd, (struct sockaddr *)&a, (socklen_t)(sizeof a.sun_family + 1 + strlen(name))) < 0 ? -1 : fd;
}

static int do_connect(const char *name)
{
	return abstract(name, connect);
}

/* Until it is killed; says when it can be reached. */
static int do_hold(const char *name)
{
	if (listen(abstract(name, bind), 1) < 0)
		return -1;
	printf("holding\n");
	pause();
	return 0;
}

/* A copy of this program that is set-user-id root: does it become root? */
static int do_gain(const char *path)
{
	int status = 0;
	const pid_t p = fork();

	if (p == 0) {
		execl(path, path, "am-i-root", NULL);
		_exit(errno);
	}
	waitpid(p, &status, 0);
	errno = WEXITSTATUS(status);
	return errno ? -1 : 0;
}

static const char *name_of(int code)
{
	static const struct { int code; const char *name; } names[] = {
		{ EPERM, "EPERM" }, { EACCES, "EACCES" }, { ENOENT, "ENOENT" }, { EROFS, "EROFS" },
		{ ENOSPC, "ENOSPC" }, { ELOOP, "ELOOP" }, { ENXIO, "ENXIO" }, { EAFNOSUPPORT, "EAFNOSUPPORT" },
		{ ENODATA, "gone" }, { ENOTDIR, "ENOTDIR" }, { EINVAL, "EINVAL" }, { ENODEV, "ENODEV" },
		{ ENOSYS, "ENOSYS" }, { EBADMSG, "EBADMSG" }, { ESRCH, "ESRCH" }, { ECONNREFUSED, "ECONNREFUSED" },
	};
	static char other[16];

	for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
		if (names[i].code == code)
			return names[i].name;
	snprintf(other, sizeof other, "errno-%d", code);
	return other;
}

/* Answers that are no errno. */
static bool tell(const char *act, const char *arg)
{
	static const struct { unsigned long flag; const char *word; } flags[] = {
		{ ST_RDONLY, "ro" }, { ST_NOSUID, "nosuid" }, { ST_NODEV, "nodev" }, { ST_NOEXEC, "noexec" },
		{ 0x2000, "nosymfollow" },
	};
	struct statvfs fs;
	struct stat st;
	int n = 0;

	if (!strcmp(act, "flags") && statvfs(arg, &fs) == 0) {
		for (unsigned i = 0; i < sizeof flags / sizeof *flags; i++)
			if (fs.f_flag & flags[i].flag)
				printf("%s%s", n++ ? "," : "", flags[i].word);
		printf("%s\n", n ? "" : "none");
		return true;
	}
	if (!strcmp(act, "mode") && stat(arg, &st) == 0)
		return printf("%o\n", st.st_mode & 07777u), true;
	if (!strcmp(act, "size") && statvfs(arg, &fs) == 0)
		return printf("%llu\n", (unsigned long long)fs.f_blocks * fs.f_frsize), true;
	if (!strcmp(act, "ns")) {	/* which namespace of that kind it is in */
		char path[64], in[64] = "";

		snprintf(path, sizeof path, "/proc/self/ns/%s", arg);
		return printf("%s\n", readlink(path, in, sizeof in - 1) < 0 ? name_of(errno) : in), true;
	}
	if (!strcmp(act, "name")) {
		char name[256] = "";

		return gethostname(name, sizeof name - 1), printf("%s\n", name), true;
	}
	if (!strcmp(act, "rlimit")) {
		struct rlimit r;

		return getrlimit(atoi(arg), &r), printf("%lld\n", (long long)r.rlim_cur), true;
	}
	if (!strcmp(act, "uid"))
		return printf("%u:%u:%d\n", getuid(), getgid(), getgroups(0, NULL)), true;
	if (!strcmp(act, "nice"))
		return printf("%d\n", getpriority(PRIO_PROCESS, 0)), true;
	if (!strcmp(act, "cpus")) {
		uint64_t mask[16] = { 0 };

		syscall(SYS_sched_getaffinity, 0, sizeof mask, mask);
		return printf("%llx\n", (unsigned long long)mask[0]), true;
	}
	if (!strcmp(act, "count")) {
		DIR *d = opendir(arg);

		for (struct dirent *e; d && (e = readdir(d));)
			n += e->d_name[0] != '.';
		if (!d)
			return printf("%s\n", name_of(errno)), true;
		closedir(d);
		return printf("%d\n", n), true;
	}
	return false;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*act)(const char *);
	} acts[] = {
		{ "read", do_read }, { "write", do_write }, { "create", do_create }, { "fill", do_fill },
		{ "exec", do_exec }, { "map", do_map }, { "node", do_node }, { "clock", do_clock },
		{ "module", do_module }, { "syslog", do_syslog }, { "hostname", do_hostname }, { "queue", do_queue },
		{ "new-queue", do_new_queue }, { "signal", do_signal }, { "connect", do_connect },
		{ "hold", do_hold }, { "gain", do_gain },
		{ "ioperm", do_ioperm }, { "socket", do_socket }, { "cap", do_cap },
	};

	if (argc == 2 && !strcmp(argv[1], "am-i-root"))
		return geteuid() == 0 ? 0 : EPERM;
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (int i = 1; i < argc; i++) {
		char *colon = strchr(argv[i], ':');
		const char *arg = colon ? colon + 1 : "";

		if (colon)
			*colon = '\0';
		if (tell(argv[i], arg))
			continue;
		for (unsigned k = 0; k < sizeof acts / sizeof *acts; k++)
			if (!strcmp(acts[k].name, argv[i]))
				printf("%s\n", acts[k].act(arg) < 0 ? name_of(errno) : "ok");
	}
	return 0;
}
