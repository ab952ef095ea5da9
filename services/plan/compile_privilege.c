/* What a service may do by privilege: its user namespace, its capabilities, and what of them is without effect. */
/* SPDX-License-Identifier: ISC */
#include "services/plan/compiling.h"
#include "services/spec/caps.h"
#include <linux/capability.h>

#define BIT(cap) (UINT64_C(1) << (cap))

/* Capabilities that the configuration adds one by one, as opposed to those that a preset merely leaves. */
static uint64_t added(const struct work *w)
{
	uint64_t set = 0;

	for (unsigned i = 0; i < w->eff.cap_add.n; i++) {
		int n = cap_number(w->eff.cap_add.v[i]);

		set |= n < 0 ? 0 : (unsigned)n >= CAPS_KNOWN ? CAPS_ALL : BIT(n);
	}
	return set;
}

static const char *cap_list(struct compiling *c, uint64_t set)
{
	const char *text = "";

	for (unsigned i = 0; i < CAPS_KNOWN; i++)
		if (set & BIT(i))
			text = compiling_fmt(c, "%s%s%s", text, *text ? ", " : "", cap_name(i));
	return text;
}

static void drop_user_namespace(struct compiling *c, struct work *w, const char *why)
{
	w->out.flags &= ~(uint32_t)CELL_USERS;
	tell(c, w, ns_user, "isolation.user is off for it: %s", why);
}

/* What a capability is over, of a service's own namespaces: all that it means where the user namespace is first. */
static const struct {
	uint64_t caps;
	uint32_t over;
} owned[] = {
	{ BIT(CAP_NET_ADMIN) | BIT(CAP_NET_RAW) | BIT(CAP_NET_BROADCAST) | BIT(CAP_NET_BIND_SERVICE), CELL_NET },
	{ BIT(CAP_SYS_ADMIN), CELL_NAMESPACES & ~(uint32_t)CELL_USERS },
	{ BIT(CAP_IPC_OWNER), CELL_IPC },
	{ BIT(CAP_SYS_BOOT) | BIT(CAP_CHECKPOINT_RESTORE), CELL_PID },
};

static uint64_t in_effect(const struct work *w)
{
	uint64_t set = 0;

	for (unsigned i = 0; i < sizeof owned / sizeof *owned; i++)
		set |= w->out.flags & CELL_USER_FIRST && w->out.flags & owned[i].over ? owned[i].caps : 0;
	return set;
}

/* In a user namespace that was made last, capabilities are over nothing but itself: that is the point of it. */
static void judge_inert(struct compiling *c, struct work *w)
{
	uint64_t wanted = w->out.caps & added(w) & ~in_effect(w), ports = BIT(CAP_NET_BIND_SERVICE);

	if (wanted & ports && w->out.flags & CELL_NET) {
		w->out.flags |= CELL_UNPRIV_PORTS;
		wanted &= ~ports;
	}
	if (!wanted) {
		if (w->out.flags & CELL_UNPRIV_PORTS)
			tell(c, w, cap_add, "CAP_NET_BIND_SERVICE: inert in a network that the machine owns; instead, "
			     "every port of its private network may be bound");
		return;
	}
	if (!is_asked(w, ns_user)) {
		drop_user_namespace(c, w, compiling_fmt(c, "%s would have no effect in it", cap_list(c, wanted)));
		w->out.flags &= ~(uint32_t)CELL_UNPRIV_PORTS;
		return;
	}
	if (wanted & ports)
		refuse(c, w, cap_add,
		       "security.cap_add: CAP_NET_BIND_SERVICE has no effect in the machine's network from "
		       "inside a user namespace: leave out isolation.user, or make the network private");
	else
		tell(c, w, cap_add, "%s: inert: without effect outside its own %s, because isolation.user is %s",
		     cap_list(c, wanted), w->out.flags & CELL_USER_FIRST ? "namespaces" : "user namespace",
		     w->out.flags & CELL_USER_FIRST ? "first" : "true");
}

