/* Ending the machine: see shutdown.h. */
/* SPDX-License-Identifier: ISC */
#include "init/shutdown.h"
#include "init/base/mono.h"
#include "init/left.h"
#include "init/seed.h"
#include "rootfs/machine.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/reboot.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define TERM_MS 1000
#define KILL_MS 2000
#define UNMOUNT_MS 30000

static const struct boot *console;

static void name_busy(const char *target, int code)
{
	boot_say(console, "unmount %s: %s; left read-only", target, strerror(code));
}

/* Until the child pid has ended (0: all children); false when the time was over first. */
static bool wait_for(pid_t pid, int ms)
{
	int64_t end = mono_now().ms + ms;

	while (mono_now().ms < end) {
		pid_t got = waitpid(pid ? pid : -1, NULL, WNOHANG);

		if (got < 0 && errno == ECHILD)
			return true;
		if (pid && got == pid)
			return true;
		if (got == 0)
			poll(NULL, 0, 5);	/* the last moments: nothing else is left to serve */
	}
	return false;
}

static void name_the_rest(const char *what)
{
	char who[320] = "";
	struct text t = TEXT_IN(who);

	if (left_name(&t) > 0)
		boot_say(console, "%s: %s", what, who);
}

/* Every process but us. The services are gone; this is for what was never one (a shell on the console, orphans). */
static void kill_the_rest(void)
{
	if (kill(-1, SIGTERM) < 0)
		return;		/* ESRCH: nobody left */
	kill(-1, SIGCONT);
	if (wait_for(0, TERM_MS))
		return;
	name_the_rest("killing what does not heed SIGTERM");
	kill(-1, SIGKILL);
	if (!wait_for(0, KILL_MS))
		name_the_rest("going on without what cannot be killed, for a device or a file system does not answer");
}

/* In a child: a disk that does not answer holds it, and not the end of the machine. */
static void unmount(bool keep_root, const char *seed)
{
	pid_t pid = fork();

	if (pid == 0) {
		struct err e;

		if (*seed && seed_save(seed, &e) < 0)
			boot_say(console, "%s", e.text);
		int left = machine_unmount_all(name_busy, keep_root);

		_exit(left > 255 ? 255 : left);
	}
	if (pid < 0)	/* for want of memory: then here */
		machine_unmount_all(name_busy, keep_root);
	else if (!wait_for(pid, UNMOUNT_MS))
		boot_say(console, "unmounting: not done within %d s; not waiting any longer", UNMOUNT_MS / 1000);
}

extern char **environ;

/* The file on disk, which may be a newer one; else the one that runs. As the kernel started us, but for a word. */
static void boot_again(const struct ledger_head *h)
{
	char *argv[] = { (char *)"init", (char *)SHUTDOWN_AGAIN, NULL };
	struct rlimit files;
	sigset_t none;

	if (h->nofile && getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = h->nofile;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execve(h->exe, argv, environ);
	boot_say(console, "execute %s: %s; trying the binary that runs", h->exe, strerror(errno));
	syscall(SYS_execveat, h->exe_fd, "", argv, environ, AT_EMPTY_PATH);
	boot_say(console, "execute it: %s; rebooting", strerror(errno));
}

static void end(unsigned how, const char *what, const char *arg)
{
	syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, how, arg);
	boot_say(console, "%s: %s", what, strerror(errno));
}

void shutdown_machine(const struct boot *b, const struct ledger_head *h, const char *seed, enum lastboot_says says)
{
	static const struct { unsigned how; const char *what; } ends[SHUTDOWN_KINDS] = {
		[SHUTDOWN_NONE]     = { LINUX_REBOOT_CMD_RESTART,   "reboot" },
		[SHUTDOWN_POWEROFF] = { LINUX_REBOOT_CMD_POWER_OFF, "power off" },
		[SHUTDOWN_REBOOT]   = { LINUX_REBOOT_CMD_RESTART,   "reboot" },
		[SHUTDOWN_HALT]     = { LINUX_REBOOT_CMD_HALT,      "halt" },
		[SHUTDOWN_EXIT]     = { LINUX_REBOOT_CMD_POWER_OFF, "power off" },
		[SHUTDOWN_KEXEC]    = { LINUX_REBOOT_CMD_KEXEC,     "boot the loaded kernel" },
		[SHUTDOWN_SOFT]     = { LINUX_REBOOT_CMD_RESTART,   "restart all but the kernel" },
	};
	const enum shutdown_kind kind = h->shutdown < SHUTDOWN_KINDS ? h->shutdown : SHUTDOWN_REBOOT;

	console = b;
	kill_the_rest();
	/* Who is to mend it finds the file systems mounted. */
	if (says == LASTBOOT_BRAKED && h->emergency.then == EMERGENCY_SHELL && *h->emergency.shell) {
		emergency_brake(b->console_fd, &h->emergency);
		says = LASTBOOT_GO;
	}
	boot_say(b, "unmounting");
	unmount(kind == SHUTDOWN_SOFT, seed);
	if (says == LASTBOOT_BRAKED)
		emergency_brake(b->console_fd, &h->emergency);
	if (says == LASTBOOT_UNCOUNTED)		/* a watchdog that does not wait for it finds nothing mounted */
		emergency_uncounted(b->console_fd);
	boot_say(b, "%s%s%s", ends[kind].what, *h->reboot_arg ? ": " : "", h->reboot_arg);
	if (kind == SHUTDOWN_SOFT)
		boot_again(h);
	if (kind == SHUTDOWN_REBOOT && *h->reboot_arg)
		end(LINUX_REBOOT_CMD_RESTART2, ends[kind].what, h->reboot_arg);
	end(ends[kind].how, ends[kind].what, NULL);
	if (kind == SHUTDOWN_KEXEC)
		end(LINUX_REBOOT_CMD_RESTART, "reboot", NULL);
}
