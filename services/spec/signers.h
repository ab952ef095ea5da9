/* Whose signatures are taken for what: `trust` of the first file, and the key that our caller trusts. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/sign/sign.h"
#include "services/spec/load.h"

/*
 * One who may sign. The key that was named on the command line (`prior.trust=`, --trust) is the first of them: the
 * anchor, which the first file must be signed by too, and the files of the other signers' keys.
 */
struct signer {
	const char *name;
	struct str_list scope;		/* names of services, with * for any; "*" alone: everything else, too */
	struct sign_public key;
	const char *useless;		/* why its key cannot be had; NULL: it can */
};

struct signers {
	bool anchored;
	struct signer *v;
	unsigned n;
};

/*
 * s->trusted is what the rest asks: NULL, nothing has to be signed. word: KEY|FILE of the anchor, NULL: there is none.
 * EKEYREJECTED: its key cannot be read; then nothing can be believed.
 */
int signers_begin(struct spec *s, const char *word, struct err *e);
/* `trust` of the first file (NULL: it has none) says who else there is. Its problems are told when it is read. */
void signers_declared(struct load *l, const struct node *trust);
/* What the block says of itself, once all of it is read: what could never be signed, or need not be. */
void signers_judge(struct spec *s);
/*
 * Who has signed these bytes of the file `path`: *by. EKEYREJECTED: nobody who is trusted, and why. The signature is
 * that of PATH.minisig; named: and was made for a file of this name, as its trusted comment (file:NAME) says.
 */
int signers_verify(const struct signers *t, const char *path, const struct signed_bytes *b, bool named,
		   struct sign_public *by, struct err *e);
/* Whether that one may sign all that the tree of a file says. EKEYREJECTED: what it may not. */
int signers_cover_file(const struct spec *s, const struct sign_public *by, const char *path, const struct node *top,
		       struct err *e);
/*
 * Both, for a file that is no configuration itself and is used by this service. Nothing is asked where nothing has to
 * be signed.
 */
int signers_allow(const struct spec *s, const char *path, const struct signed_bytes *b, const char *service,
		  struct err *e);
