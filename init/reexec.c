/* Executing ourselves, and what the command lines for it say: see reexec.h. */
/* SPDX-License-Identifier: ISC */
#include "init/reexec.h"
#include "init/base/sys.h"
#include "init/base/text.h"
#include <stdlib.h>
#include <string.h>

#define RESUME "--resume"
#define AFTER_FAULT "--resume-after-fault="
#define CHECK "--resume-check"
#define LEDGER "--ledger="

extern char **environ;

bool reexec_is_resume(const char *word)
{
	return !strcmp(word, RESUME) || !strcmp(word, CHECK) || !strncmp(word, AFTER_FAULT, strlen(AFTER_FAULT));
}

static int number_after(const char *word, const char *prefix)
{
	size_t n = strlen(prefix);
	char *end;

	if (strncmp(word, prefix, n) != 0 || !word[n])
		return -1;
	long v = strtol(word + n, &end, 10);

	return *end || v < 0 || v > 1 << 20 ? -1 : (int)v;
}

int reexec_parse(struct resume *r, int argc, char **argv, struct err *e)
{
	int fault = argc == 3 ? number_after(argv[1], AFTER_FAULT) : -1;
	int fd = argc == 3 ? number_after(argv[2], LEDGER) : -1;

	if (fd < 0)
		return err_set(e, EINVAL, "resume: the ledger's descriptor is missing");
	*r = (struct resume){ .ledger_fd = fd, .fault = fault > 0 ? fault : 0, .check = !strcmp(argv[1], CHECK) };
	return 0;
}

int reexec_check(int ledger_fd, struct err *e)
{
	struct ledger l;
	int rc = ledger_map(&l, ledger_fd, false, e);

	if (rc < 0)
		return rc;
	ledger_unmap(&l);
	return 0;
}

static void keep(void *ctx, int fd)
{
	(void)ctx;
	fcntl(fd, F_SETFD, 0);
}

static void close_at_exec(void *ctx, int fd)
{
	(void)ctx;
	fcntl(fd, F_SETFD, FD_CLOEXEC);
}

int reexec(struct prior *p, int exe_fd, struct err *e)
{
	char arg[32];
	struct text t = TEXT_IN(arg);
	char *argv[] = { (char *)"prior", (char *)RESUME, arg, NULL };

	text_fmt(&t, "%s%d", LEDGER, p->ledger.fd);
	ledger_seal_head(&p->ledger);
	ledger_each_fd(&p->ledger, keep, NULL);
	/* Signals stay blocked: the new loop reads them. */
	syscall(SYS_execveat, exe_fd, "", argv, environ, AT_EMPTY_PATH);
	err_sys(e, "execute the new binary");
	ledger_each_fd(&p->ledger, close_at_exec, NULL);
	return -e->code;
}
