/* Inside of init/conf: one field at a time, and rows by their names. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/conf/conf.h"

/* Parse n into the row's field; what is wrong is told. */
void conf_field_read(struct conf_read *r, const struct conf_key *k, void *obj, const struct node *n);
/* The row's default, or "not given". */
void conf_field_default(struct conf_read *r, const struct conf_key *k, void *obj);

/* Dotted path of a row of r's object, or of the first row with this name; NULL when there is none. */
const char *conf_path(const struct conf_read *r, const struct conf_key *k);
const char *conf_path_of(const struct conf_read *r, const char *name);
