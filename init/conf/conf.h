/* One row says everything there is to say about a configuration key; reading and printing follow the rows. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/arena.h"
#include "init/base/err.h"
#include "init/conf/tree.h"
#include "init/conf/value.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Where a value comes from. */
enum origin_kind { FROM_DEFAULT, FROM_PRESET, FROM_FILE };
struct origin {
	uint8_t kind;		/* enum origin_kind */
	uint16_t file;		/* FROM_FILE: index into spec.files; FROM_PRESET: the preset's enum value */
	uint32_t line, col;	/* from 1; 0 when not from a file */
};

/* Those of an object's values, by row number; what it has none of its own for is as in the object it began as. */
struct origins {
	const struct origins *below;	/* NULL: then it is a default */
	uint16_t *slot;			/* by row number: 1 + its place in v; 0: as below */
	struct origin *v;
	unsigned n, room;
};

/* false: no memory. */
bool origins_begin(struct origins *o, struct arena *a, unsigned rows, const struct origins *below);
/* row -1: of no row, {0}. o may be NULL. */
struct origin origins_get(const struct origins *o, int row);
void origins_set(struct origins *o, struct arena *a, int row, struct origin at);

struct pair_list {
	struct str_pair *v;
	unsigned n;
	struct origin *from;	/* one for each pair; NULL when n is 0 */
};

enum conf_type {
	CONF_BOOL,		/* bool */
	CONF_COUNT,		/* int64_t within min and max */
	CONF_MSEC,		/* int64_t, milliseconds */
	CONF_OCTAL,		/* int64_t */
	CONF_SIGNAL,		/* int64_t */
	CONF_SIZE,		/* uint64_t, bytes; 0: not given */
	CONF_WORD,		/* unsigned, index into words */
	CONF_TEXT,		/* const char *; "" is taken as not given (NULL) */
	CONF_PATH,		/* the same, absolute and without . or .. */
	CONF_LIST,		/* struct str_list; a single value is a list of one */
	CONF_COMMAND,		/* struct str_list; a single value is split as a shell would */
	CONF_PAIRS,		/* struct pair_list; a map, or a list of KEY=VALUE; later layers add to earlier ones */
	CONF_ITEMS,		/* struct { T *v; unsigned n; }: a list of blocks, each an object with rows `sub` */
	CONF_SECTION,		/* a block whose rows `sub` fill the same object */
	CONF_APART,		/* a block whose rows `sub` fill another object: set() reads it */
	CONF_CUSTOM,		/* set(), given() and put() know */
	CONF_TYPES
};

enum conf_flag {
	CONF_ALLOW_MAX = 1,	/* CONF_SIZE: "max" and "unlimited" are VALUE_MAX; CONF_COUNT: they are -1 */
	CONF_YES_NO = 2,	/* CONF_WORD: words 0 and 1 are also any boolean, and are shown as false and true */
	CONF_NO = 4,		/* CONF_WORD: word 0 is also any boolean no */
	/* in the `sub` of a row that is a single value too: this is that value's name in the map form */
	CONF_SELF = 8,
	CONF_REPLACE = 16,	/* CONF_PAIRS: a later layer replaces an earlier one */
	CONF_NAMED = 32,	/* CONF_APART: a map from names to such blocks */
	CONF_REQUIRED = 64,	/* in CONF_ITEMS: must be given */
	CONF_REST = 128,	/* CONF_ITEMS in a map form, which may then be a list of maps: all but its first */
};

struct conf_read;
struct conf_out;

