/* From the start of the one command to its end: see wrap.h. */
/* SPDX-License-Identifier: ISC */
#include "init/base/pidfd.h"
#include "init/base/fd.h"
#include "init/base/sys.h"
#include "init/base/text.h"
#include "init/run/say.h"
#include <errno.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define BIT(sig) (UINT64_C(1) << ((sig) - 1))

struct life {
	const struct wrap *w;
	pid_t ours, child;
	pid_t group;		/* our process group; 0 when it is outside our pid namespace */
	int cwd;		/* the directory that we were started in; we have left it. -1: we have not */
	int terminal;		/* descriptor of the terminal that the command was put in front of; -1: none */
	bool chld_ignored;	/* as we found it: then no exit code would reach us */
	uint64_t mask;		/* signal mask as we found it */
	uint64_t handoff;	/* signals of which the next one is the kernel's word about the terminal */
	int code;
	bool ended;
};

/* Raw: the C libraries keep some real-time signals to themselves, and those are to be passed on, too. */
static void set_mask(uint64_t set, uint64_t *old)
{
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &set, old, sizeof set);
}

/* At most that long, or for ever: -1 with EAGAIN when none has come. */
static int wait_signal(uint64_t set, const struct timespec *at_most)
{
	return (int)syscall(SYS_rt_sigtimedwait, &set, NULL, at_most, sizeof set);
}

int wrap_parent_death(int sig)
{
	pid_t parent = getppid();

	if (prctl(PR_SET_PDEATHSIG, sig) < 0)
		return -errno;
	if (getppid() != parent)
		kill(getpid(), sig);
	return 0;
}

/* Sockets handed to us are for the command: a LISTEN_PID that names us must name it. No setenv(): we share memory. */
static void rewrite_listen_pid(const struct life *l)
{
	static char entry[32], id_entry[48];
	struct text t = TEXT_IN(entry), u = TEXT_IN(id_entry);
	const char *v = getenv("LISTEN_PID");
	const uint64_t id = getenv("LISTEN_PIDFDID") ? pidfd_number(getpid()) : 0;
	char **to = environ;

	if (!v || atoi(v) != l->ours)
		return;
	text_add(&t, "LISTEN_PID=");
	text_num(&t, getpid());
	/* The number of our pidfd says nothing about the command's; where that has none only LISTEN_PID counts. */
	text_add(&u, "LISTEN_PIDFDID=");
	text_num(&u, (int64_t)id);	/* an inode's; text_fmt() would bring printf() into the small build */
	for (char **from = environ; *from; from++)
		if (!strncmp(*from, "LISTEN_PID=", 11))
			*to++ = entry;
		else if (strncmp(*from, "LISTEN_PIDFDID=", 15))
			*to++ = *from;
		else if (id)
			*to++ = id_entry;
	*to = NULL;
}

static void lead_session(const struct life *l)
{
	if (setsid() < 0)
		return;
	if (ioctl(0, TIOCSCTTY, 0) < 0)
		wrap_say(l->w, SAID_NO_TERMINAL, errno, 0, NULL);
	wrap_say(l->w, SAID_SESSION, 0, 0, NULL);
}

static void lead_group(const struct life *l)
{
	pid_t self = getpid();

	setpgid(0, 0);
	if (l->terminal >= 0)
		ioctl(l->terminal, TIOCSPGRP, &self);
}

static int code_of_failure(enum wrap_as as, int error)
{
	switch (as) {
	case AS_TINI:
		return error == ENOENT ? 127 : error == EACCES ? 126 : 1;
	case AS_DUMB_INIT:
		return 2;
	case AS_CATATONIT:
		return 1;
	case AS_PRIOR:
	case WRAP_AS:
		break;
	}
	return error == ENOENT ? 127 : 126;
}

/* Bytes that are no program the shell takes for a script, as execvp(3) has it. The word before the command is ours. */
static void execute(char **command, const char *path)
{
	static const char sh[] = "/bin/sh";

	execve(path, command, environ);
	if (errno != ENOEXEC)
		return;
	command[-1] = (char *)sh;
	command[0] = (char *)path;
	execve(sh, command - 1, environ);
	errno = ENOEXEC;
}

/* Along PATH: as execvp(3), which differs from one C library to the next, and the smallest build has none. */
static void execute_found(char **command)
{
	static char full[4096];		/* outlives us, for execute() leaves it in the command */
	const char *path = getenv("PATH"), *name = command[0];
	int why = ENOENT;

	if (strchr(name, '/') || !*name) {
		execute(command, name);
		return;
	}
	if (!path)
		path = "/usr/local/bin:/bin:/usr/bin";
	for (const char *end; errno = why, path; path = *end ? end + 1 : NULL) {
		struct text t = TEXT_IN(full);

		for (end = path; *end && *end != ':'; end++)
			;
		text_add_n(&t, path, (size_t)(end - path));
		text_add(&t, end > path ? "/" : "");
		text_add(&t, name);
		if (t.cut)
			continue;
		execute(command, full);
		if (errno == EACCES)
			why = EACCES;
		else if (errno != ENOENT && errno != ENOTDIR)
			return;
	}
}

