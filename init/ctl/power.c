/* Ending the machine: the three verbs, and the command lines of shutdown, telinit and init. */
/* SPDX-License-Identifier: ISC */
#include "init/ctl/request.h"
#include "services/supervise/control.h"
#include <linux/reboot.h>
#include <string.h>
#include <sys/reboot.h>
#include <unistd.h>

static int end(struct ctl *c, uint32_t verb, unsigned command)
{
	struct err e;

	if (!has(c, OPT_FORCE))
		return request(c, verb, NULL, 0, REQUEST_MS);
	sync();
	reboot((int)command);
	err_sys(&e, "the kernel would not do it");
	return ctl_fail(c, FAILED, &e);
}

int verb_poweroff(struct ctl *c)
{
	return end(c, CTL_POWEROFF, LINUX_REBOOT_CMD_POWER_OFF);
}

int verb_reboot(struct ctl *c)
{
	return end(c, CTL_REBOOT, LINUX_REBOOT_CMD_RESTART);
}

int verb_halt(struct ctl *c)
{
	return end(c, CTL_HALT, LINUX_REBOOT_CMD_HALT);
}

/* Run a verb without options. */
static int as_verb(const char *verb)
{
	char *argv[] = { (char *)verb, NULL };

	return verb_dispatch(verb, 1, argv);
}

/* What one letter or one word of these command lines comes to. */
struct meaning {
	const char *word;
	const char *verb;	/* NULL: refused, and */
	const char *why;	/* why */
};

static const struct meaning *meaning(const struct meaning *rows, const char *word)
{
	while (rows->word && strcmp(rows->word, word))
		rows++;
	return rows->word ? rows : NULL;
}

static int refuse(const char *who, const char *word, const char *why)
{
	if (*word)
		fprintf(stderr, "%s: '%s': %s\n", who, word, why);
	else
		fprintf(stderr, "%s: %s\n", who, why);
	return USAGE;
}

static const char shutdown_usage[] =
	"usage: shutdown [-h | -P | -r | -H] now\n\n"
	"  -h, -P, --poweroff  stop everything in order and switch off (also without an option)\n"
	"  -r, --reboot        and boot again\n"
	"  -H, --halt          and stand still\n";

int link_shutdown(int argc, char **argv)
{
	static const char no_later[] = "a later time is not possible, only `now`";
	static const struct meaning rows[] = {
		{ "-h", "poweroff", NULL }, { "-P", "poweroff", NULL }, { "--poweroff", "poweroff", NULL },
		{ "-r", "reboot", NULL }, { "--reboot", "reboot", NULL },
		{ "-H", "halt", NULL }, { "--halt", "halt", NULL },
		{ "-c", NULL, "nothing is planned: only `now` is possible" },
		{ "-k", NULL, "messages to users are not sent here" },
		{ NULL, NULL, NULL },
	};
	const char *verb = "poweroff";
	bool now = false;

	for (int i = 1; i < argc; i++) {
		const struct meaning *m = meaning(rows, argv[i]);

		if (!strcmp(argv[i], "--help"))
			return fputs(shutdown_usage, stdout), DONE;
		if (m && m->verb)
			verb = m->verb;
		else if (m || argv[i][0] == '-')
			return refuse("shutdown", argv[i], m ? m->why : "unknown option; see shutdown --help");
		else if (now)
			return refuse("shutdown", argv[i], "messages to users are not sent here");
		else if (strcmp(argv[i], "now") && strcmp(argv[i], "+0") && strcmp(argv[i], "0"))
			return refuse("shutdown", argv[i], no_later);
		else
			now = true;
	}
	if (!now)
		return refuse("shutdown", "", "say when; only `now` is possible");
	return as_verb(verb);
}

/* halt, poweroff and reboot, as sysvinit and systemd know them; the verbs' own options are taken, too. */
int link_power(int argc, char **argv)
{
	static const struct meaning rows[] = {
		{ "-p", "poweroff", NULL }, { "--poweroff", "poweroff", NULL },
		{ "--halt", "halt", NULL }, { "--reboot", "reboot", NULL },
		{ "-w", NULL, "there is no wtmp to write to" }, { "--wtmp-only", NULL, "there is no wtmp to write to" },
		{ NULL, NULL, NULL },
	};
	/* Said by default (now), or what is always so: nothing here writes wtmp, everybody is told on the console. */
	static const char *const idle[] = { "now", "-d", "--no-wtmp", "--no-wall", NULL };
	const char *slash = strrchr(argv[0], '/'), *verb = slash ? slash + 1 : argv[0];
	char *words[8] = { (char *)verb };
	int n = 1;

	for (int i = 1; i < argc; i++) {
		const struct meaning *m = meaning(rows, argv[i]);
		const char *const *skip = idle;

		while (*skip && strcmp(*skip, argv[i]))
			skip++;
		if (m && !m->verb)
			return refuse(verb, argv[i], m->why);
		if (m)
			words[0] = (char *)m->verb;
		else if (!*skip && n == 7)
			return refuse(verb, argv[i], "too many words");
		else if (!*skip)
			words[n++] = argv[i];
	}
	return verb_dispatch(words[0], n, words);
}

int link_telinit(int argc, char **argv)
{
	static const struct meaning rows[] = {
		{ "0", "poweroff", NULL },
		{ "6", "reboot", NULL },
		{ "u", "reexec", NULL }, { "U", "reexec", NULL },
		{ "q", "reload-config", NULL }, { "Q", "reload-config", NULL },
		{ NULL, NULL, NULL },
	};
	const struct meaning *m = argc == 2 ? meaning(rows, argv[1]) : NULL;

	if (m)
		return as_verb(m->verb);
	fputs("usage: telinit 0 (poweroff) | 6 (reboot) | u (execute PID 1 anew)\n"
	      "Other runlevels do not exist here: services are started and stopped by name, see prior(8).\n", stderr);
	return USAGE;
}
