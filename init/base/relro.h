/* What was relocated at start is constant from then on. */
/* SPDX-License-Identifier: ISC */
#pragma once

/*
 * The segment PT_GNU_RELRO of this program can only be read from now on (mprotect(2)). glibc does it at the start of a
 * static program, musl in shared libraries only; call it first. Where it fails, all is as without it.
 */
void relro_apply(void);
