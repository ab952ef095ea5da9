/* Making, changing and removing the bridges' network: see network.h. */
/* SPDX-License-Identifier: ISC */
#include "services/supervise/network.h"
#include "init/base/sys.h"
#include "init/base/text.h"
#include "rootfs/modules.h"
#include "services/supervise/reap.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define NETWORK_S 120	/* modules are unpacked, perhaps by a very slow machine */
#define MEMORY_MAX (512u << 10)	/* bytes of prior/addresses */

struct order {
	const struct plan *from, *to;	/* NULL: nothing was, nothing is to be */
	const char *run_dir;
};

/* --- in the child --- */

/* A machine has no modprobe for the kernel to ask. What is missing is told by who needs it. */
static void load_modules(const struct plan *p)
{
	static const char *const names[] = { "bridge", "veth", "nf_tables", "nft_meta_bridge", "nft_ct",
					     "nft_chain_nat", "nft_nat", "nft_masq", "nft_fib_inet",
					     "nf_conntrack_bridge" };
	struct err ignored;

	for (unsigned i = 0; i < sizeof names / sizeof *names && !(p->head->flags & PLAN_F_CONTAINER); i++)
		module_load("", names[i], module_insert, &ignored);
}

static int put_sysctl(const char *path, struct err *e)
{
	owned_fd fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 || write(fd, "1", 1) < 0 ? err_sys(e, "write 1 to %s", path) : 0;
}

/* Packets of the cells are passed on where they may leave their bridge at all. */
static int forward(const struct plan *p, const struct rules *r, struct err *e)
{
	bool v4 = false, v6 = false;
	char path[96];

	for (unsigned i = 0; i < r->nbridges; i++)
		for (unsigned k = 0; k < r->bridges[i].naddrs && r->bridges[i].nat; k++)
			*(r->bridges[i].addrs[k].family == AF_INET ? &v4 : &v6) = true;
	for (unsigned i = 0; i < r->ncells; i++) {
		for (unsigned k = 0; k < r->cells[i].naddrs && r->cells[i].nports; k++)
			*(r->cells[i].addrs[k].family == AF_INET ? &v4 : &v6) = true;
		if (!r->cells[i].nports)
			continue;
		/* So that 127.0.0.1 reaches published ports; the rules let nobody in by it. */
		snprintf(path, sizeof path, "/proc/sys/net/ipv4/conf/%s/route_localnet",
			 r->bridges[r->cells[i].bridge].name);
		if (put_sysctl(path, e) < 0)
			return -e->code;
	}
	(void)p;
	if (v4 && put_sysctl("/proc/sys/net/ipv4/ip_forward", e) < 0)
		return -e->code;
	return v6 ? put_sysctl("/proc/sys/net/ipv6/conf/all/forwarding", e) : 0;
}

static bool is_kept(const struct plan *to, const char *bridge)
{
	for (const struct plan_bridge *b = to ? PLAN_FIRST(to, to->head->bridges, struct plan_bridge) : NULL;
	     to && b < PLAN_END(to, to->head->bridges, struct plan_bridge); b++)
		if (!strcmp(plan_str(to, b->name), bridge))
			return true;
	return false;
}

static int make_bridges(const struct order *o, struct err *e)
{
	const struct plan *p = o->to;
	struct net *n;

	if (net_open(&n, e) < 0)
		return -e->code;
	for (const struct plan_bridge *b = PLAN_FIRST(p, p->head->bridges, struct plan_bridge);
	     b < PLAN_END(p, p->head->bridges, struct plan_bridge); b++)
		if (net_bridge(n, plan_str(p, b->name), plan_array(p, b->addrs), b->addrs.n, b->mtu, e) < 0)
			break;
	net_close(&n);
	return e->code ? -e->code : 0;
}

/* Those that prior made and nobody needs any more; one of somebody else stays without a word. */
static void remove_bridges(const struct order *o)
{
	const struct plan *p = o->from;
	struct err ignored;
	struct net *n;

	if (!p || net_open(&n, &ignored) < 0)
		return;
	for (const struct plan_bridge *b = PLAN_FIRST(p, p->head->bridges, struct plan_bridge);
	     b < PLAN_END(p, p->head->bridges, struct plan_bridge); b++)
		if (!is_kept(o->to, plan_str(p, b->name)))
			net_bridge_remove(n, plan_str(p, b->name), &ignored);
	net_close(&n);
}

