/* For tests of the configuration: text goes in, problems and what show prints come out as text. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/spec/spec.h"

/* A folder of its own as working directory, removed by sample_leave(). Files in it are named as in the tests. */
int sample_enter(void **state);
int sample_leave(void **state);
void sample_write(const char *name, const char *text);
void sample_write_n(const char *name, const char *text, size_t n);

/* Load; the spec must be freed with spec_free(). A text of its own is written to t.yaml first. */
void sample_load(struct spec *s, const char *path);
void sample_load_text(struct spec *s, const char *text);
/* What spec_print_problems() prints; lives until the next call. */
const char *sample_problems(const struct spec *s);
const char *sample_problems_of(const char *text); /* load, print, free */
/* What spec_show() prints; lives until the next call. */
const char *sample_show(struct spec *s, const char *service, bool json);
const char *sample_isolation(struct spec *s, const char *service);
