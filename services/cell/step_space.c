/* Steps that concern namespaces other than mount and user: network, pid, uts, and the ban on new ones. */
/* SPDX-License-Identifier: ISC */
#include "init/base/file.h"
#include "init/base/sys.h"
#include "netns/rules.h"
#include "rootfs/modules.h"
#include "rootfs/mount.h"
#include "services/cell/bind.h"
#include "services/cell/steps.h"
#include <errno.h>
#include <linux/magic.h>
#include <sched.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/vfs.h>

_Static_assert(sizeof(struct net_addr) == sizeof(struct plan_addr), "addresses are handed on as they are");

int step_machine_proc(struct cell *c, struct err *e)
{
	const int fd = machine_proc(c, e);

	/* Root and working directory follow the service into its root only from "/" itself. */
	if (fd >= 0 && chdir("/") < 0)
		return err_sys(e, "chdir /");
	return fd < 0 ? fd : 0;
}

int step_net_namespace(struct cell *c, struct err *e)
{
	/* Nobody is on a bridge without the rules that keep it to its own address and to its list. */
	if (plan_is_bridged(c->plan, c->svc) && rules_there(c->plan->head->network_tag, e) < 0)
		return -e->code;
	if (leads_out(c) && net_open(&c->machine_net, e) < 0)
		return err_in(e, "the machine's network");
	if (c->net >= 0 && setns(c->net, CLONE_NEWNET) < 0)
		return err_sys(e, c->svc->share.n ? "enter that of %s" : "enter that of the last start of %s",
			       plan_str(c->plan, plan_network(c->plan, c->svc)->name));
	if (c->net < 0 && c->svc->share.n)
		return err_set(e, ENOENT, "that of %s is not there",
			       plan_str(c->plan, plan_network(c->plan, c->svc)->name));
	if (c->net < 0 && unshare(CLONE_NEWNET) < 0)
		return err_sys(e, "unshare");
	return 0;
}

int step_pid_namespace(struct cell *c, struct err *e)
{
	const int flags = (has(c, CELL_PID) ? CLONE_NEWPID : 0) | (has(c, CELL_TIME) ? 0x80 /* NEWTIME */ : 0);

	if (unshare(flags) < 0)
		return err_sys(e, "unshare");
	return 0;
}

static int join_bridge(struct cell *c, const struct plan_link *l, const char *end, int here, struct err *e)
{
	const char *ifname = plan_str(c->plan, l->ifname);

	if (net_veth(c->machine_net, ifname, plan_str(c->plan, l->bridge), here, end, plan_str(c->plan, c->svc->name),
		     l->mtu, e) < 0)
		return -e->code;
	if (net_cell(c->cell_net, end, plan_array(c->plan, l->addrs), l->addrs.n, (const struct net_addr *)&l->gw4,
		     (const struct net_addr *)&l->gw6, e) < 0)
		return -e->code;
	if (l->receive_max && net_shape(c->machine_net, ifname, l->receive_max, e) < 0)
		return -e->code;
	return l->send_max ? net_shape(c->cell_net, end, l->send_max, e) : 0;
}

/* A machine has no modprobe for the kernel to ask: a kind that it does not know is loaded, and tried again. */
static int make_upper(struct cell *c, const struct plan_link *l, const char *end, int here, struct err *e)
{
	const char *parent = plan_str(c->plan, l->parent), *name = plan_str(c->plan, c->svc->name);
	struct err why;

	if (net_upper(c->machine_net, c->cell_net, end, parent, l->upper, here, name, e) == 0)
		return 0;
	if (e->code != EOPNOTSUPP || c->plan->head->flags & PLAN_F_CONTAINER)
		return -e->code;
	if (module_load("", net_upper_kind(l->upper), module_insert, &why) < 0)
		return err_in(e, "%s", why.text);
	return net_upper(c->machine_net, c->cell_net, end, parent, l->upper, here, name, e);
}

