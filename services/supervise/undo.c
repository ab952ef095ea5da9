/* What is taken back when a cell is empty: its end of a veth pair, its runtime directories. See undo.h. */
/* SPDX-License-Identifier: ISC */
#include "services/supervise/undo.h"
#include "init/base/sys.h"
#include "netns/net.h"
#include "services/cell/dirs.h"
#include "services/supervise/reap.h"
#include "services/supervise/stop.h"
#include <string.h>

#define ALL (SVC_F_NETWORK | SVC_F_DIRS)

uint32_t undo_later(struct prior *p, uint32_t i)
{
	const struct plan_service *d = plan_service(&p->plan, i);

	return (d->ifname.at ? SVC_F_NETWORK : 0) | (dirs_go(&p->plan, d) ? SVC_F_DIRS : 0);
}

static int remove_interface(const char *ifname)
{
	struct net *n;
	struct err e;

	if (net_open(&n, &e) < 0)
		return 1;
	int rc = net_veth_remove(n, ifname, &e);

	net_close(&n);
	return rc < 0;
}

/* The child's whole life; the plan is mapped in it, the ledger is not. Its code says what did not go. */
static int take_back(const struct plan *p, const struct plan_service *d, uint32_t what)
{
	struct err e;
	int left = 0;

	if (what & SVC_F_NETWORK)
		left |= remove_interface(plan_str(p, d->ifname));
	if (what & SVC_F_DIRS)
		left |= dirs_remove(p, d, &e) < 0 ? 2 : 0;
	return left;
}

bool undo_begin(struct prior *p, uint32_t i)
{
	const struct plan_service *d = plan_service(&p->plan, i);
	struct ledger_svc *s = svc_of(p, i);
	struct clone_args a = { .flags = CLONE_CLEAR_SIGHAND, .exit_signal = SIGCHLD };
	const uint32_t what = s->flags & ALL;

	if (!what)
		return false;
	pid_t pid = sys_clone3(&a);

	if (pid == 0)
		_exit(take_back(&p->plan, d, what));
	LEDGER_WRITE(s);
	s->flags &= ~ALL;
	if (pid < 0) {
		prior_say(p, "warning", "left-behind", svc_name(p, i), what & SVC_F_DIRS
			  ? "no process could be made to remove its runtime directories"
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
		prior_say(p, "warning", "left-behind", svc_name(p, i), "its interface or its runtime directories "
			  "could not be removed; the next start tries again");
	stop_check(p, i);
}
