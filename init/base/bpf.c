/* Device and socket policies as programs: see bpf.h. */
/* SPDX-License-Identifier: ISC */
#include "init/base/bpf.h"
#include "init/base/fd.h"
#include "init/base/sum.h"
#include <linux/bpf.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#define RULE_INSNS 9	/* the most that one rule takes */
#define INSNS_MAX (6 + DEVICE_RULES_MAX * RULE_INSNS + 2)

struct program {
	struct bpf_insn at[INSNS_MAX];
	unsigned n;
};

static const struct {
	uint32_t type, attach;
} kinds[] = {
	[POLICY_DEVICES] = { BPF_PROG_TYPE_CGROUP_DEVICE, BPF_CGROUP_DEVICE },
	[POLICY_SOCKETS] = { BPF_PROG_TYPE_CGROUP_SOCK, BPF_CGROUP_INET_SOCK_CREATE },
};

static long bpf(enum bpf_cmd cmd, union bpf_attr *a)
{
	return syscall(SYS_bpf, cmd, a, sizeof *a);
}

static uint64_t address(const void *p)
{
	return (uint64_t)(uintptr_t)p;
}

static void put(struct program *p, uint8_t code, unsigned to, unsigned from, int16_t off, int32_t imm)
{
	p->at[p->n++] = (struct bpf_insn){ .code = code, .dst_reg = to & 15, .src_reg = from & 15, .off = off,
					   .imm = imm };
}

static void load(struct program *p, unsigned to, size_t at)
{
	put(p, BPF_LDX | BPF_MEM | BPF_W, to, BPF_REG_1, (int16_t)at, 0);
}

