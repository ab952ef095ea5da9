/* The words, a row for each thing said and a column for each style: see say.h. */
/* SPDX-License-Identifier: ISC */
#include "init/run/say.h"
#include "init/base/text.h"
#include <string.h>
#include <unistd.h>

/* Levels: said when the verbosity is at least that. These are tini's numbers; it begins at 1. */
enum { INFO = 2 };	/* from here on tini says it on standard output */

/*
 * For prior, tini, dumb-init and catatonit: the level as a digit, then the words; "": nothing is said. %a, %b: numbers;
 * %s: the text; %e: what errno a means. Tests of dumb-init compare its words. All of it is one string: pointers would
 * be relocations, which the start of the smallest build would pay for.
 */
#define LINES(L) \
	L(STARTED, "1started %s, pid %a", "2Spawned child process '%s' with pid '%a'", \
	  "1Child spawned with PID %a.", "3pid1 (%a) spawned: %s") \
	L(SIGNAL, "1signal %a", "3Passing signal: %a", "1Received signal %a.", "3signal %a") \
	L(CHILD, "", "3Received SIGCHLD", "1Received signal %a.", "") \
	L(REWRITTEN, "1signal %a is sent as %b", "", "1Translating signal %a to %b.", "") \
	L(SENT, "2signal %a was passed on", "", "1Forwarded signal %a to children.", "") \
	L(DROPPED, "1signal %a is not passed on", "", "1Not forwarding signal %a to children (ignored).", \
	  "3signal %a is not for pid1") \
	L(TOLD, "", "", "1Forwarded signal %a to children.", "") \
	L(NOBODY, "1there is nobody for signal %a", "1Child was dead when forwarding signal", \
	  "1Forwarded signal %a to children.", "2forwarding of signal %a failed: pid1 has ended") \
	L(EXITED, "2process %a exited with %b", "3Reaped child with pid: '%a'", \
	  "1A child with PID %a exited with exit status %b.", "3child process %a exited with code %b") \
	L(KILLED, "2process %a was killed by signal %b", "3Reaped child with pid: '%a'", \
	  "1A child with PID %a was terminated by signal %b.", "3child process %a exited due to signal %b") \
	L(MAIN_EXITED, "1the command exited with %a", "2Main child exited normally (with status '%a')", "", "") \
	L(MAIN_KILLED, "1the command was killed by signal %a", "2Main child exited with signal (with signal '%a')", \
	  "", "") \
	L(REAPED, "0reaped pid %a, which somebody else had left behind", "1Reaped zombie process with pid=%a", "", \
	  "") \
	L(END, "", "4Exiting: child has exited", "1Child exited with status %a. Goodbye.", "") \
	L(STOP, "1stopping, too", "", "1Suspending self due to TTY signal.", "") \
	L(DETACHED, "2gave up the terminal", "", "1Detached from controlling tty, but was not session leader.", "") \
	L(DETACHED_LEADER, "2gave up the terminal, whose SIGHUP and SIGCONT are not passed on", "", \
	  "1Detached from controlling tty, ignoring the first SIGHUP and SIGCONT we receive.", "") \
	L(NOT_DETACHED, "2there is no terminal to give up: %e", "", \
	  "1Unable to detach from controlling tty (errno=%a %e).", "") \
	L(HANDOFF, "2signal %a is the terminal's", "", "1Ignoring tty hand-off signal %a.", "") \
	L(SESSION, "2a session of its own", "", "1setsid complete.", "") \
	L(NO_TERMINAL, "2there is no terminal for it: %e", "", \
	  "1Unable to attach to controlling tty (errno=%a %e).", "") \
	L(DEBUG, "", "", "1Running in debug mode.", "") \
	L(NO_SESSION, "", "", "1Not running in setsid mode.", "") \
	L(NO_REAPER, "", \
	  "1not PID 1, and not a subreaper: zombie reaping won't work, for orphans go to somebody else.\n" \
	  "Use -s, or set TINI_SUBREAPER, or run as PID 1.", \
	  "", "") \
	L(NOT_RUN, "0%s: %e", "0exec %s failed: %e", "0%s: %e", "0failed to exec pid1: %s: %e") \
	L(NO_FORK, "0no new process: %e", "0fork failed: %e", "0Unable to fork: %e", "0failed to fork child: %e")

