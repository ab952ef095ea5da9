/* Reading /proc/PID/mountinfo: see mountinfo.h. */
/* SPDX-License-Identifier: ISC */
#include "rootfs/mountinfo.h"
#include "init/base/sys.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define LINE_MAX_BYTES (64u << 10)

static const struct {
	const char *word;
	uint64_t attr;
} words[] = {
	{ "ro", MOUNT_ATTR_RDONLY },	 { "nosuid", MOUNT_ATTR_NOSUID }, { "nodev", MOUNT_ATTR_NODEV },
	{ "noexec", MOUNT_ATTR_NOEXEC }, { "nosymfollow", MOUNT_ATTR_NOSYMFOLLOW },
};

/* "\040" and its like back to bytes, in place. */
static void unescape(char *s)
{
	char *to = s;

	for (; *s; s++, to++)
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' && s[2] <= '7' && s[3] >= '0' &&
		    s[3] <= '7') {
			*to = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
			s += 3;
		} else {
			*to = *s;
		}
	*to = '\0';
}

static uint64_t attributes(char *list)
{
	uint64_t attr = 0;
	char *save = NULL;

	for (char *w = strtok_r(list, ",", &save); w; w = strtok_r(NULL, ",", &save))
		for (unsigned i = 0; i < sizeof words / sizeof *words; i++)
			if (!strcmp(w, words[i].word))
				attr |= words[i].attr;
	return attr;
}

/* 36 35 98:0 /root /target rw,noatime master:1 - ext3 /dev/root rw,errors=continue */
int mountinfo_parse(char *line, struct mountinfo *m, struct err *e)
{
	char *save = NULL, *f[6], *word, *type, *source;
	int n = 0;

	for (; n < 6; n++)
		if (!(f[n] = strtok_r(n ? NULL : line, " ", &save)))
			return err_set(e, EBADMSG, "a line of mountinfo with %d fields", n);
	m->is_private = true;
	while ((word = strtok_r(NULL, " ", &save)) && strcmp(word, "-") != 0)
		m->is_private = false;
	type = word ? strtok_r(NULL, " ", &save) : NULL;
	source = type ? strtok_r(NULL, " ", &save) : NULL;
	if (!type || sscanf(f[0], "%d", &m->id) != 1 || sscanf(f[1], "%d", &m->parent) != 1 ||
	    sscanf(f[2], "%u:%u", &m->major, &m->minor) != 2)
		return err_set(e, EBADMSG, "a line of mountinfo that is none: '%.60s'", f[0]);
	unescape(f[3]);
	unescape(f[4]);
	if (source)
		unescape(source);
	m->root = f[3];
	m->target = f[4];
	m->attr = attributes(f[5]);
	m->type = type;
	m->source = source ? source : "";
	return 0;
}

/* Hand out the whole lines in buf[0..n); returns how many bytes they were, or a negative number. */
static ssize_t whole_lines(char *buf, size_t n, mountinfo_fn *each, void *ctx, int *count, struct err *e)
{
	char *at = buf, *end;

	while ((end = memchr(at, '\n', n - (size_t)(at - buf)))) {
		struct mountinfo m;
		int ret;

		*end = '\0';
		if (mountinfo_parse(at, &m, e) < 0)
			return -e->code;
		ret = each(ctx, &m, e);
		if (ret < 0)
			return ret;
		(*count)++;
		at = end + 1;
	}
	return at - buf;
}

int mountinfo_each(int fd, mountinfo_fn *each, void *ctx, struct err *e)
{
	char buf[LINE_MAX_BYTES];
	size_t have = 0;
	int count = 0;

	for (;;) {
		const ssize_t got = read(fd, buf + have, sizeof buf - have);

		if (got < 0)
			return err_sys(e, "mountinfo");
		if (got == 0)
			return count;
		have += (size_t)got;
		const ssize_t used = whole_lines(buf, have, each, ctx, &count, e);

		if (used < 0)
			return (int)used;
		have -= (size_t)used;
		memmove(buf, buf + used, have);
		if (have == sizeof buf)
			return err_set(e, EOVERFLOW, "mountinfo: a line longer than %u bytes", LINE_MAX_BYTES);
	}
}
