/* A small plan that has one of everything, for the tests of plan.c and for its fuzzer. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include <stddef.h>

/* Bytes on the heap, the caller's; *size of them. padding moves everything without changing what the plan says. */
unsigned char *plan_sample(size_t *size, unsigned padding);
/* Make the sum fit again after bytes were changed. */
void plan_sample_sum(unsigned char *at, size_t size);
/* Read everything a verified plan refers to. */
size_t plan_sample_walk(const unsigned char *at, size_t size);
