/* Making, mapping and sealing the ledger: see ledger.h. */
/* SPDX-License-Identifier: ISC */
#include "services/supervise/ledger.h"
#include "init/base/fd.h"
#include "init/base/sum.h"
#include "services/supervise/control.h"
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

_Static_assert(LEDGER_CLIENTS == CTL_CLIENTS, "one slot per client");
_Static_assert(offsetof(struct ledger_svc, sum) + 8 == offsetof(struct ledger_svc, flags),
	       "the sum covers all that follows it");

const char *const svc_state_name[SVC_STATES] = {
	[SVC_DOWN] = "down", [SVC_WAITING] = "waiting", [SVC_LISTENING] = "listening",
	[SVC_STARTING] = "starting", [SVC_UP] = "up", [SVC_STOPPING] = "stopping",
	[SVC_BACKOFF] = "backoff", [SVC_DONE] = "done", [SVC_FAILED] = "failed", [SVC_REFUSED] = "refused",
	[SVC_SKIPPED] = "skipped",
};

const char *const shutdown_name[SHUTDOWN_KINDS] = {
	[SHUTDOWN_NONE] = "no", [SHUTDOWN_POWEROFF] = "poweroff", [SHUTDOWN_REBOOT] = "reboot",
	[SHUTDOWN_HALT] = "halt", [SHUTDOWN_EXIT] = "exit", [SHUTDOWN_KEXEC] = "kexec",
	[SHUTDOWN_SOFT] = "soft-reboot",
};

const char *const exit_kind_name[EXIT_KINDS] = {
	[EXIT_NONE] = "none", [EXIT_CODE] = "code", [EXIT_SIGNAL] = "signal", [EXIT_CORE] = "core",
	[EXIT_OOM] = "oom", [EXIT_START_FAILED] = "start-failed", [EXIT_TIMEOUT] = "timeout",
	[EXIT_VIOLATION] = "violation", [EXIT_WATCHDOG] = "watchdog", [EXIT_UNHEALTHY] = "unhealthy",
	[EXIT_GONE] = "gone",
};

const char *const health_name[] = {
	[HEALTH_STARTING] = "starting", [HEALTH_GOOD] = "healthy", [HEALTH_BAD] = "unhealthy",
};

static size_t round8(size_t n)
{
	return (n + 7) & ~(size_t)7;
}

_Static_assert(sizeof(struct ledger_care) % 8 == 0 && sizeof(struct ledger_conn) % 8 == 0,
	       "what follows it is aligned");

size_t ledger_size(const struct ledger_counts *n)
{
	return round8(sizeof(struct ledger_head)) + n->services * round8(sizeof(struct ledger_svc)) +
	       n->cares * sizeof(struct ledger_care) + n->conns * sizeof(struct ledger_conn) +
	       round8(n->stored * sizeof(struct ledger_stored)) + round8(n->listens * sizeof(int32_t));
}

struct ledger_counts ledger_counts(const struct plan *p)
{
	struct ledger_counts n = { .services = p->head->services.n };

	for (uint32_t i = 0; i < n.services; i++) {
		const struct plan_service *d = plan_service(p, i);

		n.listens += d->listen.n;
		n.cares += d->care.n;
		n.conns += d->base.n;
		n.stored += d->care.n ? plan_care(p, d)->fd_store_max : 0;
	}
	return n;
}

static struct ledger_counts counts_of(const struct ledger_head *h)
{
	return (struct ledger_counts){ h->nservices, h->ncares, h->nstored, h->nlisten, h->nconns };
}

bool ledger_fits(const struct ledger *l, const struct plan *p)
{
	const struct ledger_counts want = ledger_counts(p), is = counts_of(l->head);

	return memcmp(&want, &is, sizeof want) == 0;
}

static void point(struct ledger *l, void *at, const struct ledger_counts *n)
{
	char *tables = (char *)at + round8(sizeof(struct ledger_head)) + n->services * sizeof(struct ledger_svc);

	l->head = at;
	l->svc = (struct ledger_svc *)((char *)at + round8(sizeof(struct ledger_head)));
	l->care = (struct ledger_care *)tables;
	tables += n->cares * sizeof(struct ledger_care);
	l->conn = (struct ledger_conn *)tables;
	tables += n->conns * sizeof(struct ledger_conn);
	l->stored = (struct ledger_stored *)tables;
	l->listen = (int32_t *)(tables + round8(n->stored * sizeof(struct ledger_stored)));
}

/* Each knows its service and its part of the stored descriptors. */
static void fill_cares(struct ledger *l, const struct plan *p)
{
	uint32_t k = 0, stored = 0;

	for (uint32_t i = 0; i < l->head->nstored; i++)
		l->stored[i].fd = FD_NONE;
	for (uint32_t i = 0; i < l->head->nservices; i++) {
		const struct plan_care *d = plan_care(p, plan_service(p, i));

		if (!d)
			continue;
		l->care[k++] = (struct ledger_care){ .service = i, .ready_fd = FD_NONE, .first_stored = stored,
						     .nstored = d->fd_store_max };
		stored += d->fd_store_max;
	}
}

