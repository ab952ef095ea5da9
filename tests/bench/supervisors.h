/* The memory and the wake-ups of all processes of an init: everything but the services, the kernel and the observer. */
/* SPDX-License-Identifier: ISC */
#pragma once

#define KINDS 16

/* Processes of one name. Sizes in KiB, from smaps_rollup; switches are context switches, of both kinds. */
struct supervisor_kind {
	char name[32];
	long count, pss, rss, anonymous, switches;
};

struct supervisors {
	struct supervisor_kind kinds[KINDS];
	int n;
};

int supervisors_proc(void);	/* a procfs of our own, mounted nowhere; -1: said why */
void supervisors_read(int proc, struct supervisors *s);
long supervisors_switches(const struct supervisors *s);
void supervisors_print(const struct supervisors *s);	/* as a member of a JSON object */
