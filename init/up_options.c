/* The command line of `prior up`: see up_options.h. */
/* SPDX-License-Identifier: ISC */
#include "init/up_options.h"
#include "init/rootless.h"
#include "services/plan/listen.h"
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const struct option {
	const char *name;
	const char *takes;	/* the name of its value, which goes to a const char *; NULL: a bool is set */
	size_t at;			/* in struct up_options */
	const char *help[2];		/* the second: its second line */
} options[] = {
#define AT(f) .at = offsetof(struct up_options, f)
	{ "-c", "PATH", AT(config), { "configuration: a directory, a YAML file or a compiled plan",
				      "(else $PRIOR_CONFIG, else /etc/prior/)" } },
	{ "--trust", "KEY", AT(trust), { "the configuration must be signed by this key: its file, or the key itself",
					 "(else $PRIOR_TRUST)" } },
	{ "--sys", NULL, AT(sys), { "only as root, as systemg's users write it: an ordinary user is refused" } },
	{ "--run-dir", "DIR", AT(run_dir), { "control socket and rings (else /run/prior, or $XDG_RUNTIME_DIR/prior "
					     "as an ordinary user)" } },
	{ "--log-dir", "DIR", AT(log_dir), { "log files where writable (else /var/log/prior, or an ordinary user's",
					     "~/.local/state/prior); \"\" keeps rings only" } },
	{ "--drop-privileges", NULL, AT(drop), { "services that name no user get the ids of who invoked us (SUDO_UID), "
						 "or their own" } },
	{ "--no-userns", NULL, AT(no_userns), { "as an ordinary user: no user namespace for prior itself, so no "
						"namespaces for services" } },
	{ "--state-dir", "DIR", AT(state_dir), { "where `prior enable` and `prior disable` keep what they are told",
						 "(else, as PID 1, /var/lib/prior; else nowhere)" } },
	{ "--metrics", "ADDRESS", AT(metrics), { "HTTP at ADDRESS:PORT: /livez, /readyz, /healthz, /metrics (else "
						 "machine.metrics)" } },
	{ "--json-logs", NULL, AT(json), { "services' lines and events as JSON" } },
	{ "-h", NULL, AT(help), { NULL } },
	{ "--help", NULL, AT(help), { NULL } },
#undef AT
};

void up_options_usage(void)
{
	fputs("Usage: prior up [-c PATH] [OPTIONS] [-- COMMAND [ARG...]]\n"
	      "Supervises a configuration in the foreground: PID 1 of a container, or a subreaper anywhere.\n\n",
	      stdout);
	for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
		const struct option *o = &options[i];

		if (!o->help[0])
			continue;	/* told at the end */
		const int n = printf("  %s%s%s", o->name, o->takes ? " " : "", o->takes ? o->takes : "");

		printf("%*s%s\n", n < 18 ? 19 - n : 2, "", o->help[0]);
		if (o->help[1])
			printf("%*s%s\n", 19, "", o->help[1]);
	}
	fputs("  -- COMMAND       one service more, `main`, with our environment: its end is the end, its code ours\n"
	      "  -h, --help       this text\n", stdout);
}

/* The option that a word is; *value: what follows its =, NULL when there is none. */
static const struct option *find(const char *word, const char **value)
{
	const size_t n = word[0] == '-' && word[1] == '-' ? strcspn(word, "=") : strlen(word);

	*value = word[n] ? word + n + 1 : NULL;
	for (size_t i = 0; i < sizeof options / sizeof *options; i++)
		if (strlen(options[i].name) == n && !memcmp(options[i].name, word, n))
			return &options[i];
	return NULL;
}

static int judge(struct up_options *u, struct err *e)
{
	if (u->sys && rootless_uid() != 0)
		return err_set(e, EPERM, "up: --sys: the system mode is root's; without it this is the user mode, with "
			       "what an ordinary user may do");
	const char *why = u->metrics ? parse_inet(u->metrics, &u->metrics_addr, &u->metrics_port) : NULL;

	return why ? err_set(e, EINVAL, "up: --metrics %s: %s", u->metrics, why) : 0;
}

int up_options_parse(struct up_options *u, int argc, char **argv, struct err *e)
{
	for (int i = 1; i < argc && !u->help; i++) {
		const char *value;
		const struct option *o = find(argv[i], &value);

		if (!strcmp(argv[i], "--")) {
			u->command = argv + i + 1;
			if (i + 1 == argc)
				return err_set(e, EINVAL, "up: no command after --");
			break;
		}
		if (!o && argv[i][0] != '-' && !u->config) {
			u->config = argv[i];
		} else if (!o) {
			return err_set(e, EINVAL, "up: unknown argument %s", argv[i]);
		} else if (!o->takes && value) {
			return err_set(e, EINVAL, "up: %s takes no value", o->name);
		} else if (!o->takes) {
			*(bool *)((char *)u + o->at) = true;
		} else {
			if (!value && ++i == argc)
				return err_set(e, EINVAL, "up: %s: its value is missing", o->name);
			*(const char **)((char *)u + o->at) = value ? value : argv[i];
		}
	}
	return u->help ? 0 : judge(u, e);
}
