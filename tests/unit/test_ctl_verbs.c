/* Command lines: what is understood, what is refused, what PID 1 is asked. */
/* SPDX-License-Identifier: ISC */
/* link: -Wl,--wrap=ctl_ask,--wrap=ctl_ask_on,--wrap=ctl_connect,--wrap=reboot */
#include "init/ctl/ctl.h"
#include "init/ctl/verbs.h"
#include "tests/unit/ctl_sample.h"
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
/* after the four that it needs */
#include <cmocka.h>

static char out[32768];
static struct sample sample;

/* Nothing here may reach the kernel. */
int __wrap_reboot(int command);
static int rebooted;
int __wrap_reboot(int command)
{
	rebooted = command;
	errno = EPERM;
	return -1;
}

static int fresh(void **state)
{
	(void)state;
	asked = (struct asked){ .sample = &sample };
	rebooted = 0;
	return 0;
}

static int make(void **state)
{
	(void)state;
	ctl_sample_make(&sample);
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	ctl_sample_free(&sample);
	return 0;
}

#define SAYS(text) assert_non_null(strstr(out, text))

static void help_lists_every_verb_that_is_built_and_no_other(void **state)
{
	(void)state;
	assert_int_equal(CTL(out, "prior", "--help"), 0);
	for (const struct verb *v = ctl_verbs; v->name; v++) {
		char line[80];

		snprintf(line, sizeof line, "\n  %s ", v->name);
		if (v->group == GROUP_HIDDEN)
			assert_null(strstr(out, line));
		else
			assert_non_null(strstr(out, line));
	}
}

static void a_row_is_whole(void **state)
{
	(void)state;
	for (const struct verb *v = ctl_verbs; v->name; v++) {
		assert_ptr_equal(verb_find(v->name), v);	/* and occurs once */
		if (!verb_is_built(v)) {
			assert_int_equal(v->group, GROUP_HIDDEN);
			continue;
		}
		assert_false(v->run && v->raw);
		assert_in_range(strlen(v->summary), 10, 80);
		assert_true(v->max < 0 || v->max >= v->min);
		assert_true(v->raw || v->max == 0 || v->args);
	}
	for (enum ctl_opt o = 0; o < OPTS; o++)
		assert_true(ctl_opts[o].name && ctl_opts[o].summary);
}

/* -f and --force must not mean two things to one verb. */
static void no_verb_takes_two_options_of_one_letter(void **state)
{
	(void)state;
	for (const struct verb *v = ctl_verbs; v->name; v++)
		for (enum ctl_opt a = 0; a < OPTS; a++)
			for (enum ctl_opt b = 0; b < a; b++)
				if ((v->opts & OPT_BIT(a)) && (v->opts & OPT_BIT(b)) && ctl_opts[a].letter)
					assert_int_not_equal(ctl_opts[a].letter, ctl_opts[b].letter);
}

static void every_verb_explains_itself(void **state)
{
	(void)state;
	for (const struct verb *v = ctl_verbs; v->name; v++) {
		if (!v->run)
			continue;
		assert_int_equal(CTL(out, "prior", v->name, "--help"), 0);
		SAYS(v->summary);
		SAYS("exit code: ");
		for (enum ctl_opt o = 0; o < OPTS; o++)
			if (v->opts & OPT_BIT(o))
				SAYS(ctl_opts[o].summary);
	}
}

static void a_typing_error_is_met_with_the_nearest_verb(void **state)
{
	(void)state;
	assert_int_equal(CTL(out, "prior", "statsu"), USAGE);
	SAYS("there is no verb 'statsu' (did you mean 'status'?)");
	assert_int_equal(CTL(out, "prior", "status", "--jsno"), USAGE);
	SAYS("unknown option '--jsno' (did you mean --json?)");
	assert_int_equal(CTL(out, "prior", "stop", "wbe"), 0);	/* PID 1 knows the services, see below */
}

static void what_is_not_built_yet_says_so(void **state)
{
	(void)state;
	assert_int_equal(CTL(out, "prior", "learn", "web"), FAILED);
	assert_string_equal(out, "prior: learn: not built yet\n");
}

static void nothing_at_all_is_a_usage_error(void **state)
{
	(void)state;
	assert_int_equal(CTL(out, "prior"), USAGE);
	SAYS("usage: prior VERB");
	assert_int_equal(CTL(out, "prior", "--json", "status"), USAGE);
	SAYS("options stand after the verb");
}

