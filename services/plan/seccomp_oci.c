/* A profile's JSON, key by key, into rules: see seccomp_oci.h. */
/* SPDX-License-Identifier: ISC */
#include "services/plan/seccomp_oci.h"
#include "init/base/text.h"
#include "init/conf/tree.h"
#include "services/plan/seccomp_narrow.h"
#include "services/spec/caps.h"
#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ERRNO_MOST 4095u
#define CALL_NAME_MAX 63

struct reading {
	struct policy *p;
	struct arena *arena;
	const char *path;
	const struct oci_facts *f;
	struct oci_said *said;
	struct err e;		/* the first problem */
	uint32_t otherwise_errno;
};

__attribute__((format(printf, 4, 5)))
static void wrong_at(struct reading *r, uint32_t line, uint32_t col, const char *fmt, ...)
{
	char text[160];
	va_list ap;

	if (r->e.code)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	text_tame(text);
	err_set(&r->e, EINVAL, "%s:%u:%u: %s", r->path, line, col, text);
}
#define wrong(r, node, ...) wrong_at(r, (node)->line, (node)->col, __VA_ARGS__)

static void tree_says(struct tree *t, const struct node *in, uint32_t line, uint32_t col, const char *text)
{
	(void)in;
	wrong_at(t->owner, line, col, "%s", text);
}

/* A text of the arena with one more word. */
static const char *with_word(struct reading *r, const char *list, const char *word)
{
	char text[512];

	if (list && strlen(list) + strlen(word) + 8 > sizeof text)
		return list;	/* enough names for a person to see what it is about */
	snprintf(text, sizeof text, "%s%s%s", list ? list : "", list ? ", " : "", word);
	const char *copy = arena_copy(r->arena, text, strlen(text));

	return copy ? copy : list;
}

/* --- values --- */

static const struct node *member(const struct node *map, const char *key)
{
	for (const struct node *c = map->kind == NODE_MAP ? map->first : NULL; c; c = c->next)
		if (!strcmp(c->key, key))
			return c;
	return NULL;
}

static bool is_kind(struct reading *r, const struct node *n, enum node_kind kind)
{
	static const char *const names[] = { [NODE_SCALAR] = "a single value", [NODE_LIST] = "a list",
					     [NODE_MAP] = "a map" };

	/* JSON's null is what a list is when nobody filled it. */
	if (n->kind == NODE_SCALAR && kind == NODE_LIST && !n->quoted && !strcmp(n->text, "null"))
		return false;
	if (n->kind != kind)
		wrong(r, n, "'%.40s' must be %s", n->key ? n->key : "this", names[kind]);
	return n->kind == kind;
}

static uint64_t number(struct reading *r, const struct node *n, uint64_t most)
{
	char *end;

	if (!is_kind(r, n, NODE_SCALAR))
		return 0;
	errno = 0;
	const unsigned long long v = strtoull(n->text, &end, 10);

	if (*n->text < '0' || *n->text > '9' || *end || errno || v > most) {
		wrong(r, n, "'%.40s' is not a number from 0 to %llu", n->text, (unsigned long long)most);
		return 0;
	}
	return v;
}

static uint32_t action(struct reading *r, const struct node *n, uint32_t err)
{
	static const struct {
		const char *name;
		uint32_t ret;
		const char *why_not;
	} actions[] = {
		{ "SCMP_ACT_ALLOW", SECCOMP_RET_ALLOW, NULL }, { "SCMP_ACT_ERRNO", SECCOMP_RET_ERRNO, NULL },
		{ "SCMP_ACT_KILL", SECCOMP_RET_KILL_THREAD, NULL },
		{ "SCMP_ACT_KILL_THREAD", SECCOMP_RET_KILL_THREAD, NULL },
		{ "SCMP_ACT_KILL_PROCESS", SECCOMP_RET_KILL_PROCESS, NULL },
		{ "SCMP_ACT_TRAP", SECCOMP_RET_TRAP, NULL }, { "SCMP_ACT_LOG", SECCOMP_RET_LOG, NULL },
		{ "SCMP_ACT_TRACE", 0, "there is no tracer to ask" },
		{ "SCMP_ACT_NOTIFY", 0, "there is no agent to ask" },
	};

	if (!is_kind(r, n, NODE_SCALAR))
		return 0;
	for (unsigned i = 0; i < sizeof actions / sizeof *actions; i++)
		if (!strcmp(n->text, actions[i].name)) {
			if (actions[i].why_not)
				wrong(r, n, "%s: %s", n->text, actions[i].why_not);
			return actions[i].ret | (actions[i].ret == SECCOMP_RET_ERRNO ? err : 0);
		}
	wrong(r, n, "'%.40s' is not an action like SCMP_ACT_ALLOW or SCMP_ACT_ERRNO", n->text);
	return 0;
}

