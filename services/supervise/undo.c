/* The machine's end of a cell's veth pair, removed when the cell is empty: see undo.h. */
/* SPDX-License-Identifier: ISC */
#include "services/supervise/undo.h"
#include "init/base/sys.h"
#include "netns/net.h"
#include "services/supervise/reap.h"
#include "services/supervise/stop.h"
#include <string.h>

/* The child's whole life. */
static int take_back(const char *ifname)
{
	struct net *n;
	struct err e;

	if (net_open(&n, &e) < 0)
		return 1;
	int rc = net_veth_remove(n, ifname, &e);

	net_close(&n);
	return rc < 0;
}

bool undo_network(struct prior *p, uint32_t i)
{
	const struct plan_service *d = plan_service(&p->plan, i);
	struct ledger_svc *s = svc_of(p, i);
	struct clone_args a = { .flags = CLONE_CLEAR_SIGHAND, .exit_signal = SIGCHLD };

	if (!(s->flags & SVC_F_NETWORK))
		return false;
	pid_t pid = sys_clone3(&a);

	if (pid == 0)
		_exit(take_back(plan_str(&p->plan, d->ifname)));
	LEDGER_WRITE(s);
	s->flags &= ~SVC_F_NETWORK;
	if (pid < 0) {
		prior_say(p, "warning", "network-left", svc_name(p, i),
			  "no process could be made to remove its interface; the kernel removes it later");
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
		prior_say(p, "warning", "network-left", svc_name(p, i), "its interface could not be removed; "
			  "the next start tries again");
	stop_check(p, i);
}
