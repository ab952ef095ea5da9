/* The floor of a start: the same cell by the same system calls, and nothing else: no tables, no checks, no reports. */
/* SPDX-License-Identifier: ISC */
#include "tests/bench/floor.h"
#include "tests/bench/measure.h"
#include <linux/capability.h>
#include <net/if.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

/*
 *	floor PLAN SERVICE CGROUP COUNT		arguments and output as spawn.c's
 *	floor PLAN SERVICE CGROUP show		likewise
 *	floor PLAN SERVICE filter		the service's seccomp program, as the kernel takes it, for peers
 *
 * Three processes as ours has them (builder, reaper, service); the builder writes the id maps and sets lo up.
 */
static void write_file(int dir, const char *path, const char *text)
{
	int fd = MUST(openat(dir, path, O_WRONLY | O_CLOEXEC));

	MUST(write(fd, text, strlen(text)));
	close(fd);
}

static pid_t sibling(void)
{
	struct clone_args a = { .flags = CLONE_PARENT };

	return MUST(sys_clone3(&a));
}

static _Noreturn void reaper(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { 0 };

	signal(SIGCHLD, SIG_IGN);
	MUST(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0));
	MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	MUST(setsid());
	MUST(syscall(SYS_capset, &head, none));
	MUST(prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0));
	sys_close_range(0, ~0u, 0);
	for (;;)
		pause();
}

static void loopback_up(void)
{
	struct ifreq r = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = MUST(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));

	MUST(ioctl(fd, SIOCSIFFLAGS, &r));
	close(fd);
}

static void write_maps(const struct flat *f, int proc, pid_t pid)
{
	char path[48];

	snprintf(path, sizeof path, "%d/setgroups", pid);
	write_file(proc, path, "deny");
	snprintf(path, sizeof path, "%d/gid_map", pid);
	write_file(proc, path, f->gid_map);
	snprintf(path, sizeof path, "%d/uid_map", pid);
	write_file(proc, path, f->uid_map);
}

/* 0, 1 and 2 are in place; what was the parent's is closed. */
static int descriptors(int out, int leaf)
{
	int null = MUST(open("/dev/null", O_RDWR | O_CLOEXEC));

	MUST(dup3(null, 0, 0));
	MUST(dup3(out, 1, 0));
	if (leaf != 3)
		MUST(dup3(leaf, 3, O_CLOEXEC));
	sys_close_range(4, ~0u, 0);
	return 3;
}

/* The programs on the leaf, when its /dev is made. The one for devices is loaded once, the other for each start. */
static void policies(const struct flat *f, int leaf)
{
	struct err e;

	if (f->svc->flags & CELL_DEVICES) {
		int program = MUST(bpf_by_id(f->devices.id, &e));

		MUST(bpf_attach(leaf, POLICY_DEVICES, program, &e));
		close(program);
	}
	if (f->svc->flags & CELL_SOCKETS) {
		int program = MUST(bpf_sockets(f->svc->inet & 1, f->svc->inet & 2, &e));

		MUST(bpf_attach(leaf, POLICY_SOCKETS, program, &e));
		close(program);
	}
}

static _Noreturn void builder(const struct flat *f, int out, int leaf)
{
	int pair[2];
	char byte;

	leaf = descriptors(out, leaf);
	int proc = MUST(open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC));

	if (f->unshare_flags)
		MUST(unshare(f->unshare_flags));
	if (f->unshare_flags & CLONE_NEWPID && sibling() == 0)
		reaper();
	MUST(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair));
	pid_t service = sibling();

	if (service == 0) {
		close(pair[0]);
		floor_service(f, pair[1]);
	}
	close(pair[1]);
	if (f->unshare_flags & CLONE_NEWNET)
		loopback_up();
	if (f->svc->flags & CELL_USER) {
		MUST(read(pair[0], &byte, 1));
		write_maps(f, proc, service);
		policies(f, leaf);
		MUST(write(pair[0], &byte, 1));
	}
	_exit(0);
}