/* --- whether a rule is for this service --- */

static const char *arch_name(const struct reading *r)
{
	return r->f->arch == AUDIT_ARCH_AARCH64 ? "arm64" : "amd64";
}

static const char *arch_token(const struct reading *r)
{
	return r->f->arch == AUDIT_ARCH_AARCH64 ? "SCMP_ARCH_AARCH64" : "SCMP_ARCH_X86_64";
}

static bool lists(struct reading *r, const struct node *list, const char *word)
{
	bool found = false;

	for (const struct node *c = is_kind(r, list, NODE_LIST) ? list->first : NULL; c; c = c->next)
		if (is_kind(r, c, NODE_SCALAR))
			found = found || !strcmp(c->text, word);
	return found;
}

/* How many of the capabilities the service has; all of them when `all` is. */
static bool has_caps(struct reading *r, const struct node *list, bool all)
{
	bool any = false, every = true;

	for (const struct node *c = is_kind(r, list, NODE_LIST) ? list->first : NULL; c; c = c->next) {
		const int cap = is_kind(r, c, NODE_SCALAR) ? cap_number(c->text) : 0;

		if (cap < 0)
			wrong(r, c, "'%.40s' is not a capability", c->text);
		const bool has = cap >= 0 && (unsigned)cap < CAPS_KNOWN && (r->f->caps >> cap & 1);

		any = any || has;
		every = every && has;
	}
	return all ? every : any;
}

static bool kernel_is(struct reading *r, const struct node *n)
{
	unsigned major = 0, minor = 0;
	char rest = 0;

	if (!is_kind(r, n, NODE_SCALAR))
		return false;
	if (!*n->text)
		return true;
	if (sscanf(n->text, "%5u.%5u%c", &major, &minor, &rest) != 2)
		wrong(r, n, "'%.40s' is not a kernel's version like 4.8", n->text);
	return r->f->kernel >= (major << 16 | minor);
}

/* `includes`: all that is said must be so. `excludes`: nothing of it may be. */
static bool applies(struct reading *r, const struct node *filter, bool includes)
{
	bool good = true;

	if (!filter || (filter->kind == NODE_SCALAR && !strcmp(filter->text, "null")) || !is_kind(r, filter, NODE_MAP))
		return true;
	for (const struct node *c = filter->first; c; c = c->next) {
		const bool empty = c->kind == NODE_LIST && !c->n;

		if (!strcmp(c->key, "arches"))
			good = good && (empty || lists(r, c, arch_name(r)) == includes);
		else if (!strcmp(c->key, "caps"))
			good = good && (empty || has_caps(r, c, includes) == includes);
		else if (!strcmp(c->key, "minKernel"))
			good = good && kernel_is(r, c) == includes;
		else
			wrong_at(r, c->key_line, c->key_col, "unknown key '%.40s'", c->key);
	}
	return good;
}

/* --- rules --- */

static uint8_t rule_number(struct reading *r, const struct node *at, const struct rule *rule)
{
	struct policy *p = r->p;
	unsigned i = 0;

	while (i < p->nrules && memcmp(p->rules + i, rule, sizeof *rule) != 0)
		i++;
	if (i == RULES_MAX)
		wrong(r, at, "more than %d different rules", RULES_MAX);
	else if (i == p->nrules)
		p->rules[p->nrules++] = *rule;
	return (uint8_t)i;
}

