/* The HTTP endpoint for health and metrics: a confined process of its own; PID 1 never reads what clients send. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/err.h"
#include "services/supervise/ledger.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/*
 * PID 1 binds the socket and keeps it, so that no connection is refused while the helper is replaced. The helper asks
 * over its own socket pair, one byte HTTP_ASK, and is answered with two descriptors: the ledger, read-only, and a
 * sealed memfd of struct http_row. It can ask nothing else; the plan, with its environments, it never gets.
 */
#define HTTP_ASK '?'
#define HTTP_TELL '!'		/* to PID 1, at most once: followed by a text for the log */
#define HTTP_TELL_MAX 200

#define HTTP_HEAD_MAX 4096	/* bytes of a request */
#define HTTP_CLIENTS 64		/* at once; then the one that has kept us waiting longest goes */
#define HTTP_CLIENT_MS 5000	/* for a request to be complete, and for its answer to be read */
#define HTTP_BODIES_MAX (16u << 20) /* bytes of all answers that are on their way */
#define HTTP_ASK_MS 2000	/* PID 1 never blocks: one that takes longer to answer does not live */
#define HTTP_FRESH_MS 100	/* so long the last answer holds: PID 1 is not woken for every request */

struct http_row {
	char name[64];
	uint32_t index;		/* in the ledger; UINT32_MAX: it was refused */
	uint32_t confined;	/* 1: it is to be attested */
};

/* PID 1's side (start.c): the helper as our child. cgroup_fd: directory of the services' leaves, or FD_NONE. */
int http_start(int exe_fd, int listen_fd, int cgroup_fd, int *pid, int *sock, struct err *e);
int http_main(int argc, char **argv);	/* argv[0] == "prior-http" */

/* From here on it can answer and read what it was given (confine.c). *missing names what else it should have lost. */
#define HTTP_ID 65532u		/* its user and group, nobody else's; see compile_uids.c, OCI_ROOT_ID */
int http_confine(bool spaces, bool cgroup, char *missing, size_t size, struct err *e);

/* --- a request (request.c): pure --- */

enum http_page { HTTP_LIVEZ, HTTP_READYZ, HTTP_HEALTHZ, HTTP_METRICS, HTTP_PAGES };
struct http_request {
	enum http_page page;
	unsigned status;	/* 200, or why there is no page */
	bool head;		/* HEAD: the answer has no body */
};
/* False: more is needed, and n < HTTP_HEAD_MAX. text need not end in a NUL. */
bool http_parse(const char *text, size_t n, struct http_request *r);
const char *http_reason(unsigned status);	/* "Not Found" */

/* --- what is answered (pages.c) --- */

struct http_view {
	struct ledger ledger;	/* read-only */
	const struct http_row *rows;
	uint32_t nrows;
	int cgroup_fd;		/* FD_NONE: memory and CPU cannot be read */
};
struct http_body {
	unsigned status;
	const char *type;	/* Content-Type */
	char *at;		/* malloc'ed; NULL: no memory */
	size_t n;
};
/* v NULL: PID 1 does not answer. */
void http_page(enum http_page page, const struct http_view *v, struct http_body *b);
void http_error(unsigned status, struct http_body *b);
