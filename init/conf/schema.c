/* The rows as a JSON Schema in draft-07's words, which editors understand best. */
/* SPDX-License-Identifier: ISC */
#include "init/conf/conf.h"
#include <string.h>

#define VARIABLE "\\\\$\\\\{"	/* any value may hold ${NAME} */
#define SCALAR "\"type\":[\"string\",\"number\",\"boolean\"]"

/* The members that say how a value of the type is written. CONF_WORD and blocks are put together below. */
static const char *const type_schema[CONF_TYPES] = {
	[CONF_BOOL] = "\"type\":[\"boolean\",\"string\"],\"pattern\":\"^(true|false|yes|no|on|off)$|" VARIABLE "\"",
	[CONF_COUNT] = "\"type\":[\"integer\",\"string\"],\"pattern\":\"^-?[0-9]+$|^(max|unlimited)$|" VARIABLE "\"",
	[CONF_MSEC] = "\"type\":[\"integer\",\"string\"],\"pattern\":\"^([0-9]+(ms|s|m|h|d))+$|^[0-9]+$|" VARIABLE "\"",
	[CONF_OCTAL] = "\"type\":[\"integer\",\"string\"],\"pattern\":\"^(0o)?[0-7]+$|" VARIABLE "\"",
	[CONF_SIGNAL] = "\"type\":[\"integer\",\"string\"],\"pattern\":\"^(SIG)?[A-Z0-9]+([+][0-9]+)?$|^[0-9]+$|"
		VARIABLE "\"",
	[CONF_SIZE] = "\"type\":[\"integer\",\"string\"],\"pattern\":\"^[0-9]+[KMGTkmgt]?[Bb]?$|^(max|unlimited)$|"
		VARIABLE "\"",
	[CONF_TEXT] = SCALAR,
	[CONF_PATH] = "\"type\":\"string\",\"pattern\":\"^(/.*)?$|" VARIABLE "\"",
	[CONF_LIST] = "\"type\":[\"array\",\"string\",\"number\",\"null\"],\"items\":{" SCALAR "}",
	[CONF_COMMAND] = "\"type\":[\"array\",\"string\"],\"items\":{" SCALAR "}",
	[CONF_PAIRS] = "\"type\":[\"object\",\"array\",\"null\"],\"additionalProperties\":{"
		SCALAR "},\"items\":{\"type\":\"string\"}",
};

static void text(FILE *to, const char *s)
{
	struct conf_out o = { .to = to, .form = CONF_FORM_JSON };

	conf_put_text(&o, s);
}

static void words(FILE *to, const struct conf_key *k)
{
	fputs("\"anyOf\":[{\"enum\":[", to);
	for (unsigned i = 0; k->words[i]; i++) {
		fputs(i ? "," : "", to);
		text(to, k->words[i]);
	}
	if (k->flags & CONF_YES_NO)
		fputs(",true,false", to);
	else if (k->flags & CONF_NO)
		fputs(",false", to);
	fputs("]},{\"type\":\"string\",\"pattern\":\"" VARIABLE "\"}]", to);
}

static void single(FILE *to, const struct conf_key *k)
{
	if (k->schema) {
		fputs(k->schema, to);
	} else if (k->type == CONF_WORD) {
		words(to, k);
	} else {
		fputs(type_schema[k->type] ? type_schema[k->type] : SCALAR, to);
		if (k->type == CONF_COUNT && k->max)
			fprintf(to, ",\"minimum\":%lld,\"maximum\":%lld", (long long)k->min, (long long)k->max);
	}
}

static void def(FILE *to, const struct conf_key *k)
{
	int64_t number;

	if (!k->def)
		return;
	fputs(",\"default\":", to);
	if (k->type == CONF_BOOL || (k->type == CONF_COUNT && value_number(k->def, &number) == 0))
		fputs(k->def, to);
	else
		text(to, k->def);
}

static void description(FILE *to, const struct conf_key *k)
{
	char all[600];

	snprintf(all, sizeof all, "%s%s%s%s", k->doc, k->unbuilt && !k->unbuilt_words ? " Not built yet: " : "",
		 k->unbuilt && !k->unbuilt_words ? k->unbuilt : "", k->unbuilt && !k->unbuilt_words ? "." : "");
	fputs("\"description\":", to);
	text(to, all);
	fputs(",", to);
}

static void required(FILE *to, const struct conf_key *keys)
{
	const char *comma = ",\"required\":[";

	for (const struct conf_key *k = keys; k->name; k++)
		if (k->flags & CONF_REQUIRED) {
			fputs(comma, to);
			text(to, k->name);
			comma = ",";
		}
	fputs(*comma == ',' && comma[1] ? "" : "]", to);
}

static void block(struct conf_book *b, const struct conf_key *keys)
{
	if (keys == b->shared)
		fprintf(b->to, "\"$ref\":\"%s\"", b->shared_ref);
	else
		conf_print_schema(b, keys, NULL);
}

/* A block of the object's own rows, in the braces that are open. */
static void members(struct conf_book *b, const struct conf_key *k)
{
	if (k->type == CONF_ITEMS) {
		fputs("\"type\":[\"array\",\"null\"],\"items\":{", b->to);
		block(b, k->sub);
		fputs("}", b->to);
	} else if (k->flags & CONF_NAMED) {
		fputs("\"type\":[\"object\",\"null\"],\"additionalProperties\":{", b->to);
		block(b, k->sub);
		fputs("}", b->to);
	} else if (k->sub && k->type != CONF_SECTION && k->type != CONF_APART) {
		fputs("\"anyOf\":[{", b->to);
		single(b->to, k);
		fputs("},{", b->to);
		block(b, k->sub);
		if (conf_rest(k)) {
			fputs("},{\"type\":\"array\",\"items\":[{", b->to);
			block(b, k->sub);
			fputs("}],\"additionalItems\":{", b->to);
			block(b, conf_rest(k)->sub);
			fputs("}", b->to);
		}
		fputs("}]", b->to);
	} else if (k->sub) {
		block(b, k->sub);
	} else {
		single(b->to, k);
	}
}

static void property(struct conf_book *b, const struct conf_key *k)
{
	const struct conf_key *target = k->alias && !k->set && !k->sub && !k->size ? conf_row(b->root, k->alias) : k;

	fputc('\n', b->to);
	for (unsigned i = 0; i < b->depth; i++)
		fputc(' ', b->to);
	text(b->to, k->name);
	fputs(":{", b->to);
	description(b->to, k);
	members(b, target ? target : k);
	def(b->to, k);
	fputc('}', b->to);
}

void conf_print_schema(struct conf_book *b, const struct conf_key *keys, const char *also)
{
	fprintf(b->to, "\"type\":[\"object\",\"null\"],\"additionalProperties\":false%s,\"properties\":{",
		also ? also : "");
	b->depth++;
	for (const struct conf_key *k = keys; k->name; k++) {
		fputs(k == keys ? "" : ",", b->to);
		property(b, k);
	}
	b->depth--;
	fputs("}", b->to);
	required(b->to, keys);
}