/* Read back. In /proc/sys/net is the network of who looks: the cell's. */
static int clear(struct cell *c, const char *const *files, struct err *e)
{
	char text[32];

	for (; *files; files++) {
		if (file_write(c->machine_proc, *files, "0", e) < 0 || file_read(c->machine_proc, *files, text,
										 sizeof text, e) < 0) {
			if (e->code != ENOENT)	/* no IPv6 */
				return -e->code;
		} else if (strcmp(text, "0\n") != 0) {
			return err_set(e, EPERM, "%s: it stays on: %s", *files, strerror(EPERM));
		}
	}
	return 0;
}

/* Nobody else's network tells a cell its addresses or its routes: what host0 begins with. */
static int believe_nobody(struct cell *c, struct err *e)
{
	static const char *const files[] = {
		"sys/net/ipv6/conf/default/accept_ra", "sys/net/ipv6/conf/default/autoconf",
		"sys/net/ipv6/conf/default/accept_redirects", "sys/net/ipv4/conf/all/accept_redirects",
		"sys/net/ipv4/conf/default/accept_redirects", NULL,
	};

	return clear(c, files, e);
}

/* A new network may have this from the machine's, which is a router for its bridges. */
#define FORWARD4 "sys/net/ipv4/ip_forward"
#define FORWARD6 "sys/net/ipv6/conf/all/forwarding"

static int join_parent(struct cell *c, const struct plan_link *l, const char *end, int here, struct err *e)
{
	if (believe_nobody(c, e) < 0 || make_upper(c, l, end, here, e) < 0)
		return -e->code;
	return net_upper_cell(c->cell_net, end, plan_array(c->plan, l->addrs), l->addrs.n,
			      (const struct net_addr *)&l->gw4, (const struct net_addr *)&l->gw6, e);
}

static int join_all(struct cell *c, struct err *e)
{
	static const char *const forward[] = { FORWARD4, FORWARD6, NULL };
	owned_fd here = openat(c->machine_proc, "self/ns/net", O_RDONLY | O_CLOEXEC);
	const struct plan_link *l = plan_array(c->plan, c->svc->links);
	const uint32_t n = c->svc->links.n;

	if (here < 0)
		return err_sys(e, "open our network namespace");
	if (n > 1 && clear(c, forward, e) < 0)
		return -e->code;
	for (uint32_t i = 0; i < n; i++)
		if ((l[i].bridge.n ? join_bridge : join_parent)(c, l + i, net_ends[i], here, e) < 0)
			return -e->code;
	/* Here, beside the mounts, the wait costs nothing; without it the service's first packets may be lost. */
	for (uint32_t i = 0; i < n; i++)
		if (net_ready(c->machine_net, l[i].bridge.n ? plan_str(c->plan, l[i].ifname) : NULL, c->cell_net,
			      net_ends[i], plan_array(c->plan, l[i].addrs), l[i].addrs.n, e) < 0)
			return -e->code;
	return 0;
}

/* The machine's ends go with the cell, which takes the kernel a moment. */
static void leave_all(struct cell *c)
{
	struct err ignored;

	PLAN_EACH(struct plan_link, l, c->plan, c->svc->links)
		if (l->ifname.n)
			net_veth_remove(c->machine_net, plan_str(c->plan, l->ifname), &ignored);
}

int step_network(struct cell *c, struct err *e)
{
	int ret = net_loopback_up(e);

	if (ret < 0 || !leads_out(c))
		return ret;
	if (net_open(&c->cell_net, e) < 0)
		return err_in(e, "the cell's network");
	if ((ret = join_all(c, e)) < 0)
		leave_all(c);
	net_close(&c->cell_net);
	if (c->machine_net)
		net_close(&c->machine_net);
	return ret;
}

int step_join_network(struct cell *c, struct err *e)
{
	owned_fd net = FD_NONE;

	if (c->has_network)
		return 0;
	if (note_ask(c, NOTE_NETWORK, &net, e) < 0)
		return -e->code;
	if (setns(net, CLONE_NEWNET) < 0)
		return err_sys(e, "enter it");
	c->has_network = true;
	return 0;
}

int step_procfs(struct cell *c, struct err *e)
{
	c->procfs = mount_new("proc", NULL, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, e);
	return c->procfs < 0 ? c->procfs : 0;
}

