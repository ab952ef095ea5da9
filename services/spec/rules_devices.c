/* Rules about devices: what of them is looked at, and what their links may be called. */
/* SPDX-License-Identifier: ISC */
#include "init/base/sysfs.h"
#include "services/spec/rows.h"
#include <errno.h>
#include <string.h>

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define LINK_MAX_BYTES 200

RULE(device_paths_rule)
{
	const struct str_list *l = field;

	for (unsigned i = 0; i < l->n; i++) {
		const char *s = l->v[i];
		const bool below = !strncmp(s, "/dev/", 5) || !strncmp(s, "/sys/", 5);

		if (!below || strlen(s) > 255 || !sysfs_path_is_clean(s + 5, strlen(s + 5), SYSFS_NAME_BYTES ","))
			return err_set(e, EINVAL, "'%.60s' is not the path of a device below /dev or /sys", s);
	}
	return l->n > 16 ? err_set(e, E2BIG, "at most 16 devices") : 0;
}

RULE(attributes_rule)
{
	const struct pair_list *l = field;

	for (unsigned i = 0; i < l->n; i++)
		if (strlen(l->v[i].key) > 100 ||
		    !sysfs_path_is_clean(l->v[i].key, strlen(l->v[i].key), SYSFS_NAME_BYTES))
			return err_set(e, EINVAL, "'%.60s' is not the name of a file of sysfs such as idVendor",
				       l->v[i].key);
	return 0;
}

RULE(properties_rule)
{
	const struct pair_list *l = field;

	for (unsigned i = 0; i < l->n; i++)
		if (!*l->v[i].key || strspn(l->v[i].key, LETTERS "0123456789_") < strlen(l->v[i].key))
			return err_set(e, EINVAL, "'%.60s' is not a name of the file uevent such as DEVTYPE",
				       l->v[i].key);
	return 0;
}

/* What stands for a part of the name is one byte to the rest of the rule; NULL: it stands for nothing. */
static const char *part_end(const char *s)
{
	const char *close;

	if (s[1] == 'k' || s[1] == 'n')
		return s + 2;
	if ((s[1] != 's' && s[1] != 'e') || s[2] != '{')
		return NULL;
	close = strchr(s, '}');
	return close && sysfs_path_is_clean(s + 3, (size_t)(close - s - 3), SYSFS_NAME_BYTES) ? close + 1 : NULL;
}

static bool is_link(const char *s)
{
	char plain[LINK_MAX_BYTES];
	size_t n = 0;

	while (*s && n < sizeof plain) {
		const char *end = *s == '%' ? part_end(s) : s + 1;

		if (!end)
			return false;
		plain[n++] = *s == '%' ? 'x' : *s;
		s = end;
	}
	return !*s && sysfs_path_is_clean(plain, n, SYSFS_NAME_BYTES);
}

RULE(links_rule)
{
	const struct str_list *l = field;

	for (unsigned i = 0; i < l->n; i++)
		if (!is_link(l->v[i]))
			return err_set(e, EINVAL, "'%.60s' is not the name of a link below /dev, such as gps or "
				       "by-id/%%k (%%k, %%n, %%s{FILE}, %%e{NAME})", l->v[i]);
	return l->n > 8 ? err_set(e, E2BIG, "at most 8 links") : 0;
}
