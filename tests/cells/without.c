/* A kernel that lacks something: `without FEATURE... -- COMMAND` makes its calls fail as such a kernel's would. */
/* SPDX-License-Identifier: ISC */
#include "init/base/sys.h"
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

static const struct {
	const char *feature;
	unsigned call, err;
} lacks[] = {
	{ "landlock", 444, ENOSYS },	/* not built in */
	{ "landlock-off", 444, EOPNOTSUPP }, /* not in the lsm= list */
	{ "seccomp", SYS_seccomp, ENOSYS },
	{ "mdwe", 0, 0 },		/* prctl(PR_SET_MDWE), below */
};

static struct sock_filter program[64];
static unsigned short n;

static void add(uint16_t code, uint8_t jt, uint8_t jf, uint32_t k)
{
	program[n++] = (struct sock_filter){ code, jt, jf, k };
}

static void take_away(const char *feature)
{
	for (unsigned i = 0; i < sizeof lacks / sizeof *lacks; i++) {
		if (strcmp(lacks[i].feature, feature) != 0)
			continue;
		add(BPF_LD | BPF_W | BPF_ABS, 0, 0, 0);
		if (lacks[i].call) {
			add(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, lacks[i].call);
			add(BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | lacks[i].err);
			continue;
		}
		add(BPF_JMP | BPF_JEQ | BPF_K, 0, 4, SYS_prctl);
		add(BPF_LD | BPF_W | BPF_ABS, 0, 0, 16);
		add(BPF_JMP | BPF_JGE | BPF_K, 0, 2, 65);
		add(BPF_JMP | BPF_JGT | BPF_K, 1, 0, 66);
		add(BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | EINVAL);
	}
}

int main(int argc, char **argv)
{
	int i = 1;

	for (; i < argc && strcmp(argv[i], "--"); i++)
		take_away(argv[i]);
	add(BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW);
	const struct sock_fprog p = { n, program };

	if (i + 1 >= argc || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &p) < 0) {
		perror("without");
		return 1;
	}
	execvp(argv[i + 1], argv + i + 1);
	perror(argv[i + 1]);
	return 1;
}
