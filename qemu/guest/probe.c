/* What test images need besides a shell: services that behave in a certain way, and clients that count. */
/* SPDX-License-Identifier: ISC */
#define _GNU_SOURCE
#include "probe.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <linux/fs.h>
#include <linux/keyctl.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int fail(const char *what)
{
	fprintf(stderr, "probe: %s: %s\n", what, strerror(errno));
	return 1;
}

static void nap(long ms)
{
	for (struct timespec t = { ms / 1000, ms % 1000 * 1000000L }; nanosleep(&t, &t) < 0 && errno == EINTR;)
		;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* answer: accepts on every descriptor it was handed and answers "PID NAMES" to each connection. */
static int answer(char **argv)
{
	const char *count = getenv("LISTEN_FDS"), *pid = getenv("LISTEN_PID"), *names = getenv("LISTEN_FDNAMES");
	int n = count ? atoi(count) : 0;

	(void)argv;
	if (n < 1 || !pid || atoi(pid) != getpid()) {
		fprintf(stderr, "probe: LISTEN_FDS=%s LISTEN_PID=%s, I am %d\n", count ? count : "", pid ? pid : "",
			getpid());
		return 1;
	}
	printf("answering on %d\n", n);
	fflush(stdout);
	for (;;) {
		fd_set set;

		FD_ZERO(&set);
		for (int fd = 3; fd < 3 + n; fd++)
			FD_SET(fd, &set);
		if (select(3 + n, &set, NULL, NULL, NULL) < 0)
			return fail("select");
		for (int fd = 3; fd < 3 + n; fd++) {
			int c = FD_ISSET(fd, &set) ? accept(fd, NULL, NULL) : -1;

			if (c >= 0 && dprintf(c, "%d %s\n", getpid(), names ? names : ""))
				close(c);
		}
	}
}

socklen_t address(const char *host, const char *port, struct sockaddr_storage *to)
{
	struct sockaddr_un *un = (void *)to;
	struct sockaddr_in *in = (void *)to;
	struct sockaddr_in6 *in6 = (void *)to;
	struct sockaddr_vm *vm = (void *)to;

	memset(to, 0, sizeof *to);
	if (sscanf(host, "vsock:%u", &vm->svm_cid) == 1) {
		vm->svm_family = AF_VSOCK;
		vm->svm_port = (unsigned)atoi(port);
		return sizeof *vm;
	}
	if (host[0] == '/') {
		un->sun_family = AF_UNIX;
		strncpy(un->sun_path, host, sizeof un->sun_path - 1);
		return sizeof *un;
	}
	if (inet_pton(AF_INET, host, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = htons((uint16_t)atoi(port));
		return sizeof *in;
	}
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons((uint16_t)atoi(port));
	return inet_pton(AF_INET6, host, &in6->sin6_addr) == 1 ? sizeof *in6 : 0;
}

static int dial(const char *host, const char *port)
{
	struct sockaddr_storage to;
	socklen_t len = address(host, port, &to);
	int fd = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connect(fd, (struct sockaddr *)&to, len) < 0) {
		close(fd);	/* leaves errno as it is */
		return -1;
	}
	return fd;
}

/* call HOST PORT | call /PATH | call vsock:CID PORT: connects and prints what is answered. */
static int call(char **argv)
{
	char buf[512];
	ssize_t n;
	int fd = dial(argv[0], argv[1]);

	if (fd < 0)
		return fail("connect");
	alarm(60);
	while ((n = read(fd, buf, sizeof buf)) > 0)
		fwrite(buf, 1, (size_t)n, stdout);
	return n < 0 ? fail("read") : 0;
}

/* calls SECONDS HOST PORT: connects again and again; prints how many were answered, refused, unanswered. */
static int calls(char **argv)
{
	double end = now() + atof(argv[0]);
	long answered = 0, refused = 0, unanswered = 0;

	while (now() < end) {
		char c;
		int fd = dial(argv[1], argv[2]);

		if (fd < 0) {
			refused++;
		} else {
			struct timeval limit = { .tv_sec = 30 };

			setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
			(*(read(fd, &c, 1) == 1 ? &answered : &unanswered))++;
			close(fd);
		}
		nap(5);
	}
	printf("{\"answered\": %ld, \"refused\": %ld, \"unanswered\": %ld}\n", answered, refused, unanswered);
	return 0;
}

/* orphans N: N processes end as orphans, so that whoever is PID 1 above must reap them. Half of them outlive
 * their parent, half are dead when it ends. */
static int litter(long n)
{
	for (long i = 0; i < n; i++) {
		pid_t child = fork();

		if (child == 0) {
			nap(i % 2 * 20);
			_exit(7);
		}
		if (child < 0)
			return 1;
	}
	return 0;
}

static int orphans(char **argv)
{
	long n = atol(argv[0]), made = 0;

	while (made < n) {
		long batch = n - made < 100 ? n - made : 100;
		pid_t middle = fork();
		int status = 0;

		if (middle == 0)
			_exit(litter(batch));
		if (middle < 0 || waitpid(middle, &status, 0) < 0 || status)
			return fail("fork");
		made += batch;
	}
	printf("%ld\n", made);
	return 0;
}

/* stubborn: ignores what asks it to end, has a child that left its session and parent, and one that ignores too. */
static int stubborn(char **argv)
{
	(void)argv;
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	if (fork() == 0) {
		setsid();
		if (fork() == 0)
			for (;;)
				pause();
		_exit(0);
	}
	if (fork() == 0)
		for (;;)
			pause();
	printf("stubborn\n");
	fflush(stdout);
	for (;;)
		if (wait(NULL) < 0)
			pause();
}

/* bomb: forks for ever; says how many there are when the kernel refuses. */
static int bomb(char **argv)
{
	long alive = 1;

	(void)argv;
	signal(SIGCHLD, SIG_IGN);
	for (;;) {
		pid_t child = fork();

		if (child == 0)
			for (;;)
				pause();
		if (child < 0) {
			printf("refused at %ld: %s\n", alive, strerror(errno));
			fflush(stdout);
			nap(200);
		} else {
			alive++;
		}
	}
	return 0;
}

/* notify TEXT: sends TEXT to NOTIFY_SOCKET after a moment, then stays. */
static int notify(char **argv)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (!path || fd < 0)
		return fail("NOTIFY_SOCKET");
	strncpy(to.sun_path, path, sizeof to.sun_path - 1);
	nap(500);
	socklen_t len = offsetof(struct sockaddr_un, sun_path) + strlen(path);
	if (to.sun_path[0] == '@')
		to.sun_path[0] = 0;
	if (sendto(fd, argv[0], strlen(argv[0]), 0, (struct sockaddr *)&to, len) < 0)
		return fail("sendto");
	for (;;)
		pause();
}

