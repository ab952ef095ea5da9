/* The machine's part of the plan: its name, console, modules, sysctls, mounts and interfaces. */
/* SPDX-License-Identifier: ISC */
#include "rootfs/options.h"
#include "services/plan/compiling.h"
#include "services/plan/listen.h"
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static void compile_mount(struct compiling *c, const struct spec_mount *s, struct plan_fstab *m)
{
	char data[4096] = "";
	struct mount_words w = { .data = TEXT_IN(data), .wait_s = -1 };
	bool swap = !strcmp(s->type, "swap");

	for (unsigned j = 0; j < s->options.n; j++)
		mount_word(&w, s->options.v[j], strlen(s->options.v[j]));
	if (!s->target && !swap)
		spec_problem(c->s, SEV_ERROR, s->from, NULL, "machine.mounts: %s: target is missing: where to mount it",
			     s->source ? s->source : "none");
	if (w.data.cut)
		spec_problem(c->s, SEV_ERROR, s->from, NULL, "machine.mounts: %s: options longer than %zu bytes",
			     s->target ? s->target : "swap", sizeof data - 1);
	m->source = write_string(&c->w, s->source ? s->source : "none");
	m->target = write_string(&c->w, s->target && !swap ? s->target : "/");	/* swap is mounted nowhere */
	m->type = write_string(&c->w, s->type);
	m->data = write_string(&c->w, data);
	m->flags = w.flags;
	m->optional = s->optional || w.optional;
	m->wait_ms = (uint32_t)s->timeout;
}