/* In place: cells have the very file. */
static int write_file(const char *path, const char *text, size_t n, struct err *e)
{
	owned_fd fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);

	if (fd < 0)
		return err_sys(e, "write %s", path);
	for (size_t at = 0; at < n;) {
		const ssize_t w = pwrite(fd, text + at, n - at, (off_t)at);

		if (w <= 0)
			return err_sys(e, "write %s", path);
		at += (size_t)w;
	}
	return ftruncate(fd, (off_t)n) < 0 ? err_sys(e, "write %s", path) : 0;
}

static int write_hosts(const struct order *o, struct err *e)
{
	const struct plan *p = o->to;
	char path[160];

	snprintf(path, sizeof path, "%s/hosts", o->run_dir);
	if (p->head->hosts.n && mkdir(path, 0755) < 0 && errno != EEXIST)
		return err_sys(e, "make %s", path);
	for (const struct plan_file *f = PLAN_FIRST(p, p->head->hosts, struct plan_file);
	     f < PLAN_END(p, p->head->hosts, struct plan_file); f++) {
		snprintf(path, sizeof path, "%s/hosts/%s", o->run_dir, plan_str(p, f->path));
		if (write_file(path, plan_str(p, f->value), f->value.n, e) < 0)
			return -e->code;
	}
	return 0;
}

static void remove_hosts(const struct order *o)
{
	const struct plan *p = o->from;
	char path[160];

	for (const struct plan_file *f = p ? PLAN_FIRST(p, p->head->hosts, struct plan_file) : NULL;
	     p && f < PLAN_END(p, p->head->hosts, struct plan_file); f++) {
		snprintf(path, sizeof path, "%s/hosts/%s", o->run_dir, plan_str(p, f->path));
		if (!is_kept(o->to, plan_str(p, f->path)))
			unlink(path);
	}
	snprintf(path, sizeof path, "%s/hosts", o->run_dir);
	rmdir(path);	/* only when it is empty */
}

/* What was remembered of services that are not in the plan now stays, while there is room. */
static void copy_others(const struct plan *p, FILE *from, FILE *to)
{
	char line[160], name[PLAN_NAME_MAX + 1];

	while (fgets(line, sizeof line, from) && ftell(to) < (long)MEMORY_MAX)
		if (strchr(line, '\n') && sscanf(line, "%63s", name) == 1 && plan_find(p, name) < 0)
			fputs(line, to);
}

static bool remember_in(const struct plan *p, const char *dir)
{
	char path[64], fresh[72], ip[INET6_ADDRSTRLEN];

	snprintf(path, sizeof path, "%s/addresses", dir);
	snprintf(fresh, sizeof fresh, "%s.new", path);
	if (mkdir(dir, 0755) < 0 && errno != EEXIST)
		return false;
	FILE *old = fopen(path, "re"), *to = fopen(fresh, "we");

	for (uint32_t i = 0; to && i < p->head->services.n; i++) {
		const struct plan_service *s = plan_service(p, i);

		for (const struct plan_addr *a = PLAN_FIRST(p, s->addrs, struct plan_addr);
		     a < PLAN_END(p, s->addrs, struct plan_addr); a++)
			fprintf(to, "%s %s\n", plan_str(p, s->name), inet_ntop(a->family, a->ip, ip, sizeof ip));
	}
	if (old && to)
		copy_others(p, old, to);
	if (old)
		fclose(old);
	if (to && fclose(to) == 0 && rename(fresh, path) == 0)
		return true;
	unlink(fresh);
	return false;
}

static int change_network(const struct order *o, struct err *e)
{
	struct rules r;

	load_modules(o->to);
	if (make_bridges(o, e) < 0 || network_rules(o->to, &r, e) < 0)
		return -e->code;
	int ret = rules_apply(&r, e);

	if (ret == 0)
		ret = rules_check(&r, e);
	if (ret == 0)
		ret = forward(o->to, &r, e);
	network_rules_free(&r);
	if (ret < 0 || write_hosts(o, e) < 0)
		return -e->code;
	/* A root that cannot be written forgets at the next boot: names decide then alone. */
	if (!remember_in(o->to, "/var/lib/prior"))
		remember_in(o->to, "/run/prior");
	return 0;
}

static int remove_network(const struct order *o, struct err *e)
{
	remove_bridges(o);
	remove_hosts(o);
	return rules_remove(e);
}