static void answer(struct program *p, bool yes)
{
	put(p, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, yes);
	put(p, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

/* Skip what follows, up to a place that is not known yet, unless reg is value. */
static void unless(struct program *p, unsigned reg, uint32_t value)
{
	put(p, BPF_JMP | BPF_JNE | BPF_K, reg, 0, 0, (int32_t)value);
}

/* Every jump since `from` leads here. */
static void land(struct program *p, unsigned from)
{
	for (unsigned i = from; i < p->n; i++)
		if (p->at[i].code == (BPF_JMP | BPF_JNE | BPF_K))
			p->at[i].off = (int16_t)(p->n - i - 1);
}

static int load_program(enum cgroup_policy policy, const struct program *p, struct err *e)
{
	union bpf_attr a;

	memset(&a, 0, sizeof a);
	a.prog_type = kinds[policy].type;
	a.expected_attach_type = kinds[policy].attach;
	a.insns = address(p->at);
	a.insn_cnt = p->n;
	a.license = address("ISC");
	const long fd = bpf(BPF_PROG_LOAD, &a);

	return fd < 0 ? err_sys(e, "load a program of %u instructions", p->n) : (int)fd;
}

/* r2: the type, r3: what is wanted, r4: major, r5: minor. false: it allows everything; nothing may come after it. */
static bool one_rule(struct program *p, const struct device_rule *r)
{
	const unsigned from = p->n;

	if (r->type != DEVICE_ANY)
		unless(p, BPF_REG_2, r->type);
	if (r->major != DEVICE_ANY)
		unless(p, BPF_REG_4, r->major);
	if (r->minor != DEVICE_ANY)
		unless(p, BPF_REG_5, r->minor);
	if (r->access != DEVICE_ALL) {
		put(p, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_0, BPF_REG_3, 0, 0);
		put(p, BPF_ALU64 | BPF_AND | BPF_K, BPF_REG_0, 0, 0, (int32_t)(DEVICE_ALL & ~r->access));
		unless(p, BPF_REG_0, 0);
	}
	const bool conditions = p->n > from;

	answer(p, true);
	land(p, from);
	return conditions;
}

int bpf_devices(const struct device_rule *rules, unsigned n, struct err *e)
{
	struct program p = { .n = 0 };

	if (n > DEVICE_RULES_MAX)
		return err_set(e, E2BIG, "%u rules for devices; at most %d", n, DEVICE_RULES_MAX);
	load(&p, BPF_REG_3, offsetof(struct bpf_cgroup_dev_ctx, access_type));
	put(&p, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_2, BPF_REG_3, 0, 0);
	put(&p, BPF_ALU64 | BPF_AND | BPF_K, BPF_REG_2, 0, 0, 0xffff);
	put(&p, BPF_ALU64 | BPF_RSH | BPF_K, BPF_REG_3, 0, 0, 16);
	load(&p, BPF_REG_4, offsetof(struct bpf_cgroup_dev_ctx, major));
	load(&p, BPF_REG_5, offsetof(struct bpf_cgroup_dev_ctx, minor));
	bool more = true;

	for (unsigned i = 0; i < n && more; i++)
		more = one_rule(&p, &rules[i]);
	if (more)
		answer(&p, false);
	return load_program(POLICY_DEVICES, &p, e);
}

int bpf_sockets(bool inet, bool inet6, struct err *e)
{
	const struct { bool allowed; uint32_t family; } families[] = { { inet, AF_INET }, { inet6, AF_INET6 } };
	struct program p = { .n = 0 };

	load(&p, BPF_REG_2, offsetof(struct bpf_sock, family));
	for (unsigned i = 0; i < 2; i++) {
		const unsigned from = p.n;

		unless(&p, BPF_REG_2, families[i].family);
		answer(&p, families[i].allowed);
		land(&p, from);
	}
	answer(&p, true);
	return load_program(POLICY_SOCKETS, &p, e);
}

int bpf_attach(int cgroup, enum cgroup_policy policy, int program, struct err *e)
{
	union bpf_attr a;

	memset(&a, 0, sizeof a);
	a.target_fd = (uint32_t)cgroup;
	a.attach_bpf_fd = (uint32_t)program;
	a.attach_type = kinds[policy].attach;
	a.attach_flags = BPF_F_ALLOW_MULTI;	/* those above and below count as well */
	return bpf(BPF_PROG_ATTACH, &a) < 0 ? err_sys(e, "attach it to the cgroup") : 0;
}

int bpf_identify(int program, struct bpf_identity *id, struct err *e)
{
	struct bpf_prog_info info;
	union bpf_attr a;

	memset(&info, 0, sizeof info);
	memset(&a, 0, sizeof a);
	a.info.bpf_fd = (uint32_t)program;
	a.info.info_len = sizeof info;
	a.info.info = address(&info);
	if (bpf(BPF_OBJ_GET_INFO_BY_FD, &a) < 0)
		return err_sys(e, "ask about a program");
	id->id = info.id;
	memcpy(id->tag, info.tag, sizeof id->tag);
	return 0;
}

int bpf_by_id(uint32_t id, struct err *e)
{
	union bpf_attr a;

	memset(&a, 0, sizeof a);
	a.prog_id = id;
	const long fd = bpf(BPF_PROG_GET_FD_BY_ID, &a);

	return fd < 0 ? err_sys(e, "program %u", id) : (int)fd;
}

int bpf_attached(int cgroup, enum cgroup_policy policy, uint32_t *ids, unsigned max, struct err *e)
{
	union bpf_attr a;

	memset(&a, 0, sizeof a);
	a.query.target_fd = (uint32_t)cgroup;
	a.query.attach_type = kinds[policy].attach;
	a.query.prog_ids = address(ids);
	a.query.prog_cnt = max;
	if (bpf(BPF_PROG_QUERY, &a) < 0 && errno != ENOSPC)
		return err_sys(e, "ask for the cgroup's programs");
	return (int)a.query.prog_cnt;
}

/* Numbers of programs come again, so it must be the very same one: its tag is made from its instructions. */
static int find_loaded(const struct bpf_loaded *l)
{
	struct bpf_identity is;
	struct err gone;
	owned_fd fd = bpf_by_id(l->identity.id, &gone);

	if (fd < 0 || bpf_identify(fd, &is, &gone) < 0 || memcmp(is.tag, l->identity.tag, sizeof is.tag) != 0)
		return FD_NONE;
	return fd_take(&fd);
}

int bpf_devices_again(const struct device_rule *rules, unsigned n, struct bpf_loaded *l, struct err *e)
{
	const uint64_t sum = sum_more(SUM_START, rules, n * sizeof *rules);
	owned_fd fd = l->sum == sum ? find_loaded(l) : FD_NONE;

	if (fd >= 0)
		return fd_take(&fd);
	fd = bpf_devices(rules, n, e);
	if (fd < 0 || bpf_identify(fd, &l->identity, e) < 0)
		return -e->code;
	l->sum = sum;
	return fd_take(&fd);
}
