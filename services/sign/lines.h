/* Inside of services/sign: the lines that minisign's files consist of. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/err.h"
#include "init/base/text.h"
#include <stddef.h>

struct lines {
	const char *at;
	size_t left;
};

#define UNTRUSTED "untrusted comment: "
#define TRUSTED "trusted comment: "

/* The next line, which must begin with `head`; *rest follows it, *n is its length. A last one needs no line end. */
int line_next(struct lines *l, const char *head, const char **rest, size_t *n, struct err *e);
/* The next line as base64 of exactly n bytes. */
int line_bytes(struct lines *l, unsigned char *to, size_t n, struct err *e);
/* Nothing may follow. */
int line_end(const struct lines *l, struct err *e);
/* n bytes in base64, with a line end; at most BYTES_MAX. */
#define BYTES_MAX 160u
void line_put(struct text *to, const unsigned char *bytes, size_t n);
