/* `prior completion SHELL`: what bash, zsh and fish can complete, printed from the rows. */
/* SPDX-License-Identifier: ISC */
#include "init/ctl/verbs.h"
#include <string.h>

#define SERVICES "prior status --json 2>/dev/null | sed -n 's/.*\"service\": \"\\([^\"]*\\)\".*/\\1/p'"
#define HEAD(shell) "# What " shell " can complete of prior(8); printed by `prior completion " shell "`: do not " \
		    "edit.\n" \
		    "# SPDX-License-Identifier: ISC\n"

static bool is_shown(const struct verb *v)
{
	return verb_is_built(v) && v->group != GROUP_HIDDEN;
}

static bool takes(const struct verb *v, const char *word)
{
	return v->args && strstr(v->args, word);
}

static bool has_opt(const struct verb *v, enum ctl_opt o)
{
	return o == OPT_HELP || v->opts & OPT_BIT(o);
}

/* Inside of single quotes, as all three shells read them; fish wants the backslash inside. */
static void put_quoted(const char *s, bool fish, FILE *to)
{
	for (; *s; s++)
		if (*s == '\'')
			fputs(fish ? "\\'" : "'\\''", to);
		else if (*s == '\\' && fish)
			fputs("\\\\", to);
		else
			fputc(*s, to);
}

static void bash(FILE *to)
{
	fputs(HEAD("bash")
	      "_prior()\n{\n\tlocal cur=${COMP_WORDS[COMP_CWORD]} words= services= files=\n\n"
	      "\tCOMPREPLY=()\n\tif [ \"$COMP_CWORD\" -le 1 ]; then\n\t\twords='", to);
	for (const struct verb *v = ctl_verbs; v->name; v++)
		if (is_shown(v))
			fprintf(to, "%s%s", v == ctl_verbs ? "" : " ", v->name);
	fputs("'\n\telse case ${COMP_WORDS[1]} in\n", to);
	for (const struct verb *v = ctl_verbs; v->name; v++) {
		if (!is_shown(v))
			continue;
		fprintf(to, "\t%s) words='", v->name);
		for (enum ctl_opt o = 0; o < OPTS; o++)
			if (has_opt(v, o))
				fprintf(to, "%s--%s", o == OPT_HELP ? "" : " ", ctl_opts[o].name);
		fprintf(to, "'%s%s ;;\n", takes(v, "SERVICE") ? " services=1" : "",
			takes(v, "PATH") || v->raw ? " files=1" : "");
	}
	fputs("\tesac; fi\n"
	      "\tcase ${COMP_WORDS[COMP_CWORD - 1]} in --config|-c|--output|-o|--run-dir) files=1 ;; esac\n"
	      "\tcase $cur in\n"
	      "\t-*) ;;\n"
	      "\t*) [ \"$COMP_CWORD\" -le 1 ] || words=\n"
	      "\t   [ -z \"$services\" ] || words=$(" SERVICES ") ;;\n"
	      "\tesac\n"
	      "\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n"
	      "\t[ -z \"$files\" ] || mapfile -t -O \"${#COMPREPLY[@]}\" COMPREPLY < <(compgen -f -- \"$cur\")\n"
	      "}\ncomplete -F _prior prior\n", to);
}

static void zsh(FILE *to)
{
	fputs("#compdef prior\n" HEAD("zsh")
	      "_prior_services() { compadd -- ${(f)\"$(" SERVICES ")\"} }\n"
	      "_prior()\n{\n\tlocal -a verbs\n\tverbs=(\n", to);
	for (const struct verb *v = ctl_verbs; v->name; v++) {
		if (!is_shown(v))
			continue;
		fprintf(to, "\t\t'%s:", v->name);
		put_quoted(v->summary, false, to);
		fputs("'\n", to);
	}
	fputs("\t)\n\tif (( CURRENT == 2 )); then _describe verb verbs; return; fi\n"
	      "\tlocal -a options\n\tcase $words[2] in\n", to);
	for (const struct verb *v = ctl_verbs; v->name; v++) {
		if (!is_shown(v))
			continue;
		fprintf(to, "\t%s)\n\t\toptions=(\n", v->name);
		for (enum ctl_opt o = 0; o < OPTS; o++) {
			if (!has_opt(v, o))
				continue;
			fprintf(to, "\t\t\t'--%s:", ctl_opts[o].name);
			put_quoted(ctl_opts[o].summary, false, to);
			fputs("'\n", to);
		}
		fprintf(to, "\t\t)\n%s%s\t\t;;\n", takes(v, "SERVICE") ? "\t\t_prior_services\n" : "",
			takes(v, "PATH") || v->raw ? "\t\t_files\n" : "");
	}
	fputs("\tesac\n\t[[ $PREFIX != -* ]] || _describe option options\n}\n_prior \"$@\"\n", to);
}

static void fish_option(const struct verb *v, const struct opt *o, FILE *to)
{
	fprintf(to, "complete -c prior -n '__fish_seen_subcommand_from %s' -l %s", v->name, o->name);
	if (o->letter)
		fprintf(to, " -s %c", o->letter);
	fprintf(to, "%s -d '", o->arg ? " -r" : "");
	put_quoted(o->summary, true, to);
	fputs("'\n", to);
}

static void fish(FILE *to)
{
	fputs(HEAD("fish")
	      "function __prior_services\n\t" SERVICES "\nend\ncomplete -c prior -f\n", to);
	for (const struct verb *v = ctl_verbs; v->name; v++) {
		if (!is_shown(v))
			continue;
		fprintf(to, "complete -c prior -n __fish_use_subcommand -a %s -d '", v->name);
		put_quoted(v->summary, true, to);
		fputs("'\n", to);
		for (enum ctl_opt o = 0; o < OPTS; o++)
			if (has_opt(v, o))
				fish_option(v, &ctl_opts[o], to);
		if (takes(v, "SERVICE"))
			fprintf(to, "complete -c prior -n '__fish_seen_subcommand_from %s' -a '(__prior_services)'\n",
				v->name);
		if (takes(v, "PATH") || v->raw)
			fprintf(to, "complete -c prior -n '__fish_seen_subcommand_from %s' -F\n", v->name);
	}
}

int verb_completion(struct ctl *c)
{
	static const struct { const char *name; void (*print)(FILE *to); } shells[] = {
		{ "bash", bash }, { "zsh", zsh }, { "fish", fish },
	};

	for (size_t i = 0; i < sizeof shells / sizeof *shells; i++)
		if (!strcmp(shells[i].name, c->args[0]))
			return shells[i].print(stdout), DONE;
	return ctl_say(c, USAGE, "'%s' is no shell that is known here; it takes: %s", c->args[0], c->verb->args);
}
