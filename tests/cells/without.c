/* A kernel that lacks something: `without FEATURE... -- COMMAND` makes its calls fail as such a kernel's would. */
/* SPDX-License-Identifier: ISC */
#include "init/base/sys.h"
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

/* A call that fails; where one is named, only with a first argument from .. to, or that has a bit. */
static const struct {
	const char *feature;
	unsigned call, err, from, to, bit;
} lacks[] = {
	{ "landlock", 444, ENOSYS, 0, ~0u, 0 },		/* not built in */
	{ "landlock-off", 444, EOPNOTSUPP, 0, ~0u, 0 },	/* not in the lsm= list */
	{ "seccomp", SYS_seccomp, ENOSYS, 0, ~0u, 0 },
	{ "mdwe", SYS_prctl, EINVAL, 65, 66, 0 },	/* PR_SET_MDWE, PR_GET_MDWE */
	{ "clone3", SYS_clone3, ENOSYS, 0, ~0u, 0 },	/* a container's filter */
	{ "spaces", SYS_unshare, EPERM, 0, ~0u, 0 },	/* no CAP_SYS_ADMIN, or a container's filter */
	{ "users", SYS_unshare, ENOSPC, 0, ~0u, CLONE_NEWUSER },	/* user.max_user_namespaces is 0 */
	{ "mounts", SYS_fsopen, EPERM, 0, ~0u, 0 },
	{ "keyrings", SYS_keyctl, EPERM, 0, ~0u, 0 },	/* a container's filter: not a kernel without them */
	{ "personality", SYS_personality, EPERM, 0, ~0u, 0 },
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
		const unsigned bits = lacks[i].bit ? lacks[i].bit : ~0u, all = !lacks[i].bit;

		/* With all bits asked for, 0 has none: then the range alone decides. */
		add(BPF_LD | BPF_W | BPF_ABS, 0, 0, 0);
		add(BPF_JMP | BPF_JEQ | BPF_K, 0, 5, lacks[i].call);
		add(BPF_LD | BPF_W | BPF_ABS, 0, 0, 16);
		add(BPF_JMP | BPF_JGE | BPF_K, 0, 3, lacks[i].from);
		add(BPF_JMP | BPF_JGT | BPF_K, 2, 0, lacks[i].to);
		add(BPF_JMP | BPF_JSET | BPF_K, 0, !all, bits);
		add(BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | lacks[i].err);
	}
}

/* Not a call but who we are: an ordinary user. */
static void become_ordinary(const char *feature)
{
	if (!strcmp(feature, "root") && (setgid(65534) < 0 || setuid(65534) < 0))
		perror("without: root");
}

int main(int argc, char **argv)
{
	int i = 1;

	for (; i < argc && strcmp(argv[i], "--"); i++)
		take_away(argv[i]);
	add(BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW);
	const struct sock_fprog p = { n, program };

	for (int k = 1; k < i; k++)
		become_ordinary(argv[k]);
	if (geteuid() != 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		perror("without: filters");
	if (i + 1 >= argc || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &p) < 0) {
		perror("without");
		return 1;
	}
	execvp(argv[i + 1], argv + i + 1);
	perror(argv[i + 1]);
	return 1;
}
