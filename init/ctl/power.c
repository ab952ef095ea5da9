/* Ending the machine: the verbs, and the command lines of shutdown, telinit and init. */
/* SPDX-License-Identifier: ISC */
#include "init/base/text.h"
#include "init/ctl/request.h"
#include "services/supervise/control.h"
#include <linux/reboot.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int power_end(struct ctl *c, uint32_t verb, unsigned command)
{
	const char *arg = c->nargs > 0 ? c->args[0] : NULL;
	struct err e;

	if (!has(c, OPT_FORCE))
		return request(c, verb, arg, 0, REQUEST_MS);
	sync();
	if (arg)
		syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_RESTART2, arg);
	else
		reboot((int)command);
	err_sys(&e, "the kernel would not do it");
	return ctl_fail(c, FAILED, &e);
}

int verb_poweroff(struct ctl *c)
{
	return power_end(c, CTL_POWEROFF, LINUX_REBOOT_CMD_POWER_OFF);
}

int verb_reboot(struct ctl *c)
{
	return power_end(c, CTL_REBOOT, LINUX_REBOOT_CMD_RESTART);
}

int verb_halt(struct ctl *c)
{
	return power_end(c, CTL_HALT, LINUX_REBOOT_CMD_HALT);
}

int verb_soft_reboot(struct ctl *c)
{
	return request(c, CTL_SOFT_REBOOT, NULL, 0, REQUEST_MS);
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
	"usage: shutdown [-h | -P | -r | -H] [TIME [MESSAGE...]]\n"
	"       shutdown -c [MESSAGE...]\n\n"
	"  -h, -P, --poweroff  stop everything in order and switch off (also without an option)\n"
	"  -r, --reboot        and boot again\n"
	"  -H, --halt          and stand still\n"
	"  -c                  cancel what was to happen later\n\n"
	"TIME is now, +MINUTES or HH:MM (local time); without it, +1. MESSAGE is shown on the console.\n";

#define LONGEST_MINUTES (60 * 24 * 365)

/* Seconds from now; -1: not a time. */
static int seconds_until(const char *word)
{
	const char *digits = word + (*word == '+');
	char *end, *minutes_end;
	long n = strtol(digits, &end, 10);

	if (!strcmp(word, "now"))
		return 0;
	if (*digits < '0' || *digits > '9' || n > LONGEST_MINUTES)
		return -1;
	if (!*end)
		return (int)n * 60;
	long minutes = *end == ':' && end[1] >= '0' && end[1] <= '9' ? strtol(end + 1, &minutes_end, 10) : -1;

	if (minutes < 0 || minutes > 59 || n > 23 || *minutes_end || *word == '+')
		return -1;
	time_t now = time(NULL);
	struct tm t;

	localtime_r(&now, &t);
	t.tm_hour = (int)n;
	t.tm_min = (int)minutes;
	t.tm_sec = 0;
	t.tm_isdst = -1;
	if (mktime(&t) <= now)
		t.tm_mday++;	/* tomorrow */
	time_t then = mktime(&t);

	return then > now ? (int)(then - now) : -1;
}

/* To who looks at the console; users' terminals are nobody's to write to. */
static void show_message(char **words, int n)
{
	FILE *to = n > 0 ? fopen("/dev/console", "we") : NULL;

	for (int i = 0; to && i < n; i++) {
		text_tame(words[i]);
		fprintf(to, "%s%s%s", i ? " " : "shutdown: ", words[i], i == n - 1 ? "\n" : "");
	}
	if (to)
		fclose(to);
}

static int ask(uint32_t what, int seconds)
{
	static const struct verb row = { .name = "shutdown" };
	const struct ctl c = { .verb = &row };

	return request(&c, what, NULL, seconds, REQUEST_MS);
}

struct wish {
	uint32_t what;		/* enum ctl_verb */
	int seconds, words;	/* how many of the words were options and time */
};

static int parse_shutdown(struct wish *w, int argc, char **argv)
{
	static const struct {
		const char *word;
		uint32_t what;
	} rows[] = {
		{ "-h", CTL_POWEROFF }, { "-P", CTL_POWEROFF }, { "--poweroff", CTL_POWEROFF },
		{ "-r", CTL_REBOOT }, { "--reboot", CTL_REBOOT }, { "-H", CTL_HALT }, { "--halt", CTL_HALT },
		{ "-c", CTL_CANCEL },
	};
	int i = 1;

	for (; i < argc && argv[i][0] == '-'; i++) {
		size_t n = 0;

		while (n < sizeof rows / sizeof *rows && strcmp(rows[n].word, argv[i]))
			n++;
		if (n < sizeof rows / sizeof *rows)
			w->what = rows[n].what;
		else if (strcmp(argv[i], "--no-wall"))
			return refuse("shutdown", argv[i], "unknown option; see shutdown --help");
	}
	if (i < argc && w->what != CTL_CANCEL) {
		w->seconds = seconds_until(argv[i]);
		if (w->seconds < 0)
			return refuse("shutdown", argv[i], "not a time such as now, +5 or 23:30");
		i++;
	}
	w->words = i;
	return DONE;
}

int link_shutdown(int argc, char **argv)
{
	struct wish w = { .what = CTL_POWEROFF, .seconds = 60 };

	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], "--help"))
			return fputs(shutdown_usage, stdout), DONE;
	int code = parse_shutdown(&w, argc, argv);

	if (code == DONE)
		code = ask(w.what, w.what == CTL_CANCEL ? 0 : w.seconds);
	if (code == DONE)
		show_message(argv + w.words, argc - w.words);
	return code;
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
