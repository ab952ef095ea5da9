/* Programs of the services that network.interfaces bring along. */
/* SPDX-License-Identifier: ISC */
#pragma once

int online_main(int argc, char **argv);	/* NAME|all LIST: ends when they have their addresses */
int lease_main(int argc, char **argv);	/* NAME NAMESERVERS: carries out what comes by descriptor 3 */
int routers_main(int argc, char **argv);	/* NAMESERVERS NAME...: name servers of routers, as descriptor 3 says */
int tell_main(int argc, char **argv);	/* EVENT: what udhcpc runs; tells the lease in its environment */
