/* Where the control tool begins: which verb, or which name we were called by. */
/* SPDX-License-Identifier: ISC */
#include "init/ctl/ctl.h"
#include "init/ctl/verbs.h"
#include <errno.h>
#include <stdarg.h>
#include <string.h>

/* Names that people and scripts expect, as links to prior. */
static const struct link {
	const char *name;
	const char *verb;			/* the same as this verb, or */
	int (*run)(int argc, char **argv);	/* with a command line of its own */
} links[] = {
	{ "poweroff", NULL, link_power },
	{ "reboot", NULL, link_power },
	{ "halt", NULL, link_power },
	{ "shutdown", NULL, link_shutdown },
	{ "telinit", NULL, link_telinit },
	{ "init", NULL, link_telinit },
};

static const struct link *find_link(const char *argv0)
{
	const char *slash = strrchr(argv0, '/');
	const char *name = slash ? slash + 1 : argv0;

	for (size_t i = 0; i < sizeof links / sizeof *links; i++)
		if (strcmp(links[i].name, name) == 0)
			return &links[i];
	return NULL;
}

int ctl_say(const struct ctl *c, int code, const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	fprintf(stderr, "prior: %s: ", c->verb->name);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return code;
}

int ctl_fail(const struct ctl *c, int code, const struct err *e)
{
	return ctl_say(c, code, "%s", e->text);
}

/* A full disk or a closed pipe must not look like success. */
static int finish(int code)
{
	bool lost = fflush(stdout) != 0 || ferror(stdout);

	if (lost && code == DONE) {
		fprintf(stderr, "prior: while writing the output: %s\n", strerror(errno));
		return FAILED;
	}
	return code;
}

int verb_dispatch(const char *name, int argc, char **argv)
{
	const struct verb *v = verb_find(name);
	struct ctl c;
	struct err e;

	if (!v) {
		const char *near = verb_nearest(name);

		fprintf(stderr, "prior: there is no verb '%s'%s%s%s; `prior --help` lists them\n", name,
			near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "");
		return USAGE;
	}
	if (!verb_is_built(v)) {
		fprintf(stderr, "prior: %s: not built yet\n", v->name);
		return FAILED;
	}
	if (v->raw)
		return v->raw(argc, argv);
	int code = verb_parse(&c, v, argc - 1, argv + 1, &e);

	if (code) {
		ctl_fail(&c, code, &e);
		fprintf(stderr, "`prior %s --help` says what it takes\n", v->name);
		return code;
	}
	if (has(&c, OPT_HELP))
		return help_verb(v, stdout), finish(DONE);
	return finish(v->run(&c));
}

int ctl_main(int argc, char **argv)
{
	const struct link *l = argc > 0 ? find_link(argv[0]) : NULL;

	if (l && l->verb)
		return verb_dispatch(l->verb, argc, argv);
	if (l)
		return finish(l->run(argc, argv));
	if (argc < 2)
		return help_all(stderr), USAGE;
	const char *verb = argv[1];

	if (strcmp(verb, "--help") == 0 || strcmp(verb, "-h") == 0)
		verb = "help";
	else if (strcmp(verb, "--version") == 0 || strcmp(verb, "-V") == 0)
		verb = "version";
	if (verb[0] == '-') {
		fprintf(stderr, "prior: '%s': options stand after the verb; `prior --help` lists the verbs\n", verb);
		return USAGE;
	}
	return verb_dispatch(verb, argc - 1, argv + 1);
}
