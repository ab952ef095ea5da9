/* `prior keygen`, `prior sign`, `prior verify`: keys and signatures as files. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "init/ctl/verbs.h"
#include "init/ctl/whole.h"
#include "services/sign/sign.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>

/* A secret is in our memory from now on: no core of it, nobody looks into it, and where we may, no swap of it. */
static void keep_secrets(void)
{
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	mlockall(MCL_CURRENT | MCL_ONFAULT);
}

/* All of it; a full disk or a limit of the file's size takes a part, and says so at the next write. */
static int write_all(int fd, const struct text *t, struct err *e)
{
	for (size_t at = 0; at < t->n;) {
		const ssize_t n = write(fd, t->at + at, t->n - at);

		if (n < 0)
			return err_sys(e, "write");
		if (n == 0)
			return err_set(e, EIO, "write: %zu bytes of %zu", at, t->n);
		at += (size_t)n;
	}
	return 0;
}

/* A file that is new, for nobody has two of a kind of key. */
static int write_new(const char *path, mode_t mode, const struct text *t, struct err *e)
{
	owned_fd fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);

	if (fd < 0 && errno == EEXIST)
		return err_set(e, EEXIST, "%s: is there already, and no key is written over", path);
	if (fd < 0)
		return err_sys(e, "%s", path);
	if (write_all(fd, t, e) == 0) {
		if (fsync(fd) == 0)
			return 0;
		err_sys(e, "write it to its disk");
	}
	unlink(path);
	return err_in(e, "%s", path);
}

static int write_pair(const struct sign_secret *s, const char *secret, const char *open, struct sign_public *p,
		      struct err *e)
{
	char text[SIGN_KEY_MAX];
	struct text t = TEXT_IN(text);

	sign_secret_text(s, &t);
	int rc = write_new(secret, 0600, &t, e);

	explicit_bzero(text, sizeof text);
	t.n = 0;
	sign_public_of(s, p);
	sign_public_text(p, &t);
	if (rc == 0 && (rc = write_new(open, 0644, &t, e)) < 0)
		unlink(secret);
	return rc;
}

int verb_keygen(struct ctl *c)
{
	const char *secret = c->value[OPT_SECRET], *open = c->value[OPT_PUBLIC];
	struct sign_secret s;
	struct sign_public p;
	char id[SIGN_ID_TEXT];
	struct err e;

	if (!secret || !open)
		return ctl_say(c, USAGE, "say with -s where the secret key goes, and with -p where the public one");
	keep_secrets();
	int rc = sign_generate(&s, &e);

	if (rc == 0)
		rc = write_pair(&s, secret, open, &p, &e);
	sign_forget(&s);
	if (rc < 0)
		return ctl_fail(c, FAILED, &e);
	printf("key %s: %s is secret, %s is for all\n", sign_id(p.id, id), secret, open);
	return DONE;
}

/* It may be a pipe, from who decrypts it: that one is waited for, and writes as it likes. */
static int read_secret(const char *path, struct sign_secret *s, struct err *e)
{
	owned_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	char text[SIGN_KEY_MAX];
	ssize_t got = 1;
	size_t n = 0;

	if (fd < 0)
		return err_sys(e, "%s", path);
	while (got > 0 && n < sizeof text && (got = read(fd, text + n, sizeof text - n)) > 0)
		n += (size_t)got;
	const int rc = got < 0 ? err_sys(e, "read it") : sign_secret_read(s, text, n, e);

	explicit_bzero(text, sizeof text);
	return rc < 0 ? err_in(e, "%s", path) : 0;
}

/* As minisign writes it. A name with a line end in it must not end the line. */
static void comment_of(const char *path, struct text *to)
{
	const char *slash = strrchr(path, '/');
	const size_t from = (text_fmt(to, "timestamp:%lld\tfile:", (long long)time(NULL)), to->n);

	text_add(to, slash ? slash + 1 : path);
	text_tame(to->at + from);
	text_add(to, "\thashed");
}