static void parse(struct ctl *c, int want, const char *verb, const char *const *words)
{
	static char kept[8][64];
	static char *argv[9];
	struct err e = { 0 };
	int n = 0;

	for (; words[n]; n++) {
		snprintf(kept[n], sizeof kept[n], "%s", words[n]);
		argv[n] = kept[n];
	}
	argv[n] = NULL;
	assert_int_equal(verb_parse(c, verb_find(verb), n, argv, &e), want);
}
#define PARSE(c, want, verb, ...) parse(c, want, verb, (const char *const[]){ __VA_ARGS__, NULL })

static void options_are_taken_in_every_usual_form(void **state)
{
	struct ctl c;

	(void)state;
	PARSE(&c, 0, "logs", "web", "-fn20", "db", "--since=10m", "--run-dir", "/x");
	assert_int_equal(c.nargs, 2);
	assert_string_equal(c.args[0], "web");
	assert_string_equal(c.args[1], "db");
	assert_null(c.args[2]);
	assert_true(has(&c, OPT_FOLLOW));
	assert_string_equal(c.value[OPT_LINES], "20");
	assert_string_equal(c.value[OPT_SINCE], "10m");
	assert_string_equal(c.value[OPT_RUN_DIR], "/x");
	PARSE(&c, 0, "logs", "-n", "5", "--", "-f");
	assert_false(has(&c, OPT_FOLLOW));
	assert_string_equal(c.args[0], "-f");
}

static void half_an_option_is_refused(void **state)
{
	struct ctl c;

	(void)state;
	PARSE(&c, USAGE, "logs", "-n");
	PARSE(&c, USAGE, "logs", "--lines");
	PARSE(&c, USAGE, "logs", "--follow=yes");
	PARSE(&c, USAGE, "logs", "-fx");
	PARSE(&c, USAGE, "start", "--no-wait");
	PARSE(&c, USAGE, "why", "a", "b");
	PARSE(&c, USAGE, "version", "a");
}

static void starting_asks_for_each_service_in_turn(void **state)
{
	(void)state;
	assert_int_equal(CTL(out, "prior", "start", "db", "web", "--no-wait"), 0);
	assert_int_equal(asked.count, 2);
	assert_int_equal(asked.q.verb, CTL_START);
	assert_int_equal(asked.q.version, CTL_VERSION);
	assert_int_equal(asked.q.flags, CTL_F_NO_WAIT);
	assert_int_equal(asked.timeout_ms, -1);
	assert_string_equal(asked.q.service, "web");
	assert_string_equal(out, "");
}

static void a_time_limit_is_passed_on(void **state)
{
	(void)state;
	assert_int_equal(CTL(out, "prior", "stop", "--timeout=1m30s", "db"), 0);
	assert_int_equal(asked.timeout_ms, 90000);
	assert_int_equal(CTL(out, "prior", "wait", "--timeout", "500ms"), 0);
	assert_int_equal(asked.q.verb, CTL_SETTLED);
	assert_int_equal(asked.timeout_ms, 500);
	assert_int_equal(CTL(out, "prior", "stop", "--timeout=soon", "db"), USAGE);
}

static void what_pid_1_answers_is_printed_and_is_the_exit_code(void **state)
{
	(void)state;
	asked.reply = (struct ctl_reply){ .code = FAILED, .err = { EIO, "db: exited with code 3" } };
	assert_int_equal(CTL(out, "prior", "start", "db"), FAILED);
	assert_string_equal(out, "prior: start: db: exited with code 3\n");
}

static void an_unknown_service_is_met_with_the_nearest_one(void **state)
{
	(void)state;
	asked.reply = (struct ctl_reply){ .code = UNKNOWN, .err = { ENOENT, "no such service" } };
	assert_int_equal(CTL(out, "prior", "restart", "prxoy"), UNKNOWN);
	assert_string_equal(out, "prior: restart: there is no service 'prxoy' (did you mean 'proxy'?)\n");
	assert_int_equal(CTL(out, "prior", "logs", "prxoy"), UNKNOWN);
	assert_int_equal(CTL(out, "prior", "status", "prxoy"), UNKNOWN);
	assert_int_equal(CTL(out, "prior", "audit", "prxoy"), UNKNOWN);
	assert_int_equal(CTL(out, "prior", "why", "prxoy"), UNKNOWN);
	assert_string_equal(out, "prior: why: there is no service 'prxoy' (did you mean 'proxy'?)\n");
}

