/* Forbidden acts, each in a process of its own: prints ACT=ok, ACT=ERRNO or ACT=SIGNAL. Run in cells by controls.sh. */
/* SPDX-License-Identifier: ISC */
#include "init/base/sys.h"
#include <errno.h>
#include <linux/audit.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define SCRATCH "/tmp"	/* the cell has a private one, or the test cleans up */

static int sys(long ret)
{
	return ret < 0 ? errno : 0;
}

/* --- namespaces --- */
static int unshare_mount(void) { return sys(unshare(CLONE_NEWNS)); }
static int unshare_uts(void) { return sys(unshare(CLONE_NEWUTS)); }
static int unshare_user(void) { return sys(unshare(CLONE_NEWUSER)); }
static int unshare_time(void) { return sys(unshare(0x80)); }
static int clone_uts(void)
{
	const long pid = syscall(SYS_clone, CLONE_NEWUTS | SIGCHLD, 0, 0, 0, 0);

	if (pid == 0)
		_exit(0);
	return sys(pid);
}
static int clone_uts_high(void)	/* the kernel looks at 32 bits */
{
	const long pid = syscall(SYS_clone, CLONE_NEWUTS | SIGCHLD | 1l << 40, 0, 0, 0, 0);

	if (pid == 0)
		_exit(0);
	return sys(pid);
}
static int clone3_uts(void)
{
	struct clone_args a = { .flags = CLONE_NEWUTS, .exit_signal = SIGCHLD };
	const long pid = syscall(SYS_clone3, &a, sizeof a);	/* itself, not what stands in for it */

	if (pid == 0)
		_exit(0);
	return sys(pid);
}
static int setns_uts(void) { return sys(setns(open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC), CLONE_NEWUTS)); }
static int setns_any(void) { return sys(setns(open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC), 0)); }

/* --- scheduling --- */
static int realtime(void)
{
	struct sched_param p = { .sched_priority = 1 };

	return sys(syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &p));
}
static int realtime_attr(void)
{
	struct { uint32_t size, policy; uint64_t flags; int32_t nice; uint32_t priority; uint64_t times[3]; } a = {
		.size = 48, .policy = SCHED_FIFO, .priority = 1 };

	return sys(syscall(SYS_sched_setattr, 0, &a, 0));
}
static int batch(void)
{
	struct sched_param p = { 0 };

	return sys(syscall(SYS_sched_setscheduler, 0, SCHED_BATCH, &p));
}

/* --- set-user-id files --- */
static const char *made(const char *name)
{
	static char path[64];
	const int fd = (snprintf(path, sizeof path, SCRATCH "/acts.%s.%d", name, (int)getpid()),
			open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644));

	if (fd >= 0)
		(void)!write(fd, "x", 1);
	return path;
}
static int and_gone(const char *path, int err)
{
	if (unlink(path) < 0 && errno == EISDIR)
		rmdir(path);
	return err;
}
static int chmod_suid(void)
{
	const char *p = made("chmod");

	return and_gone(p, sys(chmod(p, 04755)));
}
static int chmod_plain(void)
{
	const char *p = made("plain");

	return and_gone(p, sys(chmod(p, 0755)));
}
static int fchmodat_sgid(void)
{
	const char *p = made("fchmodat");

	return and_gone(p, sys(syscall(SYS_fchmodat, AT_FDCWD, p, 02755)));
}
static int fchmodat2_suid(void)
{
	const char *p = made("fchmodat2");

	return and_gone(p, sys(syscall(452, AT_FDCWD, p, 04755, 0)));
}
static int open_suid(void)
{
	return and_gone(SCRATCH "/acts.open", sys(open(SCRATCH "/acts.open", O_CREAT | O_WRONLY | O_CLOEXEC, 04755)));
}
static int openat2_suid(void)
{
	return and_gone(SCRATCH "/acts.openat2", sys(sys_openat2(AT_FDCWD, SCRATCH "/acts.openat2", O_CREAT | O_WRONLY,
								04755, 0)));
}
static int mkdir_sgid(void)
{
	return and_gone(SCRATCH "/acts.mkdir", sys(mkdir(SCRATCH "/acts.mkdir", 02755)));
}

