/* The last steps: the program, its descriptors and environment, the filter, the exec. */
/* SPDX-License-Identifier: ISC */
#include "init/base/pidfd.h"
#include "init/base/sys.h"
#include "init/base/text.h"
#include "rootfs/mount.h"
#include "services/cell/steps.h"
#include <errno.h>
#include <linux/close_range.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#ifndef SECCOMP_FILTER_FLAG_LOG
#define SECCOMP_FILTER_FLAG_LOG 2
#endif

int step_executable(struct cell *c, struct err *e)
{
	const char *exe = plan_str(c->plan, c->command.exe);
	struct stat st;

	/* A link of the image's to /proc/self/exe would be this very binary (CVE-2019-5736). */
	c->exe = sys_openat2(AT_FDCWD, exe, O_PATH | O_CLOEXEC, 0, RESOLVE_NO_MAGICLINKS);
	if (c->exe < 0 || sys_fstat(c->exe, &st) < 0)
		return err_sys(e, "%s", exe);
	if (!S_ISREG(st.st_mode))
		return err_set(e, EACCES, "%s: not a regular file", exe);
	c->exe_id = (struct file_id){ st.st_dev, st.st_ino };
	return 0;
}

int step_descriptors(struct cell *c, struct err *e)
{
	const unsigned first = 3 + c->start->npass, kept = ready_at(c), from = kept ? kept + 1 : first;

	if (c->start->npass)	/* here: the filter may forbid to ask */
		c->pidfd_number = pidfd_number(getpid());
	if ((kept > first && sys_close_range(first, kept - 1, CLOSE_RANGE_CLOEXEC) < 0) ||
	    sys_close_range(from, ~0u, CLOSE_RANGE_CLOEXEC) < 0)
		return err_sys(e, "close_range");
	return 0;
}

int step_handover(struct cell *c, struct err *e)
{
	struct note n = { .kind = NOTE_EXEC, .exe = c->exe_id, .root = c->root_id };

	return note_send(c, &n, FD_NONE, e);
}

int step_seccomp(struct cell *c, struct err *e)
{
	struct sock_fprog prog = { .len = (unsigned short)c->svc->seccomp.n,
				   .filter = (struct sock_filter *)(uintptr_t)plan_array(c->plan, c->svc->seccomp) };

	const unsigned flags = has(c, CELL_SECCOMP_LOG) ? SECCOMP_FILTER_FLAG_LOG : 0;

	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &prog) < 0)
		return err_sys(e, "load %u instructions", c->svc->seccomp.n);
	return 0;
}

/* The notify socket's path as the service sees it: where the plan lays the machine's. */
static const char *notify_path(const struct cell *c)
{
	PLAN_EACH(struct plan_mount, m, c->plan, c->svc->mounts)
		if (m->kind == MOUNT_BIND && (m->flags & MOUNT_F_RUNTIME))
			return plan_str(c->plan, m->target);
	return c->start->notify_path;
}

#define FEW_WORDS 128	/* arguments and variables that need no mapping of their own */

/* KEY=VALUE at the end of t; returns it. */
static char *variable(struct text *t, const char *key, const char *value)
{
	char *at = t->at + t->n;

	text_add(t, key);
	text_add(t, value);
	text_add_n(t, "", 1);
	return at;
}

static void further_variables(const char *lines, struct text *t, char **v, char **end)
{
	for (; lines && *lines && v < end; lines += strcspn(lines, "\n") + 1) {
		*v++ = t->at + t->n;
		text_add_n(t, lines, strcspn(lines, "\n"));
		text_add_n(t, "", 1);
	}
}

