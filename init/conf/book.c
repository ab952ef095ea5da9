/* The rows as a manual's list of keys, and as an example that has every key. */
/* SPDX-License-Identifier: ISC */
#include "init/conf/conf.h"
#include <string.h>

/* mdoc: a backslash is spelled out, and no line may begin with a control character. */
static void roff(FILE *to, const char *s)
{
	if (*s == '.' || *s == '\'')
		fputs("\\&", to);
	for (; *s; s++)
		fputs(*s == '\\' ? "\\e" : *s == '-' ? "\\-" : (const char[]){ *s, '\0' }, to);
}

static void words(FILE *to, const struct conf_key *k)
{
	fputs("One of\n", to);
	for (unsigned i = 0; k->words[i]; i++) {
		fputs(".Ql ", to);
		roff(to, *k->words[i] ? k->words[i] : "\"\"");
		fputs(k->words[i + 1] ? " ,\n" : " .\n", to);
	}
}

static const char *const type_names[CONF_TYPES] = {
	[CONF_BOOL] = "bool",	    [CONF_COUNT] = "number", [CONF_MSEC] = "time",     [CONF_OCTAL] = "mode",
	[CONF_SIGNAL] = "signal",   [CONF_SIZE] = "size",    [CONF_WORD] = "word",     [CONF_TEXT] = "text",
	[CONF_PATH] = "path",	    [CONF_LIST] = "list",    [CONF_COMMAND] = "command", [CONF_PAIRS] = "map",
	[CONF_ITEMS] = "list of blocks", [CONF_SECTION] = "block", [CONF_APART] = "block", [CONF_CUSTOM] = "value",
};

static void entry(struct conf_book *b, const struct conf_key *k, const char *path)
{
	fputs(".It Ic ", b->to);
	roff(b->to, path);
	fprintf(b->to, " : Ar %s\n", k->flags & CONF_NAMED ? "map of blocks" : type_names[k->type]);
	roff(b->to, k->doc);
	fputc('\n', b->to);
	if (k->words)
		words(b->to, k);
	if (k->def && *k->def) {
		fputs("Default:\n.Ql ", b->to);
		roff(b->to, k->def);
		fputs(" .\n", b->to);
	}
	if (k->unbuilt) {
		fputs("Not built yet", b->to);
		fprintf(b->to, "%s: ", k->unbuilt_words ? " in part" : "");
		roff(b->to, k->unbuilt);
		fputs(".\n", b->to);
	}
}

/* Another place for a block whose keys are listed at the first. */
static bool repeats(const struct conf_book *b, const struct conf_key *k)
{
	const struct conf_key *first = k->alias && k->type != CONF_CUSTOM ? conf_row(b->root, k->alias) : NULL;

	return first && first->sub == k->sub;
}

void conf_print_reference(struct conf_book *b, const struct conf_key *keys, const char *prefix)
{
	for (const struct conf_key *k = keys; k->name; k++) {
		char path[200];

		snprintf(path, sizeof path, "%s%s", prefix, k->name);
		entry(b, k, path);
		if (!k->sub || (b->shared && k->sub == b->shared) || repeats(b, k) || k->flags & CONF_REST)
			continue;
		snprintf(path, sizeof path, "%s%s%s.", prefix, k->name,
			 k->type == CONF_ITEMS ? "[]" : k->flags & CONF_NAMED ? ".NAME" : "");
		conf_print_reference(b, k->sub, path);
	}
}

/* What can stand in an example: no other spellings, nothing that this version would refuse. */
static bool is_usable(const struct conf_key *k)
{
	if (k->alias || k->flags & CONF_SELF || (k->unbuilt && !k->unbuilt_words))
		return false;
	if (k->type != CONF_SECTION)
		return k->type == CONF_APART ? k->flags & CONF_NAMED : k->example || k->def || k->sub;
	for (const struct conf_key *s = k->sub; s->name; s++)
		if (is_usable(s))
			return true;
	return false;
}

static bool as_block(const struct conf_key *k)
{
	if (!conf_is_section(k))
		return false;
	for (const struct conf_key *s = k->sub; s->name; s++)
		if (is_usable(s))
			return true;
	return false;
}

static void indent(struct conf_book *b)
{
	for (unsigned i = 0; i < b->depth; i++)
		fputs("  ", b->to);
}

static void item(struct conf_book *b, const struct conf_key *keys)
{
	const char *comma = "{";

	for (const struct conf_key *k = keys; k->name; k++)
		if (!k->unbuilt && k->example) {
			fprintf(b->to, "%s%s: %s", comma, k->name, k->example);
			comma = ", ";
		}
	fputc('}', b->to);
}

static void value(struct conf_book *b, const struct conf_key *k)
{
	if (k->type == CONF_ITEMS && !k->example) {
		fputc('[', b->to);
		item(b, k->sub);
		fputs("]\n", b->to);
	} else if (k->flags & CONF_NAMED) {
		fprintf(b->to, "{%s: ", k->example);
		item(b, k->sub);
		fputs("}\n", b->to);
	} else {
		const char *s = k->example ? k->example : k->def;

		fprintf(b->to, *s && k->type != CONF_OCTAL ? "%s\n" : "\"%s\"\n", s);
	}
}

static void example(struct conf_book *b, const struct conf_key *keys, const struct conf_key *self)
{
	for (const struct conf_key *k = keys; k->name; k++) {
		bool is_self = k->flags & CONF_SELF, block = as_block(k);

		if ((!is_usable(k) && !is_self) || (b->shared && k->sub == b->shared))
			continue;
		indent(b);
		fprintf(b->to, "# %s\n", k->doc);
		indent(b);
		fprintf(b->to, "%s:%s", k->name, block ? "\n" : " ");
		if (!block) {
			value(b, is_self ? self : k);
			continue;
		}
		b->depth++;
		example(b, k->sub, k);
		b->depth--;
	}
}

void conf_print_example(struct conf_book *b, const struct conf_key *keys)
{
	example(b, keys, NULL);
}
