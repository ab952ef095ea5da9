/* The store of descriptors: see fdstore.h. */
/* SPDX-License-Identifier: ISC */
#include "services/supervise/fdstore.h"
#include "init/base/sys.h"
#include "init/base/text.h"
#include <linux/kcmp.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>

bool store_name_is_fine(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (s[i] <= ' ' || s[i] >= 0x7f || s[i] == ':')
			return false;
	return n > 0 && n <= STORED_NAME;
}

bool store_takes(int fd)
{
	struct stat st;
	struct statfs fs;

	if (fstat(fd, &st) < 0)
		return false;
	if (S_ISSOCK(st.st_mode) || S_ISFIFO(st.st_mode) || (st.st_mode & S_IFMT) == 0)
		return true;
	return S_ISREG(st.st_mode) && fstatfs(fd, &fs) == 0 && fs.f_type == TMPFS_MAGIC;
}

static struct ledger_stored *slots(struct prior *p, uint32_t i, uint32_t *n)
{
	const struct ledger_care *c = care_of(p, i);

	*n = c ? c->nstored : 0;
	return c ? &p->ledger.stored[c->first_stored] : NULL;
}

static struct ledger_stored *free_slot(struct prior *p, uint32_t i)
{
	uint32_t n;
	struct ledger_stored *s = slots(p, i, &n);

	for (uint32_t k = 0; k < n; k++)
		if (s[k].fd < 0)
			return &s[k];
	return NULL;
}

bool fdstore_has_room(struct prior *p, uint32_t i)
{
	return free_slot(p, i) != NULL;
}

/* The child's whole life: it keeps these two until PID 1 has let go of one, and then is the last to hold it. */
static void hold(int fd, int until)
{
	const unsigned low = (unsigned)(fd < until ? fd : until), high = (unsigned)(fd < until ? until : fd);
	char byte;

	if (low > 0)
		sys_close_range(0, low - 1, 0);
	if (high > low + 1)
		sys_close_range(low + 1, high - 1, 0);
	sys_close_range(high + 1, ~0u, 0);
	while (read(until, &byte, 1) < 0 && errno == EINTR)
		;
	_exit(0);
}

void fdstore_close(struct prior *p, uint32_t i, int *fd)
{
	struct clone_args a = { .flags = CLONE_CLEAR_SIGHAND, .exit_signal = SIGCHLD };
	const struct linger none = { 0 };
	int pair[2] = { FD_NONE, FD_NONE };
	const pid_t pid = pipe2(pair, O_CLOEXEC) < 0 ? -1 : sys_clone3(&a);
	owned_fd rd = pair[0], wr = pair[1];

	if (pid == 0) {
		fd_drop(&wr);
		hold(*fd, rd);
	}
	if (pid < 0) {	/* then at least nobody is waited for by a socket */
		prior_say(p, "warning", "fdstore", svc_name(p, i), "no process could be made to close a descriptor");
		setsockopt(*fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
	}
	fd_drop(fd);
}

static uint32_t *source_of(struct prior *p, const struct ledger_stored *s)
{
	return &p->stored_src[s - p->ledger.stored];
}

static void drop(struct prior *p, uint32_t i, struct ledger_stored *s)
{
	int fd = s->fd;

	loop_remove(&p->loop, source_of(p, s));
	s->fd = FD_NONE;
	s->name[0] = '\0';
	fdstore_close(p, i, &fd);
}

/* arg: its number in the table. The other end is gone: there is nothing to hand back. */
static void on_hangup(void *ctx, uint32_t at, uint32_t events)
{
	struct prior *p = ctx;

	(void)events;
	for (uint32_t k = 0; k < p->ncares; k++) {
		const struct ledger_care *c = &p->ledger.care[k];

		if (at < c->first_stored || at >= c->first_stored + c->nstored)
			continue;
		prior_say(p, "info", "fdstore-gone", svc_name(p, c->service), p->ledger.stored[at].name);
		drop(p, c->service, &p->ledger.stored[at]);
		return;
	}
}

/* Files that cannot be watched cannot hang up. */
static void watch(struct prior *p, struct ledger_stored *s)
{
	struct err e;
	int rc = s->poll ? loop_add(&p->loop, s->fd, 0, on_hangup, (uint32_t)(s - p->ledger.stored), &e) : 0;

	*source_of(p, s) = rc < 0 ? 0 : (uint32_t)rc;
}

static bool is_stored(struct prior *p, uint32_t i, int fd)
{
	uint32_t n;
	const struct ledger_stored *s = slots(p, i, &n);
	const pid_t self = getpid();

	for (uint32_t k = 0; k < n; k++)
		if (s[k].fd >= 0 && syscall(SYS_kcmp, self, self, KCMP_FILE, s[k].fd, fd) == 0)
			return true;
	return false;
}

void fdstore_add(struct prior *p, uint32_t i, const struct store_offer *o, const int *fds, unsigned n)
{
	for (unsigned k = 0; k < n; k++) {
		struct ledger_stored *s = free_slot(p, i);
		int fd = fds[k];
		struct event ev;

		if (!s || is_stored(p, i, fd)) {
			fdstore_close(p, i, &fd);
			continue;
		}
		text_copy(s->name, sizeof s->name, o->name);
		s->poll = o->poll != 0;
		s->fd = fd;
		watch(p, s);
		event_begin(&ev, "info", "fdstore", svc_name(p, i));
		event_str(&ev, "name", s->name);
		prior_event(p, &ev);
	}
}

void fdstore_remove(struct prior *p, uint32_t i, const char *name, size_t len)
{
	uint32_t n;
	struct ledger_stored *s = slots(p, i, &n);

	for (uint32_t k = 0; k < n; k++)
		if (s[k].fd >= 0 && strlen(s[k].name) == len && !memcmp(s[k].name, name, len))
			drop(p, i, &s[k]);
}

void fdstore_clear(struct prior *p, uint32_t i)
{
	uint32_t n;
	struct ledger_stored *s = slots(p, i, &n);

	for (uint32_t k = 0; k < n; k++)
		if (s[k].fd >= 0)
			drop(p, i, &s[k]);
}

int fdstore_watch(struct prior *p, uint32_t i, struct err *e)
{
	uint32_t n;
	struct ledger_stored *s = slots(p, i, &n);

	(void)e;
	for (uint32_t k = 0; k < n; k++)
		if (s[k].fd >= 0) {
			s[k].name[STORED_NAME] = '\0';
			watch(p, &s[k]);
		}
	return 0;
}

unsigned fdstore_pass(struct prior *p, uint32_t i, int *pass, unsigned at, unsigned max, struct text *names)
{
	uint32_t n;
	const struct ledger_stored *s = slots(p, i, &n);

	for (uint32_t k = 0; k < n && at < max; k++)
		if (s[k].fd >= 0) {
			text_add(names, at ? ":" : "");
			text_add(names, s[k].name);
			pass[at++] = s[k].fd;
		}
	return at;
}
