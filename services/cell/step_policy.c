/* Steps that put programs on the service's cgroup: a second wall around devices and internet sockets. */
/* SPDX-License-Identifier: ISC */
#include "init/base/bpf.h"
#include "init/base/fd.h"
#include "services/cell/awaited.h"
#include "services/cell/steps.h"
#include <errno.h>

int step_device_policy(struct cell *c, struct err *e)
{
	struct device_rule rules[DEVICE_RULES_MAX];
	const int n = awaited_rules(c->plan, c->svc, FD_NONE, does_without_devices(c), rules, e);

	if (n < 0)
		return n;
	c->devices = c->start->devices;
	c->policy[POLICY_DEVICES] = bpf_devices_again(rules, (unsigned)n, &c->devices, e);
	return c->policy[POLICY_DEVICES] < 0 ? -e->code : 0;
}

int step_socket_policy(struct cell *c, struct err *e)
{
	c->policy[POLICY_SOCKETS] = bpf_sockets(c->svc->inet & 1, c->svc->inet & 2, e);
	return c->policy[POLICY_SOCKETS] < 0 ? -e->code : 0;
}

int step_attach(struct cell *c, struct err *e)
{
	if (c->leaf < 0)
		return err_set(e, ENOTSUP, "it has no cgroup: cgroup2 is not writable here");
	for (unsigned i = 0; i < 2; i++)
		if (c->policy[i] >= 0 && bpf_attach(c->leaf, i, c->policy[i], e) < 0)
			return -e->code;
	return 0;
}