/* The child, in our memory until its exec. */
static _Noreturn void become(const struct life *l)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	if (l->w->session)
		lead_session(l);
	else if (!l->w->same_group)
		lead_group(l);
	rewrite_listen_pid(l);
	if (l->chld_ignored)
		sigaction(SIGCHLD, &ignore, NULL);
	if (l->cwd >= 0 && fchdir(l->cwd) < 0)
		errno = 0;	/* has worked a moment ago */
	set_mask(l->mask, NULL);
	const char *name = l->w->command[0];

	execute_found(l->w->command);
	int error = errno;

	wrap_say(l->w, SAID_NOT_RUN, error, 0, name);
	_exit(code_of_failure(l->w->as, error));
}

/* The command comes to the foreground where we are there ourselves. Nobody else's terminal is taken. */
static int terminal_of(pid_t group)
{
	pid_t front;

	for (int fd = 0; fd < 3; fd++)
		if (ioctl(fd, TIOCGPGRP, &front) == 0)
			return front == group ? fd : -1;
	return -1;
}

/*
 * The command's session is to get our terminal, so we let go of it. A session leader that does so is sent SIGHUP and
 * SIGCONT by the kernel, which are not the command's business.
 */
static void detach(struct life *l)
{
	if (ioctl(0, TIOCNOTTY) < 0) {
		wrap_say(l->w, SAID_NOT_DETACHED, errno, 0, NULL);
	} else if (getsid(0) == l->ours) {
		wrap_say(l->w, SAID_DETACHED_LEADER, 0, 0, NULL);
		l->handoff = BIT(SIGHUP) | BIT(SIGCONT);
	} else {
		wrap_say(l->w, SAID_DETACHED, 0, 0, NULL);
	}
}

static void send(const struct life *l, int sig)
{
	const struct wrap *w = l->w;
	int to = w->send[sig] ? w->send[sig] : sig;

	if (w->send[sig] && w->send[sig] != WRAP_DROP)
		wrap_say(w, SAID_REWRITTEN, sig, to, NULL);
	if (to == WRAP_DROP) {
		wrap_say(w, SAID_DROPPED, sig, 0, NULL);
		return;
	}
	int rc = kill(w->group || w->session ? -l->child : l->child, to);

	if (rc < 0 && errno == ESRCH && w->group)	/* it has left the group that it was to lead */
		rc = kill(l->child, to);
	wrap_say(w, rc < 0 ? SAID_NOBODY : SAID_SENT, to, 0, NULL);
}

static void stop_self(const struct life *l)
{
	wrap_say(l->w, SAID_STOP, 0, 0, NULL);
	kill(l->ours, SIGSTOP);		/* nothing happens as PID 1 */
}

/*
 * Somebody pressed Ctrl-Z: the kernel has stopped the command's group, and the shell that waits for us must see us
 * stop. When it continues us in the foreground, the command gets the terminal back.
 */
static void follow_stop(const struct life *l)
{
	pid_t front;

	ioctl(l->terminal, TIOCSPGRP, &l->group);
	stop_self(l);
	if (ioctl(l->terminal, TIOCGPGRP, &front) == 0 && front == l->group)
		ioctl(l->terminal, TIOCSPGRP, &l->child);
	kill(-l->child, SIGCONT);
}

static void command_ended(struct life *l, int status)
{
	const struct wrap *w = l->w;
	bool killed = WIFSIGNALED(status);
	int n = killed ? WTERMSIG(status) : WEXITSTATUS(status);

	l->ended = true;
	l->code = (killed ? 128 + n : n) & 0xff;
	l->code ^= w->exit_xor[l->code];
	wrap_say(w, killed ? SAID_MAIN_KILLED : SAID_MAIN_EXITED, n, 0, NULL);
	/* What is left of its session hears of it. Without one, dumb-init only says so: the pid may be another's. */
	if (w->session)
		send(l, SIGTERM);
	else
		wrap_say(w, SAID_TOLD, SIGTERM, 0, NULL);
	if (l->terminal >= 0 && l->ours != 1)
		ioctl(l->terminal, TIOCSPGRP, &l->group);
	wrap_say(w, SAID_END, l->code, 0, NULL);
}

