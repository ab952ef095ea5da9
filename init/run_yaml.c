/* Writing the YAML of `prior run`: see run_yaml.h. */
/* SPDX-License-Identifier: ISC */
#include "init/run_yaml.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct run_set *)a)->key, ((const struct run_set *)b)->key);
}

/* How many leading blocks two dotted keys share: "a.b.c" and "a.b.d" share 2. */
static unsigned shared_blocks(const char *a, const char *b)
{
	unsigned blocks = 0;

	for (; *a && *a == *b; a++, b++)
		blocks += *a == '.';
	return blocks;
}

static void indent(struct text *out, unsigned depth)
{
	for (unsigned i = 0; i < depth; i++)
		text_add(out, "  ");
}

/* Opens the blocks of key that the one before has not opened, then writes "last: value". */
static void write_set(struct text *out, const struct run_set *s, unsigned open)
{
	const char *part = s->key;
	unsigned depth = 0;

	for (const char *dot; (dot = strchr(part, '.')); part = dot + 1, depth++)
		if (depth >= open) {
			indent(out, depth + 2);
			text_add_n(out, part, (size_t)(dot - part));
			text_add(out, ":\n");
		}
	indent(out, depth + 2);
	text_fmt(out, "%s: ", part);
	text_add(out, s->value);
	text_add(out, "\n");
}

/* A double-quoted scalar: JSON's escapes are YAML's, and '$' would be interpolated. */
static int write_word(struct text *out, const char *w, struct err *e)
{
	char quoted[8192];
	struct text t = TEXT_IN(quoted);

	text_json(&t, w, strlen(w));
	out->cut |= t.cut;
	if (strstr(quoted, "\\ufffd"))
		return err_set(e, EILSEQ, "run: an argument is not UTF-8 and cannot be written as YAML");
	for (const char *c = quoted; *c; c++)
		text_add_n(out, *c == '$' ? "$$" : c, *c == '$' ? 2 : 1);
	return 0;
}

static int key_is_plain(const struct run_set *s, struct err *e)
{
	/* Names of variables, of mounts and of settings are keys, too. */
	static const char key_bytes[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-";

	if (!*s->key || strspn(s->key, key_bytes) != strlen(s->key))
		return err_set(e, EINVAL, "run: --set %s: not a key", s->key);
	if (strchr(s->value, '\n'))
		return err_set(e, EINVAL, "run: --set %s: the value has more than one line", s->key);
	return 0;
}

static int write_command(struct text *out, char *const *command, struct err *e)
{
	text_add(out, "    command: [");
	for (char *const *w = command; *w; w++) {
		text_add(out, w == command ? "" : ", ");
		if (write_word(out, *w, e) < 0)
			return -e->code;
	}
	text_add(out, "]\n    restart: \"no\"\n    critical: true\n");
	return 0;
}

/* What is about us alone stays with us. */
static bool is_for_main(const char *variable)
{
	static const char *const ours[] = { "PRIOR_", "LISTEN_", "NOTIFY_SOCKET=", "WATCHDOG_", NULL };
	static const char bytes[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
	size_t name = strcspn(variable, "=");

	for (const char *const *o = ours; *o; o++)
		if (!strncmp(variable, *o, strlen(*o)))
			return false;
	return name && variable[name] && strspn(variable, bytes) == name && strcspn(variable, "0123456789") > 0;
}

int run_yaml_main(struct text *out, char *const *command, char *const *env, struct err *e)
{
	text_add(out, "services:\n  main:\n");
	if (write_command(out, command, e) < 0)
		return -e->code;
	text_add(out, "    environment:\n");
	for (char *const *v = env; *v; v++) {
		size_t name = strcspn(*v, "=");

		if (!is_for_main(*v))
			continue;
		text_add(out, "      ");
		text_add_n(out, *v, name);
		text_add(out, ": ");
		if (write_word(out, *v + name + 1, e) < 0)
			return err_in(e, "variable %.*s", (int)name, *v);
		text_add(out, "\n");
	}
	return out->cut ? err_set(e, E2BIG, "the command and its environment do not fit into %zu bytes", out->size) : 0;
}

int run_yaml(struct text *out, const char *base, struct run_set *sets, unsigned n, char *const *command, struct err *e)
{
	if (base)
		text_add(out, base);
	text_add(out, base ? "\nservices:\n  run:\n" : "services:\n  run:\n");
	if (write_command(out, command, e) < 0)
		return -e->code;
	if (n)
		qsort(sets, n, sizeof *sets, by_key);
	for (unsigned i = 0; i < n; i++) {
		if (key_is_plain(&sets[i], e) < 0)
			return -e->code;
		write_set(out, &sets[i], i ? shared_blocks(sets[i - 1].key, sets[i].key) : 0);
	}
	return out->cut ? err_set(e, E2BIG, "run: the command and its keys do not fit into %zu bytes", out->size) : 0;
}
