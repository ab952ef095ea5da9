/* Signals as rows: see signals.h. */
/* SPDX-License-Identifier: ISC */
#include "init/signals.h"
#include "init/serve.h"
#include "services/supervise/ending.h"
#include "services/supervise/reap.h"
#include "services/supervise/reload.h"
#include "services/supervise/stop.h"
#include <sys/signalfd.h>

#define RT(n) (34 + (n))	/* whatever the C library calls SIGRTMIN */
#define SEND_NOTHING 255

typedef void act(struct prior *p, int sig);

static void reap(struct prior *p, int sig)
{
	(void)sig;
	reap_all(p);
}

static void power_off(struct prior *p, int sig)
{
	(void)sig;
	ending_begin(p, SHUTDOWN_POWEROFF);
}

static void restart(struct prior *p, int sig)
{
	(void)sig;
	ending_begin(p, SHUTDOWN_REBOOT);
}

/* Ctrl-Alt-Del again means: do not wait for anybody. */
static void restart_or_kill(struct prior *p, int sig)
{
	if (p->ledger.head->shutdown)
		ending_force(p);
	else
		restart(p, sig);
}

static void kexec(struct prior *p, int sig)
{
	(void)sig;
	ending_begin(p, SHUTDOWN_KEXEC);
}

static void soft_reboot(struct prior *p, int sig)
{
	(void)sig;
	ending_begin(p, SHUTDOWN_SOFT);
}

static void halt(struct prior *p, int sig)
{
	(void)sig;
	ending_begin(p, SHUTDOWN_HALT);
}

/* SIGRTMIN+13 to +16 are +3 to +6 without the order. */
static void at_once(struct prior *p, int sig)
{
	static const enum shutdown_kind kinds[] = {
		SHUTDOWN_HALT, SHUTDOWN_POWEROFF, SHUTDOWN_REBOOT, SHUTDOWN_KEXEC
	};

	ending_begin(p, kinds[sig - RT(13)]);
	ending_force(p);
}

static void stop_all(struct prior *p, int sig)
{
	(void)sig;
	ending_begin(p, SHUTDOWN_EXIT);
}

/* The second time somebody presses Ctrl-C, they mean it. */
static void stop_all_or_kill(struct prior *p, int sig)
{
	if (p->ledger.head->shutdown)
		ending_force(p);
	else
		stop_all(p, sig);
}

static void reload(struct prior *p, int sig)
{
	struct err e;

	(void)sig;
	if (reload_begin(p, -1, false, &e) < 0)
		prior_say(p, "error", "reload-refused", NULL, e.text);
}

/* `prior run`: to the command; before it runs there is nobody to tell, and a wish to end ends us. */
static void forward(struct prior *p, int sig)
{
	const uint8_t *send = p->ledger.head->run_send;
	struct err e;

	if (send[sig] == SEND_NOTHING)
		return;
	if (stop_signal_main(p, 0, send[sig] ? send[sig] : sig, &e) < 0 &&
	    (sig == SIGTERM || sig == SIGINT || sig == SIGQUIT))
		ending_begin(p, SHUTDOWN_EXIT);
}

static void nothing(struct prior *p, int sig)
{
	(void)p, (void)sig;
}

#define MACHINE 0
#define CONTAINER 1
#define RUN 2
#define LIVES SIGNAL_LIVES

