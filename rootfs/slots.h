/* A/B slots: which root is booted, how often that may still be tried, and where that is written. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * One model for three formats. Who boots takes the first slot that has tries left, and counts one down before anything
 * of it runs; when all is well its tries are full again. So a slot that never comes so far loses its turn.
 */
#define SLOTS_MAX 8
#define SLOT_NAME 32			/* with its NUL; letters, digits, '-', '_' */
#define SLOT_TRIES_MAX 99

struct slot {
	char name[SLOT_NAME];
	unsigned left;			/* tries */
	bool good;			/* it was good when it was last booted */
};

struct slots {
	unsigned n;
	uint64_t seq;			/* counts writes of a file of ours */
	struct slot v[SLOTS_MAX];	/* in the order of preference */
};

bool slot_name_is_good(const char *name);
struct slot *slots_find(struct slots *s, const char *name);	/* NULL: there is none */
void slots_prefer(struct slots *s, const char *name);		/* first from now on */
/* Those and no others, new ones with full tries behind the old ones: the configuration may have changed. */
void slots_match(struct slots *s, const char *const *names, unsigned n, unsigned tries);
/*
 * The slot to boot, with one try less. When no slot has any left, all have theirs again: a machine that was cut off
 * too often must boot all the same; loops have machine.brake. NULL: there is no slot.
 */
struct slot *slots_choose(struct slots *s, unsigned tries);
/* That one, because somebody says so, with one try less if it has any. NULL: there is none of that name. */
struct slot *slots_try(struct slots *s, const char *name);

/*
 * The format of ours: one sector of text, which a disk writes whole or not at all, kept twice (init/base/twice.h),
 * 4 KiB apart.
 */
#define SLOTS_SECTOR 512
#define SLOTS_APART 4096
void slots_format(const struct slots *s, char sector[SLOTS_SECTOR]);
bool slots_parse(struct slots *s, const char sector[SLOTS_SECTOR]);
/* ENODATA: nothing is there yet; EBADMSG: something else is, and must not be overwritten. */
int slots_load(int fd, struct slots *s, struct err *e);
int slots_save(int fd, struct slots *s, struct err *e);
