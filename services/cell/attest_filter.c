/* The seccomp filter, read back instruction by instruction. */
/* SPDX-License-Identifier: ISC */
#include "init/base/sum.h"
#include "init/base/sys.h"
#include "services/cell/attest_inner.h"
#include <errno.h>
#include <linux/filter.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#ifndef PTRACE_SECCOMP_GET_FILTER
#define PTRACE_SECCOMP_GET_FILTER 0x420c
#endif

/* Filters count from the oldest: behind those that everything here is under comes ours, then the service's own. */
static int read_filter(pid_t pid, long index, struct sock_filter *f)
{
	return (int)syscall(SYS_ptrace, PTRACE_SECCOMP_GET_FILTER, pid, index, f);
}

int filter_read_running(pid_t pid, long index, struct sock_filter *f)
{
	int status, n = -1;

	if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) < 0)
		return -1;
	if (ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) == 0 && waitpid(pid, &status, __WALL) > 0 &&
	    WIFSTOPPED(status)) {
		const int sig = status >> 16 ? 0 : WSTOPSIG(status);

		n = read_filter(pid, index, f);
		const int code = errno;

		ptrace(PTRACE_DETACH, pid, NULL, (void *)(long)sig);
		errno = code;
	}
	return n;
}

_Static_assert(BPF_MAXINSNS * sizeof(struct sock_filter) <= FILE_ROOM, "the longest filter has room");

int attest_filter(struct attest_run *r, struct err *e)
{
	const struct plan_service *s = r->in->svc;
	struct sock_filter *f = (void *)r->room;

	if (!planned(r, CELL_SECCOMP))
		return 0;
	const long index = r->in->ref.filters;
	const int n = r->in->tracing ? read_filter(r->in->pid, index, f) : filter_read_running(r->in->pid, index, f);

	/* Only the machine's root may see filters, in a kernel with CHECKPOINT_RESTORE; else the mode must do. */
	if (n < 0 && (errno == EACCES || errno == EPERM || errno == EINVAL || errno == EIO))
		return 0;
	if (n < 0)
		return err_sys(e, "its seccomp filter");
	const bool same = n == (int)s->seccomp.n &&
			  !memcmp(f, plan_array(r->in->plan, s->seccomp), (size_t)n * sizeof *f);

	fact_num(r, "seccomp length", s->seccomp.n, n);
	if (fact_is_plain(r, same))
		return 0;
	fact_hex(r, "seccomp filter", s->seccomp_sum, sum_more(SUM_START, f, (size_t)n * sizeof *f));
	return 0;
}
