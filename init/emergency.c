/* The emergency: see emergency.h. */
/* SPDX-License-Identifier: ISC */
#include "init/emergency.h"
#include "init/base/fd.h"
#include "init/base/text.h"
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

void emergency(int console, enum emergency how, const char *words, const char *why)
{
	static const struct { const char *what; unsigned how; } ends[] = {
		[EMERGENCY_SHELL]    = { "a shell: ", LINUX_REBOOT_CMD_RESTART },
		[EMERGENCY_REBOOT]   = { "rebooting: ", LINUX_REBOOT_CMD_RESTART },
		[EMERGENCY_POWEROFF] = { "switching off: ", LINUX_REBOOT_CMD_POWER_OFF },
		[EMERGENCY_HALT]     = { "standing still: ", LINUX_REBOOT_CMD_HALT },
	};

	say(console, ends[how].what, why);
	if (how == EMERGENCY_SHELL && emergency_shell(console, words))
		return;
	poll(NULL, 0, READ_MS);
	sync();
	syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, ends[how].how, NULL);
	syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_RESTART, NULL);
}