static void fill_conns(struct ledger *l, const struct plan *p)
{
	uint32_t k = 0;

	for (uint32_t i = 0; i < l->head->nservices; i++)
		if (plan_service(p, i)->base.n)
			l->conn[k++] = (struct ledger_conn){ .service = i };
}

/* Nothing is open yet: every descriptor is FD_NONE, and each service knows its part of the listen table. */
static void fill(struct ledger *l, const struct plan *p, const struct ledger_counts *n)
{
	struct ledger_head *h = l->head;
	uint32_t listen = 0;

	memcpy(h->magic, LEDGER_MAGIC, sizeof h->magic);
	h->version = LEDGER_VERSION;
	h->size = (uint32_t)l->size;
	h->nservices = n->services;
	h->nlisten = n->listens;
	h->ncares = n->cares;
	h->nstored = n->stored;
	h->nconns = n->conns;
	h->generation = 1;
	h->ctl_gid = UINT32_MAX;
	h->plan_fd = h->exe_fd = h->cgroup_fd = h->control_fd = h->console_fd = FD_NONE;
	h->event_rd = h->event_wr = h->logger_fd = h->ledger_ro_fd = h->next_plan_fd = FD_NONE;
	h->spawner_fd = h->spawner_peer_fd = h->spare_fd = h->initctl_fd = h->dog_fd = FD_NONE;
	h->http_listen_fd = h->http_fd = h->http_rows_fd = h->devices_fd = FD_NONE;
	h->ledger_fd = l->fd;
	for (unsigned i = 0; i < LEDGER_CLIENTS; i++)
		h->clients[i] = (struct ledger_client){ .fd = FD_NONE, .verb = CTL_VERBS };
	for (uint32_t i = 0; i < h->nlisten; i++)
		l->listen[i] = FD_NONE;
	for (uint32_t i = 0; i < h->nservices; i++) {
		struct ledger_svc *s = &l->svc[i];

		ledger_open_svc(s);
		s->report_fd = s->pidfd = s->notify_fd = s->log_rd = s->log_wr = FD_NONE;
		s->cgroup_fd = s->events_fd = s->net_fd = FD_NONE;
		s->first_listen = listen;
		listen += plan_service(p, i)->listen.n;
		ledger_seal_svc(s);
	}
	fill_cares(l, p);
	fill_conns(l, p);
	ledger_seal_head(l);
}

/* A child must not be able to write it, and nobody may truncate it under us: that would be SIGBUS. */
static int keep_ours(void *at, size_t size, int fd, struct err *e)
{
	if (madvise(at, size, MADV_DONTFORK) < 0)
		return err_sys(e, "ledger: keep it out of children");
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0 && errno != EPERM)
		return err_sys(e, "ledger: seal its size");
	return 0;
}