void own_variables(const struct cell *c, pid_t pid, char text[OWN_TEXT], char *v[OWN_VARIABLES])
{
	struct text t = { .at = text, .size = OWN_TEXT };
	char number[24], **const v_end = v + OWN_VARIABLES;

	if (c->start->npass) {
		snprintf(number, sizeof number, "%u", c->start->npass);
		*v++ = variable(&t, "LISTEN_FDS=", number);
		snprintf(number, sizeof number, "%d", (int)pid);
		*v++ = variable(&t, "LISTEN_PID=", number);
		if (c->pidfd_number) {
			snprintf(number, sizeof number, "%llu", (unsigned long long)c->pidfd_number);
			*v++ = variable(&t, "LISTEN_PIDFDID=", number);
		}
		if (c->start->pass_names)
			*v++ = variable(&t, "LISTEN_FDNAMES=", c->start->pass_names);
	}
	if (c->start->notify_path)
		*v++ = variable(&t, "NOTIFY_SOCKET=", notify_path(c));
	if (ready_at(c)) {
		snprintf(number, sizeof number, "%u", ready_at(c));
		*v++ = variable(&t, "NOTIFY_FD=", number);
	}
	if (c->start->watchdog_us && c->start->notify_path) {
		snprintf(number, sizeof number, "%llu", (unsigned long long)c->start->watchdog_us);
		*v++ = variable(&t, "WATCHDOG_USEC=", number);
		snprintf(number, sizeof number, "%d", (int)pid);
		*v++ = variable(&t, "WATCHDOG_PID=", number);
	}
	further_variables(c->start->vars, &t, v, v_end);
}

static void strings(const struct cell *c, struct plan_ref r, char **to)
{
	const struct plan_ref *s = plan_array(c->plan, r);

	for (uint32_t i = 0; i < r.n; i++)
		to[i] = (char *)(uintptr_t)plan_str(c->plan, s[i]);
}

static uint32_t count_words(const struct cell *c)
{
	uint32_t n = 0;

	if (!c->start->words)
		return c->command.argv.n;
	while (c->start->words[n])
		n++;
	return n;
}

/* Along the PATH of the service's own environment, within its root; as execvpe(3) but without a heap. */
static void execute_found(const char *name, char **argv, char **envp)
{
	const char *path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	int why = ENOENT;

	if (strchr(name, '/')) {
		execve(name, argv, envp);
		return;
	}
	for (char **v = envp; *v; v++)
		if (!strncmp(*v, "PATH=", 5))
			path = *v + 5;
	for (size_t n; *path; path += n + (path[n] == ':')) {
		char full[4096];
		struct text t = TEXT_IN(full);

		n = strcspn(path, ":");
		text_add_n(&t, path, n);
		text_add(&t, "/");
		text_add(&t, name);
		if (n == 0 || t.cut)
			continue;
		execve(full, argv, envp);
		if (errno != ENOENT && errno != ENOTDIR)
			why = errno;
	}
	errno = why;
}

int become(struct cell *c)
{
	const uint32_t argc = count_words(c), envc = c->svc->env.n;
	const size_t words = (size_t)argc + 1 + envc + OWN_VARIABLES + 1;
	char own[OWN_TEXT], *few[FEW_WORDS], **argv = few, **envp;

	if (argc == 0)
		return EINVAL;	/* an exec without argv[0] is a trap for the program (CVE-2021-4034) */
	if (words > FEW_WORDS) {
		argv = mmap(NULL, words * sizeof *argv, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (argv == MAP_FAILED)
			return errno;
		c->words = argv;
		c->words_size = words * sizeof *argv;
	}
	envp = argv + argc + 1;
	if (c->start->words)
		memcpy(argv, c->start->words, argc * sizeof *argv);
	else
		strings(c, c->command.argv, argv);
	argv[argc] = NULL;
	strings(c, c->svc->env, envp);
	memset(envp + envc, 0, (OWN_VARIABLES + 1) * sizeof *envp);
	own_variables(c, getpid(), own, envp + envc);
	if (c->start->words) {
		execute_found(c->start->words[0], argv, envp);
		return errno;
	}
	/*
	 * By path, not by the descriptor: the kernel would call the process "7" after the descriptor's number, and a
	 * script's interpreter could not open it. The builder compares what was executed with what step_executable saw.
	 */
	execve(plan_str(c->plan, c->command.exe), argv, envp);
	return errno;
}