static bool is_permissive(uint32_t ret)
{
	return ret == SECCOMP_RET_ALLOW || ret == SECCOMP_RET_LOG;
}

/* What is after a rule without conditions is never reached. */
static void add_to_call(struct reading *r, const struct node *name, int nr, const struct rule *rule)
{
	struct decision *d = &r->p->call[nr];
	struct rule own = *rule;

	if (d->nrules && !r->p->rules[d->rules[d->nrules - 1]].nconditions)
		return;
	for (unsigned i = 0; i < own.nconditions; i++)
		own.conditions[i].narrow = call_arg_is_narrow(name->text, own.conditions[i].arg);
	if (d->nrules == CALL_RULES_MAX)
		wrong(r, name, "more than %d rules for %s", CALL_RULES_MAX, name->text);
	else
		d->rules[d->nrules++] = rule_number(r, name, &own);
	d->verdict = VERDICT_RULES;
}

static void add_to_name(struct reading *r, const struct node *name, const struct rule *rule)
{
	const int nr = is_kind(r, name, NODE_SCALAR) && strlen(name->text) <= CALL_NAME_MAX
			       ? call_number(r->f->arch, name->text) : -1;

	if (nr >= 0 && nr < CALLS_MAX)
		add_to_call(r, name, nr, rule);
	else if (nr == -1 && is_permissive(rule->ret))
		r->said->unknown = with_word(r, r->said->unknown, name->kind == NODE_SCALAR ? name->text : "?");
	else if (nr == -1 && is_permissive(r->p->otherwise))
		wrong(r, name, "'%.40s' is to be denied, and is no system call that prior knows", name->text);
}

static bool read_condition(struct reading *r, const struct node *n, struct condition *out)
{
	static const struct {
		const char *name;
		uint8_t op;
	} ops[] = {
		{ "SCMP_CMP_NE", COMPARE_NE }, { "SCMP_CMP_LT", COMPARE_LT }, { "SCMP_CMP_LE", COMPARE_LE },
		{ "SCMP_CMP_EQ", COMPARE_EQ }, { "SCMP_CMP_GE", COMPARE_GE }, { "SCMP_CMP_GT", COMPARE_GT },
		{ "SCMP_CMP_MASKED_EQ", COMPARE_MASKED },
	};
	uint64_t value = 0, two = 0;
	unsigned op = sizeof ops / sizeof *ops;
	struct condition c = { 0 };

	for (const struct node *m = is_kind(r, n, NODE_MAP) ? n->first : NULL; m; m = m->next)
		if (!strcmp(m->key, "index"))
			c.arg = (uint8_t)number(r, m, 5);
		else if (!strcmp(m->key, "value"))
			value = number(r, m, UINT64_MAX);
		else if (!strcmp(m->key, "valueTwo"))
			two = number(r, m, UINT64_MAX);
		else if (!strcmp(m->key, "op") && is_kind(r, m, NODE_SCALAR))
			for (op = 0; op < sizeof ops / sizeof *ops && strcmp(ops[op].name, m->text); op++)
				;
		else
			wrong_at(r, m->key_line, m->key_col, "unknown key '%.40s'", m->key);
	if (op == sizeof ops / sizeof *ops) {
		wrong(r, n, "'op' must be one of SCMP_CMP_NE, LT, LE, EQ, GE, GT and MASKED_EQ");
		return false;
	}
	c.op = ops[op].op;
	c.value = c.op == COMPARE_MASKED ? two : value;
	c.mask = c.op == COMPARE_MASKED ? value : 0;
	*out = c;
	return true;
}

