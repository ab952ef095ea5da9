/* What `prior run` asks of a C library, for the build that has none: the same names and meanings, and no more. */
/* SPDX-License-Identifier: ISC */
#include "init/base/sys.h"
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <sys/wait.h>

/* Needed where the compiler does not see it: in start.c, or because it calls them itself when all else is done. */
#define KEPT __attribute__((used))

KEPT int bare_errno;
KEPT char **environ;

int *__errno_location(void)
{
	return &bare_errno;
}

KEPT void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((char *)to)[i] = ((const char *)from)[i];
	return to;
}

KEPT void *memset(void *to, int byte, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((char *)to)[i] = (char)byte;
	return to;
}

KEPT size_t strlen(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

int strncmp(const char *a, const char *b, size_t n)
{
	for (; n && *a && *a == *b; n--)
		a++, b++;
	return n ? (unsigned char)*a - (unsigned char)*b : 0;
}

KEPT int strcmp(const char *a, const char *b)
{
	return strncmp(a, b, PTRDIFF_MAX);
}

char *strchr(const char *s, int c)
{
	for (; *s != (char)c; s++)
		if (!*s)
			return NULL;
	return (char *)s;
}

char *strrchr(const char *s, int c)
{
	const char *last = NULL;

	for (; (s = strchr(s, c)); s++)
		last = s;
	return (char *)last;
}

int atoi(const char *s)
{
	int n = 0;

	for (; *s >= '0' && *s <= '9'; s++)
		n = n * 10 + *s - '0';
	return n;
}

char *getenv(const char *name)
{
	size_t n = strlen(name);

	for (char **v = environ; *v; v++)
		if (!strncmp(*v, name, n) && (*v)[n] == '=')
			return *v + n + 1;
	return NULL;
}

pid_t getpid(void)
{
	return (pid_t)syscall(SYS_getpid);
}

pid_t getppid(void)
{
	return (pid_t)syscall(SYS_getppid);
}

pid_t getsid(pid_t pid)
{
	return (pid_t)syscall(SYS_getsid, pid);
}

pid_t getpgrp(void)
{
	return (pid_t)syscall(SYS_getpgid, 0);
}

pid_t setsid(void)
{
	return (pid_t)syscall(SYS_setsid);
}

int setpgid(pid_t pid, pid_t group)
{
	return (int)syscall(SYS_setpgid, pid, group);
}

int kill(pid_t pid, int sig)
{
	return (int)syscall(SYS_kill, pid, sig);
}

pid_t waitpid(pid_t pid, int *status, int flags)
{
	return (pid_t)syscall(SYS_wait4, pid, status, flags, NULL);
}

int chdir(const char *path)
{
	return (int)syscall(SYS_chdir, path);
}

int fchdir(int fd)
{
	return (int)syscall(SYS_fchdir, fd);
}

int open(const char *path, int flags, ...)
{
	return (int)syscall(SYS_openat, AT_FDCWD, path, flags, 0);
}

int close(int fd)
{
	return (int)syscall(SYS_close, fd);
}

int fstatfs(int fd, struct statfs *to)
{
	return (int)syscall(SYS_fstatfs, fd, to);
}

ssize_t write(int fd, const void *data, size_t n)
{
	return syscall(SYS_write, fd, data, n);
}

int execve(const char *path, char *const argv[], char *const env[])
{
	return (int)syscall(SYS_execve, path, argv, env);
}

_Noreturn void _exit(int code)
{
	for (;;)
		syscall(SYS_exit_group, code);
}

/* For a handler that is none: SIG_DFL and SIG_IGN need no way back from it, and no flags. */
int sigaction(int sig, const struct sigaction *restrict new, struct sigaction *restrict old)
{
	struct {
		sighandler_t handler;
		unsigned long flags, restorer, mask;
	} in = { 0 }, out = { 0 };

	if (new)
		in.handler = new->sa_handler;
	int rc = (int)syscall(SYS_rt_sigaction, sig, new ? &in : NULL, &out, sizeof in.mask);

	if (rc == 0 && old)
		old->sa_handler = out.handler;
	return rc;
}
