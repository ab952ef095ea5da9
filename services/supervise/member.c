/* Who belongs to a service: see member.h. */
/* SPDX-License-Identifier: ISC */
#include "services/supervise/member.h"
#include "init/base/sys.h"
#include "init/base/text.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define ANCESTORS_MAX 64

/* /proc/PID/NAME, ended by a NUL; false when it cannot be read, or is longer. */
static bool read_proc(pid_t pid, const char *name, char *to, size_t size)
{
	char path[64];
	struct text t = TEXT_IN(path);

	text_fmt(&t, "/proc/%d/%s", (int)pid, name);
	owned_fd fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, to, size);

	if (n <= 0 || (size_t)n == size)
		return false;
	to[n] = '\0';
	return true;
}

/* The path in the line "0::/a/b", ended at its line's end; NULL: there is none. No path has a newline in it. */
static char *cgroup2_of(char *lines)
{
	char *at = !strncmp(lines, "0::", 3) ? lines + 3 : strstr(lines, "\n0::");

	if (!at)
		return NULL;
	at += *at == '\n' ? 4 : 0;
	at[strcspn(at, "\n")] = '\0';
	return at;
}

void member_learn(struct prior *p, uint32_t i, pid_t pid)
{
	struct ledger_head *h = p->ledger.head;
	const char *name = svc_name(p, i);
	char lines[4096], *at;

	if (h->cgroup_path[0] || svc_of(p, i)->cgroup_fd < 0 || plan_service(&p->plan, i)->cgroup_root.at)
		return;
	if (!read_proc(pid, "cgroup", lines, sizeof lines) || !(at = cgroup2_of(lines)))
		return;
	const size_t n = strlen(at), own = strlen(name);

	if (n <= own + 1 || at[n - own - 1] != '/' || strcmp(at + n - own, name) != 0)
		return;
	at[n - own] = '\0';	/* with the slash */
	if (!text_copy(h->cgroup_path, sizeof h->cgroup_path, at))
		h->cgroup_path[0] = '\0';
}

#define LISTED_MAX 4096

/* Calls each with the processes of the leaf until one answers true; returns that one, or 0. */
static pid_t each_listed(int leaf, bool (*each)(pid_t pid, pid_t wanted), pid_t wanted)
{
	char text[4096];
	owned_fd fd = openat(leaf, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	pid_t pid = 0;
	unsigned seen = 0;
	ssize_t n;

	while (fd >= 0 && (n = read(fd, text, sizeof text)) > 0)
		for (ssize_t k = 0; k < n; k++) {
			if (text[k] != '\n') {
				pid = pid * 10 + (text[k] - '0');
				continue;
			}
			if (each(pid, wanted))
				return pid;
			if (++seen == LISTED_MAX)
				return 0;
			pid = 0;
		}
	return 0;
}

static bool is_same(pid_t pid, pid_t wanted)
{
	return pid == wanted;
}

/* The last number of NSpid is the one that the process itself knows. */
static bool has_inner_number(pid_t pid, pid_t wanted)
{
	char text[4096], *at;

	if (!read_proc(pid, "status", text, sizeof text) || !(at = strstr(text, "\nNSpid:")))
		return false;
	at += 7;
	at[strcspn(at, "\n")] = '\0';
	char *last = strrchr(at, '\t');

	return last && strtol(last, NULL, 10) == wanted;
}

pid_t member_find(struct prior *p, uint32_t i, pid_t inner)
{
	const struct ledger_svc *s = svc_of(p, i);

	if (!(plan_service(&p->plan, i)->flags & CELL_PID))
		return inner;
	return s->cgroup_fd >= 0 ? each_listed(s->cgroup_fd, has_inner_number, inner) : 0;
}

static bool is_in_cgroup(struct prior *p, uint32_t i, pid_t pid)
{
	const char *root = p->ledger.head->cgroup_path, *name = svc_name(p, i);
	const size_t n = strlen(root), own = strlen(name);
	char lines[4096], *at;

	if (!root[0] || plan_service(&p->plan, i)->cgroup_root.at)
		return each_listed(svc_of(p, i)->cgroup_fd, is_same, pid) != 0;
	if (!read_proc(pid, "cgroup", lines, sizeof lines) || !(at = cgroup2_of(lines)))
		return false;
	return !strncmp(at, root, n) && !strncmp(at + n, name, own) && (at[n + own] == '\0' || at[n + own] == '/');
}

bool member_same_space(pid_t a, pid_t b, const char *kind)
{
	struct stat st[2];
	const pid_t of[] = { a, b };

	for (int k = 0; k < 2; k++) {
		char path[64];
		struct text t = TEXT_IN(path);

		text_fmt(&t, "/proc/%d/ns/%s", (int)of[k], kind);
		if (stat(path, &st[k]) < 0)
			return false;
	}
	return st[0].st_dev == st[1].st_dev && st[0].st_ino == st[1].st_ino;
}

/* Parent and session of pid: the second and fourth number behind the name, which may hold anything, ")" too. */
static bool family_of(pid_t pid, pid_t *parent, pid_t *session)
{
	char text[1024], *at;

	if (!read_proc(pid, "stat", text, sizeof text) || !(at = strrchr(text, ')')) || strlen(at) < 5)
		return false;
	*parent = (pid_t)strtol(at + 4, &at, 10);
	strtol(at, &at, 10);
	*session = (pid_t)strtol(at, NULL, 10);
	return true;
}

pid_t member_parent(pid_t pid)
{
	pid_t parent, session;

	return family_of(pid, &parent, &session) ? parent : -1;
}

static bool descends_from(pid_t pid, pid_t main)
{
	pid_t session;

	for (int k = 0; k < ANCESTORS_MAX && pid > 1; k++)
		if (pid == main || !family_of(pid, &pid, &session) || session == main)
			return pid == main || session == main;
	return false;
}

static bool is_of(struct prior *p, uint32_t i, pid_t pid)
{
	const struct ledger_svc *s = svc_of(p, i);

	if (pid == s->pid || pid == s->hook)
		return true;
	if (s->cgroup_fd >= 0)
		return is_in_cgroup(p, i, pid);
	if (s->reaper > 0)
		return member_same_space(pid, s->reaper, "pid");
	return s->pid > 0 && descends_from(pid, s->pid);
}

bool member_is(struct prior *p, uint32_t i, pid_t pid, int pidfd)
{
	if (pid <= 0 || !is_of(p, i, pid))
		return false;
	/* Still the same: a number that was given anew meanwhile has an older pidfd that is dead. */
	return pidfd < 0 || sys_pidfd_send_signal(pidfd, 0) == 0 || errno == EPERM;
}