/* Comparisons of one argument after the other; or of one argument, which are alternatives. */
static bool read_conditions(struct reading *r, const struct node *args, struct rule *rule)
{
	unsigned seen = 0;
	bool alternatives = false;

	for (const struct node *c = args && is_kind(r, args, NODE_LIST) ? args->first : NULL; c; c = c->next) {
		if (rule->nconditions == CONDITIONS_MAX) {
			wrong(r, c, "more than %d comparisons", CONDITIONS_MAX);
			break;
		}
		struct condition *to = &rule->conditions[rule->nconditions];

		if (!read_condition(r, c, to))
			break;
		alternatives = alternatives || seen >> to->arg & 1;
		seen |= 1u << to->arg;
		rule->nconditions++;
	}
	return alternatives;
}

static void add_rule(struct reading *r, const struct node *n, const struct rule *rule)
{
	const struct node *one = member(n, "name"), *many = member(n, "names");

	if (one && is_kind(r, one, NODE_SCALAR) && *one->text)
		add_to_name(r, one, rule);
	for (const struct node *c = many && is_kind(r, many, NODE_LIST) ? many->first : NULL; c; c = c->next)
		add_to_name(r, c, rule);
	if (!one && !many)
		wrong(r, n, "a rule without 'names'");
}

static uint32_t errno_of(struct reading *r, const struct node *n, const char *key, const char *name, uint32_t otherwise)
{
	const struct node *c = member(n, key), *text = member(n, name);

	if (text && !c)
		wrong(r, text, "'%s' is told by its number, in '%s'", name, key);
	return c ? (uint32_t)number(r, c, ERRNO_MOST) : otherwise;
}

static void read_rule(struct reading *r, const struct node *n)
{
	static const char *const keys[] = { "names", "name", "action", "errnoRet", "errno", "args", "comment",
					    "includes", "excludes", NULL };
	struct rule rule = { 0 };

	if (!is_kind(r, n, NODE_MAP))
		return;
	for (const struct node *c = n->first; c; c = c->next) {
		unsigned i = 0;

		while (keys[i] && strcmp(keys[i], c->key))
			i++;
		if (!keys[i])
			wrong_at(r, c->key_line, c->key_col, "unknown key '%.40s'", c->key);
	}
	if (!member(n, "action")) {
		wrong(r, n, "a rule without 'action'");
		return;
	}
	rule.ret = action(r, member(n, "action"), errno_of(r, n, "errnoRet", "errno", EPERM));
	const bool alternatives = read_conditions(r, member(n, "args"), &rule);

	if (!applies(r, member(n, "includes"), true) || !applies(r, member(n, "excludes"), false))
		return;
	if (!alternatives) {
		add_rule(r, n, &rule);
		return;
	}
	for (unsigned i = 0; i < rule.nconditions; i++) {
		struct rule each = { .ret = rule.ret, .nconditions = 1, .conditions = { rule.conditions[i] } };

		add_rule(r, n, &each);
	}
}

/* --- the top level --- */

static void read_syscalls(struct reading *r, const struct node *n)
{
	for (const struct node *c = is_kind(r, n, NODE_LIST) ? n->first : NULL; c; c = c->next)
		read_rule(r, c);
}

static void read_architectures(struct reading *r, const struct node *n)
{
	bool native = false;

	for (const struct node *c = is_kind(r, n, NODE_LIST) ? n->first : NULL; c; c = c->next) {
		if (!is_kind(r, c, NODE_SCALAR))
			return;
		if (!strcmp(c->text, arch_token(r)))
			native = true;
		else
			r->said->foreign = with_word(r, r->said->foreign, c->text);
	}
	if (!native && n->kind == NODE_LIST && n->n)
		wrong(r, n, "it is not for this machine: %s is not listed", arch_token(r));
}

static void read_arch_map(struct reading *r, const struct node *n)
{
	for (const struct node *c = is_kind(r, n, NODE_LIST) ? n->first : NULL; c; c = c->next) {
		const struct node *arch = is_kind(r, c, NODE_MAP) ? member(c, "architecture") : NULL;
		const struct node *sub = arch ? member(c, "subArchitectures") : NULL;

		if (!arch || !is_kind(r, arch, NODE_SCALAR))
			wrong(r, c, "an entry without 'architecture'");
		else if (!strcmp(arch->text, arch_token(r)) && sub && is_kind(r, sub, NODE_LIST))
			for (const struct node *s = sub->first; s; s = s->next)
				r->said->foreign = with_word(r, r->said->foreign,
							     s->kind == NODE_SCALAR ? s->text : "?");
	}
}

