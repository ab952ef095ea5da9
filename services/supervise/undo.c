/* What is taken back when a cell is empty: a veth pair, directories, what an OCI runtime keeps. See undo.h. */
/* SPDX-License-Identifier: ISC */
#include "services/supervise/undo.h"
#include "init/base/sys.h"
#include "init/base/text.h"
#include "netns/net.h"
#include "services/cell/dirs.h"
#include "services/cell/oci.h"
#include "services/supervise/reap.h"
#include "services/supervise/shared.h"
#include "services/supervise/stop.h"
#include <string.h>

#define ALL (SVC_F_NETWORK | SVC_F_DIRS | SVC_F_BUNDLE)

uint32_t undo_later(struct prior *p, uint32_t i)
{
	const struct plan_service *d = plan_service(&p->plan, i);

	return (plan_is_bridged(&p->plan, d) ? SVC_F_NETWORK : 0) | (dirs_go(&p->plan, d) ? SVC_F_DIRS : 0) |
	       (d->runtime_kind ? SVC_F_BUNDLE : 0);
}

static int remove_interfaces(const struct plan *p, const struct plan_service *d)
{
	struct net *n;
	struct err e;
	int left = 0;

	if (net_open(&n, &e) < 0)
		return 1;
	PLAN_EACH(struct plan_link, l, p, d->links)
		left |= l->ifname.n && net_veth_remove(n, plan_str(p, l->ifname), &e) < 0;
	net_close(&n);
	return left;
}

/* The child's whole life; the plan is mapped in it, the ledger is not. Its code says what did not go. */
static int take_back(const struct plan *p, const struct plan_service *d, uint32_t what, const char *run_dir)
{
	struct err e;
	int left = 0;

	if (what & SVC_F_NETWORK)
		left |= remove_interfaces(p, d);
	if (what & SVC_F_BUNDLE)
		left |= oci_remove(plan_str(p, d->runtime), (enum oci_runtime)d->runtime_kind, run_dir,
				   plan_str(p, d->name), &e) < 0 ? 4 : 0;
	if (what & SVC_F_DIRS)
		left |= dirs_remove(p, d, &e) < 0 ? 2 : 0;
	return left;
}

static void take_back_all(const struct plan *p, const char *run_dir)
{
	const uint32_t n = p->head->services.n;

	sys_end_in(30);
	for (uint32_t i = 0; i < n; i++)
		if (plan_service(p, i)->runtime_kind)
			take_back(p, plan_service(p, i), SVC_F_BUNDLE, run_dir);
}

void undo_leftovers(struct prior *p)
{
	struct clone_args a = { .flags = CLONE_CLEAR_SIGHAND, .exit_signal = SIGCHLD };
	char run_dir[sizeof p->ledger.head->run_dir], path[sizeof run_dir + 16];
	struct text t = TEXT_IN(path);
	int status = 0;

	text_copy(run_dir, sizeof run_dir, p->ledger.head->run_dir);
	text_fmt(&t, "%s/bundles", run_dir);
	if (!*run_dir || access(path, F_OK) < 0)
		return;
	pid_t pid = sys_clone3(&a);

	if (pid == 0) {
		take_back_all(&p->plan, run_dir);
		_exit(0);
	}
	if (pid > 0 && sys_wait(pid, &status) == 0 && status != 0)
		prior_say(p, "warning", "left-behind", NULL, "what OCI runtimes kept of an earlier run could not be "
			  "taken back within 30 s");
}

bool undo_begin(struct prior *p, uint32_t i)
{
	const struct plan_service *d = plan_service(&p->plan, i);
	struct ledger_svc *s = svc_of(p, i);
	struct clone_args a = { .flags = CLONE_CLEAR_SIGHAND, .exit_signal = SIGCHLD };
	const uint32_t what = s->flags & ALL & ~(shared_stays(p, i) ? SVC_F_NETWORK : 0);
	char run_dir[sizeof p->ledger.head->run_dir];

	if (!what)
		return false;
	text_copy(run_dir, sizeof run_dir, p->ledger.head->run_dir);
	pid_t pid = sys_clone3(&a);

	if (pid == 0)
		_exit(take_back(&p->plan, d, what, run_dir));
	LEDGER_WRITE(s);
	s->flags &= ~what;
	if (pid < 0) {
		prior_say(p, "warning", "left-behind", svc_name(p, i), what & (SVC_F_DIRS | SVC_F_BUNDLE)
			  ? "no process could be made to remove its runtime directories or its bundle"
			  : "no process could be made to remove its interface; the kernel removes it later");
		return false;
	}
	s->undo = pid;
	reap_add(p, pid, i, PID_UNDO);
	return true;
}

void undo_ended(struct prior *p, uint32_t i, bool well)
{
	struct ledger_svc *s = svc_of(p, i);

	{
		LEDGER_WRITE(s);
		s->undo = 0;
	}
	if (!well)
		prior_say(p, "warning", "left-behind", svc_name(p, i), "its interface, its runtime directories or its "
			  "container could not be removed; the next start tries again");
	stop_check(p, i);
}
