/* Questions of our own: what the comparable score does not ask about. Their sum is a second number. */
/* SPDX-License-Identifier: ISC */
#include "init/base/sys.h"
#include "services/exposure/ask.h"
#include <string.h>

static uint8_t space(const struct exposed *x, uint64_t flags)
{
	return !(x->spaces & flags);
}

static uint8_t inert(const struct exposed *x, uint64_t p)
{
	(void)p;
	return !x->inert_caps;
}

/* The kernel shows these two to nobody but the service itself, which checked them before its exec. */
static uint8_t no_new_spaces(const struct exposed *x, uint64_t p)
{
	(void)p;
	return x->seen ? NOT_ASKED : !x->no_new_spaces;
}

static uint8_t landlock(const struct exposed *x, uint64_t p)
{
	(void)p;
	return x->seen ? NOT_ASKED : !x->landlock;
}

static uint8_t root_is_mapped(const struct exposed *x, uint64_t p)
{
	(void)p;
	return x->maps_root;
}

/* Not a pointer: found by number. */
static const char *const call_lists[] = { "@io-uring", "bpf", "perf_event_open", "userfaultfd",
	"ptrace process_vm_readv process_vm_writev pidfd_getfd", "@keyring", "open_by_handle_at",
	"process_madvise kcmp", "memfd_create" };

static uint8_t calls(const struct exposed *x, uint64_t list)
{
	return exposed_calls(x, call_lists[list]);
}

static uint8_t terminal_input(const struct exposed *x, uint64_t p)
{
	static const uint64_t orders[] = { 0x5412, 0x541c };	/* TIOCSTI, TIOCLINUX */

	(void)p;
	for (unsigned i = 0; i < 2; i++) {
		const uint64_t arg[6] = { REACH_ANY, orders[i], REACH_ANY, REACH_ANY, REACH_ANY, REACH_ANY };

		if (exposed_call(x, "ioctl", arg))
			return 1;
	}
	return 0;
}

static uint8_t families(const struct exposed *x, uint64_t p)
{
	static const uint64_t sharp[] = { 38, 40 };	/* AF_ALG, AF_VSOCK */

	(void)p;
	for (unsigned i = 0; i < 2; i++) {
		const uint64_t arg[6] = { sharp[i], REACH_ANY, REACH_ANY, REACH_ANY, REACH_ANY, REACH_ANY };

		if (exposed_call(x, "socket", arg))
			return 1;
	}
	return 0;
}

static uint8_t unknown_calls(const struct exposed *x, uint64_t p)
{
	const struct reach_call c = { .arch = x->arch, .number = 0x3fffffff, .arg = { REACH_ANY, REACH_ANY, REACH_ANY,
				      REACH_ANY, REACH_ANY, REACH_ANY } };

	(void)p;
	return reach_allows(x->filter, x->nfilter, &c);
}

static bool is_covered_mount(const struct exposed_mount *m)
{
	return m->covered || (m->type && (!strcmp(m->type, "proc") || !strcmp(m->type, "sysfs")));
}

/* Every mount has one of these attributes. */
static uint8_t mounts_without(const struct exposed *x, uint64_t attrs)
{
	for (const struct exposed_mount *m = x->mounts; m < x->mounts + x->nmounts; m++)
		if (!is_covered_mount(m) && !(m->attr & attrs))
			return 1;
	return 0;
}

static uint8_t links_from_outside(const struct exposed *x, uint64_t p)
{
	(void)p;
	for (const struct exposed_mount *m = x->mounts; m < x->mounts + x->nmounts; m++)
		if (m->volume && strncmp(m->target, "/dev/", 5) != 0 && !(m->attr & MOUNT_ATTR_NOSYMFOLLOW))
			return 1;
	return 0;
}

static uint8_t core_dumps(const struct exposed *x, uint64_t p)
{
	(void)p;
	return x->core_dumps;
}

static uint8_t no_pids_limit(const struct exposed *x, uint64_t p)
{
	(void)p;
	return !x->pids_limit;
}

static uint8_t no_memory_limit(const struct exposed *x, uint64_t p)
{
	(void)p;
	return !x->memory_limit;
}

const struct exposure_check exposure_further[] = {
	{ "it sees no processes but its own", 1000, 1, space, CELL_PID },
	{ "its System V and POSIX ipc is its own", 500, 1, space, CELL_IPC },
	{ "its view of control groups is its own", 100, 1, space, CELL_CGROUP },
	{ "its clocks since boot are its own", 25, 1, space, CELL_TIME },
	{ "abstract sockets of others are out of reach", 250, 1, space, CELL_NET },
	{ "capabilities in its user namespace mean nothing outside", 1000, 1, inert, 0 },
	{ "the machine's root has no name in its user namespace", 1000, 1, root_is_mapped, 0 },
	{ "no namespace can be made, by any call", 500, 1, no_new_spaces, 0 },
	{ "files are restricted by Landlock too", 250, 1, landlock, 0 },
	{ "no calls through io_uring, which no filter sees", 1000, 1, calls, 0 },
	{ "no bpf", 500, 1, calls, 1 },
	{ "no perf_event_open", 250, 1, calls, 2 },
	{ "no userfaultfd", 250, 1, calls, 3 },
	{ "no way into the memory of other processes", 500, 1, calls, 4 },
	{ "no kernel keyrings", 250, 1, calls, 5 },
	{ "no files by handle", 250, 1, calls, 6 },
	{ "no advice about and comparison with other processes", 100, 1, calls, 7 },
	{ "no memory that is a file, to be mapped executable", 100, 1, calls, 8 },
	{ "nothing can be typed into a terminal for others", 250, 1, terminal_input, 0 },
	{ "no AF_ALG and AF_VSOCK", 250, 1, families, 0 },
	{ "calls that nobody knows yet are refused", 250, 1, unknown_calls, 0 },
	{ "nothing that can be written can be executed", 500, 1, mounts_without,
	  MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOEXEC },
	{ "no file gives another user's rights", 500, 1, mounts_without, MOUNT_ATTR_NOSUID },
	{ "no links are followed in what comes from outside", 100, 1, links_from_outside, 0 },
	{ "no core dumps", 250, 1, core_dumps, 0 },
	{ "the number of its processes is limited", 250, 1, no_pids_limit, 0 },
	{ "its memory is limited", 250, 1, no_memory_limit, 0 },
	{ 0 },
};
