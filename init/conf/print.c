/* An object back as text, row by row: YAML that reads to the same, or JSON with everything resolved. */
/* SPDX-License-Identifier: ISC */
#include "init/conf/conf.h"
#include <string.h>
#include <strings.h>

/* Text that YAML would take for something else than text, or for its own syntax. */
static bool is_plain(const char *s)
{
	static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./+-";
	size_t n = strlen(s);
	bool b;

	if (n == 0 || n > 200 || s[strspn(s, safe)] || strchr("-.+", *s))
		return false;
	return value_bool(s, &b) < 0 && strcasecmp(s, "null");
}

static void put_char(struct conf_out *o, unsigned char c)
{
	static const char letters[] = "\"\"\\\\\nn\tt\rr";
	const char *l;

	for (l = letters; *l && (unsigned char)*l != c; l += 2)
		;
	if (*l)
		fprintf(o->to, "\\%c", l[1]);
	else if (c < 0x20 || c == 0x7f)
		fprintf(o->to, "\\u%04x", c);
	else if (c == '$' && o->form == CONF_FORM_YAML)
		fputs("$$", o->to);
	else
		fputc(c, o->to);
}

void conf_put_text(struct conf_out *o, const char *s)
{
	if (!s) {
		fputs("null", o->to);
	} else if (o->form == CONF_FORM_YAML && is_plain(s)) {
		fputs(s, o->to);
	} else {
		fputc('"', o->to);
		for (; *s; s++)
			put_char(o, (unsigned char)*s);
		fputc('"', o->to);
	}
}

void conf_put_number(struct conf_out *o, int64_t v)
{
	if (v == UNSET_NUM)
		fputs("null", o->to);
	else
		fprintf(o->to, "%lld", (long long)v);
}

void conf_put_words(struct conf_out *o, const struct str_list *l)
{
	fputc('[', o->to);
	for (unsigned i = 0; i < l->n; i++) {
		fputs(i ? ", " : "", o->to);
		conf_put_text(o, l->v[i]);
	}
	fputc(']', o->to);
}

void conf_put_origin(struct conf_out *o, struct origin at)
{
	conf_put_text(o, o->origin_text(o, at));
}

struct origin conf_origin_of(const struct conf_out *o, const struct conf_key *k)
{
	return origins_get(o->origins, conf_number(o->index, k));
}

static void put_number(struct conf_out *o, const struct conf_key *k, int64_t v)
{
	char buf[VALUE_TEXT];

	if (v == UNSET_NUM)
		fputs("null", o->to);
	else if (k->type == CONF_SIGNAL)
		conf_put_text(o, value_signal_text(v, buf));
	else if (k->type == CONF_OCTAL)
		fprintf(o->to, "\"%04llo\"", (unsigned long long)v);
	else if (k->type == CONF_MSEC && o->form == CONF_FORM_YAML)
		fputs(value_msec_text(v, buf), o->to);
	else if (v == -1 && k->flags & CONF_ALLOW_MAX)
		conf_put_text(o, "max");
	else
		conf_put_number(o, v);
}

static void put_size(struct conf_out *o, uint64_t v)
{
	char buf[VALUE_TEXT];

	if (v == 0)
		fputs("null", o->to);
	else if (v == VALUE_MAX)
		conf_put_text(o, "max");
	else if (o->form == CONF_FORM_YAML)
		fputs(value_size_text(v, buf), o->to);
	else
		fprintf(o->to, "%llu", (unsigned long long)v);
}

static void put_word(struct conf_out *o, const struct conf_key *k, unsigned i)
{
	if (k->flags & CONF_YES_NO && i < 2)
		fputs(i ? "true" : "false", o->to);
	else
		conf_put_text(o, k->words[i]);
}

static void put_pairs(struct conf_out *o, const struct pair_list *l)
{
	fputc('{', o->to);
	for (unsigned i = 0; i < l->n; i++) {
		fputs(i ? ", " : "", o->to);
		conf_put_text(o, l->v[i].key);
		fputs(": ", o->to);
		if (o->form == CONF_FORM_FROM)
			conf_put_origin(o, l->from[i]);
		else
			conf_put_text(o, l->v[i].value);
	}
	fputc('}', o->to);
}

/* An empty list can be one that was given as such, and says something. */
static bool is_left_out(const struct conf_key *k, const char *item)
{
	const struct str_list *l = k->type == CONF_LIST ? (const void *)(item + k->at) : NULL;

	return conf_given(k, item) ? conf_is_default(k, item) : !l || !l->v;
}

/* The items of a list, each as a map on one line. */
static void put_items(struct conf_out *o, const struct conf_key *k, const void *field)
{
	const struct {
		const char *v;
		unsigned n;
	} *l = field;

	fputc('[', o->to);
	for (unsigned i = 0; i < l->n; i++) {
		const char *item = l->v + i * k->each, *comma = "";

		fputs(i ? ", {" : "{", o->to);
		for (const struct conf_key *s = k->sub; s->name; s++) {
			if (o->form == CONF_FORM_YAML && is_left_out(s, item))
				continue;
			fputs(comma, o->to);
			conf_put_text(o, s->name);
			fputs(": ", o->to);
			conf_put_value(o, s, item);
			comma = ", ";
		}
		fputc('}', o->to);
	}
	fputc(']', o->to);
}

