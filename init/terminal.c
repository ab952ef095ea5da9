/* The console of the configuration, its shell, and a machine that is started for one person alone. See stages.h. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "init/base/text.h"
#include "init/base/cmdline.h"
#include "init/emergency.h"
#include "init/stages.h"
#include <fcntl.h>
#include <string.h>
#include <termios.h>

/* The words for emergency_shell(), which outlive the plan that they are from. */
static void keep_shell(struct boot *b)
{
	const struct plan *p = &b->plan;
	size_t n = 0;

	PLAN_EACH(struct plan_ref, w, p, p->head->console_shell) {
		const char *word = plan_str(p, *w);

		if (n + strlen(word) + 2 > sizeof b->emergency.shell) {
			boot_say(b, "machine.console.shell: longer than %zu bytes; there is none",
				 sizeof b->emergency.shell - 2);
			n = 0;
			break;
		}
		memcpy(b->emergency.shell + n, word, strlen(word) + 1);
		n += strlen(word) + 1;
	}
	b->emergency.shell[n] = '\0';
}

/* Of machine.console.baud; the rows take no others. */
static int set_rate(int fd, uint32_t baud, struct err *e)
{
	static const struct { uint32_t baud; speed_t is; } rates[] = {
		{ 9600, B9600 }, { 19200, B19200 }, { 38400, B38400 }, { 57600, B57600 }, { 115200, B115200 },
		{ 230400, B230400 }, { 460800, B460800 }, { 921600, B921600 }, { 1000000, B1000000 },
		{ 1500000, B1500000 },
	};
	struct termios t;

	for (unsigned i = 0; i < sizeof rates / sizeof *rates; i++) {
		if (rates[i].baud != baud)
			continue;
		if (tcgetattr(fd, &t) < 0)
			return err_sys(e, "machine.console.baud: the console is no serial line");
		cfsetispeed(&t, rates[i].is);
		cfsetospeed(&t, rates[i].is);
		if (tcsetattr(fd, TCSANOW, &t) < 0)
			return err_sys(e, "machine.console.baud: %u", baud);
	}
	return 0;
}

int stage_terminal(struct boot *b, struct err *e)
{
	const char *name = plan_str(&b->plan, b->plan.head->console);
	static const char *const words[] = { "shell", "reboot", "poweroff", "halt" };
	const struct plan_head *h = b->plan.head;
	char path[270], word[16];
	struct text t = TEXT_IN(path);

	b->emergency.how = h->emergency;
	b->emergency.then = h->brake_then;
	b->emergency.reboots = h->brake_reboots;
	b->emergency.within_ms = h->brake_within_ms;
	text_copy(b->emergency.record, sizeof b->emergency.record, plan_str(&b->plan, h->last_boot));
	for (unsigned i = 0; cmdline_value("prior.emergency", word, sizeof word) && i < 4; i++)
		if (!strcmp(word, words[i]))
			b->emergency.how = i;
	keep_shell(b);
	if (!*name)
		return set_rate(b->console_fd, h->console_baud, e);
	text_fmt(&t, "/dev/%s", name);
	owned_fd fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, "open the console %s; going on with the kernel's", path);
	for (int i = 0; i < 3; i++)
		if (dup2(fd, i) < 0)
			return err_sys(e, "give %s to descriptor %d", path, i);
	fd_put(&b->console_fd, fcntl(fd, F_DUPFD_CLOEXEC, 3));
	return set_rate(b->console_fd, h->console_baud, e);
}

/* `single` and its other names: a shell before the first service; when it ends, boot goes on. */
int stage_rescue(struct boot *b, struct err *e)
{
	static const char *const words[] = { "single", "rescue", "emergency", "s", "S", "1" };
	bool wanted = false;

	for (unsigned i = 0; i < sizeof words / sizeof *words; i++)
		wanted |= cmdline_word(words[i]);
	if (!wanted || b->again)
		return 0;
	boot_say(b, "a shell, as the command line asks; when it ends, the services are started");
	if (!emergency_shell(b->console_fd, b->emergency.shell))
		return err_set(e, ENOENT, "machine.console.shell names none that can be run; going on without");
	return 0;
}