static void read_flags(struct reading *r, const struct node *n)
{
	for (const struct node *c = is_kind(r, n, NODE_LIST) ? n->first : NULL; c; c = c->next)
		if (!is_kind(r, c, NODE_SCALAR))
			return;
		else if (!strcmp(c->text, "SECCOMP_FILTER_FLAG_LOG"))
			r->said->log = true;
		else if (strcmp(c->text, "SECCOMP_FILTER_FLAG_TSYNC") != 0)	/* there is one thread */
			wrong(r, c, "flag '%.40s' is none that prior sets (SECCOMP_FILTER_FLAG_LOG is)", c->text);
}

static void read_listener(struct reading *r, const struct node *n)
{
	if (n->kind != NODE_SCALAR || *n->text)
		wrong(r, n, "'%s': there is no agent to ask", n->key);
}

static void read_before(struct reading *r, const struct node *n)
{
	(void)r, (void)n;	/* by set_default() */
}

static const struct {
	const char *key;
	void (*read)(struct reading *r, const struct node *n);
} keys_of_top[] = {
	{ "defaultAction", read_before }, { "defaultErrnoRet", read_before }, { "defaultErrno", read_before },
	{ "architectures", read_architectures }, { "archMap", read_arch_map }, { "flags", read_flags },
	{ "listenerPath", read_listener }, { "listenerMetadata", read_listener }, { "syscalls", read_syscalls },
};

/* Calls without a rule; and those that nobody knows are not there, unless the profile lets everything through. */
static void set_default(struct reading *r, const struct node *top)
{
	const struct node *n = member(top, "defaultAction");
	struct policy *p = r->p;

	if (!n) {
		wrong(r, top, "'defaultAction' is missing: not a seccomp profile");
		return;
	}
	p->otherwise = action(r, n, errno_of(r, top, "defaultErrnoRet", "defaultErrno", EPERM));
	for (unsigned i = 0; i < CALLS_MAX; i++)
		p->call[i].verdict = call_is_known(p->arch, i) || is_permissive(p->otherwise) ? VERDICT_RULES
											       : VERDICT_ENOSYS;
	p->above.verdict = is_permissive(p->otherwise) ? VERDICT_RULES : VERDICT_ENOSYS;
}

static void read_top(struct reading *r, const struct node *top)
{
	if (!is_kind(r, top, NODE_MAP))
		return;
	set_default(r, top);
	for (const struct node *c = top->first; c; c = c->next) {
		unsigned i = 0;

		while (i < sizeof keys_of_top / sizeof *keys_of_top && strcmp(keys_of_top[i].key, c->key))
			i++;
		if (i < sizeof keys_of_top / sizeof *keys_of_top)
			keys_of_top[i].read(r, c);
		else
			wrong_at(r, c->key_line, c->key_col, "unknown key '%.40s'", c->key);
	}
}

int oci_read(struct policy *p, struct arena *a, const char *path, const char *text, size_t n, const struct oci_facts *f,
	     struct oci_said *said, struct err *e)
{
	struct reading r = { .p = p, .arena = a, .path = path, .f = f, .said = said };
	struct tree t = { .arena = a, .tell = tree_says, .owner = &r };

	memset(p, 0, sizeof *p);
	p->arch = f->arch;
	*said = (struct oci_said){ 0 };
	const struct node *top = tree_read(&t, text, n);

	if (top && !r.e.code)
		read_top(&r, top);
	if (!top && !r.e.code)
		err_set(&r.e, EINVAL, "%s: it cannot be read", path);
	if (r.e.code)
		*e = r.e;
	return -r.e.code;
}
