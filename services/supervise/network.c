/* Making, changing and removing the bridges' network: see network.h. */
/* SPDX-License-Identifier: ISC */
#include "services/supervise/network.h"
#include "init/base/file.h"
#include "init/base/sys.h"
#include "init/base/text.h"
#include "rootfs/modules.h"
#include "services/supervise/deps.h"
#include "services/supervise/fsm.h"
#include "services/supervise/reap.h"
#include "services/supervise/reload.h"
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define NETWORK_S 120	/* modules are unpacked, perhaps by a very slow machine */
#define MEMORY_MAX (512u << 10)	/* bytes of prior/addresses */

struct order {
	const struct plan *from, *to;	/* NULL: nothing was, nothing is to be */
	const char *run_dir;
	struct err *odd;	/* what went wrong and does not keep the network from being there; code 0: nothing */
};

/* --- in the child --- */

/* A machine has no modprobe for the kernel to ask. What is missing is told by who needs it. */
static void load_modules(const struct plan *p)
{
	static const char *const names[] = { "bridge", "veth", "nf_tables", "nft_meta_bridge", "nft_ct",
					     "nft_chain_nat", "nft_nat", "nft_masq", "nft_fib_inet",
					     "nf_conntrack_bridge", "sch_tbf" };
	struct err ignored;

	for (unsigned i = 0; i < sizeof names / sizeof *names && !(p->head->flags & PLAN_F_CONTAINER); i++)
		module_load("", names[i], module_insert, &ignored);
}

#define FORWARD_4 "/proc/sys/net/ipv4/ip_forward"
#define FORWARD_6 "/proc/sys/net/ipv6/conf/all/forwarding"

/* 1: it was off until now. */
static int turn_on(const char *path, struct err *e)
{
	char was[8];

	if (file_line(path, was, sizeof was, e) < 0)
		return -e->code;
	if (strcmp(was, "0") != 0)
		return 0;
	return file_write(AT_FDCWD, path, "1", e) < 0 ? -e->code : 1;
}

/* Packets of the cells are passed on where they may leave their bridge at all: both families or none. */
static int forward(const struct rules *r, struct err *e)
{
	bool v4 = false, v6 = false;
	struct err ignored;
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
		if (file_write(AT_FDCWD, path, "1", e) < 0)
			return -e->code;
	}
	const int on = v4 ? turn_on(FORWARD_4, e) : 0;

	if (on < 0 || !v6 || turn_on(FORWARD_6, e) >= 0)
		return on < 0 ? on : 0;
	if (on)
		file_write(AT_FDCWD, FORWARD_4, "0", &ignored);
	return -e->code;
}

static bool is_kept(const void *plan, const char *bridge)
{
	const struct plan *to = plan;

	if (to)
		PLAN_EACH(struct plan_bridge, b, to, to->head->bridges)
			if (!strcmp(plan_str(to, b->name), bridge))
				return true;
	return false;
}

static bool has_bridges(const struct plan *p)
{
	return p && p->head->bridges.n;
}

static int make_bridges(const struct order *o, struct err *e)
{
	const struct plan *p = o->to;
	struct net *n;

	if (net_open(&n, e) < 0)
		return -e->code;
	if (!has_bridges(o->from))
		net_bridge_leftovers(n, is_kept, p, o->odd);
	for (const struct plan_bridge *b = PLAN_FIRST(p, p->head->bridges, struct plan_bridge);
	     !e->code && b < PLAN_END(p, p->head->bridges, struct plan_bridge); b++)
		if (net_bridge(n, plan_str(p, b->name), plan_array(p, b->addrs), b->addrs.n, b->mtu, e) < 0)
			break;
	net_close(&n);
	return e->code ? -e->code : 0;
}

/* Those that prior made and nobody needs any more; one of somebody else stays without a word. from NULL: whichever a
 * killed run has left. */
