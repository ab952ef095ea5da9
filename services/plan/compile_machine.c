/* The machine's part of the plan: its name, console, modules, sysctls, mounts and interfaces. */
/* SPDX-License-Identifier: ISC */
#include "services/plan/compiling.h"
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>

/* Options that are flags of mount(2); what is in no row goes to the file system as it is. */
static const struct {
	const char *word;
	unsigned long set, clear;
} options[] = {
	{ "defaults", 0, 0 },
	{ "ro", MS_RDONLY, 0 },		{ "rw", 0, MS_RDONLY },
	{ "nosuid", MS_NOSUID, 0 },	{ "suid", 0, MS_NOSUID },
	{ "nodev", MS_NODEV, 0 },	{ "dev", 0, MS_NODEV },
	{ "noexec", MS_NOEXEC, 0 },	{ "exec", 0, MS_NOEXEC },
	{ "sync", MS_SYNCHRONOUS, 0 },	{ "async", 0, MS_SYNCHRONOUS },
	{ "dirsync", MS_DIRSYNC, 0 },	{ "mand", 0, 0 },
	{ "noatime", MS_NOATIME, 0 },	{ "atime", 0, MS_NOATIME },
	{ "nodiratime", MS_NODIRATIME, 0 }, { "diratime", 0, MS_NODIRATIME },
	{ "relatime", MS_RELATIME, 0 },	{ "norelatime", 0, MS_RELATIME },
	{ "strictatime", MS_STRICTATIME, 0 }, { "lazytime", 1ul << 25, 0 },
	{ "silent", MS_SILENT, 0 },	{ "bind", MS_BIND, 0 },
	{ "rbind", MS_BIND | MS_REC, 0 },
	/* of fstab and of mount(8), not of the file system */
	{ "auto", 0, 0 }, { "nofail", 0, 0 }, { "_netdev", 0, 0 }, { "user", 0, 0 }, { "nouser", 0, 0 },
	{ "users", 0, 0 }, { "owner", 0, 0 },
};

static void one_option(struct compiling *c, struct plan_fstab *m, const char **data, const char *word)
{
	for (unsigned i = 0; i < sizeof options / sizeof *options; i++)
		if (!strcmp(options[i].word, word)) {
			m->flags = (m->flags | options[i].set) & ~(uint64_t)options[i].clear;
			return;
		}
	if (!strncmp(word, "x-", 2) || !strncmp(word, "comment=", 8))
		return;
	*data = **data ? compiling_fmt(c, "%s,%s", *data, word) : word;
}

static void compile_fstab(struct compiling *c, struct plan_head *h)
{
	const struct spec_mount_list *l = &c->s->machine.mounts;
	struct plan_fstab *m = l->n ? compiling_get(c, l->n * sizeof *m) : NULL;

	for (unsigned i = 0; m && i < l->n; i++) {
		const struct spec_mount *s = l->v + i;
		const char *data = "";

		m[i].source = write_string(&c->w, s->source ? s->source : "none");
		m[i].target = write_string(&c->w, s->target);
		m[i].type = write_string(&c->w, s->type);
		m[i].optional = s->optional;
		for (unsigned j = 0; j < s->options.n; j++)
			one_option(c, m + i, &data, s->options.v[j]);
		m[i].data = write_string(&c->w, data);
	}
	h->mounts = write_table(&c->w, m, m ? l->n : 0, sizeof *m);
}

/* "net.ipv4.conf.eth0/1.rp_filter": the first separator decides; the other kind is then part of a name. */
static const char *sysctl_path(struct compiling *c, const char *key)
{
	char *path = arena_copy(&c->s->arena, key, strlen(key));
	const char *first = path ? strpbrk(path, "./") : NULL;

	if (!first || *first == '/')
		return path ? path : "";
	for (char *p = path; *p; p++)
		*p = *p == '.' ? '/' : *p == '/' ? '.' : *p;
	return path;
}

static void compile_sysctls(struct compiling *c, struct plan_head *h)
{
	const struct pair_list *l = &c->s->machine.sysctl;
	struct plan_file *f = l->n ? compiling_get(c, l->n * sizeof *f) : NULL;

	for (unsigned i = 0; f && i < l->n; i++)
		f[i] = (struct plan_file){ write_string(&c->w, sysctl_path(c, l->v[i].key)),
					   write_string(&c->w, l->v[i].value) };
	h->sysctls = write_table(&c->w, f, f ? l->n : 0, sizeof *f);
}

static void problem(struct compiling *c, struct origin at, const char *name, const char *text, const char *why)
{
	spec_problem(c->s, SEV_ERROR, at, NULL, "network.interfaces.%s: '%s' %s", name, text, why);
}

static void one_interface(struct compiling *c, const struct spec_interface *s, struct plan_interface *p)
{
	struct plan_addr *a = compiling_get(c, (s->addresses.n + 1) * sizeof *a);
	unsigned n = 0;

	for (unsigned i = 0; a && i < s->addresses.n; i++) {
		if (parse_address(s->addresses.v[i], a + n))
			n++;
		else
			problem(c, s->from, s->name, s->addresses.v[i], "is not an address like 192.0.2.10/24");
	}
	if (s->gateway && !parse_address(s->gateway, &p->gateway))
		problem(c, s->from, s->name, s->gateway, "is not an address");
	if (s->dhcp)
		problem(c, s->from, s->name, "dhcp", "is not built yet");
	p->name = write_string(&c->w, s->name);
	p->addrs = write_table(&c->w, a, n, sizeof *a);
}

static void compile_interfaces(struct compiling *c, struct plan_head *h)
{
	struct plan_interface *p = compiling_get(c, (c->s->ninterfaces + 1) * sizeof *p);

	for (unsigned i = 0; p && i < c->s->ninterfaces; i++)
		one_interface(c, c->s->interfaces + i, p + i);
	h->interfaces = write_table(&c->w, p, p ? c->s->ninterfaces : 0, sizeof *p);
}

void compile_machine(struct compiling *c, struct plan_head *h)
{
	const struct spec_machine *m = &c->s->machine;

	h->hostname = write_string(&c->w, m->hostname);
	h->console = write_string(&c->w, m->console_device);
	h->console_shell = write_words(c, &m->console_shell);
	h->modules = write_words(c, &m->modules);
	h->nameservers = write_words(c, &c->s->nameservers);
	h->emergency = m->emergency;
	h->shutdown_timeout_ms = m->shutdown_timeout == UNSET_NUM ? 60000 : (uint32_t)m->shutdown_timeout;
	compile_fstab(c, h);
	compile_sysctls(c, h);
	compile_interfaces(c, h);
}
