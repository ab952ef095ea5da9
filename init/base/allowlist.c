/* Short filters for our own helpers: see allowlist.h. */
/* SPDX-License-Identifier: ISC */
#include "init/base/allowlist.h"
#include "init/base/sys.h"
#include <errno.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>

#define LOAD (BPF_LD | BPF_W | BPF_ABS)
#define RETURN (BPF_RET | BPF_K)

static void put(struct allowlist *c, uint16_t code, uint32_t k, uint8_t if_true, uint8_t if_false)
{
	if (c->n < ALLOWLIST_MAX)
		c->f[c->n++] = (struct sock_filter){ .code = code, .jt = if_true, .jf = if_false, .k = k };
	else
		c->full = true;
}

void allowlist_begin(struct allowlist *c)
{
	c->n = 0;
	c->full = false;
	put(c, LOAD, offsetof(struct seccomp_data, arch), 0, 0);
	put(c, BPF_JMP | BPF_JEQ | BPF_K, SYS_ARCH, 1, 0);
	put(c, RETURN, SECCOMP_RET_KILL_PROCESS, 0, 0);
	put(c, LOAD, offsetof(struct seccomp_data, nr), 0, 0);
}

/* By halves: as it takes a filter the kernel walks it once for each call that there is, and then at each call. */
static void put_calls(struct allowlist *c, const int *ascending, unsigned n)
{
	const unsigned half = n / 2, test = c->n;

	for (unsigned i = 0; n <= 4 && i < n; i++) {
		put(c, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)ascending[i], 0, 1);
		put(c, RETURN, SECCOMP_RET_ALLOW, 0, 0);
	}
	if (n <= 4)
		return;
	put(c, BPF_JMP | BPF_JGE | BPF_K, (uint32_t)ascending[half], 0, 0);
	put_calls(c, ascending, half);
	const unsigned over = c->n;	/* the upper half */

	put(c, BPF_JMP | BPF_JA, 0, 0, 0);
	if (c->full)
		return;
	c->f[test].jt = (uint8_t)(c->n - test - 1);
	put_calls(c, ascending + half, n - half);
	c->f[over].k = c->n - over - 1;
}

void allowlist_add(struct allowlist *c, const int *calls, unsigned n)
{
	int v[ALLOWLIST_MAX / 2];

	if (n > sizeof v / sizeof *v) {
		c->full = true;
		return;
	}
	for (unsigned i = 0, at; i < n; i++) {
		for (at = i; at > 0 && v[at - 1] > calls[i]; at--)
			v[at] = v[at - 1];
		v[at] = calls[i];
	}
	put_calls(c, v, n);
}

void allowlist_add_if(struct allowlist *c, int call, const struct call_if *ifs, unsigned n)
{
	put(c, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, (uint8_t)(2 * n + 2));
	for (unsigned i = 0; i < n; i++) {
		const uint8_t no = (uint8_t)(2 * (n - i) - 1);	/* to the second of the two ends */
		const bool is = ifs[i].how == ARG_IS;

		put(c, LOAD, (uint32_t)(offsetof(struct seccomp_data, args) + sizeof(uint64_t) * ifs[i].arg), 0, 0);
		put(c, BPF_JMP | (is ? BPF_JEQ : BPF_JSET) | BPF_K, ifs[i].value, is ? 0 : no, is ? no : 0);
	}
	put(c, RETURN, SECCOMP_RET_ALLOW, 0, 0);
	put(c, RETURN, SECCOMP_RET_ERRNO | EPERM, 0, 0);
}

int allowlist_enter(struct allowlist *c)
{
	put(c, RETURN, SECCOMP_RET_ERRNO | EPERM, 0, 0);
	struct sock_fprog p = { .len = (unsigned short)c->n, .filter = c->f };

	if (c->full) {
		errno = E2BIG;
		return -1;
	}
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &p, 0, 0);
}
