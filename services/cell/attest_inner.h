/* What the parts of the comparison share: the facts they add, and where they look. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/cell/attest.h"
#include "services/cell/inner.h"

#define SPACES 8

/* What does not change while a service is made: read beside its setup, so that its exec waits for less. */
struct attest_ref {
	uint64_t machine[SPACES];	/* inode numbers of the machine's namespaces, by row of spaces[] */
	uint64_t own[SPACES];		/* of those that the builder's children are born in; 0: not known */
	int filters;			/* seccomp filters that everything here is under already */
	bool filled;
};

struct attest_in {
	const struct plan *plan;
	const struct plan_service *svc;
	pid_t pid;		/* as procfs shows it */
	int procfs;		/* of the machine */
	pid_t reference;	/* whose namespaces are the machine's; 0: ours */
	bool at_exec;		/* stopped at its exec: nothing of its own has happened yet */
	bool tracing;		/* we are its tracer, and it is stopped */
	bool in_leaf;		/* we share its cgroup */
	int leaf;		/* its cgroup and the programs put on it, where we have made them; */
	int policy[2];		/* FD_NONE: look again, make them again to compare */
	bool without_devices;	/* those of MOUNT_F_DEVICE may be missing */
	const char *exe_path;	/* what was to be executed; NULL: the plan's */
	int ready_at;		/* one more descriptor beyond those, at this number; 0: none */
	uint64_t net;		/* the network that it was to enter, by inode number; 0: a new one, or not known */
	int npass;		/* descriptors beyond 0, 1, 2; -1: not known */
	struct file_id image;		/* the file behind its root's loop device; dev 0: not known, look again */
	struct file_id exe, root;	/* what the service's setup opened; dev 0: not known, look again */
	struct attest_ref ref;		/* filled by attest_prepare(), or by attest_all() itself */
	attest_each *each;
	void *ctx;
};

#define STATUS_ROOM 8192
#define FILE_ROOM (64u << 10)	/* a line of mountinfo, a filter */

/* One comparison under way. Its room is one piece, so that as little of the stack as possible is touched. */
struct attest_run {
	const struct attest_in *in;
	int dir;		/* O_PATH: procfs/PID */
	int ref;		/* O_PATH: procfs/REFERENCE; by run_ref() */
	int root;		/* O_PATH: its root; by run_root() */
	const char *status;	/* its status file */
	const char *next;	/* the line behind the one that was asked for last */
	char *room;		/* FILE_ROOM bytes, 8-byte aligned: for one file at a time */
	unsigned facts;
	struct err *e;		/* the first difference */
	bool differs;
};

/* The descriptors, opened when they are not yet; the run's. */
int run_ref(struct attest_run *r, struct err *e);
int run_root(struct attest_run *r, struct err *e);

/* Fill in->ref; we are in the namespaces that the service is to be in, but for user. */
int attest_prepare(struct attest_in *in, struct err *e);
/* Fill in->image, where the root is an image: before there is a device policy on our own cgroup. */
int attest_image(struct attest_in *in, struct err *e);
/* Number of equal facts, or -EPERM with the first difference, or -errno when the kernel could not be asked. */
int attest_all(struct attest_in *in, struct err *e);

/* True, and counted, when an equal fact needs no words because nobody looks: words are most of a comparison's cost. */
bool fact_is_plain(struct attest_run *r, bool equal);
/* Add a fact. Texts are cut to what a struct attest_fact holds, after the comparison. */
void fact(struct attest_run *r, const char *name, const char *want, const char *got, bool equal);
void fact_text(struct attest_run *r, const char *name, const char *want, const char *got);
void fact_num(struct attest_run *r, const char *name, int64_t want, int64_t got);
void fact_hex(struct attest_run *r, const char *name, uint64_t want, uint64_t got);

static inline bool planned(const struct attest_run *r, uint32_t flag)
{
	return r->in->svc->flags & flag;
}

/* Where the value of a line of the status file starts, and its length without blanks at the end; NULL: no such line.
   from: where to look first, in a status file that is asked in its own order. */
const char *status_find(const char *status, const char *from, const char *key, size_t *n);
/* The value into to; "" when there is no such line. */
const char *status_value(struct attest_run *r, const char *key, char *to, size_t size);
/* The digits in front of s, as a number; *s goes on behind them and one blank. */
uint64_t digits(const char **s, unsigned base);
uint64_t status_number(struct attest_run *r, const char *key, unsigned base);

/* Inode numbers of the namespaces of the process behind dir; and of those its children are born in. */
int spaces_of(int dir, uint64_t ino[SPACES], struct err *e);
int spaces_of_children(int dir, uint64_t ino[SPACES], struct err *e);

/*
 * A running process's filter, counted from the oldest; it is stopped for as long as the question takes, and its signals
 * are not lost. Returns the number of instructions, or -1 and errno. f: room for BPF_MAXINSNS.
 */
struct sock_filter;
int filter_read_running(pid_t pid, long index, struct sock_filter *f);

/* CELL_* of the kinds of namespaces in which these are not the machine's. */
uint32_t spaces_own(const uint64_t theirs[SPACES], const uint64_t machine[SPACES]);
/* The machine's side of a comparison, seen at one of its processes. */
int attest_look(struct attest_ref *ref, int dir, struct err *e);

/* The parts: 0, or -errno when something could not be read at all. */
typedef int attest_part(struct attest_run *r, struct err *e);
attest_part attest_ids, attest_caps, attest_flags, attest_namespaces, attest_cgroup, attest_mounts, attest_files,
	attest_dirs, attest_labels, attest_descriptors, attest_limits, attest_sched, attest_filter;
/* attest_policy.c: the programs on its cgroup. */
int attest_policies(struct attest_run *r, int leaf, struct err *e);
