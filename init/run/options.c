/* Options of one command: `prior run`, and those of tini, dumb-init and catatonit where we stand in for them. */
/* SPDX-License-Identifier: ISC */
#include "init/run/help.h"
#include "init/run/say.h"
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum option {
	OPT_NONE, OPT_GROUP, OPT_SESSION, OPT_SINGLE, OPT_REWRITE, OPT_EXIT, OPT_DEATH, OPT_SUBREAPER, OPT_NO_SUBREAPER,
	OPT_WARN, OPT_VERBOSE, OPT_PAUSE, OPT_LICENCE, OPT_HELP, OPT_VERSION, OPT_PRESET, OPT_SET, OPT_CONFIG,
};

/* No pointers in it: it needs no relocation, which the start of the smallest build would pay for. */
static const struct row {
	uint8_t as, option;
	bool takes;
	char letter, name[16];
} rows[] = {
	{ AS_PRIOR, OPT_GROUP, false, 'g', "group" },
	{ AS_PRIOR, OPT_SESSION, false, 0, "session" },
	{ AS_PRIOR, OPT_REWRITE, true, 'r', "rewrite" },
	{ AS_PRIOR, OPT_EXIT, true, 'e', "exit-code" },
	{ AS_PRIOR, OPT_DEATH, true, 'p', "parent-death" },
	{ AS_PRIOR, OPT_SUBREAPER, false, 's', "subreaper" },
	{ AS_PRIOR, OPT_NO_SUBREAPER, false, 0, "no-subreaper" },
	{ AS_PRIOR, OPT_WARN, false, 'w', "warn-reaped" },
	{ AS_PRIOR, OPT_VERBOSE, false, 'v', "verbose" },
	{ AS_PRIOR, OPT_PAUSE, false, 0, "pause" },
	{ AS_PRIOR, OPT_HELP, false, 'h', "help" },
	{ AS_PRIOR, OPT_VERSION, false, 'V', "version" },
	{ AS_PRIOR, OPT_PRESET, true, 0, "preset" },
	{ AS_PRIOR, OPT_SET, true, 0, "set" },
	{ AS_PRIOR, OPT_CONFIG, true, 'c', "config" },

	{ AS_TINI, OPT_SUBREAPER, false, 's', "" },
	{ AS_TINI, OPT_DEATH, true, 'p', "" },
	{ AS_TINI, OPT_VERBOSE, false, 'v', "" },
	{ AS_TINI, OPT_WARN, false, 'w', "" },
	{ AS_TINI, OPT_GROUP, false, 'g', "" },
	{ AS_TINI, OPT_EXIT, true, 'e', "" },
	{ AS_TINI, OPT_LICENCE, false, 'l', "" },
	{ AS_TINI, OPT_HELP, false, 'h', "" },
	{ AS_TINI, OPT_VERSION, false, 0, "version" },

	{ AS_DUMB_INIT, OPT_SINGLE, false, 'c', "single-child" },
	{ AS_DUMB_INIT, OPT_REWRITE, true, 'r', "rewrite" },
	{ AS_DUMB_INIT, OPT_VERBOSE, false, 'v', "verbose" },
	{ AS_DUMB_INIT, OPT_HELP, false, 'h', "help" },
	{ AS_DUMB_INIT, OPT_VERSION, false, 'V', "version" },

	{ AS_CATATONIT, OPT_GROUP, false, 'g', "" },
	{ AS_CATATONIT, OPT_PAUSE, false, 'P', "" },
	{ AS_CATATONIT, OPT_LICENCE, false, 'L', "" },
	{ AS_CATATONIT, OPT_HELP, false, 'h', "" },
	{ AS_CATATONIT, OPT_VERSION, false, 'V', "version" },
};

struct reading {
	struct wrap *w;
	char **next;		/* the word after this one */
	const char *word;	/* as it was typed */
	int code;		/* -1: go on; else the end, and all has been said */
};

