/* Lines of comments and of base64: see lines.h. */
/* SPDX-License-Identifier: ISC */
#include "services/sign/lines.h"
#include "services/sign/sign.h"
#include "init/base/fd.h"
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>

int line_next(struct lines *l, const char *head, const char **rest, size_t *n, struct err *e)
{
	const char *end = memchr(l->at, '\n', l->left);
	const size_t all = end ? (size_t)(end - l->at) : l->left, skip = strlen(head);
	size_t len = all;

	if (len && l->at[len - 1] == '\r')	/* an editor's */
		len--;
	if (len < skip || memcmp(l->at, head, skip) != 0 || memchr(l->at, '\0', len))
		return err_set(e, EINVAL, "a line that begins with '%s' is missing: not a file of minisign's", head);
	*rest = l->at + skip;
	*n = len - skip;
	l->at += end ? all + 1 : all;
	l->left -= end ? all + 1 : all;
	return 0;
}

int line_bytes(struct lines *l, unsigned char *to, size_t n, struct err *e)
{
	const char *at, *end;
	size_t len, got;

	if (line_next(l, "", &at, &len, e) < 0)
		return -e->code;
	if (len != sodium_base64_ENCODED_LEN(n, sodium_base64_VARIANT_ORIGINAL) - 1)
		return err_set(e, EINVAL, "%zu characters of base64 where %zu belong: cut, or not a file of minisign's",
			       len, sodium_base64_ENCODED_LEN(n, sodium_base64_VARIANT_ORIGINAL) - 1);
	if (sodium_base642bin(to, n, at, len, NULL, &got, &end, sodium_base64_VARIANT_ORIGINAL) != 0 || got != n ||
	    end != at + len)
		return err_set(e, EINVAL, "is not base64");
	return 0;
}

int line_end(const struct lines *l, struct err *e)
{
	return l->left ? err_set(e, EINVAL, "%zu bytes behind its last line", l->left) : 0;
}

void line_put(struct text *to, const unsigned char *bytes, size_t n)
{
	char b[sodium_base64_ENCODED_LEN(BYTES_MAX, sodium_base64_VARIANT_ORIGINAL)];

	text_add(to, sodium_bin2base64(b, sizeof b, bytes, n, sodium_base64_VARIANT_ORIGINAL));
	text_add(to, "\n");
	sodium_memzero(b, sizeof b);	/* it may have been a secret */
}

int sign_read(const char *path, char *to, size_t size, struct stat *of, struct err *e)
{
	owned_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	ssize_t got = 1;
	size_t n = 0;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "%s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, EINVAL, "%s: not a regular file", path);
	while (n < size && (got = read(fd, to + n, size - n)) > 0)
		n += (size_t)got;
	if (got < 0)
		return err_sys(e, "%s", path);
	if (of)
		*of = st;
	if (n == size)
		return err_set(e, EFBIG, "%s: longer than %zu bytes", path, size - 1);
	to[n] = '\0';
	return (int)n;
}

/*
 * What libsodium calls when it is asked for what cannot be. Its own is in one object with sodium_init(), and with that
 * come all the ciphers that we do not use: 200 KB.
 */
void sodium_misuse(void)
{
	__builtin_trap();
}
