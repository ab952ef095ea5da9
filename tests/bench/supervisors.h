/* The memory and the wake-ups of all processes of an init: everything but the services, the kernel and the observer. */
/* SPDX-License-Identifier: ISC */
#pragma once

#define KINDS 16
#define PROCESSES 4096		/* the switches of more are not counted */

/* Processes of one name. Sizes in KiB, from smaps_rollup. */
struct supervisor_kind {
	char name[32];
	long count, pss, rss, anonymous;
};

/* Context switches, of both kinds, since its birth. */
struct supervisor_switches {
	int pid;
	long n;
};

struct supervisors {
	struct supervisor_kind kinds[KINDS];
	struct supervisor_switches each[PROCESSES];
	int n, processes;
};

int supervisors_proc(void);	/* a procfs of our own, mounted nowhere; -1: said why */
void supervisors_read(int proc, struct supervisors *s);
/* Switches from one reading to a later one. Of who ended in between only one is known, its end. */
long supervisors_switches(const struct supervisors *from, const struct supervisors *to);
void supervisors_print(const struct supervisors *s);	/* as a member of a JSON object */