/* A whole number in [0, most]; what comes after it is at *end. -1: it is none. */
static int number(const char *s, int most, const char **end)
{
	int n = 0;

	if (*s < '0' || *s > '9')
		return -1;
	for (; *s >= '0' && *s <= '9' && n <= most; s++)
		n = n * 10 + *s - '0';
	*end = s;
	return n <= most ? n : -1;
}

int wrap_signal(const char *name)
{
	static const char names[][7] = {
		"", "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE",
		"ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ",
		"VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
	};
	const char *end;
	int n = number(name, WRAP_SIGNALS, &end);

	if (n >= 0)
		return *end ? 0 : n;
	if (!strncmp(name, "SIG", 3))
		name += 3;
	for (n = 1; n < (int)(sizeof names / sizeof *names); n++)
		if (!strcmp(names[n], name))
			return n;
	if (strncmp(name, "RTMIN", 5))
		return 0;
	if (!name[5])
		return 34;
	n = name[5] == '+' ? number(name + 6, WRAP_SIGNALS - 34, &end) : -1;
	return n >= 0 && !*end ? 34 + n : 0;
}

/* "prior: run: WHAT THING: MORE" and what to do; our callers know their own style's words. */
static int bad(struct reading *r, const char *what, const char *thing, const char *more)
{
	enum wrap_as as = r->w->as;

	wrap_put(2, as == AS_PRIOR ? "prior: run: " : as == AS_TINI ? "[FATAL tini] " : r->w->self);
	wrap_put(2, as == AS_DUMB_INIT || as == AS_CATATONIT ? ": " : "");
	wrap_put(2, what);
	wrap_put(2, thing);
	wrap_put(2, more);
	wrap_put(2, "\n");
	r->code = as == AS_PRIOR ? 125 : 1;
	return r->code;
}

/* A signal as a number; tini and dumb-init know 1 to 31. Cuts the text at the colon. */
static void rewrite(struct reading *r, const char *pair)
{
	bool strict = r->w->as == AS_DUMB_INIT;
	const char *colon = strchr(pair, ':');
	char from[12] = "";
	int most = strict ? 31 : WRAP_SIGNALS;

	if (colon && (size_t)(colon - pair) < sizeof from)
		memcpy(from, pair, (size_t)(colon - pair));
	int sig = wrap_signal(from), to = colon ? wrap_signal(colon + 1) : 0;
	bool to_none = colon && !strcmp(colon + 1, "0");

	if (sig < 1 || sig > most || (!to_none && (to < 1 || to > most))) {
		r->code = strict ? 1 : 125;
		if (strict)
			help_rewrite();
		else
			bad(r, "--rewrite ", pair,
			    ": write it as SIGNAL:SIGNAL, by number or by name; 0 as the second drops it");
		return;
	}
	r->w->send[sig] = to_none ? WRAP_DROP : (uint8_t)to;
}

/* CODE, or CODE:OTHER: the command's CODE becomes 0, or OTHER. */
static void exit_code(struct reading *r, const char *text)
{
	const char *end;
	int code = number(text, 255, &end), to = 0;

	if (code >= 0 && *end == ':' && r->w->as == AS_PRIOR)
		to = number(end + 1, 255, &end);
	if (code < 0 || to < 0 || *end)
		bad(r, r->w->as == AS_TINI ? "Not a valid option for -e: " : "--exit-code ", text,
		    r->w->as == AS_TINI ? "" : ": write it as CODE or CODE:CODE, each from 0 to 255");
	else
		r->w->exit_xor[code] = (uint8_t)(code ^ to);
}

static void add_set(struct reading *r, const char *key, const char *value)
{
	struct wrap *w = r->w;

	if (w->nsets == RUN_SETS_MAX)
		bad(r, "more than 64 keys: --set ", key, " is one too many");
	else
		w->sets[w->nsets++] = (struct run_set){ key, value };
}

/* --set KEY=VALUE: cut in place, argv is ours. */
static void add_pair(struct reading *r, char *pair)
{
	char *eq = strchr(pair, '=');

	if (!eq) {
		bad(r, "--set ", pair, ": write it as KEY=VALUE");
		return;
	}
	*eq = '\0';
	add_set(r, pair, eq + 1);
}