static void compile_fstab(struct compiling *c, struct plan_head *h)
{
	const struct spec_mount_list *l = &c->s->machine.mounts;
	struct plan_fstab *m = l->n ? compiling_get(c, l->n * sizeof *m) : NULL;

	for (unsigned i = 0; m && i < l->n; i++)
		compile_mount(c, l->v + i, m + i);
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

/* A VLAN is made under its name; what was not asked is told from what cannot be found. */
static void one_match(struct compiling *c, const struct spec_interface *s, struct plan_interface *p)
{
	const char *const asked = s->match_mac ? s->match_mac : s->match_driver ? s->match_driver :
				  s->match_path ? s->match_path : s->match_name;

	if (asked && s->parent)
		problem(c, s->from, s->name, asked, "is matched, and a VLAN is made under its name");
	p->match_mac = write_string(&c->w, s->match_mac);
	p->match_driver = write_string(&c->w, s->match_driver);
	p->match_path = write_string(&c->w, s->match_path);
	p->match_name = write_string(&c->w, s->match_name);
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
	if (n > PLAN_ADDRS_MAX) {
		problem(c, s->from, s->name, s->addresses.v[PLAN_ADDRS_MAX], "is the 33rd address: 32 at most");
		n = PLAN_ADDRS_MAX;
	}
	if (s->gateway && !parse_address(s->gateway, &p->gateway))
		problem(c, s->from, s->name, s->gateway, "is not an address");
	if ((s->vlan == UNSET_NUM) != !s->parent)
		problem(c, s->from, s->name, s->parent ? s->parent : "vlan",
			s->parent ? "is a parent, and there is no vlan" :
			"needs a parent: the interface that it is on");
	if (s->parent && !strcmp(s->parent, s->name))
		problem(c, s->from, s->name, s->parent, "cannot be its own parent");
	p->vlan = s->vlan == UNSET_NUM || !s->parent ? 0 : (uint16_t)s->vlan;
	p->mtu = s->mtu == UNSET_NUM ? 0 : (uint16_t)s->mtu;
	p->parent = write_string(&c->w, p->vlan ? s->parent : NULL);
	one_match(c, s, p);
	p->accept_ra = s->accept_ra;
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

static void compile_root_switch(struct compiling *c, struct plan_head *h)
{
	const struct spec_machine *m = &c->s->machine;
	const char *options = "";

	for (unsigned i = 0; i < m->root_options.n; i++)
		options = compiling_fmt(c, "%s%s%s", options, *options ? "," : "", m->root_options.v[i]);
	h->root_device = write_string(&c->w, m->root_device);
	h->root_type = write_string(&c->w, m->root_type);
	h->root_options = write_string(&c->w, *options ? options : NULL);
	h->root_verity = write_string(&c->w, m->root_verity);
	h->root_overlay = write_string(&c->w, m->root_overlay);
}

static void compile_metrics(struct compiling *c, struct plan_head *h)
{
	struct plan_listen l = { .kind = LISTEN_TCP, .backlog = 128, .flags = LISTEN_F_FREEBIND };
	const char *text = c->s->machine.metrics, *why = text ? parse_inet(text, &l.addr, &l.port) : NULL;

	if (text && !why) {
		l.name = write_string(&c->w, "metrics");
		h->metrics = write_table(&c->w, &l, 1, sizeof l);
	}
	if (why)
		spec_problem(c->s, SEV_ERROR, spec_machine_from(c->s, &c->s->machine.metrics), NULL,
			     "machine.metrics: %s: %s", text, why);
}

/* The brake counts in the record of boots: without one it would be accepted, and never hold. */
static void check_brake(const struct compiling *c)
{
	const struct spec_machine *m = &c->s->machine;
	const void *const keys[] = { &m->brake_reboots, &m->brake_within, &m->brake_then };

	for (unsigned i = 0; !m->last_boot && i < sizeof keys / sizeof *keys; i++) {
		const struct origin at = spec_machine_from(c->s, keys[i]);

		if (at.kind != FROM_FILE)
			continue;
		spec_problem(c->s, SEV_ERROR, at, NULL, "machine.brake counts in machine.last_boot, which is not "
			     "given: name a file on a disk, or a device");
		return;
	}
}

/* Each of a bad slot's tries may end with a reboot for failure; the brake is for when the others have failed, too. */
static void check_brake_of_slots(const struct compiling *c)
{
	const struct spec_machine *m = &c->s->machine;
	struct origin at = spec_machine_from(c->s, &m->brake_reboots);

	if (!m->last_boot || m->slots.n < 2 || !m->brake_reboots || m->brake_reboots > m->slots_tries)
		return;
	if (at.kind != FROM_FILE)
		at = spec_machine_from(c->s, &m->slots_tries);
	spec_problem(c->s, SEV_ERROR, at, NULL, "machine.brake.reboots: %lld would stop the machine before another "
		     "slot has its turn: it must be more than machine.slots.tries, which is %lld",
		     (long long)m->brake_reboots, (long long)m->slots_tries);
}

void compile_machine(struct compiling *c, struct plan_head *h)
{
	static const uint8_t brake_then[] = { 0, 2, 3 };	/* its words are those of emergency but one */
	const struct spec_machine *m = &c->s->machine;

	h->hostname = write_string(&c->w, m->hostname);
	h->console = write_string(&c->w, m->console_device);
	h->console_baud = (uint32_t)m->console_baud;
	h->console_shell = write_words(c, &m->console_shell);
	h->modules = write_words(c, &m->modules);
	h->nameservers = write_words(c, &c->s->nameservers);
	h->emergency = m->emergency;
	h->fstab = m->fstab;
	h->power_button = m->power_button;
	check_brake(c);
	check_brake_of_slots(c);
	h->last_boot = write_string(&c->w, m->last_boot);
	h->brake_reboots = (uint32_t)m->brake_reboots;
	h->brake_within_ms = (uint32_t)m->brake_within;
	h->brake_then = brake_then[m->brake_then];
	h->random_seed = write_string(&c->w, m->random_seed);
	h->rtc = write_string(&c->w, m->rtc);
	h->watchdog_device = write_string(&c->w, m->watchdog_device);
	h->watchdog_ms = (uint32_t)m->watchdog_timeout;
	h->watchdog_pre_ms = (uint32_t)m->watchdog_pretimeout;
	if (m->watchdog_timeout && m->watchdog_pretimeout >= m->watchdog_timeout)
		spec_problem(c->s, SEV_ERROR, spec_machine_from(c->s, &m->watchdog_pretimeout), NULL,
			     "machine.watchdog.pretimeout: must be shorter than machine.watchdog.timeout");
	compile_root_switch(c, h);
	compile_boot_slots(c, h);
	h->shutdown_timeout_ms = m->shutdown_timeout == UNSET_NUM ? 60000 : (uint32_t)m->shutdown_timeout;
	compile_fstab(c, h);
	compile_device_rules(c, h);
	compile_sysctls(c, h);
	compile_interfaces(c, h);
	compile_metrics(c, h);
}
