/* From a service's wishes to one decision for each system call: profiles, restrictions, and the user's own lists. */
/* SPDX-License-Identifier: ISC */
#include "init/base/text.h"
#include "services/plan/seccomp_pledge.h"
#include <errno.h>
#include <linux/audit.h>
#include <linux/sched.h>
#include <stddef.h>
#include <string.h>

#define NEW_SPACES (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | \
		    CLONE_NEWNET)
#define SET_IDS 06000u			/* S_ISUID | S_ISGID */
#define CREATES (0100u | 020000000u)	/* O_CREAT; O_TMPFILE makes files too */
#define MAP_X 4u			/* PROT_EXEC */
#define MAP_WX 6u
#define SHM_X 0100000u			/* SHM_EXEC */

/* Restrictions: a filter_wishes flag, the call, what is checked. Rows of one call add up: all checks must pass. */
#define WISH(f) offsetof(struct filter_wishes, f)
#define ANY(n, bits) { .kind = CHECK_ANY, .arg = (n), .mask = (bits), .err = EPERM }
#define ALL(n, bits) { .kind = CHECK_ALL, .arg = (n), .mask = (bits), .err = EPERM }
#define BOTH(n, bits, m, more) \
	{ .kind = CHECK_BOTH, .arg = (n), .mask = (bits), .arg2 = (m), .mask2 = (more), .err = EPERM }
#define IS(n, bits, these) { .kind = CHECK_IS, .arg = (n), .mask = (bits), .mask2 = (these), .err = EACCES }
#define COUNT(...) (sizeof((const uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t))
#define ONLY(n, e, ...) \
	{ .kind = CHECK_ONLY, .arg = (n), .err = (e), .nvalues = COUNT(__VA_ARGS__), .values = { __VA_ARGS__ } }
#define NONE(n, e, ...) \
	{ .kind = CHECK_NONE, .arg = (n), .err = (e), .nvalues = COUNT(__VA_ARGS__), .values = { __VA_ARGS__ } }

static const struct restriction {
	size_t wish;
	const char *call;
	struct check check;
} restrictions[] = {
	/* OTHER, BATCH and IDLE, with and without RESET_ON_FORK */
	{ WISH(realtime), "sched_setscheduler", ONLY(1, EPERM, 0, 3, 5, 0x40000000, 0x40000003, 0x40000005) },
	{ WISH(suid_sgid), "chmod", ANY(1, SET_IDS) },
	{ WISH(suid_sgid), "fchmod", ANY(1, SET_IDS) },
	{ WISH(suid_sgid), "fchmodat", ANY(2, SET_IDS) },
	{ WISH(suid_sgid), "fchmodat2", ANY(2, SET_IDS) },
	{ WISH(suid_sgid), "mkdir", ANY(1, SET_IDS) },
	{ WISH(suid_sgid), "mkdirat", ANY(2, SET_IDS) },
	{ WISH(suid_sgid), "mknod", ANY(1, SET_IDS) },
	{ WISH(suid_sgid), "mknodat", ANY(2, SET_IDS) },
	{ WISH(suid_sgid), "creat", ANY(1, SET_IDS) },
	{ WISH(suid_sgid), "open", BOTH(1, CREATES, 2, SET_IDS) },
	{ WISH(suid_sgid), "openat", BOTH(2, CREATES, 3, SET_IDS) },
	/* asking (0xffffffff) and PER_LINUX */
	{ WISH(personality), "personality", ONLY(0, EPERM, 0, 0xffffffff) },
	/* O_TRUNC takes the contents of what is opened for reading, which old Landlocks do not see. */
	{ WISH(truncation), "open", IS(1, 01003u, 01000u) },
	{ WISH(truncation), "openat", IS(2, 01003u, 01000u) },
	{ WISH(write_execute), "mmap", ALL(2, MAP_WX) },
	{ WISH(write_execute), "mprotect", ANY(2, MAP_X) },
	{ WISH(write_execute), "pkey_mprotect", ANY(2, MAP_X) },
	{ WISH(write_execute), "shmat", ANY(2, SHM_X) },
	{ WISH(write_execute), "personality", ONLY(0, EPERM, 0, 0xffffffff) },	/* READ_IMPLIES_EXEC */
};