static void confine(struct reading *r, enum option o, char *value)
{
	if (!WRAP_CONFINES)
		bad(r, r->word, "", ": this is the small build, which confines nothing; the whole prior does");
	else if (o == OPT_CONFIG)
		r->w->config = value;
	else if (o == OPT_PRESET)
		add_set(r, "isolation.preset", value);
	else
		add_pair(r, value);
}

static void death(struct reading *r, const char *name)
{
	r->w->parent_death = wrap_signal(name);
	if (!r->w->parent_death)
		bad(r, r->w->as == AS_TINI ? "Not a valid option for -p: " : "--parent-death: there is no signal ",
		    name, "");
}

static void take(struct reading *r, enum option o, char *value)
{
	struct wrap *w = r->w;

	switch (o) {
	case OPT_GROUP: w->group = true; break;
	case OPT_SESSION: w->session = true; break;
	case OPT_SINGLE: w->session = false; w->same_group = true; break;
	case OPT_REWRITE: rewrite(r, value); break;
	case OPT_EXIT: exit_code(r, value); break;
	case OPT_DEATH: death(r, value); break;
	case OPT_SUBREAPER: w->subreaper = true; break;
	case OPT_NO_SUBREAPER: w->subreaper = false; break;
	case OPT_WARN: w->warn_reaped = true; break;
	case OPT_VERBOSE: w->verbosity += w->as != AS_DUMB_INIT || !w->verbosity; break;
	case OPT_PAUSE: w->pause = true; break;
	case OPT_LICENCE: r->code = help_licence(); break;
	case OPT_HELP: r->code = help_usage(w); break;
	case OPT_VERSION: r->code = help_version(w); break;
	case OPT_PRESET: case OPT_SET: case OPT_CONFIG: confine(r, o, value); break;
	case OPT_NONE: break;
	}
}

static const struct row *find(enum wrap_as as, char letter, const char *name, size_t n)
{
	for (const struct row *o = rows; o < rows + sizeof rows / sizeof *rows; o++)
		if (o->as == as && (name ? n && !strncmp(o->name, name, n) && !o->name[n] : o->letter == letter))
			return o;
	return NULL;
}

/* letter is what is unknown of it, or 0 for a long one. Each in the words its users search for. */
static void unknown(struct reading *r, char letter)
{
	char one[] = { letter, '\'', '\0' };

	if (r->w->as == AS_PRIOR)
		bad(r, "unknown option ", r->word, "; the command comes after --");
	else if (letter)
		bad(r, "invalid option -- '", one, "");
	else
		bad(r, "unrecognized option '", r->word, "'");
	if (r->w->as == AS_TINI || r->w->as == AS_CATATONIT)
		help_short(r->w);
}

static void missing(struct reading *r)
{
	if (r->w->as == AS_PRIOR)
		bad(r, r->word, "", ": its value is missing");
	else
		bad(r, "option requires an argument: ", r->word, "");
}

/* --name, --name=value, --name value */
static void read_long(struct reading *r, char *word)
{
	char *eq = strchr(word, '=');
	size_t n = eq ? (size_t)(eq - word - 2) : strlen(word + 2);
	const struct row *o = find(r->w->as, 0, word + 2, n);

	if (!o || (eq && !o->takes))
		unknown(r, 0);
	else if (!o->takes)
		take(r, o->option, NULL);
	else if (!eq && !*r->next)
		missing(r);
	else
		take(r, o->option, eq ? eq + 1 : *r->next++);
}

/* -a, -abc, -pVALUE, -p VALUE */
static void read_short(struct reading *r, char *word)
{
	for (char *c = word + 1; *c && r->code < 0; c++) {
		const struct row *o = find(r->w->as, *c, NULL, 0);

		if (!o) {
			unknown(r, *c);
		} else if (!o->takes) {
			take(r, o->option, NULL);
		} else if (c[1]) {
			take(r, o->option, c + 1);
			return;
		} else if (!*r->next) {
			missing(r);
		} else {
			take(r, o->option, *r->next++);
		}
	}
}

