/* What the services of network.interfaces and the programs behind them agree on: see machine_services.c. */
/* SPDX-License-Identifier: ISC */
#pragma once
#define LEASE_SOCKET "/run/prior/lease-"	/* and the interface: datagrams of struct net_lease */
#define LEASE_SCRIPT  "/dev/prior-lease"		/* this program in the client's cell; by that name it tells */
#define LEASE_NAMES  "prior-names"	/* below /run: lease-NAME and router-NAME, resolv.conf of all */
#define ROUTER_SOCKET "route 524288"	/* bit 19: RTNLGRP_ND_USEROPT, the twentieth group */