static int work(const struct order *o, struct err *e)
{
	int ret;

	if (!o->to || !o->to->head->bridges.n)
		return remove_network(o, e);
	ret = change_network(o, e);
	if (ret == 0 && o->from) {
		remove_bridges(o);
		remove_hosts(o);
	}
	return ret;
}

/* --- in PID 1 --- */

/* The answer is a whole struct err in a pipe, which holds it whether we look or not. */
static pid_t begin(const struct order *o, int *answer, struct err *e)
{
	struct clone_args a = { .flags = CLONE_CLEAR_SIGHAND, .exit_signal = SIGCHLD };
	int p[2];

	if (pipe2(p, O_CLOEXEC | O_NONBLOCK) < 0)
		return err_sys(e, "network: pipe");
	owned_fd rd = p[0], wr = p[1];
	const pid_t pid = sys_clone3(&a);

	if (pid < 0)
		return err_sys(e, "network: make a process");
	if (pid == 0) {
		struct err why = { 0 };

		alarm(NETWORK_S);
		_exit(work(o, &why) < 0 && write(wr, &why, sizeof why) > 0);
	}
	*answer = fd_take(&rd);
	return pid;
}

static int outcome(int answer, bool well, struct err *e)
{
	struct err why;

	if (well)
		return 0;
	if (read(answer, &why, sizeof why) != sizeof why)
		return err_set(e, ETIME, "network: it took longer than %d s, or died", NETWORK_S);
	*e = why;
	return err_in(e, "network");
}

static void copy_run_dir(struct prior *p, char *to, size_t size)
{
	const char *dir = p->ledger.head->run_dir;

	text_copy(to, size, *dir ? dir : "/run/prior");
}

static void run(struct prior *p, struct order o)
{
	char dir[sizeof p->ledger.head->run_dir];
	owned_fd answer = FD_NONE;
	int status = 0;
	struct err e;

	copy_run_dir(p, dir, sizeof dir);
	o.run_dir = dir;
	const pid_t pid = begin(&o, &answer, &e);

	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (pid < 0 || outcome(answer, status == 0, &e) < 0) {
		prior_say(p, "error", "network-failed", NULL, e.text);
		dprintf(p->ledger.head->console_fd, "prior: %s%s\n", e.text,
			o.to ? "; services on bridges will not start" : "");
	}
}

void network_begin(struct prior *p)
{
	if (p->plan.head->bridges.n)
		run(p, (struct order){ .to = &p->plan });
}

void network_end(struct prior *p)
{
	if (p->plan.head->bridges.n && p->ledger.head->mode != MODE_MACHINE)
		run(p, (struct order){ .from = &p->plan });
}

/* Names too: a cell that stays sees a new one. */
static bool differs(const struct plan *from, const struct plan *to)
{
	const struct plan_head *a = from->head, *b = to->head;

	if (a->network_tag != b->network_tag || a->hosts.n != b->hosts.n || a->bridges.n != b->bridges.n)
		return true;
	for (uint32_t i = 0; i < a->hosts.n; i++) {
		const struct plan_bridge *x = PLAN_FIRST(from, a->bridges, struct plan_bridge) + i;
		const struct plan_bridge *y = PLAN_FIRST(to, b->bridges, struct plan_bridge) + i;

		if (x->mtu != y->mtu || strcmp(plan_str(from, PLAN_FIRST(from, a->hosts, struct plan_file)[i].value),
					       plan_str(to, PLAN_FIRST(to, b->hosts, struct plan_file)[i].value)) != 0)
			return true;
	}
	return false;
}

int network_change(struct prior *p, const struct plan *from, const struct plan *to, struct err *e)
{
	char dir[sizeof p->ledger.head->run_dir];
	struct order o = { from, to, dir };

	if (!differs(from, to))
		return 0;
	copy_run_dir(p, dir, sizeof dir);
	const pid_t pid = begin(&o, &p->reload.network_answer, e);

	if (pid < 0)
		return -e->code;
	p->reload.network_pid = pid;
	reap_add(p, pid, 0, PID_NETWORK);
	return 1;
}

int network_ended(struct prior *p, bool well, struct err *e)
{
	const int ret = outcome(p->reload.network_answer, well, e);

	fd_drop(&p->reload.network_answer);
	p->reload.network_pid = 0;
	return ret;
}