/* Restrictions that deny calls as a whole, whatever the profile says. */
static const struct {
	size_t wish;
	const char *calls;
	enum verdict verdict;
} denials[] = {
	{ WISH(namespaces), "clone3", VERDICT_ENOSYS },	/* its flags lie behind a pointer; glibc falls back on clone */
	{ WISH(realtime), "sched_setattr", VERDICT_DENY },	/* its policy does, too */
	{ WISH(suid_sgid), "openat2 @io-uring", VERDICT_ENOSYS },
	{ WISH(families), "@io-uring", VERDICT_ENOSYS },
	/* One file mapped twice, writable here and executable there, is what the checks above cannot see. */
	{ WISH(write_execute), "memfd_create memfd_secret", VERDICT_DENY },
	{ WISH(write_execute), "userfaultfd", VERDICT_ENOSYS },	/* fills pages that nobody may write */
	{ WISH(write_execute), "ptrace", VERDICT_DENY },	/* POKETEXT writes into a child's program */
	{ WISH(truncation), "truncate", VERDICT_DENY },
	{ WISH(truncation), "openat2", VERDICT_ENOSYS },
	{ WISH(modules), "@module", VERDICT_DENY },
	{ WISH(logs), "syslog", VERDICT_DENY },
	{ WISH(clock), "@clock", VERDICT_DENY },
	{ WISH(hostname), "sethostname setdomainname", VERDICT_DENY },
	{ WISH(raw_io), "@raw-io", VERDICT_DENY },
};

/* What a profile checks of the calls that it allows. An `allow` of the call takes these away, and only these. */
#define TTY_CALLS 0x5412, 0x541c, 0x5423	/* TIOCSTI, TIOCLINUX, TIOCSETD: put words into another's mouth */
static const struct {
	unsigned profiles;	/* 1 << enum seccomp_profile */
	const char *call;
	struct check check;
} profile_checks[] = {
	{ 1u << SECCOMP_DEFAULT | 1u << SECCOMP_STRICT, "ioctl", NONE(1, EPERM, TTY_CALLS) },
	/* AF_ALG: the page cache can be written through it; AF_VSOCK: leads to the hypervisor */
	{ 1u << SECCOMP_DEFAULT, "socket", NONE(0, EAFNOSUPPORT, 38, 40) },
	{ 1u << SECCOMP_STRICT, "prlimit64", ONLY(0, EPERM, 0) },
	{ 1u << SECCOMP_STRICT, "prctl", ONLY(0, EPERM,
	  1, 2, 3, 4, 7, 13, 15, 16,	/* PDEATHSIG, DUMPABLE, GET_KEEPCAPS, GET_TIMING, NAME */
	  21, 22, 23, 25, 27,		/* SECCOMP, CAPBSET_READ, GET_TSC, GET_SECUREBITS */
	  29, 30, 34, 36, 37, 38, 39,	/* TIMERSLACK, MCE_KILL_GET, CHILD_SUBREAPER, NO_NEW_PRIVS */
	  40, 41, 42, 52, 54, 55, 56,	/* TID_ADDRESS, THP, GET_SPECULATION, PAC_RESET, TAGGED_ADDR */
	  65, 66,			/* MDWE */
	  0x41555856, 0x53564d41) },	/* GET_AUXV, SET_VMA */
};

static bool is_wished(const struct filter_wishes *w, size_t at)
{
	return *(const bool *)((const char *)w + at);
}

/* --- one call at a time --- */

struct setting {
	struct policy *p;
	enum verdict verdict;
	bool clear;		/* forget the checks */
	const char *unknown;	/* a name that is no call */
	char unknown_text[64];
};

