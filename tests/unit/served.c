/* Real processes under a prior inside a test: see served.h. */
/* SPDX-License-Identifier: ISC */
#include "tests/unit/served.h"
#include "init/panic.h"
#include "services/supervise/ending.h"
#include "services/supervise/server.h"
#include "services/supervise/sockets.h"
#include "services/supervise/spawning.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <cmocka.h>

struct prior prior;
char run_dir[64];

int __wrap_logger_start(int exe, int cgroup, const struct logger_setup *s, int console, int *pid, int *sock,
			struct err *e);
int __wrap_logger_send(int sock, const struct logger_add *a, const int *read_ends, unsigned n, struct err *e);
int __wrap_panic_arm(const struct ledger *l, struct err *e);
int __wrap_logger_flush(int sock, const char *name, struct err *e);

/* Ends when its socket does, as the real one. */
int __wrap_logger_start(int exe, int cgroup, const struct logger_setup *s, int console, int *pid, int *sock,
			struct err *e)
{
	int pair[2];
	char byte;

	(void)exe, (void)cgroup, (void)s, (void)console;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, "logger");
	*pid = fork();
	if (*pid == 0) {
		dup2(pair[1], 0);
		close_range(1, ~0u, 0);	/* what the test opens is not kept open by us */
		_exit(read(0, &byte, 1) == 0 ? 0 : 1);
	}
	fd_drop(&pair[1]);
	*sock = pair[0];
	return 0;
}

int __wrap_logger_send(int sock, const struct logger_add *a, const int *read_ends, unsigned n, struct err *e)
{
	(void)sock, (void)a, (void)read_ends, (void)n, (void)e;
	return 0;
}

int __wrap_logger_flush(int sock, const char *name, struct err *e)
{
	(void)sock, (void)name, (void)e;
	return 0;
}

/* A fault in a test is the test's. */
int __wrap_panic_arm(const struct ledger *l, struct err *e)
{
	(void)l, (void)e;
	return 0;
}

static char said[1 << 16];		/* events so far */

void serve_rows_as(const struct made_svc *rows, unsigned n, enum prior_mode mode)
{
	struct err e = { 0 };

	said[0] = '\0';
	snprintf(run_dir, sizeof run_dir, "/tmp/prior-test-%d", (int)getpid());
	struct serve_setup s = {
		.mode = mode, .plan_fd = made_plan(rows, n), .exe_fd = open("/proc/self/exe", O_PATH | O_CLOEXEC),
		.cgroup_fd = FD_NONE, .console_fd = FD_NONE, .run_dir = run_dir, .log_dir = "", .ctl_gid = UINT32_MAX,
	};

	if (serve_begin(&prior, &s, &e) < 0)
		fail_msg("%s", e.text);
}

void serve_rows(const struct made_svc *rows, unsigned n)
{
	serve_rows_as(rows, n, MODE_UP);
}

static void close_it(void *ctx, int fd)
{
	(void)ctx;
	fd_drop(&fd);
}

bool heard(const char *words)
{
	size_t n = strlen(said);
	int fd = prior.ledger.head->event_rd;

	fcntl(fd, F_SETFL, O_NONBLOCK);
	ssize_t more = read(fd, said + n, sizeof said - 1 - n);

	said[n + (more > 0 ? (size_t)more : 0)] = '\0';
	return strstr(said, words);
}

int serve_stop(void **state)
{
	char command[128];

	(void)state;
	ending_begin(&prior, SHUTDOWN_EXIT);
	ending_force(&prior);
	for (int64_t end = mono_now().ms + 40000; !prior.finished && mono_now().ms < end;)
		served_turn();
	spawning_close(&prior);
	server_end(&prior);
	sockets_close_all(&prior);
	ledger_each_fd(&prior.ledger, close_it, NULL);
	fd_drop(&prior.signal_fd);
	prior_free(&prior);
	ledger_unmap(&prior.ledger);
	plan_unmap(&prior.plan);
	snprintf(command, sizeof command, "rm -rf %s", run_dir);
	return system(command);
}

void served_turn(void)
{
	loop_timer_set(&prior.loop, prior.n + TIMER_CONTROL, mono_now().ms + 50);
	serve_turn(&prior);
}

void come_back(int fault)
{
	int fd = prior.ledger.fd;
	struct err e;

	fd_drop(&prior.signal_fd);
	prior_free(&prior);
	ledger_unmap(&prior.ledger);
	plan_unmap(&prior.plan);
	if (serve_resume(&prior, fd, fault, &e) < 0)
		fail_msg("%s", e.text);
}

struct ledger_svc *named(const char *service)
{
	int i = plan_find(&prior.plan, service);

	if (i < 0)
		fail_msg("no service %s", service);
	return svc_of(&prior, (uint32_t)i);
}

bool is_in(const char *service, enum svc_state st)
{
	return named(service)->state == st;
}

bool traps(const char *service, int sig)
{
	unsigned long long ignored = 0, caught = 0;
	const char *text, *at;
	char path[32];

	snprintf(path, sizeof path, "/proc/%d/status", named(service)->pid);
	text = read_file(path);
	if ((at = strstr(text, "\nSigIgn:")))
		sscanf(at, " SigIgn: %llx SigCgt: %llx", &ignored, &caught);
	return (ignored | caught) >> (sig - 1) & 1;
}

const char *read_file(const char *path)
{
	static char text[4096];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);

	text[n > 0 ? n : 0] = '\0';
	fd_drop(&fd);
	return text;
}
