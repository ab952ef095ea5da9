/* One command line against one row. */
/* SPDX-License-Identifier: ISC */
#include "init/conf/value.h"
#include "init/ctl/verbs.h"
#include <errno.h>
#include <string.h>

static bool takes(const struct verb *v, enum ctl_opt o)
{
	return o == OPT_HELP || (v->opts & OPT_BIT(o));
}

static int lacks(struct err *e, const char *word)
{
	err_set(e, EINVAL, "an argument is missing after '%s'", word);
	return 0;
}

static int wrong(const struct verb *v, struct err *e, const char *what, const char *word)
{
	const char *names[OPTS + 1];
	unsigned n = 0;

	for (enum ctl_opt o = 0; o < OPTS; o++)
		if (takes(v, o))
			names[n++] = ctl_opts[o].name;
	names[n] = NULL;
	const char *near = word[0] == '-' && word[1] == '-' ? value_nearest(word + 2, names) : NULL;

	err_set(e, EINVAL, "%s '%s'%s%s%s", what, word, near ? " (did you mean --" : "", near ? near : "",
		near ? "?)" : "");
	return USAGE;
}

/* --name, --name=value, --name value. Returns how many words were used, 0 when it is wrong. */
static int take_long(struct ctl *c, const struct verb *v, char *const *word, struct err *e)
{
	const char *name = word[0] + 2, *eq = strchr(name, '=');
	size_t n = eq ? (size_t)(eq - name) : strlen(name);

	for (enum ctl_opt o = 0; o < OPTS; o++) {
		const struct opt *row = &ctl_opts[o];

		if (!takes(v, o) || strlen(row->name) != n || strncmp(row->name, name, n))
			continue;
		if (eq && !row->arg)
			return wrong(v, e, "an option that takes no argument was given one:", word[0]), 0;
		if (!eq && row->arg && !word[1])
			return lacks(e, word[0]);
		c->value[o] = !row->arg ? "" : eq ? eq + 1 : word[1];
		return row->arg && !eq ? 2 : 1;
	}
	return wrong(v, e, "unknown option", word[0]), 0;
}

/* -f, -n 5, -n5, -fn 5. */
static int take_short(struct ctl *c, const struct verb *v, char *const *word, struct err *e)
{
	for (const char *l = word[0] + 1; *l; l++) {
		enum ctl_opt o = 0;

		while (o < OPTS && !(takes(v, o) && ctl_opts[o].letter == *l))
			o++;
		if (o == OPTS)
			return wrong(v, e, "unknown option", word[0]), 0;
		if (!ctl_opts[o].arg) {
			c->value[o] = "";
			continue;
		}
		c->value[o] = l[1] ? l + 1 : word[1];
		if (!c->value[o])
			return lacks(e, word[0]);
		return l[1] ? 1 : 2;
	}
	return 1;
}

/* Operands are moved to the front of argv, which c->args then points into. */
int verb_parse(struct ctl *c, const struct verb *v, int argc, char **argv, struct err *e)
{
	int n = 0;
	bool only_operands = false;

	*c = (struct ctl){ .verb = v };
	for (int i = 0; i < argc;) {
		char *word = argv[i];
		int used = 1;

		if (only_operands || word[0] != '-' || word[1] == '\0')
			argv[n++] = word;
		else if (strcmp(word, "--") == 0)
			only_operands = true;
		else if (word[1] == '-')
			used = take_long(c, v, argv + i, e);
		else
			used = take_short(c, v, argv + i, e);
		if (used == 0)
			return USAGE;
		i += used;
	}
	argv[n] = NULL;
	c->args = (const char **)argv;
	c->nargs = n;
	if (has(c, OPT_HELP))
		return 0;
	if (n < v->min)
		return err_set(e, EINVAL, "too few arguments; it takes: %s", v->args), USAGE;
	if (v->max >= 0 && n > v->max)
		return wrong(v, e, v->max ? "one argument too many:" : "takes no arguments, and got", argv[v->max]);
	return 0;
}