static void leave(int sig)
{
	(void)sig;
	_exit(0);
}

/* stay [WORD]: says so and does nothing; ends at SIGTERM. */
static int stay(char **argv)
{
	signal(SIGTERM, leave);
	printf("staying%s%s\n", argv[0] ? " " : "", argv[0] ? argv[0] : "");
	fflush(stdout);
	while (pause() < 0)
		;
	return 0;
}

/* lines N: prints N numbered lines, then stays. */
static int lines(char **argv)
{
	for (long i = 1, n = atol(argv[0]); i <= n; i++)
		printf("line %ld\n", i);
	return stay((char *[]){ NULL });
}

/* serve PORT: answers "hello" on this TCP port, IPv4 and IPv6. */
static int serve(char **argv)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)atoi(argv[0])) };
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	signal(SIGTERM, leave);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (fd < 0 || bind(fd, (struct sockaddr *)&any, sizeof any) < 0 || listen(fd, 64) < 0)
		return fail("serve");
	printf("serving\n");
	fflush(stdout);
	for (;;) {
		int c = accept(fd, NULL, NULL);

		if (c >= 0 && write(c, "hello\n", 6) < 0)
			perror("write");
		if (c >= 0)
			close(c);
	}
}

/* with-key TEXT: the shell's TEXT with a key in the session keyring, as a login would leave it. */
static int with_key(char **argv)
{
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL, 0, 0, 0) < 0 ||
	    syscall(SYS_add_key, "user", "prior-test", "secret", 6, KEY_SPEC_SESSION_KEYRING) < 0)
		return fail("a key");
	execl("/bin/busybox", "sh", "-c", argv[0], NULL);
	return fail("sh");
}

/* has-key: whether that key can be found. */
static int has_key(char **argv)
{
	(void)argv;
	if (syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_SESSION_KEYRING, "user", "prior-test", 0) >= 0)
		return puts("found") < 0;
	printf("%s\n", errno == ENOKEY ? "ENOKEY" : strerror(errno));
	return 0;
}

/* rlimit PID RESOURCE N: gives a process another limit, soft and hard. */
static int rlimit(char **argv)
{
	const rlim_t n = strtoull(argv[2], NULL, 10);
	const struct rlimit to = { n, n };

	return prlimit(atoi(argv[0]), (unsigned)atoi(argv[1]), &to, NULL) < 0 ? fail("prlimit") : 0;
}