static int open_file(const char *path, struct err *e)
{
	owned_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "%s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, EINVAL, "%s: not a regular file", path);
	return fd_take(&fd);
}

static int sign_one(const struct sign_secret *s, const char *path, struct err *e)
{
	char text[SIGN_TEXT_MAX], comment[SIGN_COMMENT_MAX], name[4096];
	struct text t = TEXT_IN(text), said = TEXT_IN(comment), to = TEXT_IN(name);
	struct signed_bytes b;
	owned_fd fd = open_file(path, e);

	if (fd < 0)
		return -e->code;
	if (signed_bytes_of_file(&b, fd, e) < 0)
		return err_in(e, "%s", path);
	comment_of(path, &said);
	signature_text(s, &b, comment, &t);
	text_add(&to, path);
	text_add(&to, SIGN_SUFFIX);
	if (to.cut || said.cut || t.cut)
		return err_set(e, ENAMETOOLONG, "%.60s...: the name is too long", path);
	owned_fd made = memfd_create("signature", MFD_CLOEXEC);

	if (made < 0)
		return err_sys(e, "%s: a place for the signature", path);
	if (write_all(made, &t, e) < 0)
		return err_in(e, "%s: the signature", path);
	return whole_write(name, made, e);
}

int verb_sign(struct ctl *c)
{
	struct sign_secret s;
	int code = DONE;
	struct err e;

	if (!has(c, OPT_SECRET))
		return ctl_say(c, USAGE, "say with -s whose secret key signs");
	keep_secrets();
	if (read_secret(c->value[OPT_SECRET], &s, &e) < 0)
		return ctl_fail(c, FAILED, &e);
	for (int i = 0; i < c->nargs; i++)
		if (sign_one(&s, c->args[i], &e) < 0)
			code = ctl_fail(c, FAILED, &e);
	sign_forget(&s);
	return code;
}

/* One that is signed in the old way is a signature of the whole text, which then has to be in memory at once. */
static int check_whole(const struct signature *g, const struct sign_public *p, int fd, size_t n, struct err *e)
{
	char *at = malloc(n + 1);	/* not mapped: a file that gets shorter meanwhile would be a SIGBUS */
	size_t have = 0;
	ssize_t got = 1;
	int rc;

	while (at && have < n && (got = pread(fd, at + have, n - have, (off_t)have)) > 0)
		have += (size_t)got;
	if (!at || got < 0)
		rc = err_sys(e, "read it");
	else
		rc = signature_check(g, p, &(struct signed_bytes){ .at = at, .n = have }, e);
	free(at);
	return rc;
}

static int verify_one(const struct sign_public *p, const char *path, struct signature *g, struct err *e)
{
	owned_fd fd = open_file(path, e);
	struct signed_bytes b;

	if (fd < 0)
		return -e->code;
	int rc = signature_find(g, path, e);

	rc = rc < 0 ? rc : signed_bytes_of_file(&b, fd, e);
	if (rc == 0)
		rc = g->prehashed ? signature_check(g, p, &b, e) : check_whole(g, p, fd, b.n, e);
	return rc < 0 ? err_in(e, "%s", path) : 0;
}

int verb_verify(struct ctl *c)
{
	struct sign_public p;
	struct signature g;
	char id[SIGN_ID_TEXT];
	int code = DONE;
	struct err e;

	if (!has(c, OPT_PUBLIC))
		return ctl_say(c, USAGE, "say with -p which key must have signed: its file, or the key itself");
	if (sign_public_find(&p, c->value[OPT_PUBLIC], &e) < 0)
		return ctl_fail(c, FAILED, &e);
	for (int i = 0; i < c->nargs; i++) {
		if (verify_one(&p, c->args[i], &g, &e) < 0) {
			code = ctl_fail(c, FAILED, &e);
			continue;
		}
		for (char *tab = g.comment; (tab = strchr(tab, '\t'));)
			*tab = ' ';
		text_tame(g.comment);
		printf("%s: signed by the key %s: %s\n", c->args[i], sign_id(p.id, id), g.comment);
	}
	return code;
}