/* --- memory --- */
static int read_implies_exec(void) { return sys(personality(READ_IMPLIES_EXEC)); }
static int no_randomize(void) { return sys(personality(ADDR_NO_RANDOMIZE)); }
static int ask_personality(void) { return sys(personality(0xffffffff)); }
static void *page(int prot, int flags, int fd)
{
	/* musl makes another errno of the kernel's, and has no scheduler calls. */
	return (void *)syscall(SYS_mmap, NULL, 4096, prot, flags, fd, 0);
}
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
static int mmap_wx(void) { return page(PROT_READ | PROT_WRITE | PROT_EXEC, ANON, -1) == MAP_FAILED ? errno : 0; }
static int mprotect_x(void)
{
	return sys(mprotect(page(PROT_READ | PROT_WRITE, ANON, -1), 4096, PROT_READ | PROT_EXEC));
}
static int pkey_mprotect_x(void)
{
	return sys(syscall(SYS_pkey_mprotect, page(PROT_READ | PROT_WRITE, ANON, -1), 4096, PROT_READ | PROT_EXEC, -1));
}
static int shmat_x(void)
{
	const int id = shmget(IPC_PRIVATE, 4096, 0700);
	const void *at = shmat(id, NULL, SHM_EXEC);
	const int err = at == (void *)-1 ? errno : 0;

	shmctl(id, IPC_RMID, NULL);
	return err;
}
/* One memory, writable here and executable there. */
static int memfd_twice(void)
{
	const int fd = memfd_create("acts", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, 4096) < 0)
		return errno;
	return page(PROT_READ | PROT_WRITE, MAP_SHARED, fd) == MAP_FAILED ||
	       page(PROT_READ | PROT_EXEC, MAP_SHARED, fd) == MAP_FAILED ? errno : 0;
}
static int file_twice(const char *path)
{
	const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0700);

	if (fd < 0 || ftruncate(fd, 4096) < 0)
		return errno;
	return and_gone(path, page(PROT_READ | PROT_EXEC, MAP_SHARED, fd) == MAP_FAILED ? errno : 0);
}
static int shm_twice(void) { return file_twice("/dev/shm/acts"); }
static int tmp_twice(void) { return file_twice(SCRATCH "/acts.twice"); }
static int proc_mem(void)
{
	volatile char *text = page(PROT_READ | PROT_EXEC, ANON, -1);
	const int fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return errno;
	return sys(pwrite(fd, "\xc3", 1, (off_t)(uintptr_t)text));
}
static int uffd(void) { return sys(syscall(SYS_userfaultfd, 1 /* user mode only */)); }
static int poke(void)
{
	const pid_t p = fork();
	int status;

	if (p == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
			_exit(errno);
		raise(SIGSTOP);
		_exit(0);
	}
	waitpid(p, &status, 0);
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	const int err = sys(ptrace(PTRACE_POKETEXT, p, (void *)(uintptr_t)poke, 0));

	kill(p, SIGKILL);
	return err;
}

/* --- sockets --- */
static int inet(void) { return sys(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)); }
static int inet6(void) { return sys(socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0)); }
static int unix_socket(void) { return sys(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)); }
static int netlink(void) { return sys(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0)); }
static int inet_high(void) { return sys(syscall(SYS_socket, AF_INET | 1l << 32, SOCK_STREAM, 0)); }
static int pair(void)
{
	int v[2];

	return sys(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, v));
}

/* --- other ways into the kernel --- */
#ifdef __x86_64__
static int i386(void)
{
	long ret;

	__asm__ volatile("int $0x80" : "=a"(ret) : "0"(20l /* getpid */) : "memory", "r8", "r9", "r10", "r11");
	return ret < 0 ? (int)-ret : 0;
}
static int x32(void) { return sys(syscall(0x40000000 | SYS_getpid)); }
#endif
static int uring(void) { return sys(syscall(425, 1, SCRATCH)); }
static int unknown(void) { return sys(syscall(600)); }
static int sticky_ioctl(void) { return sys(ioctl(0, 0x5412 /* TIOCSTI */, "x")); }
static int mount_tmpfs(void)
{
	return sys_mount("none", "/mnt/acts", "tmpfs", 0, NULL) < 0 ? errno : sys(sys_umount2("/mnt/acts", MNT_DETACH));
}
static int trace(void) { return sys(ptrace(PTRACE_TRACEME, 0, NULL, NULL)); }
static int ask_pid(void) { return sys(syscall(SYS_getppid)); }
static int forks(void)
{
	const pid_t p = fork();

	if (p == 0)
		_exit(0);
	return sys(p);
}

/* --- files, for unveil and pledge: a file and a folder that controls.sh has made --- */
#define FILES "/mnt/acts"
static int read_file(void) { return sys(open(FILES "/file", O_RDONLY | O_CLOEXEC)); }
static int read_passwd(void) { return sys(open("/etc/passwd", O_RDONLY | O_CLOEXEC)); }
static int write_file(void) { return sys(open(FILES "/file", O_WRONLY | O_CLOEXEC)); }
static int truncate_file(void) { return sys(truncate(FILES "/file", 0)); }
static int truncate_open(void) { return sys(open(FILES "/file", O_RDONLY | O_TRUNC | O_CLOEXEC)); }
static int create_file(void)
{
	return and_gone(FILES "/new", sys(open(FILES "/new", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)));
}
static int make_dir(void) { return and_gone(FILES "/dir", sys(mkdir(FILES "/dir", 0700))); }
static int execute(void)
{
	execl(FILES "/true", "true", NULL);
	return errno;
}
static int list(void) { return sys(open(FILES, O_RDONLY | O_DIRECTORY | O_CLOEXEC)); }
static int null_write(void) { return sys(open("/dev/null", O_WRONLY | O_CLOEXEC)); }

