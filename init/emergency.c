/* The emergency: see emergency.h. */
/* SPDX-License-Identifier: ISC */
#include "init/emergency.h"
#include "init/base/fd.h"
#include "init/base/text.h"
#include "init/lastboot.h"
#include "services/supervise/dog.h"
#include <fcntl.h>
#include <linux/reboot.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define READ_MS 5000	/* for who looks at the console, and so that a loop of reboots is not a storm */
#define SLOW_MS 30000	/* where nobody counts them */
#define WORDS 16

static void say(int console, const char *what, const char *why)
{
	char line[320];
	struct text t = TEXT_IN(line);

	text_fmt(&t, "prior: emergency: %s%s\n", what, why);
	ssize_t ignored = write(console, line, t.n);

	(void)ignored;
}

static void become_shell(int console, const char *words)
{
	static const char *const env[] = { "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
					   "HOME=/", "TERM=linux", NULL };
	char name[32], *argv[WORDS + 1];
	struct text t = TEXT_IN(name);
	sigset_t none;
	unsigned n = 0;

	for (const char *w = words; *w && n < WORDS; w += strlen(w) + 1)
		argv[n++] = (char *)w;
	argv[n] = NULL;
	text_fmt(&t, "/proc/self/fd/%d", console);
	setsid();
	int fd = open(name, O_RDWR | O_CLOEXEC);	/* anew: now it may become our terminal */

	fd = fd < 0 ? console : fd;
	ioctl(fd, TIOCSCTTY, 1);
	for (int i = 0; i < 3; i++)
		dup2(fd, i);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execve(argv[0], argv, (char **)(uintptr_t)env);
	say(console, "cannot be run: ", argv[0]);
	_exit(127);
}

bool emergency_shell(int console, const char *words)
{
	int status = 0;

	if (!*words) {
		say(console, "there is no shell: machine.console.shell names none", "");
		return false;
	}
	pid_t pid = fork();

	if (pid == 0)
		become_shell(console, words);
	if (pid < 0)
		return false;
	/* Orphans are reaped on the way. */
	for (pid_t got = 0; got != pid;) {
		got = waitpid(-1, &status, 0);
		if (got < 0 && errno != EINTR)
			break;
	}
	return !WIFEXITED(status) || WEXITSTATUS(status) != 127;
}

static const struct {
	const char *says, *word;
	unsigned call;
} ends[] = {
	[EMERGENCY_SHELL]    = { "a shell: ", "shell", LINUX_REBOOT_CMD_RESTART },
	[EMERGENCY_REBOOT]   = { "rebooting: ", "reboot", LINUX_REBOOT_CMD_RESTART },
	[EMERGENCY_POWEROFF] = { "switching off: ", "poweroff", LINUX_REBOOT_CMD_POWER_OFF },
	[EMERGENCY_HALT]     = { "standing still: ", "halt", LINUX_REBOOT_CMD_HALT },
};

static void end(unsigned call)
{
	sync();
	syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, call, NULL);
}

void emergency_brake(int console, const struct emergency_rules *rules)
{
	const struct emergency_rules copy = *rules, *r = &copy;	/* no child can read the ledger */
	char why[128];
	struct text t = TEXT_IN(why);

	text_fmt(&t, "%u reboots for failure within %u s; not once more", r->reboots, r->within_ms / 1000);
	say(console, ends[r->then].says, why);
	if (r->then == EMERGENCY_SHELL && emergency_shell(console, r->shell))
		return;
	if (r->then == EMERGENCY_POWEROFF)
		end(LINUX_REBOOT_CMD_POWER_OFF);
	end(LINUX_REBOOT_CMD_HALT);
	for (;;)	/* a kernel that cannot halt */
		poll(NULL, 0, -1);
}

void emergency_uncounted(int console)
{
	char why[80];
	struct text t = TEXT_IN(why);

	text_fmt(&t, "reboots for failure are not counted: the next one begins in %d s", SLOW_MS / 1000);
	say(console, "", why);
	poll(NULL, 0, SLOW_MS);
}

/* On the console, and in the record of boots. false: it could not be kept there, nor counted. */
static bool tell(int console, const struct emergency_rules *r, enum emergency how, const char *why, bool *braked)
{
	struct err e;

	say(console, ends[how].says, why);
	if (lastboot_fails(r, ends[how].word, why, braked, &e) == 0)
		return true;
	say(console, "", e.text);
	return false;
}

static void let_go(int console, int *dog_fd)
{
	if (*dog_fd >= 0 && !dog_stop(*dog_fd))
		say(console, "", DOG_STAYS);
	fd_drop(dog_fd);
}

void emergency(int console, int dog_fd, const struct emergency_rules *rules, const char *why)
{
	const struct emergency_rules copy = *rules, *r = &copy;	/* no child can read the ledger */
	enum emergency how = (enum emergency)r->how;
	bool braked = false, counted;

	counted = tell(console, r, how, why, &braked);
	if (braked || how != EMERGENCY_REBOOT)	/* nobody is to be reset while he mends it */
		let_go(console, &dog_fd);
	if (how == EMERGENCY_SHELL && emergency_shell(console, r->shell))
		return;
	if (how == EMERGENCY_SHELL) {	/* there is none: what follows is counted like any other */
		how = EMERGENCY_REBOOT;
		counted = tell(console, r, how, why, &braked);
	}
	if (braked) {
		let_go(console, &dog_fd);
		emergency_brake(console, r);
		return;
	}
	if (how == EMERGENCY_REBOOT && !counted)
		emergency_uncounted(console);
	else
		poll(NULL, 0, READ_MS);
	end(ends[how].call);
	end(LINUX_REBOOT_CMD_RESTART);
}