static bool set_call(void *ctx, const char *call)
{
	struct setting *s = ctx;
	int n = call_number(s->p->arch, call);

	if (n == -1 && !s->unknown) {
		text_copy(s->unknown_text, sizeof s->unknown_text, call);
		s->unknown = s->unknown_text;
	}
	if (n < 0 || n >= CALLS_MAX)
		return true;
	s->p->call[n].verdict = (uint8_t)s->verdict;
	s->p->call[n].nrules = 0;
	if (s->clear)
		s->p->call[n].nchecks = 0;
	return true;
}

static void set_calls(struct policy *p, const char *calls, enum verdict verdict)
{
	struct setting s = { .p = p, .verdict = verdict };

	calls_each(calls, set_call, &s);
}

static int add_check(struct policy *p, const char *call, const struct check *check, struct err *e)
{
	int n = call_number(p->arch, call);
	unsigned i = 0;

	if (n < 0 || n >= CALLS_MAX)
		return 0;
	while (i < p->nchecks && memcmp(p->checks + i, check, sizeof *check) != 0)
		i++;
	struct decision *d = p->call + n;

	if (i == sizeof p->checks / sizeof *p->checks || d->nchecks == CHECKS_MAX)
		return err_set(e, E2BIG, "seccomp: too many checks");
	if (i == p->nchecks)
		p->checks[p->nchecks++] = *check;
	d->checks[d->nchecks++] = (uint8_t)i;
	return 0;
}

static void set_profile(struct policy *p, unsigned profile)
{
	for (unsigned i = 0; i < CALLS_MAX; i++)
		p->call[i].verdict = call_is_known(p->arch, i) ? VERDICT_DENY : VERDICT_ENOSYS;
	p->above.verdict = VERDICT_ENOSYS;
	if (profile == SECCOMP_STRICT) {
		set_calls(p, "@strict-profile", VERDICT_ALLOW);
	} else {
		set_calls(p, "@system-service @default-more", VERDICT_ALLOW);
		set_calls(p, "@default-less", VERDICT_DENY);
	}
	set_calls(p, "@absent", VERDICT_ENOSYS);
}

static int set_profile_checks(struct policy *p, const struct filter_wishes *w, struct err *e)
{
	for (unsigned i = 0; i < sizeof profile_checks / sizeof *profile_checks; i++)
		if (profile_checks[i].profiles & 1u << w->profile &&
		    add_check(p, profile_checks[i].call, &profile_checks[i].check, e) < 0)
			return -e->code;
	return 0;
}

/* Socket families: only those of the list. Of socketpair, AF_UNIX is always one: it reaches nobody else. */
static int set_families(struct policy *p, const struct filter_wishes *w, struct err *e)
{
	struct check only = { .kind = CHECK_ONLY, .arg = 0, .err = EAFNOSUPPORT };
	bool local = false;

	for (unsigned i = 0; i < w->nfamilies && i < VALUES_MAX - 1; i++) {
		unsigned at = only.nvalues++;

		for (; at && only.values[at - 1] > w->family_list[i]; at--)
			only.values[at] = only.values[at - 1];
		only.values[at] = w->family_list[i];
		local = local || w->family_list[i] == 1;
	}
	if (add_check(p, "socket", &only, e) < 0)
		return -e->code;
	if (!local) {
		memmove(only.values + 1, only.values, only.nvalues * sizeof *only.values);
		only.values[0] = 1;
		only.nvalues++;
	}
	return add_check(p, "socketpair", &only, e);
}

void policy_allow(struct policy *p, const char *calls)
{
	set_calls(p, calls, VERDICT_ALLOW);
}

void policy_absent(struct policy *p, const char *calls)
{
	set_calls(p, calls, VERDICT_ENOSYS);
}

int policy_check(struct policy *p, const char *call, const struct check *check, struct err *e)
{
	return add_check(p, call, check, e);
}

