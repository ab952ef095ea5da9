/* For tests of the configuration: text goes in, problems and what show prints come out as text. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/spec/spec.h"

/* A folder of its own as working directory, removed by conf_leave(). Files in it are named as in the tests. */
int conf_enter(void **state);
int conf_leave(void **state);
void conf_write(const char *name, const char *text);
void conf_write_n(const char *name, const char *text, size_t n);

/* Load; the spec must be freed with spec_free(). A text of its own is written to t.yaml first. */
void conf_load(struct spec *s, const char *path);
void conf_load_text(struct spec *s, const char *text);
/* What spec_print_problems() prints; lives until the next call. */
const char *conf_problems(const struct spec *s);
const char *conf_problems_of(const char *text); /* load, print, free */
/* What spec_show() prints; lives until the next call. */
const char *conf_show(struct spec *s, const char *service, bool json);
const char *conf_isolation(struct spec *s, const char *service);
