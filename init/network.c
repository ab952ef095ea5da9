/* The machine's interfaces at boot: loopback, VLANs, addresses, routes. See stages.h. */
/* SPDX-License-Identifier: ISC */
#include "init/base/file.h"
#include "init/child.h"
#include "init/stages.h"
#include "netns/net.h"
#include "rootfs/modules.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define NETWORK_MS 20000

static struct net_addr net_addr_of(struct plan_addr a)
{
	struct net_addr n = { .family = a.family, .prefix = a.prefix };

	memcpy(n.ip, a.ip, sizeof n.ip);
	return n;
}

#define NET_ADDRS_MAX 32

static unsigned net_addrs_of(const struct plan *p, struct plan_ref r, struct net_addr *out)
{
	unsigned n = 0;

	for (const struct plan_addr *a = PLAN_FIRST(p, r, struct plan_addr);
	     a < PLAN_END(p, r, struct plan_addr) && n < NET_ADDRS_MAX; a++)
		out[n++] = net_addr_of(*a);
	return n;
}

static int build_vlan(struct net *n, const char *name, const char *parent, uint16_t id, struct err *e)
{
	struct err ignored;	/* what is missing is told by who needs it */

	module_load("", "8021q", module_insert, &ignored);
	return net_vlan(n, name, parent, id, e);
}

/* Before it is up: the first one may come at once. 2: while the machine passes packets on, too. */
static int take_advertisements(const char *name, struct err *e)
{
	static const char *const rows[][2] = { { "disable_ipv6", "0" }, { "autoconf", "1" }, { "accept_ra", "2" } };
	char path[96];
	struct err one;

	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
		snprintf(path, sizeof path, "/proc/sys/net/ipv6/conf/%s/%s", name, rows[i][0]);
		if (file_write(AT_FDCWD, path, rows[i][1], &one) < 0)
			return err_set(e, one.code, "interface %s: take router advertisements: %s", name, one.text);
	}
	return 0;
}

/* In a child: libnl allocates. Every interface is tried; the last failure is the result. */
static int build_network(void *ctx, struct err *e)
{
	const struct boot *b = ctx;
	const struct plan *p = &b->plan;
	struct net_addr a[NET_ADDRS_MAX];
	struct net *n;
	int worst = 0, rc = net_open(&n, e);

	if (rc < 0)
		return rc;
	PLAN_EACH(struct plan_interface, i, p, p->head->interfaces) {
		struct net_addr gw = net_addr_of(i->gateway);
		const char *name = plan_str(p, i->name);

		const int made = i->vlan ? build_vlan(n, name, plan_str(p, i->parent), i->vlan, e) : 0;

		rc = made < 0 ? made : 0;
		/* What is refused of these is told, and is no reason to go without addresses. */
		const int mtu = rc == 0 && i->mtu ? net_mtu(n, name, i->mtu, e) : 0;
		const int ra = rc == 0 && i->accept_ra ? take_advertisements(name, e) : 0;

		if (rc == 0)
			rc = net_interface(n, name, a, net_addrs_of(p, i->addrs, a), &gw, e);
		if (rc < 0 && made > 0)
			net_vlan_undo(n, name);
		worst = rc < 0 ? rc : mtu < 0 ? mtu : ra < 0 ? ra : worst;
	}
	net_close(&n);
	return worst;
}

/* No child: the kernel answers at once, and a fork costs as much as the start of two services. */
int stage_loopback(struct boot *b, struct err *e)
{
	(void)b;
	return net_loopback_up(e);
}

int stage_network(struct boot *b, struct err *e)
{
	if (!b->plan.head->interfaces.n)
		return 0;
	return child_run(build_network, b, NETWORK_MS, e);
}