struct conf_key {
	const char *name;	/* as written in the file; NULL ends a table */
	enum conf_type type;
	unsigned flags;		/* enum conf_flag */
	size_t at, size;	/* the field it fills */
	const char *def;	/* default, spelled as a user would; NULL: not given */
	const char *doc;	/* one sentence: the manual and the schema print it */
	const char *const *words; /* CONF_WORD: the choices, NULL-ended */
	const struct conf_key *sub; /* rows of a block; on a row that is a single value: its map form */
	size_t each, from_at;	/* CONF_ITEMS: size of one object; where in it its struct origin is, 0: it has none */
	/* CONF_COUNT, CONF_MSEC, CONF_SIZE: bounds, both included; max 0: none but the type's */
	int64_t min, max;
	int (*check)(const void *field, struct err *e); /* a rule that the type cannot say; texts are not NULL here */
	void (*set)(struct conf_read *r, const struct conf_key *k, void *obj, const struct node *n);
	bool (*given)(const struct conf_key *k, const void *obj);
	void (*put)(struct conf_out *o, const struct conf_key *k, const void *obj);
	/* another spelling of the row with this dotted path; with set or sub: of what they fill */
	const char *alias;
	const char *map_means;	/* on a row with a map form: the single value that the map form implies; NULL: none */
	const char *unbuilt;	/* the effect that this version lacks: only the default is taken */
	unsigned unbuilt_words;	/* CONF_WORD: the words it lacks, one bit each; 0: all but the default */
	const char *schema;	/* JSON Schema members for CONF_CUSTOM and for odd single values, without braces */
	const char *example;	/* YAML flow text for the example file; NULL: the default */
};

/* The field's C type is checked against the row's type when compiling. */
#define CONF_FIELD(T, f, ctype) \
	.at = offsetof(T, f) + 0 * _Generic(((T *)0)->f, ctype: 0), .size = sizeof(((T *)0)->f)

/* Every row of an object has a number, so that an origin can be kept for it. */
#define CONF_TABLES 48
struct conf_index {
	const struct conf_key *root;
	struct {
		const struct conf_key *at;
		unsigned n, base;
		bool unbuilt;	/* one of its rows is not built, or not in full */
	} table[CONF_TABLES];
	unsigned tables, rows;
};

/* Idempotent. More than CONF_TABLES tables is a mistake of the programmer: those rows get no number. */
void conf_index(struct conf_index *x, const struct conf_key *root);
/* The row's number, or -1 when it is not of this index. */
int conf_number(const struct conf_index *x, const struct conf_key *k);
/* The row that fills the field at this offset (never an alias), or NULL. */
const struct conf_key *conf_row_at(const struct conf_index *x, size_t at);
/* Absolute, without "." and "..", not beyond what the kernel takes: what CONF_PATH asks of a text. */
bool conf_path_is_plain(const char *s);
/* The row with a dotted path, or NULL. */
const struct conf_key *conf_row(const struct conf_key *root, const char *path);
/* Whether the rows in `sub` fill the same object as k. */
bool conf_is_section(const struct conf_key *k);
/* Of a row with a map form: the one that holds the further maps of a list; NULL: it takes no list. */
const struct conf_key *conf_rest(const struct conf_key *k);

enum conf_severity { CONF_ERROR, CONF_NOTE };

/* One pass over one block. Layers (defaults, preset, file) are passes over the same object, lowest first. */
struct conf_read {
	struct arena *arena;
	const struct conf_index *index;	/* of the object that is read */
	struct origins *origins;	/* NULL: not kept */
	unsigned char *layers;		/* by row number: the layer that set it last; NULL: not kept */
	unsigned char layer;		/* this pass, from 1: a row twice in one pass is an error */
	struct origin from;		/* the origin of all values unless kind is FROM_FILE */
	const struct node *top;		/* labels begin below this node */
	const char *label;		/* of what is read, before the names of its rows; NULL: none */
	const char *const *files;	/* names for origin.file, for messages */
	void (*tell)(struct conf_read *r, unsigned severity, struct origin at, const char *text);
	void *owner;			/* the caller's */
	unsigned errors;		/* how many were told */
};

