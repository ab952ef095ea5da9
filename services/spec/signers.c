/* Who may sign what: see signers.h. */
/* SPDX-License-Identifier: ISC */
#include "services/spec/signers.h"
#include "services/spec/trust.h"
#include <errno.h>
#include <fnmatch.h>
#include <string.h>
#include <sys/statvfs.h>

#define REJECTED(e, ...) err_set(e, EKEYREJECTED, __VA_ARGS__)

static const char *const all_names[] = { "*" };

int signers_begin(struct spec *s, const char *word, struct err *e)
{
	struct signers *t = word ? arena_get(&s->arena, sizeof *t) : NULL;
	struct signer *v = t ? arena_get(&s->arena, sizeof *v) : NULL;
	struct err why;

	if (!word)
		return 0;
	if (!v)
		return err_set(e, ENOMEM, "no memory left for the configuration");
	if (!*word)
		return REJECTED(e, "the key that must have signed the configuration is empty (prior.trust=, --trust, "
				"$PRIOR_TRUST), or /proc/cmdline cannot be read to its end: name a key, or none");
	*v = (struct signer){ .name = "the trusted key", .scope = { (const char **)(uintptr_t)all_names, 1 } };
	*t = (struct signers){ .anchored = true, .v = v, .n = 1 };
	s->trusted = t;
	if (sign_public_find(&v->key, word, &why) < 0)
		return REJECTED(e, "the key that must have signed the configuration (prior.trust=, --trust): %s",
				why.text);
	return 0;
}

/* `sign` and minisign write it into the comment that is signed too: a field of its own, between tabs. */
static bool is_named(const struct signature *g, const char *name)
{
	static const char field[] = "file:";
	const size_t n = strlen(name);

	for (const char *at = g->comment;; at++) {
		if (!strncmp(at, field, sizeof field - 1)) {
			at += sizeof field - 1;
			return strcspn(at, "\t") == n && !memcmp(at, name, n);
		}
		at = strchr(at, '\t');
		if (!at)
			return false;
	}
}

/* What all the rest hangs on must not be exchanged for another file that was signed once. */
static int judge_name(struct signature *g, const char *path, struct err *e)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

	if (is_named(g, name))
		return 0;
	text_tame(g->comment);
	return REJECTED(e, "%s: its signature is for a file of another name: sign it again under its own name "
			"(prior sign -s SECRET FILE); it says: %.80s", path, g->comment);
}

int signers_verify(const struct signers *t, const char *path, const struct signed_bytes *b, bool named,
		   struct sign_public *by, struct err *e)
{
	char id[SIGN_ID_TEXT];
	struct signature g;
	struct err why;

	if (signature_find(&g, path, &why) < 0)
		return REJECTED(e, "%s: %s", path, why.text);
	for (unsigned i = 0; i < t->n; i++) {
		if (t->v[i].useless || memcmp(t->v[i].key.id, g.id, sizeof g.id) != 0)
			continue;
		*by = t->v[i].key;
		if (signature_check(&g, by, b, &why) == 0)
			return named ? judge_name(&g, path, e) : 0;
		return REJECTED(e, "%s: %s", path, why.text);
	}
	return REJECTED(e, "%s: is signed by the key %s, which is nobody's who is trusted here", path,
			sign_id(g.id, id));
}

/* Who can write the file of a key, or put another into its folder, says who is trusted. */
static int judge_place(const char *path, const struct stat *st, struct err *e)
{
	const char *slash = strrchr(path, '/');
	const size_t n = slash > path ? (size_t)(slash - path) : 1;
	char wrong[TRUST_TEXT], in[4096];
	struct statvfs fs;
	struct stat folder;
	bool all;

	if (n >= sizeof in)
		return err_set(e, ENAMETOOLONG, "%.60s...: its name is too long", path);
	if (statvfs(path, &fs) == 0 && fs.f_flag & ST_RDONLY)
		return 0;
	if (trust_wrong(wrong, path, st, &all))
		return err_set(e, EPERM, "%s: %s", path, wrong);
	memcpy(in, path, n);
	in[n] = '\0';
	if (stat(in, &folder) < 0)
		return err_sys(e, "%s", in);
	return trust_wrong(wrong, in, &folder, &all) ? err_set(e, EPERM, "%s: %s", in, wrong) : 0;
}

/* A file that others can write is nobody's; under an anchor one that it did not sign, instead. */
static int find_key(const struct spec *s, struct sign_public *to, const char *word, struct err *e)
{
	char text[SIGN_KEY_MAX + 1];
	const struct signers anchor = { .v = s->trusted->v, .n = 1 };	/* who signs files does not sign keys */
	struct signed_bytes b;
	struct sign_public by;
	struct stat st;

	if (sign_is_key(word))
		return sign_public_find(to, word, e);
	if (!conf_path_is_plain(word))
		return err_set(e, EINVAL, "that is neither a path nor a key");
	const int n = sign_read(word, text, sizeof text, &st, e);

	if (n < 0)
		return n;
	signed_bytes_of(&b, text, (size_t)n);
	if (s->trusted->anchored ? signers_verify(&anchor, word, &b, true, &by, e) < 0 : judge_place(word, &st, e) < 0)
		return -e->code;
	return sign_public_read(to, text, (size_t)n, e) < 0 ? err_in(e, "%s", word) : 0;
}

