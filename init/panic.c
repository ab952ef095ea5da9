/* The fault handler, the brake, and the end: see panic.h. */
/* SPDX-License-Identifier: ISC */
#include "init/panic.h"
#include "init/base/fd.h"
#include "init/base/mono.h"
#include "init/base/rest.h"
#include "init/base/sys.h"
#include "init/base/text.h"
#include "init/emergency.h"
#include "init/lastboot.h"
#include "services/supervise/dog.h"
#include <linux/reboot.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE 4096
#define EXEC_TRIES 5

extern char **environ;

/* All the handler needs. The kernel wipes this page in every child, so a child is never armed. */
struct armed {
	int exe_fd;
	const struct ledger *ledger;
	sigset_t mask;		/* what stays blocked across the exec: the loop's signals, which must not be lost */
	unsigned depth;		/* faults inside the handler */
	char ledger_arg[32], fault_arg[40];
};

static struct armed *armed;
static const int faults[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT };
static _Alignas(16) char stack[32768];

static void keep(void *ctx, int fd)
{
	(void)ctx;
	fcntl(fd, F_SETFD, 0);
}

static void on_fault(int sig)
{
	struct armed *a = armed;

	if (!a || !a->ledger) {	/* a child: die of it */
		signal(sig, SIG_DFL);
		raise(sig);
		return;
	}
	/* Reading the ledger may be what fails: the second time, come back without the descriptors. */
	if (a->depth++ == 0)
		ledger_each_fd(a->ledger, keep, NULL);
	size_t n = strlen(a->fault_arg);

	a->fault_arg[n - 2] = (char)('0' + sig / 10);
	a->fault_arg[n - 1] = (char)('0' + sig % 10);
	char *argv[] = { (char *)"prior", a->fault_arg, a->ledger_arg, NULL };

	/* The fault's own signal is not blocked (SA_NODEFER), or the next one would be final. */
	sigprocmask(SIG_SETMASK, &a->mask, NULL);
	for (int tries = 0; tries < EXEC_TRIES; tries++)	/* memory that lacks may be had a moment later */
		syscall(SYS_execveat, a->exe_fd, "", argv, environ, AT_EMPTY_PATH);
	panic_end(a->ledger, "a fault, and our own binary cannot be executed again");
}

static int make_page(struct err *e)
{
	void *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED || madvise(page, PAGE, MADV_WIPEONFORK) < 0)
		return err_sys(e, "fault handler: memory");
	armed = page;
	return 0;
}

/*
 * The disk that our binary is on may be what fails: what a fault runs into before the exec, and when that fails, is
 * read now, around each of these (the kernel maps 64 KiB at once). rest() leaves it there.
 */
static void fault_in(void)
{
	const uintptr_t code[] = {
		(uintptr_t)on_fault, (uintptr_t)ledger_each_fd, (uintptr_t)sigprocmask, (uintptr_t)syscall,
		(uintptr_t)panic_end, (uintptr_t)text_fmt, (uintptr_t)emergency, (uintptr_t)emergency_shell,
		(uintptr_t)lastboot_fails, (uintptr_t)dog_stop, (uintptr_t)fork, (uintptr_t)kill, (uintptr_t)write,
	};

	for (size_t i = 0; i < sizeof code / sizeof *code; i++)
		(void)*(const volatile char *)code[i];
}

int panic_arm(const struct ledger *l, struct err *e)
{
	stack_t s = { .ss_sp = stack, .ss_size = sizeof stack };
	struct sigaction sa = { .sa_handler = on_fault, .sa_flags = SA_ONSTACK | SA_NODEFER };

	_Static_assert(sizeof(struct armed) <= PAGE, "one page");
	if (!rest_begin())
		fault_in();
	if (!armed && make_page(e) < 0)
		return -e->code;
	armed->exe_fd = l->head->exe_fd;
	sigprocmask(SIG_SETMASK, NULL, &armed->mask);
	struct text number = TEXT_IN(armed->ledger_arg), fault = TEXT_IN(armed->fault_arg);

	text_fmt(&number, "--ledger=%d", l->fd);
	text_add(&fault, "--resume-after-fault=00");
	armed->ledger = l;
	if (sigaltstack(&s, NULL) < 0)
		return err_sys(e, "fault handler: its stack");
	for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
		if (sigaction(faults[i], &sa, NULL) < 0)
			return err_sys(e, "fault handler: signal %d", faults[i]);
	return 0;
}

bool panic_survived(struct ledger *l, int sig)
{
	struct ledger_head *h = l->head;
	int64_t now = mono_now().ms, oldest = h->fault_ms[FAULTS_MAX - 1];

	memmove(h->fault_ms + 1, h->fault_ms, (FAULTS_MAX - 1) * sizeof *h->fault_ms);
	h->fault_ms[0] = now;
	h->crashes++;
	h->last_fault = sig;
	return oldest == 0 || now - oldest >= FAULT_WINDOW_MS;
}

static void say(int fd, const char *why)
{
	char line[300];
	struct text t = TEXT_IN(line);

	text_fmt(&t, "<2>prior: %s\n", why);
	ssize_t ignored = write(fd, line, t.n);

	(void)ignored;
}

static void kill_services(const struct ledger *l)
{
	for (uint32_t i = 0; i < l->head->nservices; i++) {
		const struct ledger_svc *s = &l->svc[i];
		int fd = s->cgroup_fd >= 0 ? openat(s->cgroup_fd, "cgroup.kill", O_WRONLY | O_CLOEXEC) : -1;

		if (fd >= 0 && write(fd, "1", 1) == 1)
			continue;
		if (s->pidfd >= 0)
			sys_pidfd_send_signal(s->pidfd, SIGKILL);
		if (s->reaper > 0)
			kill(s->reaper, SIGKILL);
	}
}

void panic_end(const struct ledger *l, const char *why)
{
	int kmsg = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);

	if (kmsg >= 0)
		say(kmsg, why);
	say(l && l->head->console_fd >= 0 ? l->head->console_fd : 2, why);
	if (l)
		kill_services(l);
	if (l && l->head->mode == MODE_MACHINE) {
		sync();
		emergency(l->head->console_fd >= 0 ? l->head->console_fd : 2, l->head->dog_fd, &l->head->emergency,
			  why);
		syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_RESTART, NULL);
	}
	_exit(70);	/* EX_SOFTWARE */
}
