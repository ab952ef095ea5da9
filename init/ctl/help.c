/* Help, printed from the rows. */
/* SPDX-License-Identifier: ISC */
#include "init/base/version.h"
#include "init/ctl/ctl.h"
#include "init/ctl/verbs.h"
#include <string.h>
#include <sys/utsname.h>

/* " ARGS", or nothing: two arguments for "%s%s". */
#define AFTER(text) (text) ? " " : "", (text) ? (text) : ""

void help_all(FILE *to)
{
	fputs("usage: prior VERB [OPTIONS] [ARGUMENTS]\n"
	      "       prior PATH                a configuration: the same as `prior up -c PATH`\n", to);
	for (enum verb_group g = 0; g < GROUP_HIDDEN; g++) {
		fprintf(to, "\n%s\n", group_titles[g]);
		for (const struct verb *v = ctl_verbs; v->name; v++) {
			if (v->group != g)
				continue;
			int n = fprintf(to, "  %s%s%s", v->name, AFTER(v->args));

			fprintf(to, "%*s%s\n", n < 30 ? 30 - n : 2, "", v->summary);
		}
	}
	fputs("\n`prior VERB --help` says more; so do prior(8) and prior.yaml(5).\n", to);
}

/* Text broken into lines of at most 80 columns. */
static void put_wrapped(const char *text, FILE *to)
{
	while (*text) {
		size_t n = strlen(text);

		if (n > 80)
			for (n = 80; n > 0 && text[n] != ' '; n--)
				;
		fprintf(to, "%.*s\n", (int)n, text);
		text += n;
		text += *text == ' ';
	}
}

void help_verb(const struct verb *v, FILE *to)
{
	fprintf(to, "usage: prior %s%s%s%s\n\n", v->name, v->opts ? " [OPTIONS]" : "", AFTER(v->args));
	put_wrapped(v->summary, to);
	if (v->more)
		put_wrapped(v->more, to);
	fputs("\n", to);
	for (enum ctl_opt o = 0; o < OPTS; o++) {
		const struct opt *row = &ctl_opts[o];
		int n = 0;

		if (o != OPT_HELP && !(v->opts & OPT_BIT(o)))
			continue;
		if (row->letter)
			n = fprintf(to, "  -%c, --%s%s%s", row->letter, row->name, AFTER(row->arg));
		else
			n = fprintf(to, "      --%s%s%s", row->name, AFTER(row->arg));
		fprintf(to, "%*s%s\n", n < 24 ? 24 - n : 2, "", row->summary);
	}
	fprintf(to, "\nexit code: %s\n", v->exits ? v->exits : "0 done, 1 failed");
}

int verb_help(struct ctl *c)
{
	if (c->nargs == 0)
		return help_all(stdout), DONE;
	const struct verb *v = verb_find(c->args[0]);

	if (!v || !verb_is_built(v))
		return ctl_say(c, USAGE, "there is no verb '%s'", c->args[0]);
	if (v->raw)
		return v->raw(2, (char *[]){ (char *)v->name, (char[]){ "--help" }, NULL });
	help_verb(v, stdout);
	return DONE;
}

int verb_version(struct ctl *c)
{
	struct utsname u;

	(void)c;
	printf("prior " PRIOR_VERSION " (%s, %s)\n", uname(&u) == 0 ? u.machine : "unknown machine",
#ifdef __GLIBC__
	       "glibc"
#else
	       "musl"
#endif
	);
	return DONE;
}
