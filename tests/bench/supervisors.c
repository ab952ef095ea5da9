/* The memory and the wake-ups of all processes of an init: see supervisors.h. */
/* SPDX-License-Identifier: ISC */
#include "supervisors.h"
#include "observe.h"
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int supervisors_proc(void)
{
	int fs = (int)syscall(SYS_fsopen, "proc", FSOPEN_CLOEXEC);
	int fd = -1;

	if (fs >= 0 && syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
		fd = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, 0);
	if (fd < 0)
		perror("observe: procfs");
	return fd;
}

static int read_file(int proc, int pid, const char *name, char *to, size_t size)
{
	char path[64];
	ssize_t n = -1;

	snprintf(path, sizeof path, "%d/%s", pid, name);
	int fd = openat(proc, path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		n = read(fd, to, size - 1);
		close(fd);
	}
	to[n > 0 ? n : 0] = '\0';
	return n > 0;
}

/* The number behind a word at the start of a line. */
static long field(const char *text, const char *word)
{
	const char *at = text;

	while ((at = strstr(at, word)) && at > text && at[-1] != '\n')
		at++;
	return at ? atol(at + strlen(word)) : 0;
}

/* Neither a thread of the kernel, nor one of the measured services, nor we. */
static int is_supervisor(int proc, int pid)
{
	struct stat exe, service;
	char path[32];

	snprintf(path, sizeof path, "%d/exe", pid);
	if (pid == getpid() || fstatat(proc, path, &exe, 0) < 0 || stat(SERVICE, &service) < 0)
		return 0;
	return exe.st_ino != service.st_ino || exe.st_dev != service.st_dev;
}

static struct supervisor_kind *kind_of(struct supervisors *s, const char *name)
{
	for (int i = 0; i < s->n; i++)
		if (!strcmp(s->kinds[i].name, name))
			return &s->kinds[i];
	if (s->n == KINDS)
		return &s->kinds[KINDS - 1];
	struct supervisor_kind *k = &s->kinds[s->n++];

	snprintf(k->name, sizeof k->name, "%s", name);
	return k;
}

static void add(int proc, int pid, struct supervisors *s)
{
	char name[32], text[4096];

	if (!is_supervisor(proc, pid) || !read_file(proc, pid, "comm", name, sizeof name))
		return;
	name[strcspn(name, "\n")] = '\0';
	struct supervisor_kind *k = kind_of(s, name);

	k->count++;
	if (s->processes < PROCESSES && read_file(proc, pid, "status", text, sizeof text))
		s->each[s->processes++] = (struct supervisor_switches){
			pid, field(text, "voluntary_ctxt_switches:") + field(text, "nonvoluntary_ctxt_switches:")
		};
	if (read_file(proc, pid, "smaps_rollup", text, sizeof text)) {
		k->pss += field(text, "Pss:");
		k->rss += field(text, "Rss:");
		k->anonymous += field(text, "Anonymous:");
	}
}

void supervisors_read(int proc, struct supervisors *s)
{
	struct dirent *d;

	memset(s, 0, sizeof *s);
	/* A description of its own: reading moves it. */
	DIR *dir = fdopendir(openat(proc, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));

	while (dir && (d = readdir(dir)))
		if (isdigit((unsigned char)d->d_name[0]))
			add(proc, atoi(d->d_name), s);
	if (dir)
		closedir(dir);
}

/* -1: not there. */
static long switches_of(const struct supervisors *s, int pid)
{
	for (int i = 0; i < s->processes; i++)
		if (s->each[i].pid == pid)
			return s->each[i].n;
	return -1;
}

long supervisors_switches(const struct supervisors *from, const struct supervisors *to)
{
	long sum = 0;

	for (int i = 0; i < to->processes; i++) {
		const long before = switches_of(from, to->each[i].pid);

		sum += to->each[i].n - (before < 0 ? 0 : before);
	}
	for (int i = 0; i < from->processes; i++)
		sum += switches_of(to, from->each[i].pid) < 0;
	return sum;
}

void supervisors_print(const struct supervisors *s)
{
	printf("\"supervisors\": {");
	for (int i = 0; i < s->n; i++) {
		const struct supervisor_kind *k = &s->kinds[i];

		printf("%s\"%s\": {\"count\": %ld, \"pss_kib\": %ld, \"rss_kib\": %ld, \"anonymous_kib\": %ld}",
		       i ? ", " : "", k->name, k->count, k->pss, k->rss, k->anonymous);
	}
	printf("}");
}
