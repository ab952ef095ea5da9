/* Who the service is: users and groups from the files of its own root, or an id of its own from the private range. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "init/base/sum.h"
#include "services/plan/compiling.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

/*
 * The two files are read here, not asked of the C library: a static binary has no name services, and an entry counts
 * only if it is well-formed. 61184..65519 is the range that systemd hands out too, so images leave it free.
 */
#define FILE_MAX (4u << 20)
#define DYNAMIC_FIRST 61184u
#define DYNAMIC_LAST 65519u
#define FIELDS_MAX 7

struct user_base {
	struct user_base *next;
	const char *root;	/* "": the machine's */
	char *passwd, *group;	/* "" when there is none */
	size_t passwd_n, group_n;
};

/* One line cut at its colons; the texts are the file's own. */
struct slice {
	const char *at;
	size_t n;
};

struct entry {
	struct slice field[FIELDS_MAX];
	unsigned n;
};

static struct user_base *base_of(struct compiling *c, const char *root)
{
	for (struct user_base *b = c->bases; b; b = b->next)
		if (!strcmp(b->root, root))
			return b;
	struct user_base *b = compiling_get(c, sizeof *b);
	owned_fd dir = look_root_again(c, root);

	if (!b)
		return NULL;
	*b = (struct user_base){ .next = c->bases, .root = root };
	b->passwd = dir < 0 ? NULL : look_read(c, dir, "etc/passwd", FILE_MAX, &b->passwd_n);
	b->group = dir < 0 ? NULL : look_read(c, dir, "etc/group", FILE_MAX, &b->group_n);
	c->bases = b;
	return b;
}

void user_bases_free(struct compiling *c)
{
	c->bases = NULL;	/* its memory is the arena's */
}

/* Decimal as only one spelling has it, and not the "unchanged" of setresuid(2). */
static bool parse_id(struct slice text, uint32_t *id)
{
	const char *s = text.at;
	size_t n = text.n;
	uint64_t v = 0;

	if (n == 0 || n > 10 || (s[0] == '0' && n > 1))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return false;
		v = v * 10 + (uint64_t)(s[i] - '0');
	}
	*id = (uint32_t)v;
	return v < UINT32_MAX;
}

static struct slice slice(const char *s)
{
	return (struct slice){ s, strlen(s) };
}

static bool is_same(struct slice a, struct slice b)
{
	return a.n == b.n && !memcmp(a.at, b.at, a.n);
}

/* The next line at *at, cut into fields; false at the end. A line of another shape has fewer fields. */
static bool next_entry(const char **at, const char *end, struct entry *e)
{
	const char *p = *at, *stop = p < end ? memchr(p, '\n', (size_t)(end - p)) : NULL;

	if (p >= end)
		return false;
	stop = stop ? stop : end;
	*at = stop + 1;
	for (e->n = 0; e->n < FIELDS_MAX; ) {
		const char *colon = memchr(p, ':', (size_t)(stop - p));

		e->field[e->n++] = (struct slice){ p, (size_t)((colon ? colon : stop) - p) };
		if (!colon)
			break;
		p = colon + 1;
	}
	return true;
}

/* The first line whose field is this: a name (field 0) or an id (field 2). */
static bool find_entry(const char *text, size_t n, unsigned field, struct slice value, struct entry *e)
{
	const char *at = text;

	while (text && next_entry(&at, text + n, e))
		if (e->n > 2 && is_same(e->field[field], value))
			return true;
	return false;
}

static const char *file_of(struct compiling *c, const char *root, const char *file)
{
	return compiling_fmt(c, "%s/etc/%s", root, file);
}

static bool bad_name(const char *name, const char **why)
{
	*why = "neither a name nor a number from 0 to 4294967294";
	return !name[0] || strchr("0123456789-+", name[0]);
}