/* Nothing of the kinds that are not let through, and no descriptor whose kind the call does not say. */
static int set_namespaces(struct policy *p, const struct filter_wishes *w, struct err *e)
{
	const uint32_t denied = (NEW_SPACES | SPACE_TIME) & ~w->spaces_allowed;
	const struct check of_clone = ANY(0, denied & NEW_SPACES), of_unshare = ANY(0, denied),
		of_setns = ANY(1, denied), nameless = NONE(1, EPERM, 0);

	if (!w->spaces_allowed)
		set_calls(p, "setns", VERDICT_DENY);
	if (add_check(p, "clone", &of_clone, e) < 0 || add_check(p, "unshare", &of_unshare, e) < 0 ||
	    add_check(p, "setns", &of_setns, e) < 0)
		return -e->code;
	return add_check(p, "setns", &nameless, e);
}

/* Every call that has a name, whatever its profile. */
static void set_known(struct policy *p, enum verdict verdict)
{
	for (unsigned i = 0; i < CALLS_MAX; i++)
		if (call_is_known(p->arch, i))
			p->call[i] = (struct decision){ .verdict = (uint8_t)verdict };
}

static int set_list(struct policy *p, const struct str_list *l, enum verdict verdict, const char *key, struct err *e)
{
	struct setting s = { .p = p, .verdict = verdict, .clear = true };

	for (unsigned i = 0; i < l->n; i++) {
		if (!strcmp(l->v[i], "@known"))
			set_known(p, verdict);
		else if (!calls_each(l->v[i], set_call, &s))
			return err_set(e, EINVAL, "seccomp.%s: there is no group '%s'", key, l->v[i]);
		if (s.unknown)
			return err_set(e, EINVAL, "seccomp.%s: there is no system call '%s'", key, s.unknown);
	}
	return 0;
}

/* In this order: the profile, what the user allows besides, what restrictions take away, what the user denies. */
/* Checks and rules are many; what is behind those that there are is nobody's business. */
static void begin_policy(struct policy *p, uint32_t arch)
{
	p->arch = arch;
	memset(p->call, 0, sizeof p->call);
	p->above = (struct decision){ 0 };
	p->otherwise = 0;
	p->nchecks = p->nrules = 0;
}

int policy_make(struct policy *p, const struct filter_wishes *w, struct err *e)
{
	if (w->base)
		*p = *w->base;
	else
		begin_policy(p, w->arch);
	p->action = w->action;
	if (w->base || w->promises) {
		;
	} else if (w->profile == SECCOMP_NONE || w->profile == SECCOMP_CUSTOM) {
		for (unsigned i = 0; i < CALLS_MAX; i++)
			p->call[i].verdict = VERDICT_ALLOW;
		p->above.verdict = VERDICT_ALLOW;
	} else {
		set_profile(p, w->profile);
	}
	if ((w->promises ? policy_pledge(p, w->promises, w->loads, e) : set_profile_checks(p, w, e)) < 0 ||
	    set_list(p, &w->allow, VERDICT_ALLOW, "allow", e) < 0)
		return -e->code;
	for (unsigned i = 0; i < sizeof denials / sizeof *denials; i++)
		if (is_wished(w, denials[i].wish))
			set_calls(p, denials[i].calls, denials[i].verdict);
	for (unsigned i = 0; i < sizeof restrictions / sizeof *restrictions; i++)
		if (is_wished(w, restrictions[i].wish) &&
		    add_check(p, restrictions[i].call, &restrictions[i].check, e) < 0)
			return -e->code;
	if ((w->families && set_families(p, w, e) < 0) || (w->namespaces && set_namespaces(p, w, e) < 0))
		return -e->code;
	if (set_list(p, &w->deny, VERDICT_DENY, "deny", e) < 0)
		return -e->code;
	for (unsigned i = 0; i < CALLS_MAX; i++)	/* what is refused anyway needs no checks */
		if (p->call[i].verdict != VERDICT_ALLOW && p->call[i].verdict != VERDICT_RULES)
			p->call[i].nchecks = 0;
	return 0;
}