/* Set every field to its default. Returns 0, or -EINVAL: a default is not what its row allows (told as well). */
int conf_defaults(struct conf_read *r, void *obj);
/* Read a map into obj, row by row; every problem is told, what could be read is set, even against its rule. */
void conf_read_block(struct conf_read *r, const struct conf_key *keys, void *obj, const struct node *map);
void conf_read_key(struct conf_read *r, const struct conf_key *k, void *obj, const struct node *n);
/* The same node, read by another row of the same object. */
void conf_read_as(struct conf_read *r, const char *path, void *obj, const struct node *n);
/* A value that no file spells, such as the second half of a short form; its place is n's. */
void conf_read_text(struct conf_read *r, const char *path, void *obj, const struct node *n, const char *text);
/* A block that is an object of its own: defaults, rows, what is required and what is unbuilt. obj is zeroed. */
void conf_read_item(struct conf_read *r, const struct conf_key *sub, void *obj, const struct node *n);
/* Note that n sets row k; false and told when this layer did so before. */
bool conf_mark(struct conf_read *r, const struct conf_key *k, const struct node *n);
/* The same where several spellings add to one row. */
void conf_stamp(struct conf_read *r, const struct conf_key *k, const struct node *n);
/* For set(): read n by the row's type and rule after all. What is no value of the type leaves the field as it was. */
void conf_read_plainly(struct conf_read *r, const struct conf_key *k, void *obj, const struct node *n);
/* For set(): the node that stands for `text` at n's place. */
struct node conf_made(const struct node *n, const char *text);
/* Tell what is missing from this version, one problem for each row of the object that asks for it. */
void conf_refuse_unbuilt(struct conf_read *r, const void *obj);

__attribute__((format(printf, 3, 4)))
void conf_error(struct conf_read *r, const struct node *n, const char *fmt, ...);	/* "LABEL: TEXT" at n's value */
__attribute__((format(printf, 3, 4)))
/* at n's key, label of what is around */
void conf_error_key(struct conf_read *r, const struct node *n, const char *fmt, ...);
/* "isolation.network.ports", below r->top. */
const char *conf_label(const struct conf_read *r, const struct node *n);
struct origin conf_origin(const struct conf_read *r, const struct node *n);

/* One value, for set() functions. Each tells what is wrong and returns -EINVAL. */
int conf_scalar(struct conf_read *r, const struct node *n, const char **out); /* refuses lists, maps and nothing */
/* a list of values, or one; out->v is not NULL */
int conf_list(struct conf_read *r, const struct node *n, struct str_list *out);
bool conf_is_empty(const struct node *n); /* nothing behind the colon */

/* Whether the value is one that a user gave or could have: not NULL, not UNSET, not an empty list. */
bool conf_given(const struct conf_key *k, const void *obj);
/* Whether the value is the row's default. */
bool conf_is_default(const struct conf_key *k, const void *obj);

/* Printing. */
enum conf_form {
	CONF_FORM_YAML,		/* reads back to the same values; origins as comments */
	CONF_FORM_JSON,		/* resolved: bytes, milliseconds; null where nothing is given */
	CONF_FORM_FROM,		/* JSON: the origins */
};

struct conf_out {
	FILE *to;
	enum conf_form form;
	unsigned depth;
	const struct conf_index *index;
	const struct origins *origins;
	const char *(*origin_text)(struct conf_out *o, struct origin at);
	void *owner;
	struct origin at;		/* of the value being put; set by conf_print */
};

/* All rows of the object; in JSON with the braces around. */
void conf_print(struct conf_out *o, const struct conf_key *keys, const void *obj);
void conf_put_text(struct conf_out *o, const char *s); /* quoted as the form needs; NULL is null */
void conf_put_number(struct conf_out *o, int64_t v);
void conf_put_words(struct conf_out *o, const struct str_list *l);
void conf_put_origin(struct conf_out *o, struct origin at); /* as a JSON text */
void conf_put_value(struct conf_out *o, const struct conf_key *k, const void *obj);
struct origin conf_origin_of(const struct conf_out *o, const struct conf_key *k);

/* What is printed from the rows themselves: the manual, the schema, the example. */
struct conf_book {
	FILE *to;
	const struct conf_key *root;	/* aliases name rows from here */
	const struct conf_key *shared;	/* schema: this table is printed once, elsewhere; */
	const char *shared_ref;		/* others refer to it by this */
	unsigned depth;
};

/* one object's, with its braces */
void conf_print_schema(struct conf_book *b, const struct conf_key *keys, const char *also);
void conf_print_reference(struct conf_book *b, const struct conf_key *keys, const char *prefix); /* mdoc list items */
void conf_print_example(struct conf_book *b, const struct conf_key *keys); /* YAML lines, all that is built */
