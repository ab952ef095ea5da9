/* Signatures: read, checked and made. See sign.h. */
/* SPDX-License-Identifier: ISC */
#include "services/sign/lines.h"
#include "services/sign/sign.h"
#include "init/base/fd.h"
#include "init/base/mono.h"
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define CHUNK 65536u

/* As it stands in the file, in base64. */
struct signature_bytes {
	unsigned char algorithm[2], id[8], of_bytes[64];
};
_Static_assert(sizeof(struct signature_bytes) == 74, "minisign's format");

void signed_bytes_of(struct signed_bytes *b, const void *at, size_t n)
{
	b->at = at;
	b->n = n;
	crypto_generichash_blake2b(b->digest, sizeof b->digest, at, n, NULL, 0);
}

int signed_bytes_of_file(struct signed_bytes *b, int fd, struct err *e)
{
	return signed_bytes_until(b, fd, 0, e);
}

int signed_bytes_until(struct signed_bytes *b, int fd, int64_t until_ms, struct err *e)
{
	crypto_generichash_blake2b_state h;
	unsigned char chunk[CHUNK];
	off_t at = 0;
	ssize_t n;

	crypto_generichash_blake2b_init(&h, NULL, 0, sizeof b->digest);
	while ((n = pread(fd, chunk, sizeof chunk, at)) > 0) {
		crypto_generichash_blake2b_update(&h, chunk, (size_t)n);
		at += n;
		if (until_ms && mono_now().ms >= until_ms)
			return err_set(e, ETIMEDOUT, "its signature is not checked: only %lld bytes of it could be "
				       "read in the time that the plan has for it", (long long)at);
	}
	if (n < 0)
		return err_sys(e, "read it");
	crypto_generichash_blake2b_final(&h, b->digest, sizeof b->digest);
	b->at = NULL;
	b->n = (size_t)at;
	return 0;
}

static int take_comment(struct signature *g, const char *at, size_t n, struct err *e)
{
	if (n >= sizeof g->comment)
		return err_set(e, EINVAL, "its trusted comment is longer than %zu bytes", sizeof g->comment - 1);
	memcpy(g->comment, at, n);
	g->comment[n] = '\0';
	return 0;
}

const char *signed_bytes_text(const struct signed_bytes *b, char to[SIGN_DIGEST_TEXT])
{
	return sodium_bin2hex(to, SIGN_DIGEST_TEXT, b->digest, sizeof b->digest);
}

int signature_read(struct signature *g, const char *text, size_t n, struct err *e)
{
	struct lines l = { text, n };
	struct signature_bytes b;
	const char *at;
	size_t len;

	if (line_next(&l, UNTRUSTED, &at, &len, e) < 0 || line_bytes(&l, (unsigned char *)&b, sizeof b, e) < 0)
		return -e->code;
	if (memcmp(b.algorithm, "ED", 2) != 0 && memcmp(b.algorithm, "Ed", 2) != 0)
		return err_set(e, EINVAL, "a signature of a kind that is not known here: Ed25519 (minisign's) is");
	g->prehashed = b.algorithm[1] == 'D';
	memcpy(g->id, b.id, sizeof g->id);
	memcpy(g->of_bytes, b.of_bytes, sizeof g->of_bytes);
	if (line_next(&l, TRUSTED, &at, &len, e) < 0 || take_comment(g, at, len, e) < 0 ||
	    line_bytes(&l, g->of_comment, sizeof g->of_comment, e) < 0)
		return -e->code;
	return line_end(&l, e);
}

int signature_find(struct signature *g, const char *path, struct err *e)
{
	char text[SIGN_TEXT_MAX + 1], name[4096 + sizeof SIGN_SUFFIX];

	if (snprintf(name, sizeof name, "%s" SIGN_SUFFIX, path) >= (int)sizeof name)
		return err_set(e, ENAMETOOLONG, "is not signed: the name of its signature would be too long");
	const int n = sign_read(name, text, sizeof text, NULL, e);

	if (n == -ENOENT)
		return err_set(e, ENOENT, "is not signed: there is no %s", name);
	if (n < 0)
		return err_in(e, "its signature");
	return signature_read(g, text, (size_t)n, e) < 0 ? err_in(e, "its signature %s", name) : 0;
}

/* The signature of the comment is one of the signature, too, so that comments cannot be exchanged. */
static size_t with_comment(unsigned char *to, const unsigned char of_bytes[64], const char *comment)
{
	const size_t n = strlen(comment);

	memcpy(to, of_bytes, 64);
	memcpy(to + 64, comment, n);
	return 64 + n;
}

int signature_check(const struct signature *g, const struct sign_public *p, const struct signed_bytes *b,
		    struct err *e)
{
	unsigned char all[64 + SIGN_COMMENT_MAX];
	char theirs[SIGN_ID_TEXT], ours[SIGN_ID_TEXT];
	const unsigned char *at = g->prehashed ? b->digest : b->at;
	const size_t n = g->prehashed ? sizeof b->digest : b->n;

	if (memcmp(g->id, p->id, sizeof g->id) != 0)
		return err_set(e, EBADMSG, "is signed by the key %s, not by %s", sign_id(g->id, theirs),
			       sign_id(p->id, ours));
	if (!at)
		return err_set(e, EBADMSG, "is signed in the old way, without a hash, which takes it whole into "
			       "memory: sign it anew (prior sign, or minisign -S without -l)");
	if (crypto_sign_ed25519_verify_detached(g->of_bytes, at, n, p->key) != 0)
		return err_set(e, EBADMSG, "has been changed since the key %s signed it, or that key did not",
			       sign_id(p->id, ours));
	if (crypto_sign_ed25519_verify_detached(g->of_comment, all, with_comment(all, g->of_bytes, g->comment),
						p->key) != 0)
		return err_set(e, EBADMSG, "the trusted comment of its signature is not what the key %s signed",
			       sign_id(p->id, ours));
	return 0;
}

void signature_text(const struct sign_secret *s, const struct signed_bytes *b, const char *comment, struct text *to)
{
	struct signature_bytes g = { .algorithm = "ED" };
	unsigned char all[64 + SIGN_COMMENT_MAX], of_comment[64];
	char line[SIGN_COMMENT_MAX], id[SIGN_ID_TEXT];

	text_copy(line, sizeof line, comment);
	memcpy(g.id, s->id, sizeof g.id);
	crypto_sign_ed25519_detached(g.of_bytes, NULL, b->digest, sizeof b->digest, s->key);
	crypto_sign_ed25519_detached(of_comment, NULL, all, with_comment(all, g.of_bytes, line), s->key);
	text_fmt(to, UNTRUSTED "signature of the minisign key %s\n", sign_id(s->id, id));
	line_put(to, (const unsigned char *)&g, sizeof g);
	text_add(to, TRUSTED);
	text_add(to, line);
	text_add(to, "\n");
	line_put(to, of_comment, sizeof of_comment);
}
