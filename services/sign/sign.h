/* Keys and signatures in minisign's formats: Ed25519, of the text itself or of its BLAKE2b-512. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/err.h"
#include "init/base/text.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

/*
 * For children and the control tool, never in PID 1. libsodium's only user. Nothing here needs sodium_init(): that
 * chooses faster variants and a source of random numbers, and what we call has neither.
 *
 * Texts of others are read with these bounds, and line by line as minisign writes them: what is longer, has another
 * number of lines, or bytes of base64 that mean nothing, is refused with EINVAL.
 */
#define SIGN_SUFFIX ".minisig"
#define SIGN_KEY_MAX 2048u		/* bytes of a key's file */
#define SIGN_TEXT_MAX 12288u		/* bytes of a signature's file */
#define SIGN_COMMENT_MAX 8192u		/* of a trusted comment, its NUL included */
#define SIGN_DIGEST 64u
#define SIGN_DIGEST_TEXT (SIGN_DIGEST * 2 + 1)
#define SIGN_KEY_TEXT 57u		/* a public key in base64, its NUL included */
#define SIGN_ID_TEXT 17u

struct sign_public {
	unsigned char id[8], key[32];
};

/* Its owner calls sign_forget() on every way out. */
struct sign_secret {
	unsigned char id[8], key[64];
};

struct signature {
	bool prehashed;		/* of the digest ("ED"); else of the bytes themselves ("Ed", minisign -l) */
	unsigned char id[8], of_bytes[64], of_comment[64];
	char comment[SIGN_COMMENT_MAX];	/* the trusted one; terminals are shown it by text_tame() only */
};

/* What is signed. at may be NULL: then there is a digest alone, and a signature of the bytes themselves is refused. */
struct signed_bytes {
	const void *at;
	size_t n;
	unsigned char digest[SIGN_DIGEST];
};

/* As minisign prints it: 16 capital hexadecimal digits. */
const char *sign_id(const unsigned char id[8], char to[SIGN_ID_TEXT]);

/* A new pair. The random numbers are the kernel's. */
int sign_generate(struct sign_secret *s, struct err *e);
void sign_public_of(const struct sign_secret *s, struct sign_public *p);
void sign_forget(struct sign_secret *s);

/* The files, as text. EPERM: the secret key is kept under a password, for which nobody is asked here. */
void sign_public_text(const struct sign_public *p, struct text *to);
void sign_secret_text(const struct sign_secret *s, struct text *to);
int sign_public_read(struct sign_public *p, const char *text, size_t n, struct err *e);
int sign_secret_read(struct sign_secret *s, const char *text, size_t n, struct err *e);
/* At most size-1 bytes of an ordinary file, NUL-ended; their number. EFBIG: it is longer. st: of that file, or NULL. */
int sign_read(const char *path, char *to, size_t size, struct stat *st, struct err *e);
/* No file's name is that long and begins as every such key does; where one is: ./NAME. */
bool sign_is_key(const char *word);
/* KEY|FILE: what stands on a command line, the key itself or the name of its file. */
int sign_public_find(struct sign_public *p, const char *word, struct err *e);

/* digest from at and n; or, with at NULL after it, from all of the file behind fd, from its beginning. */
void signed_bytes_of(struct signed_bytes *b, const void *at, size_t n);
int signed_bytes_of_file(struct signed_bytes *b, int fd, struct err *e);
/* Until that time (mono.h) at most, 0: as long as it takes. ETIMEDOUT: the file is too long for that. */
int signed_bytes_until(struct signed_bytes *b, int fd, int64_t until_ms, struct err *e);
/* The digest in hexadecimal, as b2sum prints it. */
const char *signed_bytes_text(const struct signed_bytes *b, char to[SIGN_DIGEST_TEXT]);

int signature_read(struct signature *g, const char *text, size_t n, struct err *e);
/* That of PATH.minisig. ENOENT: there is none, so PATH is not signed. */
int signature_find(struct signature *g, const char *path, struct err *e);
/* 0: p's owner has signed these bytes and the trusted comment. EBADMSG: no. */
int signature_check(const struct signature *g, const struct sign_public *p, const struct signed_bytes *b,
		    struct err *e);
void signature_text(const struct sign_secret *s, const struct signed_bytes *b, const char *comment, struct text *to);