bool is_procfs(struct cell *c)
{
	struct statfs fs;

	return fstatfs(c->procfs, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC;
}

int step_hostname(struct cell *c, struct err *e)
{
	if (sethostname(plan_str(c->plan, c->svc->hostname), c->svc->hostname.n) < 0)
		return err_sys(e, "%s", plan_str(c->plan, c->svc->hostname));
	return 0;
}

bool is_hostname(struct cell *c)
{
	struct utsname u;

	return uname(&u) == 0 && !strcmp(u.nodename, plan_str(c->plan, c->svc->hostname));
}

uint32_t cell_socket_after(const struct cell *c, uint32_t k)
{
	const struct plan_listen *l = plan_array(c->plan, c->svc->listen);

	while (k < c->svc->listen.n && !l[k].in_cell)
		k++;
	return k < c->svc->listen.n ? k + 1 : 0;
}

int step_cell_sockets(struct cell *c, struct err *e)
{
	const struct plan_listen *l = plan_array(c->plan, c->svc->listen);

	for (uint32_t k = 0; (k = cell_socket_after(c, k));) {
		owned_fd fd = FD_NONE;

		if (bind_socket(c->plan, l + k - 1, &fd, e) < 0)
			return -e->code;
		if (dup3(fd, FIRST_PASSED + (int)k - 1, 0) < 0)
			return err_sys(e, "put it at descriptor %u", FIRST_PASSED + k - 1);
	}
	return 0;
}

bool is_cell_sockets(struct cell *c)
{
	const struct plan_listen *l = plan_array(c->plan, c->svc->listen);
	struct err lost;

	for (uint32_t k = 0; (k = cell_socket_after(c, k));)
		if (bind_check(l + k - 1, FIRST_PASSED + (int)k - 1, &lost) < 0)
			return false;
	return true;
}

#define PORTS "sys/net/ipv4/ip_unprivileged_port_start"

int step_ports(struct cell *c, struct err *e)
{
	return file_write(c->procfs, PORTS, "0", e);
}

static bool reads_zero(int dir, const char *path)
{
	struct err ignored;
	char text[32];

	return file_read(dir, path, text, sizeof text, &ignored) > 0 && !strcmp(text, "0\n");
}

bool is_ports(struct cell *c)
{
	return reads_zero(c->procfs, PORTS);
}

/* One per kind of namespace; a kernel without the kind has no such file, and no such namespace. */
static const struct {
	const char *path;
	uint32_t kind;
} ceilings[] = {
	{ "sys/user/max_user_namespaces", CLONE_NEWUSER }, { "sys/user/max_mnt_namespaces", CLONE_NEWNS },
	{ "sys/user/max_pid_namespaces", CLONE_NEWPID },   { "sys/user/max_net_namespaces", CLONE_NEWNET },
	{ "sys/user/max_ipc_namespaces", CLONE_NEWIPC },   { "sys/user/max_uts_namespaces", CLONE_NEWUTS },
	{ "sys/user/max_cgroup_namespaces", CLONE_NEWCGROUP }, { "sys/user/max_time_namespaces", CLONE_NEWTIME },
};

int step_no_namespaces(struct cell *c, struct err *e)
{
	/* Without a namespace of its own the ceilings would be the machine's. */
	if (!has(c, CELL_USERS) || !is_user_namespace(c))
		return err_set(e, EINVAL, "not in a user namespace of its own");
	for (unsigned i = 0; i < sizeof ceilings / sizeof *ceilings; i++)
		if (!(c->svc->spaces_allowed & ceilings[i].kind) &&
		    file_write(c->procfs, ceilings[i].path, "0", e) < 0 && e->code != ENOENT)
			return -e->code;
	return 0;
}

bool is_no_namespaces(struct cell *c)
{
	for (unsigned i = 0; i < sizeof ceilings / sizeof *ceilings; i++)
		if (!(c->svc->spaces_allowed & ceilings[i].kind))
			return reads_zero(c->procfs, ceilings[i].path);	/* one speaks for all */
	return true;
}