/* One meaning or none: a line of another shape, or a name that stands twice, may be read otherwise by the service. */
static const char *not_one(struct compiling *c, const char *text, size_t n, const struct entry *e, unsigned fields,
			   const char *file)
{
	const char *end = e->field[e->n - 1].at + e->field[e->n - 1].n, *at = end;
	struct entry again;

	if (e->n != fields || (end < text + n && *end == ':'))
		return compiling_fmt(c, "its line in %s is malformed: it has not %u fields", file, fields);
	for (at += at < text + n; next_entry(&at, text + n, &again);)
		if (is_same(again.field[0], e->field[0]))
			return compiling_fmt(c, "it stands twice in %s", file);
	return NULL;
}

bool find_group(struct compiling *c, const char *root, const char *name, uint32_t *gid, const char **why)
{
	struct user_base *b = base_of(c, root);
	struct entry e;

	if (parse_id(slice(name), gid))
		return true;
	if (!b || bad_name(name, why))
		return false;
	if (!find_entry(b->group, b->group_n, 0, slice(name), &e)) {
		*why = compiling_fmt(c, "%s %s", b->group ? "not in" : "there is no", file_of(c, root, "group"));
		return false;
	}
	const char *odd = not_one(c, b->group, b->group_n, &e, 4, file_of(c, root, "group"));

	if (odd) {
		*why = odd;
		return false;
	}
	*why = compiling_fmt(c, "its line in %s has no valid number", file_of(c, root, "group"));
	return parse_id(e.field[2], gid);
}

/* 1: found with its entry, 0: a number without an entry, -1: *why. */
static int find_passwd(struct compiling *c, const char *root, const char *name, struct entry *e, uint32_t *uid,
		       const char **why)
{
	struct user_base *b = base_of(c, root);
	bool number = parse_id(slice(name), uid);

	if (!b || (!number && bad_name(name, why)))
		return -1;
	bool found = find_entry(b->passwd, b->passwd_n, number ? 2 : 0, slice(name), e);

	if (!found && number)
		return 0;
	*why = compiling_fmt(c, "%s %s", b->passwd ? "not in" : "there is no", file_of(c, root, "passwd"));
	if (!found)
		return -1;
	const char *odd = not_one(c, b->passwd, b->passwd_n, e, 7, file_of(c, root, "passwd"));

	if (odd) {
		*why = odd;
		return -1;
	}
	*why = compiling_fmt(c, "its line in %s has no valid number", file_of(c, root, "passwd"));
	return e->n < 4 || !parse_id(e->field[2], uid) ? -1 : 1;
}

bool find_user(struct compiling *c, const char *root, const char *name, uint32_t *uid, const char **why)
{
	struct entry e;

	return find_passwd(c, root, name, &e, uid, why) >= 0;
}

/* Whether a name stands in a list with commas. */
static bool is_listed(struct slice list, struct slice name)
{
	const char *end = list.at + list.n;

	for (const char *p = list.at; p < end; p++) {
		const char *comma = memchr(p, ',', (size_t)(end - p));

		comma = comma ? comma : end;
		if (is_same((struct slice){ p, (size_t)(comma - p) }, name))
			return true;
		p = comma;
	}
	return false;
}

struct groups {
	uint32_t v[256];
	unsigned n;
};

static bool add_group(struct groups *g, uint32_t gid)
{
	for (unsigned i = 0; i < g->n; i++)
		if (g->v[i] == gid)
			return true;
	if (g->n == sizeof g->v / sizeof *g->v)
		return false;
	g->v[g->n++] = gid;
	return true;
}

/* Groups that list the user as a member, as at a login. */
static void add_memberships(struct compiling *c, struct work *w, struct groups *g)
{
	struct user_base *b = base_of(c, w->root_path);
	const char *at = b && b->group ? b->group : "", *end = at + (b && b->group ? b->group_n : 0);
	struct entry e;
	uint32_t gid;

	while (w->user_name && next_entry(&at, end, &e))
		if (e.n >= 4 && is_listed(e.field[3], slice(w->user_name)) && parse_id(e.field[2], &gid))
			add_group(g, gid);
}

