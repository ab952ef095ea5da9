/* One YAML file as a bounded tree of nodes, each with its place. tree.c is the only user of libyaml. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/arena.h"
#include <stdbool.h>
#include <stdint.h>

#define TREE_BYTES (1u << 20)
#define TREE_NODES 100000u
#define TREE_DEPTH 16u

enum node_kind { NODE_SCALAR, NODE_LIST, NODE_MAP };

struct node {
	uint8_t kind;		/* enum node_kind */
	bool again;		/* its key is given before in the same map; told already */
	bool quoted;		/* NODE_SCALAR: written with quotes or as a block */
	uint16_t file;		/* the caller's number for the file */
	uint32_t line, col;	/* of the value, from 1 */
	uint32_t key_line, key_col; /* of the key, for a map's children; 0 otherwise */
	const char *key;	/* for a map's children; NULL otherwise */
	const char *text;	/* NODE_SCALAR: the value, variables filled in; holds no NUL inside */
	unsigned n;		/* NODE_LIST, NODE_MAP: how many children */
	struct node *first, *last, *next, *up;
};

/*
 * What the reader needs. tell() hears of everything wrong; `in` is the node it is about, or the innermost list or map
 * around the place, NULL outside of all. env() answers ${NAME}; NULL switches variables off.
 */
struct tree {
	struct arena *arena;	/* nodes and texts live here; not owned */
	uint16_t file;
	const char *(*env)(const char *name);
	void (*tell)(struct tree *t, const struct node *in, uint32_t line, uint32_t col, const char *text);
	void *owner;		/* the caller's */
	unsigned told;		/* how often tell() was called */
};

/*
 * Read one document of len bytes. Refused: duplicate keys, anchors, aliases, tags, merge keys, a second document, what
 * is not UTF-8, and everything over the bounds above. Returns the root (an empty map for an empty text), or NULL when
 * the text cannot be read as a tree; tell() has said why. Problems that leave the tree standing are told only.
 */
struct node *tree_read(struct tree *t, const char *text, size_t len);

/* ${NAME}, ${NAME:-default} and $$ in s. NULL with *why (static text or in the arena) when that is not possible. */
const char *tree_fill(struct tree *t, const char *s, size_t n, const char **why);

/* The first byte that may not stand in a configuration, or NULL; *why says what it is. */
const char *tree_bad_byte(const char *s, size_t n, const char **why);