static void a_refused_service_is_not_unknown(void **state)
{
	(void)state;
	asked.reply = (struct ctl_reply){ .code = UNKNOWN, .err = { ENOENT, "no such service" } };
	assert_int_equal(CTL(out, "prior", "start", "mail"), FAILED);
	assert_string_equal(out, "prior: start: mail was refused: mail.yaml:3:5: user: there is no user 'postfix'\n");
}

static void a_name_that_is_too_long_is_no_service(void **state)
{
	char name[200];

	(void)state;
	memset(name, 'a', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	assert_int_equal(CTL(out, "prior", "start", name), UNKNOWN);
	assert_int_equal(asked.count, 0);
}

static void signals_have_names_and_numbers(void **state)
{
	(void)state;
	assert_int_equal(CTL(out, "prior", "signal", "web"), 0);
	assert_int_equal(asked.q.arg, SIGTERM);
	assert_int_equal(CTL(out, "prior", "signal", "HUP", "web"), 0);
	assert_int_equal(asked.q.arg, SIGHUP);
	assert_string_equal(asked.q.service, "web");
	assert_int_equal(CTL(out, "prior", "signal", "-s", "10", "web"), 0);
	assert_int_equal(asked.q.arg, 10);
	assert_int_equal(asked.q.verb, CTL_SIGNAL);
	asked.count = 0;
	assert_int_equal(CTL(out, "prior", "signal", "-s", "NONE", "web"), USAGE);
	assert_int_equal(CTL(out, "prior", "signal", "HUP"), USAGE);
	assert_int_equal(asked.count, 0);
}

static void without_a_prior_each_verb_says_so(void **state)
{
	(void)state;
	asked.error = ENOENT;
	assert_int_equal(CTL(out, "prior", "status"), UNKNOWN);
	assert_string_equal(out, "prior: status: /run/prior: no prior runs there\n");
	assert_int_equal(CTL(out, "prior", "audit", "--run-dir=/x"), UNKNOWN);
	assert_string_equal(out, "prior: audit: /x: no prior runs there\n");
	assert_int_equal(CTL(out, "prior", "why", "db"), UNKNOWN);
	assert_int_equal(CTL(out, "prior", "stop", "db"), FAILED);
	assert_int_equal(CTL(out, "prior", "reexec"), FAILED);
	assert_int_equal(CTL(out, "prior", "poweroff"), FAILED);
}

static void links_end_the_machine_as_their_names_say(void **state)
{
	static const struct {
		const char *words[5];
		int code;
		uint32_t verb;
		int seconds;
	} rows[] = {
		{ { "/sbin/poweroff" }, 0, CTL_POWEROFF, 0 },
		{ { "reboot" }, 0, CTL_REBOOT, 0 },
		{ { "/sbin/halt" }, 0, CTL_HALT, 0 },
		{ { "shutdown", "now" }, 0, CTL_POWEROFF, 0 },
		{ { "shutdown", "-h", "now" }, 0, CTL_POWEROFF, 0 },
		{ { "shutdown", "-P", "+0" }, 0, CTL_POWEROFF, 0 },
		{ { "/sbin/shutdown", "-r", "now" }, 0, CTL_REBOOT, 0 },
		{ { "shutdown", "-H", "now" }, 0, CTL_HALT, 0 },
		{ { "telinit", "0" }, 0, CTL_POWEROFF, 0 },
		{ { "init", "6" }, 0, CTL_REBOOT, 0 },
		{ { "telinit", "u" }, 0, CTL_REEXEC, 0 },
		{ { "shutdown", "-r" }, 0, CTL_REBOOT, 60 },
		{ { "shutdown", "-r", "+5" }, 0, CTL_REBOOT, 300 },
		{ { "shutdown", "+1", "bye" }, 0, CTL_POWEROFF, 60 },
		{ { "shutdown", "23:60" }, USAGE, 0, 0 },
		{ { "shutdown", "24:00" }, USAGE, 0, 0 },
		{ { "shutdown", "+5:00" }, USAGE, 0, 0 },
		{ { "shutdown", "+5m" }, USAGE, 0, 0 },
		{ { "shutdown", "tomorrow" }, USAGE, 0, 0 },
		{ { "shutdown", "-c" }, 0, CTL_CANCEL, 0 },
		{ { "prior", "soft-reboot" }, 0, CTL_SOFT_REBOOT, 0 },
		{ { "prior", "kexec", "--append", "quiet" }, USAGE, 0, 0 },
		{ { "prior", "kexec", "/nowhere/vmlinuz" }, FAILED, 0, 0 },
		{ { "shutdown", "-x", "now" }, USAGE, 0, 0 },
		{ { "telinit", "3" }, USAGE, 0, 0 },
		{ { "telinit" }, USAGE, 0, 0 },
		{ { "telinit", "q" }, FAILED, 0, 0 },	/* nobody is there to reload */
		{ { "poweroff", "-x" }, USAGE, 0, 0 },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		fresh(state);
		assert_int_equal(ctl_words(out, sizeof out, rows[i].words), rows[i].code);
		assert_int_equal(asked.count, rows[i].code == 0);
		if (rows[i].code == 0) {
			assert_int_equal(asked.q.verb, rows[i].verb);
			assert_int_equal(asked.q.arg, rows[i].seconds);
		} else
			assert_true(strlen(out) > 10);
	}
}

static void a_shutdown_by_the_clock_is_within_a_day(void **state)
{
	(void)state;
	assert_int_equal(CTL(out, "shutdown", "23:30"), 0);
	assert_true(asked.q.arg > 0 && asked.q.arg <= 25 * 3600);	/* 25: a night when clocks are put back */
}

static void reboot_passes_its_argument_on(void **state)
{
	(void)state;
	assert_int_equal(CTL(out, "reboot", "recovery"), 0);
	assert_int_equal(asked.q.verb, CTL_REBOOT);
	assert_string_equal(asked.q.service, "recovery");
}

static void what_cannot_be_loaded_is_named(void **state)
{
	(void)state;
	assert_int_equal(CTL(out, "prior", "kexec", "/nowhere/vmlinuz"), FAILED);
	SAYS("open the kernel /nowhere/vmlinuz: No such file or directory");
	assert_int_equal(CTL(out, "prior", "kexec", "--initrd=/x"), USAGE);
	SAYS("--initrd and --append are for the KERNEL that is to be loaded; name it");
}

static void force_asks_the_kernel_only(void **state)
{
	(void)state;
	assert_int_equal(CTL(out, "reboot", "-f"), FAILED);
	assert_int_equal(asked.count, 0);
	assert_int_equal(rebooted, 0x01234567);
	SAYS("the kernel would not do it: Operation not permitted");
}

static void since_is_a_time_ago_or_a_date(void **state)
{
	(void)state;
	assert_int_equal(CTL(out, "prior", "events", "--since", "yesterday"), USAGE);
	SAYS("--since yesterday: not a time");
	assert_int_equal(CTL(out, "prior", "logs", "--until", "soon"), USAGE);
	SAYS("--until soon: not a time");
	assert_int_equal(CTL(out, "prior", "logs", "-f", "--until", "10m"), USAGE);
	SAYS("--until and --follow: what comes is always later");
	assert_int_equal(CTL(out, "prior", "logs", "--grep", "a("), USAGE);
	SAYS("--grep a(: ");
	assert_int_equal(CTL(out, "prior", "logs", "-p", "bad"), USAGE);
	SAYS("--level bad: not one of emerg, alert");
	assert_int_equal(CTL(out, "prior", "events", "-n", "-1"), USAGE);
	assert_int_equal(CTL(out, "prior", "events", "-n", "many"), USAGE);
}

#define T(f) cmocka_unit_test_setup(f, fresh)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(help_lists_every_verb_that_is_built_and_no_other),
		T(a_row_is_whole),
		T(no_verb_takes_two_options_of_one_letter),
		T(every_verb_explains_itself),
		T(a_typing_error_is_met_with_the_nearest_verb),
		T(what_is_not_built_yet_says_so),
		T(nothing_at_all_is_a_usage_error),
		T(options_are_taken_in_every_usual_form),
		T(half_an_option_is_refused),
		T(starting_asks_for_each_service_in_turn),
		T(a_time_limit_is_passed_on),
		T(what_pid_1_answers_is_printed_and_is_the_exit_code),
		T(an_unknown_service_is_met_with_the_nearest_one),
		T(a_refused_service_is_not_unknown),
		T(a_name_that_is_too_long_is_no_service),
		T(signals_have_names_and_numbers),
		T(without_a_prior_each_verb_says_so),
		T(links_end_the_machine_as_their_names_say),
		T(a_shutdown_by_the_clock_is_within_a_day),
		T(reboot_passes_its_argument_on),
		T(what_cannot_be_loaded_is_named),
		T(force_asks_the_kernel_only),
		T(since_is_a_time_ago_or_a_date),
	};

	return cmocka_run_group_tests_name("ctl_verbs", tests, make, unmake);
}
