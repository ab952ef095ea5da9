/* Orphans that all end at once, and how long the machine's PID 1 takes to reap them. */
/* SPDX-License-Identifier: ISC */
#pragma once

/* Prints `, "orphans": N, "reap_us": wall, "reap_cpu_us": of PID 1` as members of a JSON object. */
void orphans_measure(int proc, int n);
