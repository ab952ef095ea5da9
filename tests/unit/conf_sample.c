/* A temporary folder with configuration files, and what the spec's functions print as text. */
/* SPDX-License-Identifier: ISC */
#include "conf_sample.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/prior-conf-XXXXXX";
static char *kept;

int conf_enter(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/prior-conf-XXXXXX");
	return mkdtemp(folder) && chdir(folder) == 0 && mkdir("services.d", 0755) == 0 ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *f)
{
	(void)st;
	(void)type;
	(void)f;
	return remove(path);
}

int conf_leave(void **state)
{
	(void)state;
	free(kept);
	kept = NULL;
	return chdir("/") == 0 ? nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS) : -1;
}

void conf_write_n(const char *name, const char *text, size_t n)
{
	FILE *f = fopen(name, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

void conf_write(const char *name, const char *text)
{
	conf_write_n(name, text, strlen(text));
}

void conf_load(struct spec *s, const char *path)
{
	struct err e = { 0 };

	if (spec_load(s, path, &e) < 0)
		fail_msg("%s", e.text);
}

void conf_load_text(struct spec *s, const char *text)
{
	conf_write("t.yaml", text);
	conf_load(s, "t.yaml");
}

static FILE *keep(size_t *n)
{
	free(kept);
	kept = NULL;
	return open_memstream(&kept, n);
}

const char *conf_problems(const struct spec *s)
{
	size_t n;
	FILE *f = keep(&n);

	spec_print_problems(s, f);
	fclose(f);
	return kept;
}

const char *conf_problems_of(const char *text)
{
	struct spec s;

	conf_load_text(&s, text);
	conf_problems(&s);
	spec_free(&s);
	return kept;
}

const char *conf_show(struct spec *s, const char *service, bool json)
{
	struct err e = { 0 };
	size_t n;
	FILE *f = keep(&n);
	int rc = spec_show(s, service, json, f, &e);

	fclose(f);
	if (rc < 0)
		fail_msg("%s", e.text);
	return kept;
}

const char *conf_isolation(struct spec *s, const char *service)
{
	struct err e = { 0 };
	size_t n;
	FILE *f = keep(&n);
	int rc = spec_show_isolation(s, service, false, f, &e);

	fclose(f);
	if (rc < 0)
		fail_msg("%s", e.text);
	return kept;
}