static const struct {
	const char *name;
	int (*act)(void);
} acts[] = {
	{ "unshare-mount", unshare_mount }, { "unshare-uts", unshare_uts }, { "unshare-user", unshare_user },
	{ "unshare-time", unshare_time }, { "clone-uts", clone_uts }, { "clone-uts-high", clone_uts_high },
	{ "clone3-uts", clone3_uts }, { "setns-uts", setns_uts }, { "setns-any", setns_any },
	{ "realtime", realtime }, { "realtime-attr", realtime_attr }, { "batch", batch },
	{ "chmod-suid", chmod_suid }, { "chmod-plain", chmod_plain }, { "fchmodat-sgid", fchmodat_sgid },
	{ "fchmodat2-suid", fchmodat2_suid }, { "open-suid", open_suid }, { "openat2-suid", openat2_suid },
	{ "mkdir-sgid", mkdir_sgid }, { "read-implies-exec", read_implies_exec }, { "no-randomize", no_randomize },
	{ "ask-personality", ask_personality }, { "mmap-wx", mmap_wx }, { "mprotect-x", mprotect_x },
	{ "pkey-mprotect-x", pkey_mprotect_x }, { "shmat-x", shmat_x }, { "memfd-twice", memfd_twice },
	{ "shm-twice", shm_twice }, { "tmp-twice", tmp_twice }, { "proc-mem", proc_mem }, { "userfaultfd", uffd },
	{ "poke", poke }, { "inet", inet }, { "inet6", inet6 }, { "unix", unix_socket }, { "netlink", netlink },
	{ "inet-high", inet_high }, { "pair", pair }, { "io-uring", uring }, { "unknown", unknown },
	{ "tiocsti", sticky_ioctl }, { "mount", mount_tmpfs }, { "trace", trace }, { "getppid", ask_pid },
	{ "fork", forks }, { "read", read_file }, { "read-passwd", read_passwd }, { "write", write_file },
	{ "truncate", truncate_file }, { "truncate-open", truncate_open }, { "create", create_file },
	{ "mkdir", make_dir }, { "execute", execute }, { "list", list }, { "null", null_write },
#ifdef __x86_64__
	{ "i386", i386 }, { "x32", x32 },
#endif
};

#define NAME(e) [e] = #e
static const char *errno_name(int err, char number[static 16])
{
	static const char *const names[] = {
		NAME(EPERM), NAME(ENOENT), NAME(ESRCH), NAME(EIO), NAME(EBADF), NAME(EAGAIN), NAME(ENOMEM),
		NAME(EACCES), NAME(EFAULT), NAME(EBUSY), NAME(EEXIST), NAME(ENODEV), NAME(ENOTDIR), NAME(EISDIR),
		NAME(EINVAL), NAME(ENOTTY), NAME(ENOSPC), NAME(EROFS), NAME(ENOSYS), NAME(EBADFD),
		NAME(EOPNOTSUPP), NAME(EAFNOSUPPORT), NAME(ECONNREFUSED),
	};

	if (err == 0)
		return "ok";
	if (err > 0 && (size_t)err < sizeof names / sizeof *names && names[err])
		return names[err];
	snprintf(number, 16, "%d", err);
	return number;
}

static const char *signal_name(int sig, char number[static 16])
{
	snprintf(number, 16, "SIG%d", sig);
	return sig == SIGSYS ? "SIGSYS" : sig == SIGSEGV ? "SIGSEGV" : sig == SIGKILL ? "SIGKILL" : number;
}

/* max-KIND=0 or max-KIND=open: the ceiling of that kind of namespace in this user namespace. */
static void ceiling(const char *kind)
{
	char path[64], text[16] = "";

	snprintf(path, sizeof path, "/proc/sys/user/max_%s_namespaces", kind);
	const int fd = open(path, O_RDONLY | O_CLOEXEC);

	printf("max-%s=%s\n", kind,
	       fd >= 0 && read(fd, text, sizeof text - 1) > 0 && strcmp(text, "0\n") ? "open" : "0");
	fflush(stdout);
}

static void run(const char *name, int (*act)(void))
{
	const pid_t p = fork();
	char number[16];
	int status = 0;

	if (p <= 0)
		_exit(act());	/* the code is the errno: all of them are below 256 */
	waitpid(p, &status, 0);
	printf("%s=%s\n", name, WIFSIGNALED(status) ? signal_name(WTERMSIG(status), number)
						    : errno_name(WEXITSTATUS(status), number));
	fflush(stdout);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (!strncmp(argv[i], "max-", 4))
			ceiling(argv[i] + 4);
		if (!strcmp(argv[i], "landlock"))	/* its version; 1 before it is known what it can do */
			printf("%ld\n", syscall(SYS_landlock_create_ruleset, NULL, 0, 1u));
		for (unsigned j = 0; j < sizeof acts / sizeof *acts; j++)
			if (!strcmp(acts[j].name, argv[i])) {
				/* "act -alone": in this process, whose end says it all. */
				if (i + 1 < argc && !strcmp(argv[i + 1], "-alone"))
					return acts[j].act();
				run(acts[j].name, acts[j].act);
			}
	}
	return 0;
}