#define WORDS(name, prior, tini, dumb_init, catatonit) prior "\0" tini "\0" dumb_init "\0" catatonit "\0"
#define PLACE(name, ...) AT_##name,
#define IN_ORDER(name, ...) _Static_assert((int)AT_##name == (int)SAID_##name, "the rows stand as in say.h");

static const char words[] = LINES(WORDS);
enum { LINES(PLACE) };
LINES(IN_ORDER)

static const char *line_of(enum said what, enum wrap_as as)
{
	const char *w = words;

	for (unsigned n = (unsigned)what * WRAP_AS + as; n; n--)
		w += strlen(w) + 1;
	return w;
}

static void head(struct text *t, enum wrap_as as, unsigned level)
{
	static const char tini[][8] = { "FATAL", "WARN ", "INFO ", "DEBUG", "TRACE" };
	static const char cata[][8] = { "ERROR", "ERROR", "WARN", "DEBUG", "DEBUG" };

	switch (as) {
	case AS_TINI:
		text_add(t, "[");
		text_add(t, tini[level]);
		text_add(t, " tini (");
		text_num(t, getpid());
		text_add(t, ")] ");
		return;
	case AS_DUMB_INIT:
		text_add(t, "[dumb-init] ");
		return;
	case AS_CATATONIT:
		text_add(t, cata[level]);
		text_add(t, " (catatonit:");
		text_num(t, getpid());
		text_add(t, "): ");
		return;
	case AS_PRIOR:
	case WRAP_AS:
		break;
	}
	text_add(t, "prior: run: ");
}

/* What vfork, exec and the terminal may answer, in the C library's words; the library's own table is twice as large. */
static void add_error(struct text *t, int error)
{
	static const char texts[] =
		"\001Operation not permitted\0\002No such file or directory\0\005I/O error\0"
		"\006No such device or address\0"
		"\007Argument list too long\0\010Exec format error\0\011Bad file descriptor\0"
		"\013Resource temporarily unavailable\0\014Cannot allocate memory\0\015Permission denied\0"
		"\024Not a directory\0\025Is a directory\0\026Invalid argument\0\027Too many open files in system\0"
		"\030Too many open files\0\031Inappropriate ioctl for device\0\032Text file busy\0"
		"\044File name too long\0\050Too many levels of symbolic links\0";

	for (const char *s = texts; *s; s += strlen(s) + 1)
		if (*s == error) {
			text_add(t, s + 1);
			return;
		}
	text_add(t, "error ");
	text_num(t, error);
}

void wrap_say(const struct wrap *w, enum said what, int64_t a, int64_t b, const char *text)
{
	const char *line = line_of(what, w->as);
	int level = *line - '0';
	char buf[512];
	struct text t = TEXT_IN(buf);

	if (!*line || w->verbosity < level)
		return;
	head(&t, w->as, (unsigned)level);
	for (const char *c = line + 1; *c; c++) {
		if (*c != '%') {
			text_add_n(&t, c, 1);
			continue;
		}
		c++;
		if (*c == 's')
			text_add(&t, text);
		else if (*c == 'e')
			add_error(&t, (int)a);
		else
			text_num(&t, *c == 'a' ? a : b);
	}
	if (t.cut)
		t.n = t.size - 2;
	text_add(&t, "\n");
	wrap_put(w->as == AS_TINI && level >= INFO ? 1 : 2, buf);
}

void wrap_put(int fd, const char *text)
{
	size_t n = strlen(text);

	for (ssize_t put; n && (put = write(fd, text, n)) > 0; n -= (size_t)put)
		text += put;
}
