/* Odd spellings around the process and its rights: most are Compose's or a seed's, and come down to other rows. */
/* SPDX-License-Identifier: ISC */
#include "services/spec/caps.h"
#include "services/spec/rows.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool never_given(const struct conf_key *k, const void *obj)
{
	(void)k;
	(void)obj;
	return false;
}

/* USER or USER:GROUP. */
READER(set_user)
{
	const char *text = NULL, *colon;
	struct node user;

	if (conf_scalar(r, n, &text) < 0)
		return;
	colon = strchr(text, ':');
	user = conf_made(n, colon ? arena_copy(r->arena, text, (size_t)(colon - text)) : text);
	if (!user.text) {
		conf_error(r, n, "no memory left for the configuration");
		return;
	}
	conf_read_plainly(r, k, obj, &user);
	if (colon)
		conf_read_text(r, "group", obj, n, colon + 1);
}

READER(set_capabilities)
{
	(void)k;
	conf_read_text(r, "security.cap_drop", obj, n, "ALL");
	conf_read_as(r, "security.cap_add", obj, n);
}

/* Compose writes NAME, NAME:VALUE or NAME=VALUE. */
static void security_option(struct conf_read *r, void *obj, const struct node *n, const char *text)
{
	static const struct {
		const char *name, *path;
	} options[] = {
		{ "no-new-privileges", "security.no_new_privileges" },
		{ "seccomp", "security.seccomp" },
		{ "apparmor", "security.apparmor_profile" },
		{ "label", "security.selinux_context" },
	};
	size_t len = strcspn(text, ":=");
	const char *value = text[len] ? text + len + 1 : "true";

	for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
		if (strncmp(text, options[i].name, len) || options[i].name[len] || (!text[len] && i != 0))
			continue;
		if (i == 1 && !strcmp(value, "unconfined"))
			value = "none";
		conf_read_text(r, options[i].path, obj, n, value);
		return;
	}
	conf_error(r, n, "'%.60s' is not one of no-new-privileges, seccomp=PROFILE, apparmor=PROFILE, label=CONTEXT",
		text);
}

READER(set_security_opt)
{
	struct str_list l;

	(void)k;
	if (conf_list(r, n, &l) < 0)
		return;
	for (unsigned i = 0; i < l.n; i++)
		security_option(r, obj, n, l.v[i]);
}

/* As the map that says the same, which brings a private network along. */
static void share_network(struct conf_read *r, void *obj, const struct node *n, const char *service)
{
	struct node child = conf_made(n, service), map = conf_made(n, NULL);

	child.key = "service";
	child.up = &map;
	map.kind = NODE_MAP;
	map.n = 1;
	map.first = map.last = &child;
	conf_read_as(r, "isolation.network", obj, &map);
}

READER(set_network_mode)
{
	const char *text = NULL;

	(void)k;
	if (conf_scalar(r, n, &text) < 0)
		return;
	if (!strcmp(text, "none"))
		conf_read_text(r, "isolation.network", obj, n, "true");
	else if (!strcmp(text, "host"))
		conf_read_text(r, "isolation.network", obj, n, "false");
	else if (!strncmp(text, "service:", 8))
		share_network(r, obj, n, text + 8);
	else
		conf_error(r, n, "'%.60s' is not one of none, host, service:NAME", text);
}

/* 1.5 is 150% of a CPU. */
READER(set_cpus)
{
	const char *text = NULL;
	char buf[32], *end = NULL;

	(void)k;
	if (conf_scalar(r, n, &text) < 0)
		return;
	double v = *text >= '0' && *text <= '9' ? strtod(text, &end) : -1;

	if (v < 0.01 || v > 1024 || *end || strchr(text, 'x')) {
		conf_error(r, n, "'%.60s' is not a number of CPUs from 0.01 to 1024", text);
		return;
	}
	snprintf(buf, sizeof buf, "%lld 100000", (long long)(v * 100000 + 0.5));
	text = arena_copy(r->arena, buf, strlen(buf));
	if (text)
		conf_read_text(r, "limits.cgroup.cpu_max", obj, n, text);
}

/* Canonical names, so that nothing later has to know the spellings. How many were none: told. */
static unsigned canonical(struct conf_read *r, const struct node *n, struct str_list *l)
{
	unsigned bad = 0;

	for (unsigned i = 0; i < l->n; i++) {
		int c = cap_number(l->v[i]);
		const char *near = c < 0 ? cap_nearest(l->v[i]) : NULL;

		if (c < 0)
			conf_error(r, n, "'%.40s' is not a capability%s%s%s", l->v[i],
				near ? " (did you mean '" : "", near ? near : "",
				   near ? "'?)" : "");
		bad += c < 0;
		l->v[i] = c == (int)CAPS_KNOWN ? "ALL" : c >= 0 ? cap_name((unsigned)c) : l->v[i];
	}
	return bad;
}

READER(set_caps)
{
	struct str_list l;

	if (conf_list(r, n, &l) == 0 && canonical(r, n, &l) == 0)
		*(struct str_list *)((char *)obj + k->at) = l;
}

static bool has(const struct str_list *l, const char *word)
{
	for (unsigned i = 0; i < l->n; i++)
		if (!strcmp(l->v[i], word))
			return true;
	return false;
}

/* What a preset drops stays dropped: one more capability in the list must not bring back forty. */
READER(set_cap_drop)
{
	struct str_list *old = (struct str_list *)((char *)obj + k->at), l, both = { 0 };

	if (conf_list(r, n, &l) < 0 || canonical(r, n, &l) > 0)
		return;
	both.v = arena_get(r->arena, (old->n + l.n + 1) * sizeof *both.v);
	if (!both.v) {
		conf_error(r, n, "no memory left for the configuration");
		return;
	}
	for (unsigned i = 0; i < old->n + l.n; i++) {
		const char *cap = i < old->n ? old->v[i] : l.v[i - old->n];

		if (!has(&both, "ALL") && !has(&both, cap))
			both.v[both.n++] = cap;
	}
	if (has(&both, "ALL")) {
		both.v[0] = "ALL";
		both.n = 1;
	}
	*old = both;
}
