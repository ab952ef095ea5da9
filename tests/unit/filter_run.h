/* Runs a filter as the kernel would, and reads a policy as a person would, so that the two can be compared. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/plan/seccomp.h"
#include <linux/seccomp.h>

/* The verdict; fails the test when the program does what seccomp does not have. */
uint32_t filter_run(const struct sock_filter *filter, int len, const struct seccomp_data *d);
extern unsigned filter_steps;	/* instructions of the last run */

/* What the policy says, without any cleverness. */
uint32_t policy_says(const struct policy *p, const struct seccomp_data *d);

/* The policy and the program that a test is about. */
extern struct policy policy;
extern struct sock_filter program[BPF_MAXINSNS];
extern int length;
/* Both of them; fails the test when that cannot be. */
void make(const struct filter_wishes *w);
/* The program's answer. */
uint32_t ask_number(int nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d);
uint32_t ask(const char *call, uint64_t a, uint64_t b, uint64_t c, uint64_t d);
/* Program and policy agree about one call; about all numbers, edges of arguments, and architectures. */
void compare(const struct seccomp_data *d);
void compare_all(void);

#define ALLOWED SECCOMP_RET_ALLOW
#define REFUSED (SECCOMP_RET_ERRNO | EPERM)
#define ABSENT (SECCOMP_RET_ERRNO | ENOSYS)
