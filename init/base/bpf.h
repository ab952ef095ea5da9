/* Programs for cgroups: device and socket policies, in the kernel's own instructions, through bpf(2). */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/err.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * No library: such a program is a list of comparisons. For whoever has CAP_BPF and CAP_NET_ADMIN, or CAP_SYS_ADMIN.
 * Nothing here allocates. A program that is attached stays with its cgroup, whatever becomes of its descriptor.
 */
#define DEVICE_ANY UINT32_MAX
enum { DEVICE_BLOCK = 1, DEVICE_CHARACTER = 2 };			/* the kernel's numbers */
enum { DEVICE_MKNOD = 1, DEVICE_READ = 2, DEVICE_WRITE = 4, DEVICE_ALL = 7 };

/* Who may be opened (or made): the first rows that fit and allow all that is wanted. What no row allows is EPERM. */
struct device_rule {
	uint32_t type, major, minor;	/* DEVICE_ANY: whatever it is */
	uint32_t access;		/* DEVICE_READ and so on */
};
#define DEVICE_RULES_MAX 96

enum cgroup_policy { POLICY_DEVICES, POLICY_SOCKETS };

/* Descriptors of programs, the caller's. E2BIG: more than DEVICE_RULES_MAX rows. */
int bpf_devices(const struct device_rule *rules, unsigned n, struct err *e);
int bpf_sockets(bool inet, bool inet6, struct err *e);	/* other families are not asked about: seccomp is */

int bpf_attach(int cgroup, enum cgroup_policy policy, int program, struct err *e);

/* What tells programs apart: the kernel's number for this one, and a sum over its instructions. */
struct bpf_identity {
	uint32_t id;
	unsigned char tag[8];
};
int bpf_identify(int program, struct bpf_identity *id, struct err *e);
/* A descriptor by number; the caller's. ENOENT: it is gone. */
int bpf_by_id(uint32_t id, struct err *e);
/*
 * A program that somebody has loaded lives on while it is attached somewhere. Whoever remembers this of it need not
 * have the kernel check the same again, which is most of its cost.
 */
struct bpf_loaded {
	uint64_t sum;		/* over the rules it was made of; 0: none is known */
	struct bpf_identity identity;
	uint32_t pad;
};
/* The same as bpf_devices(), by what *l remembers when it is of the same rules; *l then says what is loaded now. */
int bpf_devices_again(const struct device_rule *rules, unsigned n, struct bpf_loaded *l, struct err *e);

/* Numbers of the programs attached to the cgroup itself, at most max; returns how many there are. */
int bpf_attached(int cgroup, enum cgroup_policy policy, uint32_t *ids, unsigned max, struct err *e);
