/* The floor of a start: a plan laid out flat before anything is measured, and the service's side of it. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/bpf.h"
#include "init/base/sys.h"
#include "services/plan/plan.h"
#include <stdbool.h>

#define FLAT_MOUNTS 128
#define FLAT_OPTIONS 8
#define FLAT_WORDS 64

/* What is done for one row: one of a few sequences of calls. */
enum flat_kind { FLAT_NEW, FLAT_DEV, FLAT_BIND, FLAT_CHANGE, FLAT_CHANGE_NEW, FLAT_FILE };

struct flat_mount {
	enum flat_kind kind;
	const char *source, *target, *type, *data;
	size_t n;		/* bytes of data */
	struct { const char *key, *value; } options[FLAT_OPTIONS];
	int noptions;
	uint64_t attr, clear;
	bool recursive, directory;
	mode_t mode;
};

struct flat {
	const struct plan *plan;
	const struct plan_service *svc;
	struct flat_mount mounts[FLAT_MOUNTS];
	int nmounts, dev;	/* dev: index of the FLAT_DEV, -1: none */
	bool scratch;		/* a FLAT_FILE needs it */
	uint64_t clone_flags;
	int unshare_flags;
	int last_cap;
	uint64_t landlock;	/* rights that the rule set handles on this kernel */
	unsigned securebits;
	struct bpf_identity devices;	/* the program for devices; its descriptor stays open */
	char gid_map[64], uid_map[64];
	char *argv[FLAT_WORDS], *envp[FLAT_WORDS];
};

/* 0, or says on standard error why this cell has no floor. */
int flat_make(struct flat *f, const struct plan *p, const struct plan_service *s);

/* The process that becomes the service; sync is its end of a socket to the builder, out its standard output. */
_Noreturn void floor_service(const struct flat *f, int sync);

/* All that the floor ever does about an error: say where. */
#define MUST(call)									\
	({										\
		__typeof__(call) must_ = (call);					\
		if (must_ < 0)								\
			floor_failed(#call);						\
		must_;									\
	})
_Noreturn void floor_failed(const char *call);
