/* The bundle of an OCI runtime: config.json as text, made by the compiler, filled in and written by the builder. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/plan/compiling.h"
#include "services/plan/seccomp.h"

/*
 * JSON as it is written: a buffer on the heap, which is the caller's to free. Commas come by themselves. key NULL: an
 * element of a list. After a failure (memory) all is ignored and `failed` says so.
 */
struct json_out {
	char *at;
	size_t n, room;
	bool comma, failed;
};

void json_out_open(struct json_out *j, const char *key, char bracket);	/* '{' or '[' */
void json_out_close(struct json_out *j, char bracket);
void json_out_text(struct json_out *j, const char *key, const char *value);
void json_out_num(struct json_out *j, const char *key, int64_t value);
void json_out_unsigned(struct json_out *j, const char *key, uint64_t value);
void json_out_bool(struct json_out *j, const char *key, bool value);
/* One of the marks of plan.h, between quotes that the caller opened: see json_out_raw(). */
void json_out_raw(struct json_out *j, const char *key, const char *quoted);

/* compile_oci_judge.c: what cannot be carried over is refused or told. */
void oci_judge(struct compiling *c, struct work *w);
/* oci_seccomp.c: the policy as linux.seccomp. E2BIG: its checks have no short form there. */
int policy_oci(const struct policy *p, struct json_out *j, bool log, struct err *e);

/* The policy of a service's filter, again; 0, or -errno. compile_filter.c. */
int filter_policy(struct compiling *c, struct work *w, struct policy *p, struct err *e);
