/* What the parts of the test program share. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include <sys/socket.h>

/* Says what has failed, and why; 1, for main() to return. */
int fail(const char *what);
/* A path, vsock:CID, or a host's address by number, with the port; its length, 0 when it is none. */
socklen_t address(const char *host, const char *port, struct sockaddr_storage *to);

/* Verbs, with their words. */
int udp_serve(char **argv);
int udp_call(char **argv);
int rogue_router(char **argv);
int icmp6(char **argv);
int raw_frame(char **argv);