static bool is_set(const char *name, const char *value)
{
	const char *v = getenv(name);

	return v && (!value || !strcmp(v, value));
}

/* What each of them begins with. */
static void defaults(struct wrap *w)
{
	w->subreaper = w->as != AS_TINI;
	w->verbosity = w->as == AS_TINI || w->as == AS_CATATONIT;
	w->session = w->as == AS_DUMB_INIT;
}

static void environment(struct wrap *w)
{
	const char *v, *end;

	switch (w->as) {
	case AS_TINI:
		w->subreaper |= is_set("TINI_SUBREAPER", NULL);
		w->group |= is_set("TINI_KILL_PROCESS_GROUP", NULL);
		v = getenv("TINI_VERBOSITY");
		if (v)
			w->verbosity = number(v, 100, &end) > 0 ? number(v, 100, &end) : 0;
		return;
	case AS_DUMB_INIT:
		if (is_set("DUMB_INIT_DEBUG", "1")) {
			w->verbosity = 1;
			wrap_say(w, SAID_DEBUG, 0, 0, NULL);
		}
		if (is_set("DUMB_INIT_SETSID", "0")) {
			w->session = false;
			w->same_group = true;
			wrap_say(w, SAID_NO_SESSION, 0, 0, NULL);
		}
		return;
	case AS_CATATONIT:
		if (is_set("CATATONIT_DEBUG", NULL))
			w->verbosity = 4;
		return;
	case AS_PRIOR:
	case WRAP_AS:
		return;
	}
}

/* Stops of the terminal's: a session of its own has none of our job control, so SIGSTOP does it. */
static void default_sends(struct wrap *w)
{
	static const uint8_t stops[] = { SIGTSTP, SIGTTOU, SIGTTIN };

	for (unsigned i = 0; w->session && i < sizeof stops; i++)
		if (!w->send[stops[i]])
			w->send[stops[i]] = SIGSTOP;
	/* Ours are blocked and so never meant for the command: it has the terminal. */
	for (unsigned i = 1; (w->as == AS_TINI || w->as == AS_CATATONIT) && i < sizeof stops; i++)
		w->send[stops[i]] = WRAP_DROP;
}

static const char *conflict(const struct wrap *w)
{
	bool confined = w->nsets || w->config;

	return w->pause && *w->command ? "--pause runs no command" :
	       w->pause && confined ? "--pause runs no command that could be confined" :
	       !confined ? NULL :
	       w->group ? "-g is for a command that is not confined: a confined one's group is its cell" :
	       w->session ? "--session is for a command that is not confined" :
	       w->warn_reaped ? "-w is for a command that is not confined: what it leaves behind ends with its cell" :
	       NULL;
}

int wrap_options(struct wrap *w, int argc, char **argv)
{
	struct reading r = { .w = w, .next = argv + 1, .code = -1 };
	const char *why;

	defaults(w);
	w->self = argv[0];
	if (argc == 2 && w->as == AS_TINI && !strcmp(argv[1], "--version"))
		return help_version(w);
	while (r.code < 0 && *r.next && (*r.next)[0] == '-' && (*r.next)[1]) {
		char *word = *r.next++;

		r.word = word;
		if (!strcmp(word, "--"))
			break;
		if (word[1] == '-')
			read_long(&r, word);
		else
			read_short(&r, word);
	}
	if (r.code >= 0)
		return r.code;
	w->command = r.next;
	if (!*w->command && !w->pause) {
		help_short(w);
		return w->as == AS_PRIOR ? 125 : 1;
	}
	why = conflict(w);
	if (why)
		return bad(&r, why, "", "");
	/* `tini PROGRAM -- ARGUMENTS` is how its own usage has it. */
	if (w->as == AS_TINI && w->command[1] && !strcmp(w->command[1], "--")) {
		w->command[1] = w->command[0];
		w->command++;
	}
	environment(w);
	default_sends(w);
	return -1;
}
