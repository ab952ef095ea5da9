/* What a service uses, from the cgroup of its process. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "init/ctl/live.h"
#include "services/cell/cell.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

/* Where cgroup2 is: alone, or beside version 1. */
static const char *const mounts[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };

/* The line "0::PATH" of /proc/PID/cgroup; false when there is none. */
static bool cgroup_path(int pid, char *path, size_t size)
{
	char name[32], line[512];
	bool found = false;

	snprintf(name, sizeof name, "/proc/%d/cgroup", pid);
	FILE *f = fopen(name, "re");

	while (f && !found && fgets(line, sizeof line, f)) {
		line[strcspn(line, "\n")] = '\0';
		found = strncmp(line, "0::", 3) == 0 && strlen(line) - 3 < size;
		if (found)
			memcpy(path, line + 3, strlen(line) - 2);
	}
	if (f)
		fclose(f);
	return found;
}

/* What its processes have in memory, where the cgroup does not count it: shared pages are counted for each. */
static bool resident(int cgroup, uint64_t *bytes)
{
	owned_fd procs = openat(cgroup, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	FILE *f = procs < 0 ? NULL : fdopen(dup(procs), "r");
	unsigned long long size, pages;
	char name[32];
	int pid;

	if (!f)
		return false;
	*bytes = 0;
	while (fscanf(f, "%d", &pid) == 1) {
		snprintf(name, sizeof name, "/proc/%d/statm", pid);
		FILE *statm = fopen(name, "re");

		if (statm && fscanf(statm, "%llu %llu", &size, &pages) == 2)
			*bytes += pages * (uint64_t)sysconf(_SC_PAGESIZE);
		if (statm)
			fclose(statm);
	}
	fclose(f);
	return true;
}

/* How many processes and threads it has, where the cgroup does not count them: a line for each. */
static bool count_tasks(int cgroup, uint64_t *tasks)
{
	owned_fd threads = openat(cgroup, "cgroup.threads", O_RDONLY | O_CLOEXEC);
	FILE *f = threads < 0 ? NULL : fdopen(dup(threads), "r");

	if (!f)
		return false;
	*tasks = 0;
	for (int c; (c = getc(f)) != EOF;)
		*tasks += c == '\n';
	fclose(f);
	return true;
}

void view_read_usage(struct view *v)
{
	char path[512], full[600];

	/* Without a cgroup of its own the figures would be somebody else's. */
	if (v->now.pid <= 0 || v->now.cgroup_fd < 0 || !cgroup_path(v->now.pid, path, sizeof path))
		return;
	/* runc keeps its container below the leaf, where nothing is counted. */
	char *below = v->plan && v->plan->runtime_kind == OCI_RUNC ? strrchr(path, '/') : NULL;

	if (below && !strcmp(below, "/" OCI_RUNC_LEAF))
		*below = '\0';
	for (size_t i = 0; i < sizeof mounts / sizeof *mounts && !v->has_cpu; i++) {
		snprintf(full, sizeof full, "%s%s", mounts[i], path);
		owned_fd dir = open(full, O_PATH | O_DIRECTORY | O_CLOEXEC);

		if (dir < 0)
			continue;
		v->has_memory = cgroup_read_u64(dir, "memory.current", &v->memory) == 0 || resident(dir, &v->memory);
		v->has_peak = cgroup_read_u64(dir, "memory.peak", &v->peak) == 0;
		v->has_tasks = cgroup_read_u64(dir, "pids.current", &v->tasks) == 0 || count_tasks(dir, &v->tasks);
		v->has_cpu = cgroup_read_u64(dir, "cpu.stat:usage_usec", &v->cpu_us) == 0;
	}
}