void conf_put_value(struct conf_out *o, const struct conf_key *k, const void *obj)
{
	const void *f = (const char *)obj + k->at;

	if (k->put) {
		k->put(o, k, obj);
		return;
	}
	if (o->form == CONF_FORM_FROM && k->type != CONF_PAIRS) {
		conf_put_origin(o, o->at);
		return;
	}
	switch (k->type) {
	case CONF_BOOL:
		fputs(*(const bool *)f ? "true" : "false", o->to);
		break;
	case CONF_COUNT:
	case CONF_MSEC:
	case CONF_OCTAL:
	case CONF_SIGNAL:
		put_number(o, k, *(const int64_t *)f);
		break;
	case CONF_SIZE:
		put_size(o, *(const uint64_t *)f);
		break;
	case CONF_WORD:
		put_word(o, k, *(const unsigned *)f);
		break;
	case CONF_TEXT:
	case CONF_PATH:
		conf_put_text(o, *(const char *const *)f);
		break;
	case CONF_LIST:
	case CONF_COMMAND:
		conf_put_words(o, f);
		break;
	case CONF_PAIRS:
		put_pairs(o, f);
		break;
	case CONF_ITEMS:
		put_items(o, k, f);
		break;
	case CONF_SECTION:
	case CONF_APART:
	case CONF_CUSTOM:
	case CONF_TYPES:
		fputs("null", o->to);
		break;
	}
}

static bool is_printed(const struct conf_key *k)
{
	return !k->alias && !(k->flags & CONF_SELF) && k->type != CONF_APART;
}

/* A row that is a single value or a map is shown as a map only when that says more. */
static bool as_block(const struct conf_key *k, const void *obj)
{
	if (!conf_is_section(k))
		return false;
	if (k->type == CONF_SECTION || (k->type == CONF_CUSTOM && !k->put))
		return true;
	for (const struct conf_key *s = k->sub; s->name; s++)
		if (is_printed(s) && conf_given(s, obj) && !conf_is_default(s, obj))
			return true;
	return false;
}

/* A list that somebody gave as empty, which may differ from what its preset has. */
static bool is_emptied(const struct conf_out *o, const struct conf_key *k)
{
	return (k->type == CONF_LIST || k->type == CONF_ITEMS) && conf_origin_of(o, k).kind != FROM_DEFAULT;
}

/* In YAML, what nobody gave and what is nothing is left out. */
static bool is_shown(const struct conf_out *o, const struct conf_key *k, const void *obj)
{
	if (!is_printed(k))
		return false;
	if (o->form != CONF_FORM_YAML)
		return true;
	if (!as_block(k, obj))
		return conf_given(k, obj) || is_emptied(o, k);
	for (const struct conf_key *s = k->sub; s->name; s++)
		if (is_shown(o, s, obj))
			return true;
	return false;
}

static void indent(struct conf_out *o)
{
	for (unsigned i = 0; i < o->depth; i++)
		fputs("  ", o->to);
}

static void print_name(struct conf_out *o, const struct conf_key *k, const char **comma)
{
	if (o->form != CONF_FORM_YAML)
		fputs(*comma, o->to);
	*comma = ",\n";
	indent(o);
	conf_put_text(o, k->name);
	fputs(o->form == CONF_FORM_YAML ? ":" : ": ", o->to);
}

static void print_origin(struct conf_out *o, struct origin at)
{
	if (o->form == CONF_FORM_YAML)
		fprintf(o->to, "  # %s\n", o->origin_text(o, at));
}

/* Each pair on its own line: they may come from different places. */
static void print_pair_lines(struct conf_out *o, const struct pair_list *l)
{
	fputc('\n', o->to);
	o->depth++;
	for (unsigned i = 0; i < l->n; i++) {
		indent(o);
		conf_put_text(o, l->v[i].key);
		fputs(": ", o->to);
		conf_put_text(o, l->v[i].value);
		print_origin(o, l->from[i]);
	}
	o->depth--;
}

static void print_row(struct conf_out *o, const struct conf_key *k, const struct conf_key *value, const void *obj,
	const char **comma)
{
	print_name(o, k, comma);
	o->at = conf_origin_of(o, value);
	if (o->form == CONF_FORM_YAML && value->type == CONF_PAIRS && conf_given(value, obj)) {
		print_pair_lines(o, (const struct pair_list *)((const char *)obj + value->at));
		return;
	}
	if (o->form == CONF_FORM_YAML)
		fputc(' ', o->to);
	conf_put_value(o, value, obj);
	print_origin(o, o->at);
}

static void print_rows(struct conf_out *o, const struct conf_key *keys, const struct conf_key *self, const void *obj)
{
	const char *comma = "";

	if (o->form != CONF_FORM_YAML)
		fputs("{\n", o->to);
	o->depth++;
	for (const struct conf_key *k = keys; k->name; k++) {
		if (k->flags & CONF_SELF) {
			print_row(o, k, self, obj, &comma);
		} else if (!is_shown(o, k, obj)) {
			continue;
		} else if (as_block(k, obj)) {
			print_name(o, k, &comma);
			if (o->form == CONF_FORM_YAML)
				fputc('\n', o->to);
			print_rows(o, k->sub, k, obj);
		} else {
			print_row(o, k, k, obj, &comma);
		}
	}
	o->depth--;
	if (o->form == CONF_FORM_YAML)
		return;
	fputc('\n', o->to);
	indent(o);
	fputc('}', o->to);
}

void conf_print(struct conf_out *o, const struct conf_key *keys, const void *obj)
{
	print_rows(o, keys, NULL, obj);
}
