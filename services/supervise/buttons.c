/* Power buttons, as PID 1 has them: see buttons.h. No heap, nothing blocks. */
/* SPDX-License-Identifier: ISC */
#include "services/supervise/buttons.h"
#include "init/base/pass.h"
#include "init/base/sys.h"
#include "init/base/text.h"
#include "services/supervise/ending.h"
#include "services/supervise/reap.h"
#include <string.h>
#include <sys/inotify.h>

#define FOLDER "/dev/input"
#define PAUSE_MS 200	/* from a new device to the look: more may come with it */
#define AGAIN_MOST 8	/* a look that failed is tried again after that, then twice as long each time, at most 51 s */
#define PRESSES 32

enum shutdown_kind buttons_ask(const struct input_event *v, size_t n, enum power_button power)
{
	for (size_t i = 0; i < n; i++) {
		if (v[i].type != EV_KEY || v[i].value != 1)	/* let go, or held */
			continue;
		if (v[i].code == KEY_RESTART)
			return SHUTDOWN_REBOOT;
		if (v[i].code == KEY_POWER)
			return power == BUTTON_REBOOT ? SHUTDOWN_REBOOT : SHUTDOWN_POWEROFF;
	}
	return SHUTDOWN_NONE;
}

static bool is_wanted(const struct prior *p)
{
	return p->ledger.head->mode == MODE_MACHINE && p->plan.head->power_button != BUTTON_IGNORE;
}

static void let_go(struct prior *p, unsigned i)
{
	loop_remove(&p->loop, &p->buttons.src[i]);
	fd_drop(&p->buttons.fd[i]);
}

static void on_press(void *ctx, uint32_t i, uint32_t events)
{
	struct prior *p = ctx;
	struct input_event v[PRESSES];
	const ssize_t n = read(p->buttons.fd[i], v, sizeof v);
	const enum shutdown_kind kind = buttons_ask(v, n > 0 ? (size_t)n / sizeof *v : 0, p->plan.head->power_button);

	if (kind != SHUTDOWN_NONE && !p->ledger.head->shutdown) {
		prior_say(p, "info", "button", NULL, shutdown_name[kind]);
		ending_begin(p, kind);
	}
	if (n < 0 ? errno != EAGAIN && errno != EINTR : events & (EPOLLHUP | EPOLLERR))
		let_go(p, i);	/* the device is gone */
}

static void watch(struct prior *p, unsigned i)
{
	struct err e;
	const int rc = loop_add(&p->loop, p->buttons.fd[i], EPOLLIN, on_press, i, &e);

	p->buttons.src[i] = rc < 0 ? 0 : (uint32_t)rc;
	if (rc < 0)
		prior_say(p, "error", "button", NULL, e.text);
}

/* --- the child that looks --- */

/* Its one message says how many there are more than it takes. */
static _Noreturn void look(int sock)
{
	int fds[BUTTONS_MAX];
	unsigned more;
	const unsigned n = buttons_look(FOLDER, fds, BUTTONS_MAX, &more);
	const uint8_t word = more < UINT8_MAX ? (uint8_t)more : UINT8_MAX;

	_exit(pass_send_many(sock, &word, 1, fds, n, 0) < 0);
}

/* A stream of new devices does not put off the look that is due. */
static void look_in(struct prior *p, int64_t ms)
{
	const int64_t at = p->loop.now.ms + ms, due = p->loop.due[p->n + TIMER_BUTTONS];

	if (!due || at < due)
		loop_timer_set(&p->loop, p->n + TIMER_BUTTONS, at);
}

static void look_soon(struct prior *p)
{
	look_in(p, PAUSE_MS);
}

static void look_later(struct prior *p)
{
	struct buttons *b = &p->buttons;

	look_in(p, (int64_t)PAUSE_MS << b->failed);
	b->failed += b->failed < AGAIN_MOST;
}

void buttons_timer(struct prior *p)
{
	struct clone_args a = { .flags = CLONE_CLEAR_SIGHAND, .exit_signal = SIGCHLD };
	struct buttons *b = &p->buttons;
	int pair[2];

	b->again = b->pid > 0;	/* one that hangs in a driver is not joined by others */
	if (b->again)
		return;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return look_later(p);
	owned_fd ours = pair[0], its = pair[1];
	const pid_t pid = sys_clone3(&a);

	if (pid == 0)
		look(its);
	if (pid < 0)
		return look_later(p);
	b->pid = pid;
	fd_put(&b->sock, fd_take(&ours));
	reap_add(p, pid, 0, PID_BUTTONS);
}