static void add(struct spec *s, const struct spec_signer *from)
{
	struct signers *t = s->trusted;
	struct signer one = { .name = from->name, .scope = from->scope, .useless = "it has no public_key" };
	struct err e;

	if (from->name && from->public_key)
		one.useless = find_key(s, &one.key, from->public_key, &e) == 0 ? NULL :
			      arena_fmt(&s->arena, "%s", e.text) ?: "there is no memory to say why";
	for (unsigned i = 0; i < t->n && !one.useless; i++)	/* who has signed would be whom we find first */
		if (!t->v[i].useless && !memcmp(t->v[i].key.id, one.key.id, sizeof one.key.id) &&
		    memcmp(&t->v[i].key, &one.key, sizeof one.key) != 0)
			one.useless = arena_fmt(&s->arena, "its key has the id of another one, which %s has: make "
						"a new pair (prior keygen)", t->v[i].name) ?:
				      "there is no memory to say why";
	if (one.useless)
		spec_problem(s, SEV_NOTE, from->from, NULL, "trust.signers: %s: nothing that it signed is taken: %s",
			     from->name ? from->name : "?", one.useless);
	t->v[t->n++] = one;
}

/* Behind the anchor, if there is one. */
static void make(struct spec *s, const struct spec_signer_list *l)
{
	const unsigned before = s->trusted ? s->trusted->n : 0;
	struct signer *v = arena_get(&s->arena, (before + l->n + 1) * sizeof *v);

	if (!s->trusted)
		s->trusted = arena_get(&s->arena, sizeof *s->trusted);
	if (!v || !s->trusted) {
		spec_problem(s, SEV_ERROR, (struct origin){ 0 }, NULL, "no memory left for the configuration");
		return;
	}
	if (before)
		memcpy(v, s->trusted->v, before * sizeof *v);
	s->trusted->v = v;
	for (unsigned i = 0; i < l->n; i++)
		add(s, &l->v[i]);
}

void signers_declared(struct load *l, const struct node *trust)
{
	struct conf_read r = load_read(l);
	struct spec early = { 0 };

	if (trust && trust->kind == NODE_MAP) {
		l->quiet = true;
		r.index = top_index();
		r.top = trust;
		conf_read_block(&r, conf_row(top_keys, "trust")->sub, &early, trust);
		l->quiet = false;
	}
	if (l->s->trusted || early.require_signatures)
		make(l->s, &early.signers);
}

static const struct signer *with_key(const struct signers *t, const struct sign_public *k)
{
	for (unsigned i = 0; i < t->n; i++)
		if (!t->v[i].useless && !memcmp(&t->v[i].key, k, sizeof *k))
			return &t->v[i];
	return NULL;
}

/* A name; NULL: all that is no service's. A key may stand there several times. */
static bool covers(const struct signers *t, const struct sign_public *by, const char *name)
{
	for (unsigned i = 0; i < t->n; i++) {
		const struct signer *who = &t->v[i];

		if (who->useless || memcmp(&who->key, by, sizeof *by) != 0)
			continue;
		for (unsigned k = 0; k < who->scope.n; k++)
			if (name ? fnmatch(who->scope.v[k], name, 0) == 0 : !strcmp(who->scope.v[k], "*"))
				return true;
	}
	return false;
}

static int not_covered(const struct signers *t, const struct sign_public *by, const char *path, const char *what,
		       const char *name, struct err *e)
{
	return REJECTED(e, "%s: is signed by %s, whose scope does not have %s%s", path, with_key(t, by)->name, what,
			name);
}

int signers_cover_file(const struct spec *s, const struct sign_public *by, const char *path, const struct node *top,
		       struct err *e)
{
	const struct signers *t = s->trusted;

	if (covers(t, by, NULL))
		return 0;
	for (const struct node *n = top && top->kind == NODE_MAP ? top->first : NULL; n; n = n->next) {
		if (strcmp(n->key, "services") != 0) {
			if (strcmp(n->key, "version") != 0)
				return not_covered(t, by, path, "what is no service (\"*\" alone has it): ", n->key, e);
			continue;
		}
		for (const struct node *one = n->kind == NODE_MAP ? n->first : NULL; one; one = one->next)
			if (!covers(t, by, one->key))
				return not_covered(t, by, path, "the service ", one->key, e);
	}
	return 0;
}

int signers_allow(const struct spec *s, const char *path, const struct signed_bytes *b, const char *service,
		  struct err *e)
{
	struct sign_public by;

	if (!s->trusted)
		return 0;
	if (signers_verify(s->trusted, path, b, false, &by, e) < 0)
		return -e->code;
	return covers(s->trusted, &by, service) ? 0 : not_covered(s->trusted, &by, path, "the service ", service, e);
}

void signers_judge(struct spec *s)
{
	const bool anchored = s->trusted && s->trusted->anchored;

	if (!anchored && s->require_signatures && !s->signers.n)
		spec_problem(s, SEV_ERROR, spec_machine_from(s, &s->require_signatures), NULL,
			     "trust.require_signatures: trust.signers names nobody, so nothing could ever be signed");
	if (!anchored && !s->require_signatures && s->signers.n)
		spec_problem(s, SEV_NOTE, s->signers.v[0].from, NULL,
			     "trust.signers: nothing has to be signed: trust.require_signatures is not true");
}