static void compile_groups(struct compiling *c, struct work *w)
{
	const struct str_list *l = &w->eff.supplementary_groups;
	struct groups g = { .n = 0 };
	const char *why;
	uint32_t gid;

	add_memberships(c, w, &g);
	for (unsigned i = 0; i < l->n; i++) {
		if (!find_group(c, w->root_path, l->v[i], &gid, &why)) {
			refuse(c, w, supplementary_groups, "supplementary_groups: '%s': %s", l->v[i], why);
		} else if (gid == 0 && strcmp(l->v[i], "root") != 0 && strcmp(l->v[i], "0") != 0) {
			refuse(c, w, supplementary_groups, "supplementary_groups: '%s': is root's (0): only 'root' "
			       "and 0 may be", l->v[i]);
		} else if (!add_group(&g, gid)) {
			refuse(c, w, supplementary_groups, "supplementary_groups: more than 256");
			break;
		}
	}
	w->out.groups = write_table(&c->w, g.v, g.n, sizeof *g.v);
}

static void take_uid(struct compiling *c, uint32_t uid)
{
	if (uid >= DYNAMIC_FIRST && uid <= DYNAMIC_LAST)
		c->uid_taken[(uid - DYNAMIC_FIRST) / 8] |= (uint8_t)(1u << (uid - DYNAMIC_FIRST) % 8);
}

/* Ids of the range that somebody has: an account of the machine, or a service that names a number. */
static void take_known_uids(struct compiling *c)
{
	struct user_base *b = base_of(c, "");
	const char *at = b && b->passwd ? b->passwd : "", *end = at + (b && b->passwd ? b->passwd_n : 0);
	struct entry e;
	uint32_t uid;

	_Static_assert(sizeof c->uid_taken * 8 >= DYNAMIC_LAST - DYNAMIC_FIRST + 1, "one bit for each id");
	c->uids_known = true;
	while (next_entry(&at, end, &e))
		if (e.n > 2 && parse_id(e.field[2], &uid))
			take_uid(c, uid);
	for (unsigned i = 0; i < c->n; i++)
		if (c->work[i].svc->user && parse_id(slice(c->work[i].svc->user), &uid))
			take_uid(c, uid);
}

static bool uid_is_free(struct compiling *c, const struct work *w, uint32_t uid)
{
	struct user_base *b = *w->root_path ? base_of(c, w->root_path) : NULL;
	struct entry e;

	return !(c->uid_taken[(uid - DYNAMIC_FIRST) / 8] >> (uid - DYNAMIC_FIRST) % 8 & 1) &&
	       !(b && find_entry(b->passwd, b->passwd_n, 2, slice(compiling_fmt(c, "%u", uid)), &e));
}

static void use_dynamic(struct compiling *c, struct work *w, uint32_t uid)
{
	take_uid(c, uid);
	w->out.uid = w->out.gid = uid;
	w->out.flags |= CELL_DYNAMIC;
}

/*
 * The same name gets the same id in every plan: the one that it had before, or else one that follows from the name,
 * unless that is an account's, another service's, or has files of another.
 */
static void compile_dynamic(struct compiling *c, struct work *w)
{
	const uint32_t range = DYNAMIC_LAST - DYNAMIC_FIRST + 1;
	uint32_t from = (uint32_t)(sum_more(SUM_START, w->svc->name, strlen(w->svc->name)) % range);

	if (!c->uids_known)
		take_known_uids(c);
	const uint32_t before = kept_id_of(c, w, uid_is_free);

	if (before) {
		use_dynamic(c, w, before);
		return;
	}
	for (uint32_t i = 0; i < range; i++) {
		uint32_t uid = DYNAMIC_FIRST + (from + i) % range;

		if (uid_is_free(c, w, uid) && !id_is_anothers(c, w, uid)) {
			use_dynamic(c, w, uid);
			return;
		}
	}
	refuse(c, w, dynamic_user, "security.dynamic_user: all ids from %u to %u are taken; /var/lib/prior/uids "
	       "remembers those of services that are gone: remove the link of one that has no files any more",
	       DYNAMIC_FIRST, DYNAMIC_LAST);
}