/* All that there are now: in the place of those that were. */
static void take_over(struct prior *p, int *fds, unsigned n)
{
	struct buttons *b = &p->buttons;

	for (unsigned i = 0; i < BUTTONS_MAX; i++) {
		if (b->fd[i] >= 0)
			on_press(p, i, 0);	/* before the new one was open */
		let_go(p, i);
		fd_put(&b->fd[i], i < n && is_wanted(p) ? fd_take(&fds[i]) : FD_NONE);
		if (b->fd[i] >= 0)
			watch(p, i);
	}
}

static void say_that_there_are_more(struct prior *p, unsigned more)
{
	char line[100];
	struct text t = TEXT_IN(line);

	if (more && more != p->buttons.more) {
		text_fmt(&t, "%u input devices with a power key are not listened to: %u are, and no more", more,
			 BUTTONS_MAX);
		prior_say(p, "warning", "button", NULL, line);
	}
	p->buttons.more = more;
}

void buttons_ended(struct prior *p)
{
	struct buttons *b = &p->buttons;
	int fds[BUTTONS_MAX];
	unsigned n = 0;
	bool lost = false;
	uint8_t more = 0;
	const bool done = pass_receive_many(b->sock, &more, 1, fds, BUTTONS_MAX, &n, &lost, MSG_DONTWAIT) == 1;

	b->pid = 0;
	fd_drop(&b->sock);
	if (done && !lost) {
		b->failed = 0;
		take_over(p, fds, n);
		say_that_there_are_more(p, more);
	} else if (is_wanted(p)) {
		look_later(p);	/* those that were there are heard meanwhile */
	}
	for (unsigned i = 0; i < n; i++)
		fd_drop(&fds[i]);
	if (b->again)
		buttons_timer(p);
}

/* --- what comes and goes --- */

/* The kernel makes the folder with the first device, and removes it with the last one. */
static void watch_folder(struct prior *p)
{
	struct buttons *b = &p->buttons;

	b->in_input = inotify_add_watch(b->inotify_fd, FOLDER, IN_CREATE | IN_ONLYDIR);
	if (b->in_input < 0) {
		b->in_dev = inotify_add_watch(b->inotify_fd, "/dev", IN_CREATE | IN_ONLYDIR);
		b->in_input = inotify_add_watch(b->inotify_fd, FOLDER, IN_CREATE | IN_ONLYDIR);	/* by now? */
	}
	if (b->in_input > 0 && b->in_dev > 0)
		inotify_rm_watch(b->inotify_fd, b->in_dev);
	if (b->in_input > 0)
		b->in_dev = 0;
}

static void take_word(struct prior *p, const struct inotify_event *ev)
{
	const struct buttons *b = &p->buttons;

	if (ev->wd == b->in_input && ev->mask & IN_IGNORED)
		watch_folder(p);
	else if (ev->wd == b->in_input || ev->mask & IN_Q_OVERFLOW)
		look_soon(p);
	else if (ev->wd == b->in_dev && ev->len && !strcmp(ev->name, strrchr(FOLDER, '/') + 1)) {
		watch_folder(p);
		look_soon(p);
	}
}

void buttons_folder(void *ctx, uint32_t arg, uint32_t events)
{
	_Alignas(struct inotify_event) char words[2048];
	struct prior *p = ctx;
	const ssize_t n = read(p->buttons.inotify_fd, words, sizeof words);

	(void)arg, (void)events;
	for (ssize_t at = 0; at < n;) {
		const struct inotify_event *ev = (const void *)(words + at);

		at += (ssize_t)(sizeof *ev + ev->len);
		take_word(p, ev);
	}
}

static void end(struct prior *p)
{
	struct buttons *b = &p->buttons;

	loop_timer_set(&p->loop, p->n + TIMER_BUTTONS, 0);
	loop_remove(&p->loop, &b->inotify_src);
	fd_drop(&b->inotify_fd);
	for (unsigned i = 0; i < BUTTONS_MAX; i++)
		let_go(p, i);
}

void buttons_begin(struct prior *p)
{
	struct buttons *b = &p->buttons;
	struct err e;
	int rc;

	if (!is_wanted(p))
		return;
	b->inotify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	rc = b->inotify_fd < 0 ? err_sys(&e, "watch " FOLDER) :
	     loop_add(&p->loop, b->inotify_fd, EPOLLIN, buttons_folder, 0, &e);
	if (rc < 0)
		return prior_say(p, "error", "button", NULL, e.text);	/* those that are here do */
	b->inotify_src = (uint32_t)rc;
	watch_folder(p);
	buttons_timer(p);
}

void buttons_commit(struct prior *old, struct prior *now)
{
	now->buttons.pid = old->buttons.pid;
	now->buttons.sock = old->buttons.sock;
	now->buttons.more = old->buttons.more;
	end(old);
	buttons_begin(now);
}
