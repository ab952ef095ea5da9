/* Pairs of keys, and their files: see sign.h. */
/* SPDX-License-Identifier: ISC */
#include "services/sign/lines.h"
#include "services/sign/sign.h"
#include <errno.h>
#include <sodium.h>
#include <string.h>
#include <sys/random.h>

#define KDF_NONE "\0\0"
#define CHECK 32u

/* As it stands in the file, in base64. kdf says how the rest is encrypted; only `none` is ours. */
struct secret_bytes {
	unsigned char algorithm[2], kdf[2], check[2], salt[32], ops[8], memory[8], id[8], key[64], sum[CHECK];
};
_Static_assert(sizeof(struct secret_bytes) == 158 && sizeof(struct secret_bytes) <= BYTES_MAX, "minisign's format");

struct public_bytes {
	unsigned char algorithm[2], id[8], key[32];
};
_Static_assert(sizeof(struct public_bytes) == 42, "minisign's format");

/* Which is a number, lowest byte first. */
const char *sign_id(const unsigned char id[8], char to[SIGN_ID_TEXT])
{
	struct text t = { .at = to, .size = SIGN_ID_TEXT };

	for (int i = 7; i >= 0; i--)
		text_fmt(&t, "%02X", id[i]);
	return to;
}

int sign_generate(struct sign_secret *s, struct err *e)
{
	unsigned char seed[crypto_sign_ed25519_SEEDBYTES], open[crypto_sign_ed25519_PUBLICKEYBYTES];

	if (getrandom(seed, sizeof seed, 0) != sizeof seed || getrandom(s->id, sizeof s->id, 0) != sizeof s->id)
		return err_sys(e, "ask the kernel for random numbers");
	crypto_sign_ed25519_seed_keypair(open, s->key, seed);
	sodium_memzero(seed, sizeof seed);
	return 0;
}

void sign_public_of(const struct sign_secret *s, struct sign_public *p)
{
	memcpy(p->id, s->id, sizeof p->id);
	memcpy(p->key, s->key + 32, sizeof p->key);	/* its second half */
}

void sign_forget(struct sign_secret *s)
{
	sodium_memzero(s, sizeof *s);
}

void sign_public_text(const struct sign_public *p, struct text *to)
{
	struct public_bytes b = { .algorithm = "Ed" };
	char id[SIGN_ID_TEXT];

	memcpy(b.id, p->id, sizeof b.id);
	memcpy(b.key, p->key, sizeof b.key);
	text_fmt(to, UNTRUSTED "minisign public key %s\n", sign_id(p->id, id));
	line_put(to, (const unsigned char *)&b, sizeof b);
}

/* It tells a damaged key from a whole one; it is no secret's keeper. */
static void sum_of(const struct secret_bytes *b, unsigned char sum[CHECK])
{
	crypto_generichash_blake2b_state h;

	crypto_generichash_blake2b_init(&h, NULL, 0, CHECK);
	crypto_generichash_blake2b_update(&h, b->algorithm, sizeof b->algorithm);
	crypto_generichash_blake2b_update(&h, b->id, sizeof b->id);
	crypto_generichash_blake2b_update(&h, b->key, sizeof b->key);
	crypto_generichash_blake2b_final(&h, sum, CHECK);
	sodium_memzero(&h, sizeof h);
}

void sign_secret_text(const struct sign_secret *s, struct text *to)
{
	struct secret_bytes b = { .algorithm = "Ed", .kdf = KDF_NONE, .check = "B2" };

	memcpy(b.id, s->id, sizeof b.id);
	memcpy(b.key, s->key, sizeof b.key);
	sum_of(&b, b.sum);
	text_add(to, UNTRUSTED "minisign secret key without a password\n");
	line_put(to, (const unsigned char *)&b, sizeof b);
	sodium_memzero(&b, sizeof b);
}

static int public_line(struct lines *l, struct sign_public *p, struct err *e)
{
	struct public_bytes b;

	if (line_bytes(l, (unsigned char *)&b, sizeof b, e) < 0 || line_end(l, e) < 0)
		return -e->code;
	if (memcmp(b.algorithm, "Ed", 2) != 0)
		return err_set(e, EINVAL, "is not a public key of minisign's (Ed25519)");
	memcpy(p->id, b.id, sizeof p->id);
	memcpy(p->key, b.key, sizeof p->key);
	return 0;
}

int sign_public_read(struct sign_public *p, const char *text, size_t n, struct err *e)
{
	struct lines l = { text, n };
	const char *comment;
	size_t len;

	return line_next(&l, UNTRUSTED, &comment, &len, e) < 0 ? -e->code : public_line(&l, p, e);
}

static int take_secret(struct sign_secret *s, const struct secret_bytes *b, struct err *e)
{
	unsigned char sum[CHECK];

	if (memcmp(b->algorithm, "Ed", 2) != 0 || memcmp(b->check, "B2", 2) != 0)
		return err_set(e, EINVAL, "is not a secret key of minisign's (Ed25519)");
	if (memcmp(b->kdf, KDF_NONE, 2) != 0)
		return err_set(e, EPERM, "is kept under a password, which prior does not ask for: sign with "
			       "minisign, or take the password away (minisign -C -W -s FILE)");
	sum_of(b, sum);
	/* minisign makes none where there is no password. */
	if (memcmp(sum, b->sum, CHECK) != 0 && !sodium_is_zero(b->sum, CHECK))
		return err_set(e, EINVAL, "is damaged: its sum is another");
	memcpy(s->id, b->id, sizeof s->id);
	memcpy(s->key, b->key, sizeof s->key);
	return 0;
}

int sign_secret_read(struct sign_secret *s, const char *text, size_t n, struct err *e)
{
	struct lines l = { text, n };
	struct secret_bytes b;
	const char *comment;
	size_t len;
	int rc = line_next(&l, UNTRUSTED, &comment, &len, e);

	rc = rc < 0 ? rc : line_bytes(&l, (unsigned char *)&b, sizeof b, e);
	rc = rc < 0 ? rc : line_end(&l, e);
	rc = rc < 0 ? rc : take_secret(s, &b, e);
	sodium_memzero(&b, sizeof b);
	return rc;
}

bool sign_is_key(const char *word)
{
	return strlen(word) == SIGN_KEY_TEXT - 1 && !memcmp(word, "RW", 2);
}

int sign_public_find(struct sign_public *p, const char *word, struct err *e)
{
	struct lines l = { word, strlen(word) };
	char text[SIGN_KEY_MAX + 1];
	int n;

	if (sign_is_key(word))
		return public_line(&l, p, e) < 0 ? err_in(e, "the key %s", word) : 0;
	n = sign_read(word, text, sizeof text, NULL, e);
	if (n < 0)
		return n;
	return sign_public_read(p, text, (size_t)n, e) < 0 ? err_in(e, "%s", word) : 0;
}