/* A path field as text of its own; NULL when it is none. */
static const char *path_field(struct compiling *c, const struct entry *e, unsigned i)
{
	if (e->n <= i || !e->field[i].n || e->field[i].at[0] != '/' || memchr(e->field[i].at, 0, e->field[i].n))
		return NULL;
	return compiling_fmt(c, "%.*s", (int)e->field[i].n, e->field[i].at);
}

static void compile_user(struct compiling *c, struct work *w)
{
	struct entry e;
	const char *why;
	int found = find_passwd(c, w->root_path, w->eff.user, &e, &w->out.uid, &why);

	if (found < 0) {
		refuse(c, w, user, "user '%s': %s", w->eff.user, why);
		return;
	}
	w->out.gid = w->out.uid;	/* a number that nobody knows: never root's group by accident */
	if (found == 0)
		return;
	w->user_name = compiling_fmt(c, "%.*s", (int)e.field[0].n, e.field[0].at);
	w->home = path_field(c, &e, 5);
	w->shell = path_field(c, &e, 6);
	if (w->out.uid == 0 && strcmp(w->user_name, "root") != 0)
		refuse(c, w, user, "user '%s': is root (0) by its line in %s: only 'root' and 0 may be", w->eff.user,
		       file_of(c, w->root_path, "passwd"));
	if (!parse_id(e.field[3], &w->out.gid) && !w->eff.group)
		refuse(c, w, user, "user '%s': its line in %s has no valid group", w->eff.user,
		       file_of(c, w->root_path, "passwd"));
}

/* Root's group by another name, or by accident: files that root shares with its group are many. */
static void judge_group(struct compiling *c, struct work *w)
{
	const char *asked = w->eff.group;

	if (w->out.gid != 0 || w->out.uid == 0 || w->refused)
		return;
	if (asked && strcmp(asked, "root") != 0 && strcmp(asked, "0") != 0)
		refuse(c, w, group, "group '%s': is root's (0) by its line in %s: only 'root' and 0 may be", asked,
		       file_of(c, w->root_path, "group"));
	else if (!asked && w->eff.user)
		tell(c, w, user, "user '%s': its group is root's (0): name another with group", w->eff.user);
}

/* Where we are root of a user namespace, only its ids can be had. */
static void judge_mapped(struct compiling *c, struct work *w)
{
	const uint32_t id = w->out.uid > w->out.gid ? w->out.uid : w->out.gid;

	if (c->f->in_userns && c->f->is_root && id >= c->f->ids && !w->refused)
		refuse(c, w, user, "user %u, group %u: this user namespace has only the ids from 0 to %u: they come "
		       "from the ranges of /etc/subuid and /etc/subgid, or from the container's --uidmap",
		       w->out.uid, w->out.gid, c->f->ids - 1);
}

void compile_ids(struct compiling *c, struct work *w)
{
	const char *why;

	if (w->eff.user)
		compile_user(c, w);
	else if (w->eff.dynamic_user)
		compile_dynamic(c, w);
	else if (!c->f->is_root)
		w->out.uid = geteuid(), w->out.gid = getegid();
	if (w->eff.group && !find_group(c, w->root_path, w->eff.group, &w->out.gid, &why))
		refuse(c, w, group, "group '%s': %s", w->eff.group, why);
	judge_group(c, w);
	compile_groups(c, w);
	judge_mapped(c, w);
	if (c->f->is_root || w->refused)
		return;
	if (w->out.uid != geteuid() || w->out.gid != getegid())
		refuse(c, w, user, "user %u, group %u: only root can run a service as somebody else",
		       w->out.uid, w->out.gid);
	/* Only root can change them: the plan has those that the service will have. */
	gid_t own[256];
	int n = getgroups(256, own);

	w->out.groups = write_table(&c->w, own, n > 0 ? (size_t)n : 0, sizeof *own);
}
