/* Rules about the directories, secrets and labels that prior gives to a service. */
/* SPDX-License-Identifier: ISC */
#include "services/spec/rows.h"
#include <errno.h>
#include <string.h>

#define NAME_BYTES "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-@+"
#define DIRECTORY_MAX 200	/* bytes */

/* One component: not hidden, not "..", and nothing that a list of paths or a shell reads differently. */
static bool is_name(const char *s, size_t n)
{
	return n > 0 && n <= 100 && s[0] != '.' && strspn(s, NAME_BYTES) >= n;
}

static bool is_relative(const char *s)
{
	size_t n;

	if (strlen(s) > DIRECTORY_MAX)
		return false;
	for (;; s += n + 1) {
		n = strcspn(s, "/");
		if (!is_name(s, n))
			return false;
		if (!s[n])
			return true;
	}
}

/* "private" is where the directories of dynamic users lie; "prior" and "credentials" are ours. */
static bool is_taken(const char *s)
{
	static const char *const ours[] = { "prior", "private", "credentials" };
	const size_t n = strcspn(s, "/");

	for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
		if (strlen(ours[i]) == n && !strncmp(s, ours[i], n))
			return true;
	return false;
}

RULE(directories_rule)
{
	const struct str_list *l = field;

	if (l->n > 32)
		return err_set(e, E2BIG, "at most 32 directories");
	for (unsigned i = 0; i < l->n; i++) {
		if (!is_relative(l->v[i]))
			return err_set(e, EINVAL, "'%.60s' is not the name of a directory like web or web/data (below "
				       "the one that the key is about; several are a list)", l->v[i]);
		if (is_taken(l->v[i]))
			return err_set(e, EINVAL, "'%.60s': 'prior', 'private' and 'credentials' are prior's own",
				       l->v[i]);
		for (unsigned k = 0; k < i; k++)
			if (!strcmp(l->v[i], l->v[k]))
				return err_set(e, EINVAL, "'%.60s' is given twice", l->v[i]);
	}
	return 0;
}

RULE(credentials_rule)
{
	const struct pair_list *l = field;
	struct str_list path = { .n = 1 };

	if (l->n > 64)
		return err_set(e, E2BIG, "at most 64 credentials");
	for (unsigned i = 0; i < l->n; i++) {
		const char *name = l->v[i].key, *from = l->v[i].value ? l->v[i].value : "";

		if (!is_name(name, strlen(name)))
			return err_set(e, EINVAL, "'%.60s' is not the name of a credential (letters, digits and _.-@+)",
				       name);
		path.v = &from;
		if (paths_rule(&path, e) < 0)
			return err_in(e, "%.60s", name);
	}
	return 0;
}

/* Goes into a file of the kernel's that is read by blanks and lines. */
RULE(label_rule)
{
	const char *s = *(const char *const *)field;

	for (const char *p = s; *p; p++)
		if (*p <= ' ' || *p == 0x7f)
			return err_set(e, EINVAL, "'%.60s' has a blank or a control character in it", s);
	return strlen(s) > 255 ? err_set(e, EINVAL, "longer than 255 bytes") : 0;
}
