/* The bytes of a command that must not have our terminal: see relay.h. */
/* SPDX-License-Identifier: ISC */
#include "init/ctl/relay.h"
#include "init/base/fd.h"
#include "init/base/sys.h"
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>

/* One way; what was read and not written yet is in buf[at..n]. A part is never more than a pipe takes whole. */
struct flow {
	int from, to;
	bool ended;		/* nothing more can be read */
	size_t at, n;
	char buf[PIPE_BUF];
};

/* What it may have left in its pipes or terminal: pipe-max-size for each. Others in the cell may write without end. */
#define LAST_WORDS (2u << 20)

enum { IN, OUT, ERR, FLOWS };
enum { CHILD = FLOWS, SIGNALS, POLLED };

static void take_size(const struct relay *r)
{
	struct winsize w;

	if (r->terminal && ioctl(0, TIOCGWINSZ, &w) == 0)
		ioctl(r->ours[0], TIOCSWINSZ, &w);
}

/* The machine's: no process of the cell can open it by a name, and what is pushed into it (TIOCSTI) stays in it. */
static int open_terminal(struct relay *r, struct err *e)
{
	owned_fd master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), slave = FD_NONE;

	if (master < 0 || unlockpt(master) < 0 ||
	    (slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC)) < 0)
		return err_sys(e, "make a terminal for it (is devpts mounted on /dev/pts?)");
	r->theirs[0] = fd_take(&slave);
	r->ours[0] = fd_take(&master);
	take_size(r);
	return 0;
}

static int open_pipes(struct relay *r, struct err *e)
{
	for (int i = 0; i < 3; i++) {
		int pair[2];

		if (pipe2(pair, O_CLOEXEC) < 0) {
			err_sys(e, "pipes for it");
			relay_close(r);
			return -e->code;
		}
		r->theirs[i] = pair[i != 0];
		r->ours[i] = pair[i == 0];
	}
	return 0;
}

int relay_open(struct relay *r, bool terminal, struct err *e)
{
	*r = (struct relay){ terminal, { FD_NONE, FD_NONE, FD_NONE }, { FD_NONE, FD_NONE, FD_NONE } };
	return terminal ? open_terminal(r, e) : open_pipes(r, e);
}

void relay_given(struct relay *r)
{
	for (int i = 0; i < 3; i++)
		fd_drop(&r->theirs[i]);
}

void relay_close(struct relay *r)
{
	relay_given(r);
	for (int i = 0; i < 3; i++)
		fd_drop(&r->ours[i]);
}

static bool is_over(const struct flow *f)
{
	return f->ended && f->at == f->n;
}

static struct pollfd wait_for(const struct flow *f)
{
	if (f->at < f->n)
		return (struct pollfd){ .fd = f->to, .events = POLLOUT };
	return (struct pollfd){ .fd = f->ended ? FD_NONE : f->from, .events = POLLIN };
}

/* It is ready. Who does not read any more (a pager that was left) hears no more. Returns the bytes that were read. */
static size_t move(struct flow *f)
{
	ssize_t n;

	if (f->at < f->n) {
		n = write(f->to, f->buf + f->at, f->n - f->at);
		if (n > 0)
			f->at += (size_t)n;
		else if (errno != EAGAIN && errno != EINTR)
			f->at = f->n;
		return 0;
	}
	n = read(f->from, f->buf, sizeof f->buf);
	if (n > 0)
		f->at = 0, f->n = (size_t)n;
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		f->ended = true;
	return n > 0 ? (size_t)n : 0;
}

static int end_by(struct relay *r, int signals, pid_t pid)
{
	struct signalfd_siginfo s;

	if (read(signals, &s, sizeof s) != sizeof s)
		return 0;
	if (s.ssi_signo == SIGWINCH)
		return take_size(r), 0;
	kill(pid, SIGKILL);
	return (int)s.ssi_signo;
}

/* Until it has ended, and then what it wrote before that: others in the cell may hold its pipes for ever. */
static void carry(struct relay *r, struct flow *f, pid_t pid, int pidfd, int signals, int *ended_by)
{
	bool running = true;
	size_t last = 0;

	for (;;) {
		struct pollfd p[POLLED] = { [CHILD] = { .fd = running ? pidfd : FD_NONE, .events = POLLIN },
					    [SIGNALS] = { .fd = signals, .events = POLLIN } };

		for (int i = 0; i < FLOWS; i++)
			p[i] = i == IN && !running ? (struct pollfd){ .fd = FD_NONE } : wait_for(&f[i]);
		const int n = poll(p, POLLED, running ? -1 : 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0 && f[OUT].at == f[OUT].n && f[ERR].at == f[ERR].n)
			return;
		if (n <= 0)	/* ended, but who reads us is slow */
			poll(p, POLLED, -1);
		if (p[SIGNALS].revents && (*ended_by = end_by(r, signals, pid)) && !running)
			return;
		for (int i = 0; i < FLOWS; i++) {
			const size_t n_read = p[i].revents ? move(&f[i]) : 0;

			last += running ? 0 : n_read;
		}
		f[OUT].ended |= last >= LAST_WORDS;
		f[ERR].ended |= last >= LAST_WORDS;
		if (is_over(&f[IN]) && !r->terminal)
			fd_drop(&r->ours[0]), f[IN].to = FD_NONE;
		running &= p[CHILD].revents == 0;
	}
}

/* Nothing is obeyed here any more: every byte, Ctrl-C too, is for the terminal in there. */
static bool make_raw(struct termios *was)
{
	struct termios raw;

	if (tcgetattr(0, was) < 0)
		return false;
	raw = *was;
	cfmakeraw(&raw);
	return tcsetattr(0, TCSADRAIN, &raw) == 0;
}

int relay_run(struct relay *r, pid_t pid, int *ended_by, struct err *e)
{
	static struct flow f[FLOWS];
	owned_fd pidfd = sys_pidfd_open(pid);
	struct termios was;
	sigset_t set, before;
	int status = 0;

	sigemptyset(&set);
	for (const int *s = (const int[]){ SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGWINCH, 0 }; *s; s++)
		sigaddset(&set, *s);
	sigprocmask(SIG_BLOCK, &set, &before);
	owned_fd signals = signalfd(-1, &set, SFD_CLOEXEC);

	if (pidfd < 0 || signals < 0) {
		err_sys(e, "watch the command");
		kill(pid, SIGKILL);
	} else {
		const bool raw = r->terminal && make_raw(&was);

		for (int i = 0; i < (r->terminal ? 1 : 3); i++)
			fcntl(r->ours[i], F_SETFL, O_NONBLOCK);
		f[IN] = (struct flow){ .from = 0, .to = r->ours[0] };
		f[OUT] = (struct flow){ .from = r->terminal ? r->ours[0] : r->ours[1], .to = 1 };
		f[ERR] = (struct flow){ .from = r->ours[2], .to = 2, .ended = r->terminal };
		signal(SIGPIPE, SIG_IGN);
		*ended_by = 0;
		carry(r, f, pid, pidfd, signals, ended_by);
		if (raw)
			tcsetattr(0, TCSADRAIN, &was);
		e->code = 0;
	}
	sys_wait(pid, &status);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return e->code ? -e->code : status;
}
