/* Both ends of the sockets of sockets.sh: a service of each kind that answers, and what asks it. */
/* SPDX-License-Identifier: ISC */
#include "init/base/pidfd.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

static const char *env(const char *name)
{
	const char *v = getenv(name);

	return v ? v : "-";
}

/* What we were told, in one line: "fds 2 names a:b mine yes id yes from - port -". */
static void say_env(FILE *to)
{
	const uint64_t id = pidfd_number(getpid());

	fprintf(to, "fds %s names %s mine %s id %s from %s port %s\n", env("LISTEN_FDS"), env("LISTEN_FDNAMES"),
		atoi(env("LISTEN_PID")) == getpid() ? "yes" : "no",
		id == 0 ? "none" : strtoull(env("LISTEN_PIDFDID"), NULL, 10) == id ? "yes" : "no",
		env("REMOTE_ADDR"), atoi(env("REMOTE_PORT")) > 0 ? "yes" : "-");
	fflush(to);
}

static int type_of(int fd, int name)
{
	int value = -1;
	socklen_t n = sizeof value;

	return getsockopt(fd, SOL_SOCKET, name, &value, &n) < 0 ? -1 : value;
}

/* One message at fd, answered where its kind has an answer. */
static void answer(int fd)
{
	struct sockaddr_storage from;
	socklen_t len = sizeof from;
	char text[256];
	ssize_t n;

	if (type_of(fd, SO_ACCEPTCONN) == 1) {
		owned_fd c = accept(fd, NULL, NULL);

		n = read(c, text, sizeof text - 1);
		if (n > 0)
			dprintf(c, "got %.*s pid %d\n", (int)n, text, (int)getpid());
	} else if (type_of(fd, SO_TYPE) == SOCK_DGRAM) {
		n = recvfrom(fd, text, sizeof text - 1, 0, (struct sockaddr *)&from, &len);
		char back[300];

		snprintf(back, sizeof back, "got %.*s pid %d\n", (int)n, text, (int)getpid());
		if (n > 0 && len > sizeof(sa_family_t))
			sendto(fd, back, strlen(back), 0, (struct sockaddr *)&from, len);
	} else {
		n = read(fd, text, sizeof text - 1);
		if (n > 0)
			printf("read %.*s\n", (int)n, text);
		fflush(stdout);
	}
}

/* All that were passed. With a number: ends well after so many messages. */
static int serve(char **argv)
{
	const int n = atoi(env("LISTEN_FDS")), most = argv[0] ? atoi(argv[0]) : -1;
	struct pollfd p[64];

	say_env(stdout);
	for (int i = 0; i < n; i++)
		p[i] = (struct pollfd){ .fd = 3 + i, .events = POLLIN };
	for (int done = 0; done != most;) {
		poll(p, (nfds_t)n, -1);
		for (int i = 0; i < n && done != most; i++)
			if (p[i].revents & POLLIN) {
				answer(p[i].fd);
				done++;
			}
	}
	return 0;
}

/* One connection, at standard input and output: what we were told, then each line back until there are no more. */
static int each(char **argv)
{
	char line[256];

	(void)argv;
	say_env(stdout);
	fprintf(stderr, "serving %s\n", env("REMOTE_ADDR"));
	while (fgets(line, sizeof line, stdin)) {
		printf("pid %d %s", (int)getpid(), line);
		fflush(stdout);
	}
	return 7;
}

/* The same, at descriptor 3. */
static int each_fd(char **argv)
{
	char text[256];
	FILE *to = fdopen(3, "r+");

	(void)argv;
	say_env(to);
	return to && fgets(text, sizeof text, to) ? 0 : 1;
}

static socklen_t target(char **argv, struct sockaddr_storage *a, int *type)
{
	static const struct { const char *name; int family, type; } kinds[] = {
		{ "tcp", AF_INET, SOCK_STREAM }, { "tcp6", AF_INET6, SOCK_STREAM }, { "udp", AF_INET, SOCK_DGRAM },
		{ "udp6", AF_INET6, SOCK_DGRAM }, { "stream", AF_UNIX, SOCK_STREAM }, { "dgram", AF_UNIX, SOCK_DGRAM },
		{ "seqpacket", AF_UNIX, SOCK_SEQPACKET }, { "vsock", AF_VSOCK, SOCK_STREAM },
	};
	struct sockaddr_in *v4 = (struct sockaddr_in *)a;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)a;
	struct sockaddr_un *un = (struct sockaddr_un *)a;
	struct sockaddr_vm *vm = (struct sockaddr_vm *)a;
	unsigned k = 0;

	while (k < 7 && strcmp(kinds[k].name, argv[0]))
		k++;
	a->ss_family = (sa_family_t)kinds[k].family;
	*type = kinds[k].type;
	if (kinds[k].family == AF_UNIX) {
		strncpy(un->sun_path, argv[1], sizeof un->sun_path - 1);
		if (*argv[1] != '@')
			return sizeof *un;
		un->sun_path[0] = '\0';
		return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(argv[1]));
	}
	if (kinds[k].family == AF_VSOCK) {
		vm->svm_cid = VMADDR_CID_LOCAL;
		vm->svm_port = (unsigned)atoi(argv[1]);
		return sizeof *vm;
	}
	if (kinds[k].family == AF_INET6) {
		v6->sin6_addr = in6addr_loopback;
		v6->sin6_port = htons((uint16_t)atoi(argv[1]));
		return sizeof *v6;
	}
	v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	v4->sin_port = htons((uint16_t)atoi(argv[1]));
	return sizeof *v4;
}