static int make_leaf(const struct flat *f, int root, const char *name)
{
	MUST(mkdirat(root, name, 0755));
	int leaf = MUST(openat(root, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC));

	PLAN_EACH(struct plan_file, l, f->plan, f->svc->cgroup)
		write_file(leaf, plan_str(f->plan, l->path), plan_str(f->plan, l->value));
	return leaf;
}

/* The service is the child that is neither the builder nor killed with the leaf. */
static void end(int leaf, int root, const char *name, pid_t builder_pid)
{
	int status = 0;

	for (int left = 2; left; left--) {
		pid_t pid = MUST(waitpid(-1, &status, __WALL));

		if (status) {
			fprintf(stderr, "floor: %s: status %d\n", pid == builder_pid ? "builder" : "service", status);
			exit(1);
		}
	}
	write_file(leaf, "cgroup.kill", "1");
	while (waitpid(-1, NULL, __WALL) > 0)
		;
	close(leaf);
	MUST(unlinkat(root, name, AT_REMOVEDIR));
}

static void once(const struct flat *f, int root, int n, bool show)
{
	struct timespec first;
	int out[2], pidfd, leaf;
	char name[32];

	snprintf(name, sizeof name, "bench-%d-%d", getpid(), n);
	if (show)
		out[1] = MUST(fcntl(1, F_DUPFD_CLOEXEC, 3));
	else
		MUST(pipe2(out, O_CLOEXEC));
	const int64_t start = now_ns();

	leaf = make_leaf(f, root, name);
	struct clone_args a = {
		.flags = f->clone_flags | CLONE_PIDFD | CLONE_CLEAR_SIGHAND | CLONE_INTO_CGROUP,
		.pidfd = (uint64_t)(uintptr_t)&pidfd, .cgroup = (uint64_t)leaf, .exit_signal = SIGCHLD,
	};
	pid_t pid = MUST(sys_clone3(&a));

	if (pid == 0)
		builder(f, out[1], leaf);
	close(out[1]);
	end(leaf, root, name, pid);
	const int64_t over = now_ns();

	close(pidfd);
	if (show)
		return;
	MUST(read(out[0], &first, sizeof first));
	close(out[0]);
	measured(start, &first, over);
}

/* The plan was verified by who compiled it. */
static void map(struct plan *p, const char *path)
{
	struct stat st;
	int fd = MUST(open(path, O_RDONLY | O_CLOEXEC));

	MUST(fstat(fd, &st));
	p->at = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	p->head = (const struct plan_head *)p->at;
	p->size = (size_t)st.st_size;
	close(fd);
}

int main(int argc, char **argv)
{
	static struct flat f;
	struct plan p;
	const struct plan_service *s = NULL;

	if (argc < 4) {
		fprintf(stderr, "usage: floor PLAN SERVICE CGROUP COUNT|show | floor PLAN SERVICE filter\n");
		return 2;
	}
	map(&p, argv[1]);
	for (uint32_t i = 0; i < p.head->services.n; i++)
		if (!strcmp(plan_str(&p, plan_service(&p, i)->name), argv[2]))
			s = plan_service(&p, i);
	/* Ours sees to this in each start. Who started us may ignore signals, also those that the C library keeps. */
	for (int sig = 1; sig <= 64; sig++)
		syscall(SYS_rt_sigaction, sig, (char[32]){ 0 }, NULL, 8);
	if (!s || flat_make(&f, &p, s) < 0)
		return 1;
	if (argc == 4)
		return write(1, plan_array(&p, s->seccomp), s->seccomp.n * 8ul) < 0;
	int root = MUST(open(argv[3], O_RDONLY | O_DIRECTORY | O_CLOEXEC));

	const bool show = !strcmp(argv[4], "show");
	struct err e;

	if (s->flags & CELL_DEVICES) {
		int program = MUST(bpf_devices(plan_array(&p, s->devices), s->devices.n, &e));

		MUST(bpf_identify(program, &f.devices, &e));
	}

	for (int n = 0; n < (show ? 1 : atoi(argv[4])); n++)
		once(&f, root, n, show);
	return 0;
}