int ledger_create(struct ledger *l, const struct plan *p, struct err *e)
{
	const struct ledger_counts n = ledger_counts(p);
	size_t size = ledger_size(&n);
	owned_fd fd = memfd_create("prior-ledger", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	/* 0600: who gets it for reading must not be able to open it again for writing through /proc. */
	if (fd < 0 || fchmod(fd, 0600) < 0 || ftruncate(fd, (off_t)size) < 0)
		return err_sys(e, "ledger: make a memfd of %zu bytes", size);
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (at == MAP_FAILED)
		return err_sys(e, "ledger: map %zu bytes", size);
	if (keep_ours(at, size, fd, e) < 0) {
		munmap(at, size);
		return -e->code;
	}
	*l = (struct ledger){ .size = size, .fd = fd_take(&fd) };
	point(l, at, &n);
	fill(l, p, &n);
	return 0;
}

static int looks_right(const struct ledger_head *h, size_t size, struct err *e)
{
	if (size < sizeof *h || memcmp(h->magic, LEDGER_MAGIC, sizeof h->magic) != 0)
		return err_set(e, EBADMSG, "ledger: this is not one");
	if (h->version != LEDGER_VERSION)
		return err_set(e, EBADMSG, "ledger: version %u; this binary knows %d", h->version, LEDGER_VERSION);
	const struct ledger_counts n = counts_of(h);

	if (h->nservices > PLAN_SERVICES_MAX || h->ncares > h->nservices || h->nconns > h->nservices ||
	    h->size != size || ledger_size(&n) != size)
		return err_set(e, EBADMSG, "ledger: damaged: %zu bytes for %u services", size, h->nservices);
	return 0;
}

int ledger_map(struct ledger *l, int fd, bool writable, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(e, "ledger: descriptor %d", fd);
	size_t size = (size_t)st.st_size;

	if (size < sizeof(struct ledger_head))
		return err_set(e, EBADMSG, "ledger: descriptor %d is not one: %zu bytes", fd, size);
	void *at = mmap(NULL, size, writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd, 0);

	if (at == MAP_FAILED)
		return err_sys(e, "ledger: map %zu bytes", size);
	if (looks_right(at, size, e) < 0 || (writable && keep_ours(at, size, fd, e) < 0)) {
		munmap(at, size);
		return -e->code;
	}
	*l = (struct ledger){ .size = size, .fd = fd };
	const struct ledger_counts n = counts_of(at);

	point(l, at, &n);
	return 0;
}

void ledger_unmap(struct ledger *l)
{
	if (l->head)
		munmap(l->head, l->size);
	*l = (struct ledger){ .fd = FD_NONE };
}

/* FNV-1a by words of 64 bits: records are sealed at every change, the head at every turn. */
static uint64_t sum_words(const void *at, size_t bytes)
{
	const uint64_t *w = at;
	uint64_t h = SUM_START;

#pragma GCC unroll 8	/* the head is some hundred words, once a turn */
	for (size_t i = 0; i < bytes / sizeof *w; i++)
		h = (h ^ w[i]) * 0x100000001b3ull;
	return h;
}

_Static_assert(offsetof(struct ledger_svc, flags) % 8 == 0 && sizeof(struct ledger_svc) % 8 == 0, "whole words");
_Static_assert(offsetof(struct ledger_head, sum) % 8 == 0, "whole words");

static uint64_t svc_sum(const struct ledger_svc *s)
{
	size_t from = offsetof(struct ledger_svc, flags);

	return sum_words((const char *)s + from, sizeof *s - from);
}

static uint64_t head_sum(const struct ledger_head *h)
{
	return sum_words(h, offsetof(struct ledger_head, sum));
}

void ledger_open_svc(struct ledger_svc *s)
{
	__atomic_store_n(&s->seq, s->seq | 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void ledger_seal_svc(struct ledger_svc *s)
{
	s->sum = svc_sum(s);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	__atomic_store_n(&s->seq, (s->seq | 1) + 1, __ATOMIC_RELEASE);
}

void ledger_seal_head(struct ledger *l)
{
	l->head->sum = head_sum(l->head);
}

bool ledger_svc_is_whole(const struct ledger_svc *s)
{
	return !(s->seq & 1) && s->sum == svc_sum(s);
}

bool ledger_head_is_whole(const struct ledger *l)
{
	return l->head->sum == head_sum(l->head);
}

bool ledger_read_svc(const struct ledger *l, uint32_t i, struct ledger_svc *out)
{
	const struct ledger_svc *s = &l->svc[i];

	for (int tries = 0; tries < 1000; tries++) {
		uint32_t before = __atomic_load_n(&s->seq, __ATOMIC_ACQUIRE);

		memcpy(out, s, sizeof *out);
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (before == __atomic_load_n(&s->seq, __ATOMIC_RELAXED) && ledger_svc_is_whole(out))
			return true;
	}
	return false;
}

const char *ledger_svc_ill(const struct ledger_svc *s, bool all)
{
	if (all && !(s->flags & SVC_F_WANTED) && s->state == SVC_DOWN)
		return NULL;
	if (s->state == SVC_DONE || s->state == SVC_LISTENING)
		return NULL;
	if (s->state != SVC_UP)
		return s->state < SVC_STATES ? svc_state_name[s->state] : "?";
	return s->health == HEALTH_STARTING || s->health == HEALTH_BAD ? health_name[s->health] : NULL;
}

static void give(void (*each)(void *ctx, int fd), void *ctx, int fd)
{
	if (fd >= 0)
		each(ctx, fd);
}

void ledger_each_fd(const struct ledger *l, void (*each)(void *ctx, int fd), void *ctx)
{
	const struct ledger_head *h = l->head;
	const int32_t *of_head[] = { &h->plan_fd, &h->ledger_fd, &h->exe_fd, &h->cgroup_fd, &h->control_fd,
		&h->console_fd, &h->event_rd, &h->event_wr, &h->logger_fd, &h->ledger_ro_fd, &h->next_plan_fd,
		&h->spawner_fd, &h->spawner_peer_fd, &h->spare_fd, &h->initctl_fd, &h->dog_fd,
		&h->http_listen_fd, &h->http_fd, &h->http_rows_fd, &h->devices_fd };

	for (size_t i = 0; i < sizeof of_head / sizeof *of_head; i++)
		give(each, ctx, *of_head[i]);
	for (unsigned i = 0; i < LEDGER_CLIENTS; i++)
		give(each, ctx, h->clients[i].fd);
	for (uint32_t i = 0; i < h->nlisten; i++)
		give(each, ctx, l->listen[i]);
	for (const struct ledger_svc *s = l->svc; s < l->svc + h->nservices; s++) {
		const int32_t fds[] = { s->report_fd, s->pidfd, s->notify_fd, s->log_rd, s->log_wr, s->cgroup_fd,
			s->events_fd, s->net_fd };

		for (size_t k = 0; k < sizeof fds / sizeof *fds; k++)
			give(each, ctx, fds[k]);
	}
	for (uint32_t i = 0; i < h->ncares; i++)
		give(each, ctx, l->care[i].ready_fd);
	for (uint32_t i = 0; i < h->nstored; i++)
		give(each, ctx, l->stored[i].fd);
}