static int open_to(char **argv)
{
	struct sockaddr_storage a = { 0 };
	struct sockaddr_un own = { .sun_family = AF_UNIX };	/* any abstract name, so that there is a way back */
	int type;
	const socklen_t len = target(argv, &a, &type);
	int fd = socket(a.ss_family, type | SOCK_CLOEXEC, 0);

	if (fd >= 0 && a.ss_family == AF_UNIX && type == SOCK_DGRAM)
		bind(fd, (struct sockaddr *)&own, sizeof own.sun_family);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&a, len) < 0) {
		const int code = errno;

		fd_drop(&fd);
		errno = code;
	}
	return fd;
}

/* KIND ADDRESS TEXT: what comes back, or what went wrong. */
static int ask(char **argv)
{
	owned_fd fd = open_to(argv);
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char text[512];

	if (fd < 0 || write(fd, argv[2], strlen(argv[2])) < 0) {
		printf("%s\n", strerror(errno));
		return 1;
	}
	if (poll(&p, 1, 60000) != 1) {
		puts("no answer");
		return 1;
	}
	const ssize_t n = read(fd, text, sizeof text);

	if (n > 0)
		fwrite(text, 1, (size_t)n, stdout);
	else
		puts(n < 0 ? strerror(errno) : "closed");
	return 0;
}

/* KIND ADDRESS N: so many connections that stay open, until our standard input ends; how many have said something. */
static int hold(char **argv)
{
	const int n = atoi(argv[2]);
	struct pollfd *p = calloc((size_t)n + 1, sizeof *p);
	int said = 0, closed = 0;
	char text[256];

	p[n] = (struct pollfd){ .fd = 0, .events = POLLIN };
	for (int i = 0; i < n; i++)
		p[i] = (struct pollfd){ .fd = open_to(argv), .events = POLLIN };
	for (;;) {
		poll(p, (nfds_t)n + 1, -1);
		for (int i = 0; i < n; i++) {
			if (p[i].fd < 0 || !p[i].revents)
				continue;
			if (read(p[i].fd, text, sizeof text) > 0) {
				said++;
			} else {
				closed++;
				fd_drop(&p[i].fd);
			}
			printf("said %d closed %d\n", said, closed);
			fflush(stdout);
		}
		if (p[n].revents)
			return 0;
	}
}

static volatile sig_atomic_t over;

static void enough(int sig)
{
	over = sig;
}

/* KIND ADDRESS MS: asks over and over; what is refused or answered by nobody has failed. SIGINT ends it. */
static int loop(char **argv)
{
	char *one[] = { argv[0], argv[1], NULL };
	struct timespec now, end;
	unsigned n = 0, refused = 0, silent = 0;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, enough);
	clock_gettime(CLOCK_MONOTONIC, &end);
	const int64_t until = (int64_t)end.tv_sec * 1000 + end.tv_nsec / 1000000 + atoi(argv[2]);

	do {
		owned_fd fd = open_to(one);
		struct pollfd p = { .fd = fd, .events = POLLIN };

		n++;
		if (fd < 0)
			refused++;
		else if ((write(fd, "x", 1) != 1 || poll(&p, 1, 60000) != 1) && !over)
			silent++;
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (!over && (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 < until);
	fprintf(stderr, "# %u connections\n", n);
	printf("asked %s, refused %u, silent %u\n", n > 2 ? "often" : "seldom", refused, silent);
	return 0;
}

/* A socket for LISTEN_FDS: KIND ADDRESS COMMAND... with it at descriptor 3. */
static int hand(char **argv)
{
	struct sockaddr_storage a = { 0 };
	int type;
	const socklen_t len = target(argv, &a, &type);
	owned_fd fd = socket(a.ss_family, type, 0);
	char pid[16];

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, len) < 0 || (type == SOCK_STREAM && listen(fd, 5) < 0) ||
	    dup2(fd, 3) < 0)
		return 1;
	snprintf(pid, sizeof pid, "%d", (int)getpid());
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "1", 1);
	execv(argv[2], argv + 2);
	return 127;
}

int main(int argc, char **argv)
{
	static const struct { const char *name; int (*act)(char **); int args; } acts[] = {
		{ "serve", serve, 0 }, { "each", each, 0 }, { "each_fd", each_fd, 0 }, { "ask", ask, 3 },
		{ "hold", hold, 3 }, { "loop", loop, 3 }, { "hand", hand, 3 },
	};

	for (size_t i = 0; argc > 1 && i < sizeof acts / sizeof *acts; i++)
		if (!strcmp(argv[1], acts[i].name) && argc >= 2 + acts[i].args)
			return acts[i].act(argv + 2);
	fprintf(stderr, "socks: what?\n");
	return 2;
}