static void remove_bridges(const struct order *o)
{
	const struct plan *p = o->from;
	struct err ignored;
	struct net *n;

	if (net_open(&n, &ignored) < 0)
		return;
	if (!p)
		net_bridge_leftovers(n, is_kept, o->to, o->odd);
	else
		PLAN_EACH(struct plan_bridge, b, p, p->head->bridges)
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

/* Before anything else is: where it stands a run that is killed has left something. */
static int make_hosts(const struct order *o, struct err *e)
{
	char path[160];

	snprintf(path, sizeof path, "%s/hosts", o->run_dir);
	return mkdir(path, 0755) < 0 && errno != EEXIST && o->to->head->hosts.n ? err_sys(e, "make %s", path) : 0;
}

static int write_hosts(const struct order *o, struct err *e)
{
	const struct plan *p = o->to;
	char path[160];

	PLAN_EACH(struct plan_file, f, p, p->head->hosts) {
		snprintf(path, sizeof path, "%s/hosts/%s", o->run_dir, plan_str(p, f->path));
		if (write_file(path, plan_str(p, f->value), f->value.n, e) < 0)
			return -e->code;
	}
	return 0;
}

static bool has_names(const struct plan *p, const char *name)
{
	if (p)
		PLAN_EACH(struct plan_file, f, p, p->head->hosts)
			if (!strcmp(plan_str(p, f->path), name))
				return true;
	return false;
}

static void remove_hosts(const struct order *o)
{
	const struct plan *p = o->from;
	char path[160];

	if (p)
		PLAN_EACH(struct plan_file, f, p, p->head->hosts) {
			snprintf(path, sizeof path, "%s/hosts/%s", o->run_dir, plan_str(p, f->path));
			if (!has_names(o->to, plan_str(p, f->path)))
				unlink(path);
		}
	snprintf(path, sizeof path, "%s/hosts", o->run_dir);
	DIR *d = p ? NULL : opendir(path);

	for (const struct dirent *f; d && (f = readdir(d));)
		unlinkat(dirfd(d), f->d_name, 0);
	if (d)
		closedir(d);
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

		PLAN_EACH(struct plan_link, l, p, s->links)
			PLAN_EACH(struct plan_addr, a, p, l->addrs)
				fprintf(to, "%s %s\n", plan_str(p, s->name),
					inet_ntop(a->family, a->ip, ip, sizeof ip));
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
	if (make_hosts(o, e) < 0 || make_bridges(o, e) < 0 || network_rules(o->to, &r, e) < 0)
		return -e->code;
	int ret = rules_apply(&r, e);

	if (ret == 0)
		ret = rules_check(&r, e);
	if (ret == 0)
		ret = write_hosts(o, e);
	/* Last: it is taken back by nobody, for others may need it meanwhile. */
	if (ret == 0)
		ret = forward(&r, e);
	network_rules_free(&r);
	if (ret < 0)
		return -e->code;
	/* A root that cannot be written forgets at the next boot: names decide then alone. */
	if (!remember_in(o->to, "/var/lib/prior"))
		remember_in(o->to, "/run/prior");
	return 0;
}

static int remove_network(const struct order *o, struct err *e)
{
	remove_bridges(o);
	const int ret = rules_remove(e);

	remove_hosts(o);	/* last: it says that something is left */
	return ret;
}

static int change(const struct order *o, struct err *e)
{
	int ret;

	if (!has_bridges(o->to))
		return remove_network(o, e);
	ret = change_network(o, e);
	if (ret == 0 && o->from) {
		remove_bridges(o);
		remove_hosts(o);
	}
	return ret;
}

/* What fails half-way is taken back: the old plan takes the place of the new one. */
static int work(const struct order *o, struct err *e)
{
	const struct order back = { .from = o->to, .to = o->from, .run_dir = o->run_dir, .odd = o->odd };
	const int ret = change(o, e);
	struct err ignored = { 0 };	/* as begin() gives it: code 0 says that nothing has failed yet */

	if (ret < 0 && o->to)
		change(&back, &ignored);
	return ret;
}

/* --- in PID 1 --- */

/* The answer is a whole struct err in a pipe, which holds it whether we look or not. */
static int begin(struct prior *p, struct order o, enum network_work what, struct err *e)
{
	struct ledger_head *h = p->ledger.head;
	char dir[sizeof h->run_dir];	/* a child cannot see the ledger */
	struct clone_args a = { .flags = CLONE_CLEAR_SIGHAND, .exit_signal = SIGCHLD };
	int pair[2];

	text_copy(dir, sizeof dir, *h->run_dir ? h->run_dir : "/run/prior");
	o.run_dir = dir;
	if (pipe2(pair, O_CLOEXEC | O_NONBLOCK) < 0)
		return err_sys(e, "network: pipe");
	owned_fd rd = pair[0], wr = pair[1];
	const pid_t pid = sys_clone3(&a);

	if (pid < 0)
		return err_sys(e, "network: make a process");
	if (pid == 0) {
		struct err why = { 0 }, odd = { 0 };

		sys_end_in(NETWORK_S);
		o.odd = &odd;
		const bool failed = work(&o, &why) < 0;

		/* What could not be told is a failure, too. */
		if ((failed || odd.code) && write(wr, failed ? &why : &odd, sizeof why) < 0)
			_exit(1);
		_exit(failed);
	}
	p->network_answer = fd_take(&rd);
	h->network = what;
	h->network_pid = pid;
	ledger_seal_head(&p->ledger);
	reap_add(p, pid, 0, PID_NETWORK);
	return 0;
}

/* ETIME: it has told nothing, and taken nothing back. What is odd is said here. */
static int outcome(struct prior *p, bool well, struct err *e)
{
	struct err why;
	const bool told = read(p->network_answer, &why, sizeof why) == sizeof why;

	if (well && told) {
		err_in(&why, "network: a bridge of an earlier run may be left (`ip link` shows it)");
		prior_say(p, "warning", "network-odd", NULL, why.text);
	}
	if (well)
		return 0;
	if (!told)
		return err_set(e, ETIME, "network: who makes it took longer than %d s, or was killed", NETWORK_S);
	*e = why;
	return err_in(e, "network");
}

static void say_failed(struct prior *p, const struct err *e)
{
	prior_say(p, "error", "network-failed", NULL, e->text);
	dprintf(p->ledger.head->console_fd, "prior: %s%s\n", e->text,
		p->ledger.head->shutdown || !p->plan.head->bridges.n ? "" : "; services on bridges will not start");
}

void network_begin(struct prior *p)
{
	const char *dir = p->ledger.head->run_dir;
	char left[160];
	struct err e;

	/* One look, and no process where nothing is to be made or removed. */
	snprintf(left, sizeof left, "%s/hosts", *dir ? dir : "/run/prior");
	if (!p->plan.head->bridges.n && access(left, F_OK) < 0)
		return;
	if (begin(p, (struct order){ .to = &p->plan }, NETWORK_BEGINS, &e) < 0)
		say_failed(p, &e);
	else
		deps_refresh(p);
}

/* What waited for the bridges and nothing else goes on. */
static void release(struct prior *p)
{
	for (uint32_t i = 0; i < p->n; i++)
		if (plan_is_bridged(&p->plan, plan_service(&p->plan, i)) && --p->run[i].unmet == 0 &&
		    svc_of(p, i)->state == SVC_WAITING)
			svc_post(p, i, EV_DEPS_READY);
}

void network_ended(struct prior *p, pid_t pid, bool well)
{
	struct ledger_head *h = p->ledger.head;
	const enum network_work was = (enum network_work)h->network;
	struct err e;

	if (pid != h->network_pid)	/* of before an exec */
		return;
	const int rc = outcome(p, well, &e);

	fd_drop(&p->network_answer);
	h->network = was == NETWORK_ENDS ? NETWORK_GONE : NETWORK_NONE;
	h->network_pid = 0;
	ledger_seal_head(&p->ledger);
	if (rc < 0 && was != NETWORK_CHANGES)
		say_failed(p, &e);
	/* Once: what it had made already is removed before anybody starts. */
	if (rc == -ETIME && was == NETWORK_BEGINS &&
	    begin(p, (struct order){ .from = &p->plan }, NETWORK_MENDS, &e) == 0)
		return;
	if (was == NETWORK_BEGINS || was == NETWORK_MENDS)
		release(p);
	if (was == NETWORK_CHANGES)
		reload_network_ended(p, rc < 0 ? &e : NULL);
}

void network_resume(struct prior *p)
{
	struct ledger_head *h = p->ledger.head;
	const enum network_work was = (enum network_work)h->network;
	struct err e;

	if (h->network_pid <= 0)
		return;
	/* Its answer went with the exec. What it was at, the next one does from the beginning; a reload by itself. */
	kill(h->network_pid, SIGKILL);
	h->network_pid = 0;
	h->network = NETWORK_NONE;
	if ((was != NETWORK_BEGINS && was != NETWORK_MENDS) ||
	    begin(p, (struct order){ .to = &p->plan }, NETWORK_BEGINS, &e) == 0)
		return;
	say_failed(p, &e);
	deps_refresh(p);
}

bool network_is_gone(struct prior *p)
{
	const struct ledger_head *h = p->ledger.head;
	struct err e;

	if (h->network == NETWORK_GONE || !p->plan.head->bridges.n || h->mode == MODE_MACHINE)
		return true;
	if (h->network_pid || begin(p, (struct order){ .from = &p->plan }, NETWORK_ENDS, &e) == 0)
		return false;
	say_failed(p, &e);
	return true;
}

static bool same_text(const struct plan *p, struct plan_ref a, const struct plan *q, struct plan_ref b)
{
	return a.n == b.n && !strcmp(plan_str(p, a), plan_str(q, b));
}

/* Names too: a cell that stays sees a new one. */
static bool differs(const struct plan *from, const struct plan *to)
{
	const struct plan_head *a = from->head, *b = to->head;

	if (a->network_tag != b->network_tag || a->hosts.n != b->hosts.n || a->bridges.n != b->bridges.n)
		return true;
	for (uint32_t i = 0; i < a->bridges.n; i++)
		if (PLAN_FIRST(from, a->bridges, struct plan_bridge)[i].mtu !=
		    PLAN_FIRST(to, b->bridges, struct plan_bridge)[i].mtu)
			return true;
	for (uint32_t i = 0; i < a->hosts.n; i++) {
		const struct plan_file *x = PLAN_FIRST(from, a->hosts, struct plan_file) + i;
		const struct plan_file *y = PLAN_FIRST(to, b->hosts, struct plan_file) + i;

		if (!same_text(from, x->path, to, y->path) || !same_text(from, x->value, to, y->value))
			return true;
	}
	return false;
}

int network_change(struct prior *p, const struct plan *from, const struct plan *to, struct err *e)
{
	if (!differs(from, to))
		return 0;
	return begin(p, (struct order){ .from = from, .to = to }, NETWORK_CHANGES, e) < 0 ? -e->code : 1;
}
