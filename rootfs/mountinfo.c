/* Reading /proc/PID/mountinfo: see mountinfo.h. */
/* SPDX-License-Identifier: ISC */
#include "rootfs/mountinfo.h"
#include "init/base/sys.h"
#include "init/base/text.h"
#include <errno.h>
#include <string.h>

#define LINE_MAX_BYTES (64u << 10)

static const struct {
	const char *word;
	uint64_t attr;
} words[] = {
	{ "ro", MOUNT_ATTR_RDONLY },	 { "nosuid", MOUNT_ATTR_NOSUID }, { "nodev", MOUNT_ATTR_NODEV },
	{ "noexec", MOUNT_ATTR_NOEXEC }, { "nosymfollow", MOUNT_ATTR_NOSYMFOLLOW },
};

static uint64_t attributes(const char *list)
{
	uint64_t attr = 0;

	while (*list) {
		const size_t n = strcspn(list, ",");

		for (unsigned i = 0; i < sizeof words / sizeof *words; i++)
			if (!strncmp(list, words[i].word, n) && !words[i].word[n])
				attr |= words[i].attr;
		list += n + (list[n] == ',');
	}
	return attr;
}

/* The word in front of *at, cut off at its blank; NULL at the end. */
static char *next_word(char **at)
{
	char *word = *at, *end = strchrnul(word, ' ');

	if (!*word)
		return NULL;
	*at = end + (*end != '\0');
	*end = '\0';
	return word;
}

/* A number in front of *s. False: there is none. */
static bool number(const char **s, unsigned *v)
{
	const char *from = *s;

	for (*v = 0; **s >= '0' && **s <= '9'; (*s)++)
		*v = *v * 10 + (unsigned)(**s - '0');
	return *s > from;
}

static bool numbers(char *f[3], struct mountinfo *m)
{
	const char *id = f[0], *parent = f[1], *dev = f[2];
	unsigned a, b;

	if (!number(&id, &a) || !number(&parent, &b) || !number(&dev, &m->major) || *dev++ != ':' ||
	    !number(&dev, &m->minor))
		return false;
	m->id = (int)a;
	m->parent = (int)b;
	return true;
}

/* 36 35 98:0 /root /target rw,noatime master:1 - ext3 /dev/root rw,errors=continue */
int mountinfo_parse(char *line, struct mountinfo *m, struct err *e)
{
	char *f[6], *word, *type, *source, *options;

	for (int n = 0; n < 6; n++)
		if (!(f[n] = next_word(&line)))
			return err_set(e, EBADMSG, "a line of mountinfo with %d fields", n);
	m->is_private = true;
	while ((word = next_word(&line)) && strcmp(word, "-") != 0)
		m->is_private = false;
	type = word ? next_word(&line) : NULL;
	source = type ? next_word(&line) : NULL;
	options = source ? next_word(&line) : NULL;
	if (!type || !numbers(f, m))
		return err_set(e, EBADMSG, "a line of mountinfo that is none: '%.60s'", f[0]);
	text_unescape(f[3]);
	text_unescape(f[4]);
	if (source)
		text_unescape(source);
	m->root = f[3];
	m->target = f[4];
	m->attr = attributes(f[5]);
	m->type = type;
	m->source = source ? source : "";
	m->options = options ? options : "";
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

int mountinfo_in(int fd, char *buf, size_t size, mountinfo_fn *each, void *ctx, struct err *e)
{
	size_t have = 0;
	int count = 0;

	for (;;) {
		const ssize_t got = read(fd, buf + have, size - have);

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
		if (have == size)
			return err_set(e, EOVERFLOW, "mountinfo: a line longer than %zu bytes", size);
	}
}

int mountinfo_each(int fd, mountinfo_fn *each, void *ctx, struct err *e)
{
	char buf[LINE_MAX_BYTES];

	return mountinfo_in(fd, buf, sizeof buf, each, ctx, e);
}
