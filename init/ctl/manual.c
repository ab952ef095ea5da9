/* The generated parts of the manual, as mdoc: `prior docs PART`. */
/* SPDX-License-Identifier: ISC */
#include "init/boot.h"
#include "init/ctl/verbs.h"
#include "init/signals.h"
#include "services/cell/cell.h"
#include "services/spec/spec.h"
#include "services/supervise/fsm.h"
#include <string.h>

/* Text of ours as mdoc text: what roff would take for its own is protected, and each sentence has its line. */
static void put_roff(const char *s, FILE *to)
{
	for (bool start = true; *s; s++) {
		if (start && (*s == '.' || *s == '\''))
			fputs("\\&", to);
		start = *s == ' ' && s[-1] == '.' && s[1] >= 'A' && s[1] <= 'Z';
		if (start)
			fputc('\n', to);
		else if (*s == '\\')
			fputs("\\e", to);
		else if (*s == '-')
			fputs("\\-", to);
		else
			fputc(*s, to);
	}
	fputc('\n', to);
}

/* "[SIGNAL] SERVICE..." as mdoc spells it: each word by itself, so that a bracket ends where ours does. */
static void put_operands(const char *args, FILE *to)
{
	while (args && *args) {
		bool optional = *args == '[';
		size_t n = strcspn(args += optional, "]. ");
		bool many = args[n] == '.';

		fprintf(to, " %sAr %.*s%s%s", optional ? "Oo " : "", (int)n, args, many ? " ..." : "",
			optional ? " Oc" : "");
		args += n;
		args += strspn(args, "]. ");
	}
}

static void manual_options(const struct verb *v, FILE *to)
{
	fputs(".Bl -tag -width Ds -compact\n", to);
	for (enum ctl_opt o = 0; o < OPTS; o++) {
		const struct opt *row = &ctl_opts[o];

		if (!(v->opts & OPT_BIT(o)))
			continue;
		fputs(".It ", to);
		if (row->letter)
			fprintf(to, "Fl %c , ", row->letter);
		fprintf(to, "Fl \\-%s%s%s\n", row->name, row->arg ? " Ar " : "", row->arg ? row->arg : "");
		put_roff(row->summary, to);
	}
	fputs(".El\n", to);
}

static void manual_verb(const struct verb *v, FILE *to)
{
	fprintf(to, ".It Cm %s", v->name);
	put_operands(v->args, to);
	fputc('\n', to);
	put_roff(v->summary, to);
	if (v->more)
		put_roff(v->more, to);
	if (v->opts)
		manual_options(v, to);
	if (v->exits) {
		fputs(".br\nExit code: ", to);
		put_roff(v->exits, to);
	}
}

static void verbs(FILE *to)
{
	/* Verbs that read their own command line are described by hand. */
	for (enum verb_group g = GROUP_CONFIG; g < GROUP_HIDDEN; g++) {
		fprintf(to, ".Ss %s\n.Bl -tag -width Ds\n", group_titles[g]);
		for (const struct verb *v = ctl_verbs; v->name; v++)
			if (v->group == g)
				manual_verb(v, to);
		fputs(".El\n", to);
	}
}


static void signal_rows(FILE *to)
{
	static const char *const lives[SIGNAL_LIVES] = { "machine", "container and up", "run" };

	fputs(".Bl -tag -width SIGRTMIN+3 -compact\n", to);
	for (unsigned i = 0; i < signals_count(); i++) {
		fprintf(to, ".It %s\n", signals_name(i));
		for (unsigned life = 0; life < SIGNAL_LIVES; life++) {
			fprintf(to, ".Em %s :\n", lives[life]);
			put_roff(signals_does(i, life), to);
			if (life + 1 < SIGNAL_LIVES)
				fputs(".br\n", to);
		}
	}
	fputs(".El\n", to);
}

/* Numbered rows of a name and a reason. */
static void rows(FILE *to, unsigned n, const char *(*name)(unsigned), const char *(*why)(unsigned))
{
	fputs(".Bl -enum -compact\n", to);
	for (unsigned i = 0; i < n; i++) {
		fprintf(to, ".It\n.Em %s :\n", name(i));
		put_roff(why(i), to);
	}
	fputs(".El\n", to);
}

static void steps(FILE *to)
{
	rows(to, cell_step_count(), cell_step_name, cell_step_why);
}

static void stages(FILE *to)
{
	rows(to, boot_stage_count(), boot_stage_name, boot_stage_why);
}

static const struct part {
	const char *name;
	void (*print)(FILE *to);
} parts[] = {
	{ "verbs", verbs },
	{ "keys", spec_print_reference },
	{ "example", spec_print_example },
	{ "signals", signal_rows },
	{ "steps", steps },
	{ "stages", stages },
	{ "states", svc_print_moves },
};

int verb_docs(struct ctl *c)
{
	for (const struct part *p = parts; p < parts + sizeof parts / sizeof *parts; p++)
		if (!strcmp(p->name, c->args[0]))
			return p->print(stdout), DONE;
	return ctl_say(c, USAGE, "there is no part '%s'; it takes: %s", c->args[0], c->verb->args);
}
