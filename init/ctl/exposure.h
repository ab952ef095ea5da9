/* The exposure of a service, for people and programs. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/ctl/json.h"
#include "init/ctl/verbs.h"
#include "services/exposure/exposure.h"

#define THRESHOLD_NONE 100

/* Declared always, attested where has_attested. */
struct exposures {
	struct exposure declared, attested;	/* the comparable questions */
	struct exposure further, further_attested; /* our own */
	bool has_attested;
};

int exposures_of_plan(struct exposures *x, const struct plan *p, uint32_t service, struct err *e);
int exposures_of_process(struct exposures *x, const struct plan *p, uint32_t service, pid_t pid, int procfs,
			 struct err *e);
/* The worse of both. */
bool exposures_are_above(const struct exposures *x, unsigned threshold);

/* all: each question that is not answered well, too. */
void exposures_text(FILE *to, const char *service, const struct exposures *x, bool all);
void exposures_json(struct json *j, const char *key, const struct exposures *x);
void exposures_show(const struct exposures *x, const char *service, bool json); /* to standard output */

/* --threshold in tenths, THRESHOLD_NONE without it. EINVAL: it is no such number, which was said. */
int threshold_read(struct ctl *c, unsigned *tenths);

#define EXPOSURE_ABOVE(name, score, limit) "service %s: exposure %u.%u %s is above the threshold %u.%u", name, \
	(score) / 10, (score) % 10, exposure_word(score), (limit) / 10, (limit) % 10