static const struct row {
	int sig;
	const char *name;
	struct {
		act *act;
		const char *does;
	} in[LIVES];
} rows[] = {
	{ SIGCHLD, "SIGCHLD",
	  { { reap, "reap" }, { reap, "reap" }, { reap, "reap" } } },
	{ SIGTERM, "SIGTERM",
	  { { restart, "reboot" }, { stop_all, "stop all, exit 0" }, { forward, "forward" } } },
	{ SIGINT, "SIGINT",
	  { { restart_or_kill, "reboot (Ctrl-Alt-Del); again: kill all" },
	    { stop_all_or_kill, "stop all, exit 0; again: kill all" },
	    { forward, "forward" } } },
	{ SIGHUP, "SIGHUP",
	  { { reload, "reload the configuration" }, { reload, "reload the configuration" },
	    { forward, "forward" } } },
	{ SIGUSR1, "SIGUSR1",
	  { { halt, "halt" }, { nothing, "nothing" }, { forward, "forward" } } },
	{ SIGUSR2, "SIGUSR2",
	  { { power_off, "power off" }, { stop_all, "stop all, exit 0" }, { forward, "forward" } } },
	{ SIGPWR, "SIGPWR",
	  { { power_off, "power off" }, { stop_all, "stop all, exit 0" }, { forward, "forward" } } },
	{ SIGQUIT, "SIGQUIT",
	  { { nothing, "nothing" }, { nothing, "nothing" }, { forward, "forward" } } },
	{ SIGWINCH, "SIGWINCH",
	  { { nothing, "nothing" }, { nothing, "nothing" }, { forward, "forward" } } },
	{ SIGPIPE, "SIGPIPE",
	  { { nothing, "nothing" }, { nothing, "nothing" }, { nothing, "nothing" } } },
	{ RT(3), "SIGRTMIN+3",
	  { { halt, "halt" }, { stop_all, "stop all, exit 0" }, { forward, "forward" } } },
	{ RT(4), "SIGRTMIN+4",
	  { { power_off, "power off" }, { stop_all, "stop all, exit 0" }, { forward, "forward" } } },
	{ RT(5), "SIGRTMIN+5",
	  { { restart, "reboot" }, { stop_all, "stop all, exit 0" }, { forward, "forward" } } },
	{ RT(6), "SIGRTMIN+6",
	  { { kexec, "boot the loaded kernel" }, { stop_all, "stop all, exit 0" }, { forward, "forward" } } },
	{ RT(7), "SIGRTMIN+7",
	  { { soft_reboot, "restart all but the kernel" }, { stop_all, "stop all, exit 0" },
	    { forward, "forward" } } },
	{ RT(13), "SIGRTMIN+13",
	  { { at_once, "kill all and halt" }, { nothing, "nothing" }, { forward, "forward" } } },
	{ RT(14), "SIGRTMIN+14",
	  { { at_once, "kill all and power off" }, { nothing, "nothing" }, { forward, "forward" } } },
	{ RT(15), "SIGRTMIN+15",
	  { { at_once, "kill all and reboot" }, { nothing, "nothing" }, { forward, "forward" } } },
	{ RT(16), "SIGRTMIN+16",
	  { { at_once, "kill all and boot the loaded kernel" }, { nothing, "nothing" },
	    { forward, "forward" } } },
};
#define ROWS (sizeof rows / sizeof *rows)

unsigned signals_count(void)
{
	return ROWS;
}

const char *signals_name(unsigned i)
{
	return rows[i].name;
}

const char *signals_does(unsigned i, unsigned life)
{
	return rows[i].in[life].does;
}

static int life_of(const struct prior *p)
{
	switch ((enum prior_mode)p->ledger.head->mode) {
	case MODE_MACHINE:
		return MACHINE;
	case MODE_CONTAINER:
	case MODE_UP:
		return CONTAINER;
	case MODE_RUN:
		return RUN;
	}
	return CONTAINER;
}

static void take(struct prior *p, int sig)
{
	for (const struct row *r = rows; r < rows + ROWS; r++)
		if (r->sig == sig) {
			r->in[life_of(p)].act(p, sig);
			return;
		}
	forward(p, sig);	/* only `prior run` watches signals without a row */
}

/* All that somebody may send; not those of a fault of our own, which panic.c handles. */
static void add_all(sigset_t *set)
{
	static const int faults[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS };

	sigfillset(set);
	for (unsigned i = 0; i < sizeof faults / sizeof *faults; i++)
		sigdelset(set, faults[i]);
}

static void on_signal(void *ctx, uint32_t arg, uint32_t events)
{
	struct prior *p = ctx;
	struct signalfd_siginfo info[16];
	ssize_t n = read(p->signal_fd, info, sizeof info);

	(void)arg, (void)events;
	for (ssize_t i = 0; i < n / (ssize_t)sizeof *info; i++)
		take(p, (int)info[i].ssi_signo);
}

int signals_begin(struct prior *p, struct err *e)
{
	sigset_t set;

	sigemptyset(&set);
	for (const struct row *r = rows; r < rows + ROWS; r++)
		sigaddset(&set, r->sig);
	if (p->ledger.head->mode == MODE_RUN)
		add_all(&set);
	return loop_signals(&set, &p->signal_fd, e) < 0 ? -e->code : signals_watch(p, e);
}

int signals_watch(struct prior *p, struct err *e)
{
	int rc = loop_add(&p->loop, p->signal_fd, EPOLLIN, on_signal, 0, e);

	p->signal_src = rc < 0 ? 0 : (uint32_t)rc;
	return rc < 0 ? rc : 0;
}

void serve_print_signals(FILE *to)
{
	fprintf(to, "| signal | machine | container, up | run |\n|---|---|---|---|\n");
	for (const struct row *r = rows; r < rows + ROWS; r++)
		fprintf(to, "| %s (%d) | %s | %s | %s |\n", r->name, r->sig, r->in[MACHINE].does, r->in[CONTAINER].does,
			r->in[RUN].does);
}
