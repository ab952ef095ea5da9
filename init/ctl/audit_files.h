/* Facts about files for `prior audit`; each that is wrong has the command that mends it. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/cell/attest.h"

/* A service's root and the sockets that prior has bound for it. */
void audit_files(const struct plan *p, const struct plan_service *s, attest_each *each, void *ctx);
/* The configuration that prior was started with: a file, or a directory and its services.d. */
void audit_configuration(const char *path, attest_each *each, void *ctx);