static void reap(struct life *l)
{
	int status, flags = WNOHANG | (l->terminal >= 0 && l->ours != 1 && l->w->as == AS_PRIOR ? WUNTRACED : 0);

	for (pid_t pid; !l->ended && (pid = waitpid(-1, &status, flags)) > 0;) {
		if (WIFSTOPPED(status)) {
			if (pid == l->child)
				follow_stop(l);
			continue;
		}
		bool killed = WIFSIGNALED(status);

		wrap_say(l->w, killed ? SAID_KILLED : SAID_EXITED, pid,
			 killed ? WTERMSIG(status) : WEXITSTATUS(status), NULL);
		if (pid == l->child)
			command_ended(l, status);
		else if (l->w->warn_reaped)
			wrap_say(l->w, SAID_REAPED, pid, 0, NULL);
	}
}

/* Whether a stop of the terminal's is for us, too; tini and catatonit leave that to others. */
static bool stops_us(const struct life *l, int sig)
{
	return (sig == SIGTSTP || sig == SIGTTOU || sig == SIGTTIN) &&
	       (l->w->as == AS_PRIOR || l->w->as == AS_DUMB_INIT);
}

static void take(struct life *l, int sig)
{
	if (l->handoff & BIT(sig)) {
		wrap_say(l->w, SAID_SIGNAL, sig, 0, NULL);
		wrap_say(l->w, SAID_HANDOFF, sig, 0, NULL);
		l->handoff &= ~BIT(sig);
	} else if (sig == SIGCHLD) {
		wrap_say(l->w, SAID_CHILD, sig, 0, NULL);
		reap(l);
	} else if (l->w->pause) {
		l->ended = sig == SIGTERM || sig == SIGINT;
	} else {
		wrap_say(l->w, SAID_SIGNAL, sig, 0, NULL);
		send(l, sig);
		if (stops_us(l, sig))
			stop_self(l);
	}
}

/* Our directory is the command's, not ours: it must be possible to unmount it when the command has left it. */
static void leave_directory(struct life *l)
{
	l->cwd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (l->cwd >= 0 && (fchdir(l->cwd) < 0 || chdir("/") < 0))	/* the first is whether there is a way back */
		fd_drop(&l->cwd);
}

static void begin(struct life *l)
{
	struct sigaction old, dfl = { .sa_handler = SIG_DFL };
	const struct wrap *w = l->w;

	set_mask(~UINT64_C(0), &l->mask);	/* before there is a command: no signal is lost in between */
	sigaction(SIGCHLD, NULL, &old);
	l->chld_ignored = old.sa_handler == SIG_IGN;
	if (l->chld_ignored)
		sigaction(SIGCHLD, &dfl, NULL);
	if (w->parent_death)
		wrap_parent_death(w->parent_death);
	l->ours = getpid();
	if (l->ours != 1 && (!w->subreaper || prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)) {
		int is = 0;

		prctl(PR_GET_CHILD_SUBREAPER, &is);
		if (!is)
			wrap_say(w, SAID_NO_REAPER, 0, 0, NULL);
	}
	l->group = getpgrp();
	if (w->session)
		detach(l);
	else if (!w->same_group && !w->pause)
		l->terminal = terminal_of(l->group);
	leave_directory(l);
}

/*
 * What only the start needed of the file need not stay in memory: it comes back a page at a time when it is wanted. The
 * small build is no more than it needs.
 */
static void forget_start(void)
{
#ifndef PRIOR_RUN_ONLY
	extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));
	const char *file = (const char *)&__ehdr_start;
	const ElfW(Phdr) *p = (const void *)(file + __ehdr_start.e_phoff);

	for (unsigned i = 0; i < __ehdr_start.e_phnum; i++)
		if (p[i].p_type == PT_LOAD && !(p[i].p_flags & PF_W))
			madvise((void *)(file + p[i].p_vaddr), p[i].p_memsz, MADV_DONTNEED);
#endif
}

/* The start is forgotten once, when the command has been under way for a moment: it is not to wait for that. */
static void until_ended(struct life *l)
{
	const struct timespec moment = { .tv_nsec = 20000000 }, *at_most = WRAP_CONFINES ? &moment : NULL;

	while (!l->ended) {
		int sig = wait_signal(~UINT64_C(0), at_most);

		if (sig > 0 && sig <= WRAP_SIGNALS) {
			take(l, sig);
		} else if (at_most && errno == EAGAIN) {
			forget_start();
			at_most = NULL;
		}
	}
}

int wrap_live(const struct wrap *w)
{
	struct life l = { .w = w, .terminal = -1, .cwd = FD_NONE };
	const struct life *shared = &l;

	begin(&l);
	if (!w->pause) {
		pid_t pid = vfork();

		if (pid == 0)
			become(shared);
		if (pid < 0) {
			wrap_say(w, SAID_NO_FORK, errno, 0, NULL);
			return w->as == AS_PRIOR ? 125 : 1;
		}
		l.child = pid;
		wrap_say(w, SAID_STARTED, pid, 0, w->command[0]);
	}
	sys_close_range(3, ~0u, 0);	/* what others left open is the command's alone */
	until_ended(&l);
	return l.code;
}