static void judge_user_namespace(struct compiling *c, struct work *w)
{
	if (!(w->out.flags & CELL_USERS) || w->refused)
		return;
	if (w->out.uid != 0) {
		judge_inert(c, w);
		return;
	}
	if (is_asked(w, ns_user))
		refuse(c, w, ns_user, "isolation.user: a user namespace that maps the machine's root protects nothing: "
		       "give it a user, or security.dynamic_user");
	else
		drop_user_namespace(c, w, "it runs as root, which is never mapped");
}

/* What a key takes away by other means too. A capability that is added by name stays. */
static uint64_t taken_by_keys(const struct work *w)
{
	const struct spec_service *e = &w->eff;
	uint64_t set = (e->private_devices ? BIT(CAP_MKNOD) | BIT(CAP_SYS_RAWIO) : 0) |
		       (e->protect_clock ? BIT(CAP_SYS_TIME) | BIT(CAP_WAKE_ALARM) : 0) |
		       (e->protect_kernel_modules ? BIT(CAP_SYS_MODULE) : 0) |
		       (e->protect_kernel_logs ? BIT(CAP_SYSLOG) : 0);

	return set & ~added(w);
}

static void compile_caps(struct compiling *c, struct work *w)
{
	const struct spec_service *e = &w->eff;
	bool asked = e->cap_add.n || e->cap_drop.n || taken_by_keys(w);

	/* Our own, over our own namespace only, are nobody else's: not even a service's that asks for no preset. */
	if (c->f->one_id)
		w->out.flags |= CELL_CAPS;
	if (e->preset == PRESET_NONE && !asked)
		return;
	if (!c->f->is_root)
		return;		/* an ordinary user has none to give or to keep; no_new_privs sees to the rest */
	w->out.flags |= CELL_CAPS;
	/* What a preset leaves to root, as far as it is here, is not given to a user: only what is added by name is. */
	w->out.caps = w->out.uid == 0 ? e->caps & ~taken_by_keys(w) & (c->f->caps | added(w)) : e->caps & added(w);
}

/* A label that nobody enforces is none: the service is refused by the name of what is missing. */
static void compile_labels(struct compiling *c, struct work *w)
{
	const struct spec_service *e = &w->eff;

	if (e->apparmor_profile && !c->f->apparmor)
		refuse(c, w, apparmor_profile, "security.apparmor_profile: AppArmor is not active in this kernel (is "
		       "it built in, and apparmor in the lsm= list of its command line?)");
	if (e->selinux_context && !c->f->selinux)
		refuse(c, w, selinux_context, "security.selinux_context: SELinux is not active in this kernel (is it "
		       "built in, and selinux=1 security=selinux on its command line?)");
	w->out.apparmor = write_string(&c->w, e->apparmor_profile);
	w->out.selinux = write_string(&c->w, e->selinux_context);
}

/* Who may open packet sockets sends past every queue; who administers the interface takes the bound away. */
static void judge_bound(struct compiling *c, struct work *w)
{
	const uint64_t past = BIT(CAP_NET_RAW) | BIT(CAP_NET_ADMIN);
	const uint64_t caps = w->out.flags & CELL_CAPS ? w->out.caps : w->out.uid == 0 ? past : 0;

	for (unsigned i = 0; i < w->nlinks && caps & past && !(w->out.flags & CELL_USER); i++)
		if (w->links[i].spec->send_max)
			refuse_link(c, w, i, send_max, "isolation.network.send_max: %s goes past it: drop it, or give "
				    "the service a user namespace (isolation.user: true)",
				    cap_list(c, caps & past));
}

void compile_privilege(struct compiling *c, struct work *w)
{
	compile_labels(c, w);
	compile_caps(c, w);
	if (w->refused)		/* who it would be is not known */
		return;
	judge_user_namespace(c, w);
	judge_bound(c, w);
	if (w->eff.restrict_namespaces && w->out.flags & CELL_USERS) {
		w->out.flags |= CELL_NO_NEW_NS;
		w->out.spaces_allowed = w->eff.namespaces_allowed;
	}
	if (w->eff.no_new_privileges)
		w->out.flags |= CELL_NNP;
	if (w->eff.lock_personality)
		w->out.flags |= CELL_LOCK_PERSONALITY;
	if (w->eff.memory_deny_write_execute)
		w->out.flags |= CELL_MDWE;
}