/* mounts PID ro|rw|cover|uncover PATH: changes what another process sees, as its administrator could. */
static int mounts(char **argv)
{
	const unsigned long kept = MS_REMOUNT | MS_BIND | MS_NOSUID | MS_NODEV;
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/ns/mnt", atoi(argv[0]));
	const int ns = open(path, O_RDONLY | O_CLOEXEC);

	if (ns < 0 || setns(ns, CLONE_NEWNS) < 0)
		return fail(path);
	const char *how = argv[1];
	const int ret = !strcmp(how, "cover") ? mount("more", argv[2], "tmpfs", 0, NULL) :
			!strcmp(how, "uncover") ? umount2(argv[2], 0) :
			mount(NULL, argv[2], NULL, kept | (!strcmp(how, "ro") ? MS_RDONLY : 0), NULL);

	return ret < 0 ? fail(argv[2]) : 0;
}

/* cut PATH: what two ways say that take a file's contents without a descriptor to write to. */
static int cut(char **argv)
{
	static const char *const names[] = { [0] = "ok", [EPERM] = "EPERM", [EACCES] = "EACCES", [EROFS] = "EROFS" };
	const int how[] = { truncate(argv[0], 0) < 0 ? errno : 0,
			    open(argv[0], O_RDONLY | O_TRUNC | O_CLOEXEC) < 0 ? errno : 0 };

	for (int i = 0; i < 2; i++)
		printf("%s %s%s", i ? "open" : "truncate",
		       how[i] <= EROFS && names[how[i]] ? names[how[i]] : strerror(how[i]), i ? "\n" : " ");
	return 0;
}

/* linear NAME DEVICE: all of that device once more, as one of device-mapper's. */
static int linear(char **argv)
{
	static const unsigned steps[] = { DM_DEV_CREATE, DM_TABLE_LOAD, DM_DEV_SUSPEND };
	struct {
		struct dm_ioctl head;
		struct dm_target_spec target;
		char words[64];
	} d;
	unsigned long long bytes = 0;
	int device = open(argv[1], O_RDONLY | O_CLOEXEC), fd = open("/dev/mapper/control", O_RDWR | O_CLOEXEC);

	if (device < 0 || fd < 0 || ioctl(device, BLKGETSIZE64, &bytes) < 0)
		return fail(argv[1]);
	close(device);
	for (unsigned i = 0; i < sizeof steps / sizeof *steps; i++) {
		memset(&d, 0, sizeof d);
		d.head = (struct dm_ioctl){ .version = { DM_VERSION_MAJOR }, .data_size = sizeof d, .target_count = 1,
					    .data_start = offsetof(__typeof__(d), target) };
		d.target.length = bytes / 512;
		snprintf(d.head.name, sizeof d.head.name, "%s", argv[0]);
		snprintf(d.target.target_type, sizeof d.target.target_type, "linear");
		snprintf(d.words, sizeof d.words, "%s 0", argv[1]);
		if (ioctl(fd, steps[i], &d) < 0)
			return fail("device-mapper");
	}
	return 0;
}

static const struct verb {
	const char *name;
	int arguments;		/* at least */
	int (*run)(char **argv);
} verbs[] = {
	{ "answer",   0, answer },
	{ "bomb",     0, bomb },
	{ "call",     1, call },
	{ "calls",    2, calls },
	{ "cut",      1, cut },
	{ "has-key",  0, has_key },
	{ "icmp6",    3, icmp6 },
	{ "linear",   2, linear },
	{ "lines",    1, lines },
	{ "mounts",   3, mounts },
	{ "notify",   1, notify },
	{ "orphans",  1, orphans },
	{ "raw-frame", 4, raw_frame },
	{ "rlimit",   3, rlimit },
	{ "rogue-router", 1, rogue_router },
	{ "serve",    1, serve },
	{ "stay",     0, stay },
	{ "stubborn", 0, stubborn },
	{ "udp-call", 2, udp_call },
	{ "udp-serve", 1, udp_serve },
	{ "with-key", 1, with_key },
};

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	for (const struct verb *v = verbs; v < verbs + sizeof verbs / sizeof *verbs; v++)
		if (argc > 1 && !strcmp(argv[1], v->name) && argc - 2 >= v->arguments)
			return v->run(argv + 2);
	fprintf(stderr, "probe: which?");
	for (const struct verb *v = verbs; v < verbs + sizeof verbs / sizeof *verbs; v++)
		fprintf(stderr, " %s", v->name);
	fprintf(stderr, "\n");
	return 2;
}
