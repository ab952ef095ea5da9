/* Every child of PID 1 and every orphan, reaped; each exit goes to whom it concerns. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/supervise/prior.h"
#include <sys/types.h>

void reap_begin(struct prior *p);	/* the kills for want of memory until now are not ours to tell */
void reap_add(struct prior *p, pid_t pid, uint32_t service, enum pid_role role);
void reap_forget(struct prior *p, pid_t pid);
/* SIGCHLD: reap all that have ended, a bounded number per turn (the loop comes back at once for the rest). */
void reap_all(struct prior *p);
/* The builder of i has just named its pids: was one of them reaped before we knew it? */
void reap_claim(struct prior *p, uint32_t i);
/* A main process that was no child of ours has ended; how is not known. */
void reap_gone(struct prior *p, uint32_t i, pid_t pid);
/* Its exec has been seen: so is an end that came before that. */
void reap_early(struct prior *p, uint32_t i);
/* After an exec of PID 1: a process of the ledger is not our child any more; its exit status is lost. */
void reap_lost(struct prior *p, uint32_t i, pid_t pid);
