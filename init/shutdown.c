/* Ending the machine: see shutdown.h. */
/* SPDX-License-Identifier: ISC */
#include "init/shutdown.h"
#include "init/base/mono.h"
#include "rootfs/machine.h"
#include <errno.h>
#include <linux/reboot.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define KILL_MS 2000

static const struct boot *console;

static void name_busy(const char *target, int code)
{
	boot_say(console, "unmount %s: %s; left read-only", target, strerror(code));
}

/* Every process but us. The services are gone; this is for what was never one (a shell on the console, orphans). */
static void kill_the_rest(void)
{
	int64_t end = mono_now().ms + KILL_MS;

	if (kill(-1, SIGKILL) < 0)
		return;		/* ESRCH: nobody left */
	while (mono_now().ms < end) {
		pid_t pid = waitpid(-1, NULL, WNOHANG);

		if (pid < 0 && errno == ECHILD)
			return;
		if (pid == 0)
			poll(NULL, 0, 5);	/* the last moments: nothing else is left to serve */
	}
}

void shutdown_machine(const struct boot *b, enum shutdown_kind kind)
{
	static const struct { unsigned how; const char *what; } ends[] = {
		[SHUTDOWN_NONE]     = { LINUX_REBOOT_CMD_RESTART,   "reboot" },
		[SHUTDOWN_POWEROFF] = { LINUX_REBOOT_CMD_POWER_OFF, "power off" },
		[SHUTDOWN_REBOOT]   = { LINUX_REBOOT_CMD_RESTART,   "reboot" },
		[SHUTDOWN_HALT]     = { LINUX_REBOOT_CMD_HALT,      "halt" },
		[SHUTDOWN_EXIT]     = { LINUX_REBOOT_CMD_POWER_OFF, "power off" },
	};

	console = b;
	kill_the_rest();
	boot_say(b, "unmounting");
	int left = machine_unmount_all(name_busy);

	boot_say(b, "%s%s", ends[kind].what, left ? " (some mounts stayed, read-only)" : "");
	sync();
	if (syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, ends[kind].how, NULL) < 0)
		boot_say(b, "%s: %s", ends[kind].what, strerror(errno));
}
