/* What the services of supervise.sh are made of: leave orphans, answer at a socket, call one, speak to prior. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "init/base/sys.h"
#include <linux/keyctl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

static struct sockaddr_un address(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	strncpy(a.sun_path, path, sizeof a.sun_path - 1);
	return a;
}

static int wait_for_signals(void)
{
	for (;;)
		pause();
	return 0;
}

static int pause_(char **argv)
{
	(void)argv;
	return wait_for_signals();
}

/* N zombies of a child, which then ends: all of them are prior's in the same moment. */
static int orphans(char **argv)
{
	if (fork() == 0) {
		for (int i = 0; i < atoi(argv[0]); i++)
			if (fork() == 0)
				_exit(0);
		_exit(0);
	}
	return wait_for_signals();
}

/* Each connection at descriptor 3 gets our pid. */
static int answer(char **argv)
{
	char text[16];

	(void)argv;
	for (;;) {
		owned_fd fd = accept(3, NULL, NULL);
		int n = snprintf(text, sizeof text, "%d\n", (int)getpid());

		if (fd < 0 || write(fd, text, (size_t)n) != n)
			return 1;
	}
}

/* For MS milliseconds, connect and read, over and over, and say how it went. What takes a minute has failed; and,
 * unless a connection may be cut (its server is replaced), one that is. */
static int calls(char **argv, bool may_be_cut)
{
	struct sockaddr_un a = address(argv[0]);
	struct timespec now, end;
	unsigned n = 0, failed = 0;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += atoi(argv[1]) / 1000;
	end.tv_nsec += atoi(argv[1]) % 1000 * 1000000L;
	do {
		owned_fd fd = socket(AF_UNIX, SOCK_STREAM, 0);
		struct pollfd p = { .fd = fd, .events = POLLIN };
		char byte;

		n++;
		if (connect(fd, (struct sockaddr *)&a, sizeof a) < 0 || poll(&p, 1, 60000) != 1 ||
		    (read(fd, &byte, 1) != 1 && !may_be_cut))
			failed++;
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (now.tv_sec < end.tv_sec || (now.tv_sec == end.tv_sec && now.tv_nsec < end.tv_nsec));
	printf("calls %s, failed %u\n", n > 10 ? "many" : "few", failed);
	return 0;
}

static int call(char **argv)
{
	return calls(argv, false);
}

static int knock(char **argv)
{
	return calls(argv, true);
}

/* Sends the text to $NOTIFY_SOCKET, then pauses. */
static int notify(char **argv)
{
	struct sockaddr_un a = address(getenv("NOTIFY_SOCKET") ? getenv("NOTIFY_SOCKET") : "");
	owned_fd fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	if (sendto(fd, argv[0], strlen(argv[0]), 0, (struct sockaddr *)&a, sizeof a) < 0) {
		perror(a.sun_path);
		return 1;
	}
	return wait_for_signals();
}

/* Is ready after so many milliseconds, and says so. */
static int ready_in(char **argv)
{
	struct timespec t = { atoi(argv[0]) / 1000, atoi(argv[0]) % 1000 * 1000000L };
	char *say[] = { "READY=1" };

	nanosleep(&t, NULL);
	return notify(say);
}

/* Two more processes that have left the session and ignore SIGTERM; their pids are said on standard output. */
static int escape(char **argv)
{
	(void)argv;
	if (fork() == 0) {
		setsid();
		signal(SIGTERM, SIG_IGN);
		if (fork() == 0)
			setsid();
		printf("escaped %d\n", (int)getpid());
		fflush(stdout);
	}
	return wait_for_signals();
}

/* The listening socket at descriptor 3 becomes a connection to PORT of this machine, full, that lingers for an hour. */
static int linger(char **argv)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				 .sin_port = htons((uint16_t)atoi(argv[0])) };
	struct linger hour = { 1, 3600 };
	static char much[1 << 16];

	if (shutdown(3, SHUT_RDWR) < 0 || connect(3, (struct sockaddr *)&a, sizeof a) < 0 ||
	    setsockopt(3, SOL_SOCKET, SO_LINGER, &hour, sizeof hour) < 0) {
		perror("linger");
		return 1;
	}
	while (send(3, much, sizeof much, MSG_DONTWAIT) > 0)
		;
	printf("lingers\n");
	fflush(stdout);
	return wait_for_signals();
}

/* An HTTP server on 127.0.0.1:47200 (of its own network) whose every answer has that status. */
static int http(char **argv)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				 .sin_port = htons(47200) };
	owned_fd at = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const int on = 1;
	char text[128], asked[1024];

	setsockopt(at, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(at, (struct sockaddr *)&a, sizeof a) < 0 || listen(at, 16) < 0) {
		perror("http");
		return 1;
	}
	for (;;) {
		owned_fd fd = accept(at, NULL, NULL);
		int n = snprintf(text, sizeof text, "HTTP/1.1 %s Whatever\r\nContent-Length: 0\r\n\r\n", argv[0]);

		if (fd >= 0 && read(fd, asked, sizeof asked) > 0 && write(fd, text, (size_t)n) != n)
			return 1;
	}
}

/* Which session keyring it has, as the kernel describes it. */
static int keyring(char **argv)
{
	char text[200] = "none";
	const long n = syscall(SYS_keyctl, KEYCTL_DESCRIBE, KEY_SPEC_SESSION_KEYRING, text, sizeof text - 1, 0);

	(void)argv;
	printf("%s\n", n < 0 ? strerror(errno) : text);
	return n < 0;
}

/* A shell's words, in a session keyring named `operator`. */
static int in_keyring(char **argv)
{
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, "operator", 0, 0, 0) < 0) {
		perror("in-keyring");
		return 125;
	}
	execl("/bin/sh", "sh", "-c", argv[0], NULL);
	return 127;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*main)(char **argv);
		int args;
	} tools[] = {
		{ "pause", pause_, 0 }, { "orphans", orphans, 1 }, { "answer", answer, 0 }, { "call", call, 2 },
		{ "knock", knock, 2 }, { "notify", notify, 1 }, { "ready-in", ready_in, 1 },
		{ "escape", escape, 0 }, { "linger", linger, 1 },
		{ "http", http, 1 }, { "keyring", keyring, 0 }, { "in-keyring", in_keyring, 1 },
	};

	for (size_t i = 0; argc > 1 && i < sizeof tools / sizeof *tools; i++)
		if (!strcmp(argv[1], tools[i].name) && argc - 2 == tools[i].args)
			return tools[i].main(argv + 2);
	return 64;
}
