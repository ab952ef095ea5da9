/* Is this process one of the service's? Asked of the kernel, for whoever speaks or is spoken of on a notify socket. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/supervise/prior.h"

/*
 * By its cgroup, whose whole path must be the service's or lie below it: only PID 1 makes cgroups there, so that no
 * name a service gives to anything can stand for another's. Without cgroups: by the pid namespace of its cell; without
 * that, by descent from its main process (parents, or the session that its cell began).
 * pidfd (FD_NONE: none) must be of pid: that pid was not another's meanwhile is checked with it afterwards.
 */
bool member_is(struct prior *p, uint32_t i, pid_t pid, int pidfd);
/* The process of the service that has this number in its own pid namespace, as PID 1 sees it; 0: there is none. Looks
 * at every process of it. */
pid_t member_find(struct prior *p, uint32_t i, pid_t inner);
/* The parent of pid; 0: it has none that we see, -1: it cannot be told. */
pid_t member_parent(pid_t pid);
/* Have both the same namespace of a kind, as /proc/PID/ns names it? false when that cannot be told. */
bool member_same_space(pid_t a, pid_t b, const char *kind);
/* pid was just cloned into the leaf of i and has not run anything of the service's: remember where leaves are. */
void member_learn(struct prior *p, uint32_t i, pid_t pid);
