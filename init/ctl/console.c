/* `prior console`: a prompt for the verbs, on machines that have no shell. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "init/base/sys.h"
#include "init/base/text.h"
#include "init/conf/value.h"
#include "init/ctl/verbs.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>

#define PROMPT "prior> "
#define LINE_BYTES 4096		/* what the kernel's line editing holds */

struct console {
	bool batch;
	const char *run_dir;	/* NULL: the default; commands that name one have their way */
};

/*
 * The kernel's own line editing, set as after login; for programs without echo, and output as it is. Taking the
 * device as our controlling terminal lets ^C end `logs -f`. It is refused where we are not a session leader, or
 * where the device has an owner: then there is no ^C, nothing else.
 */
static void set_terminal(bool batch)
{
	struct termios t;

	if (tcgetattr(0, &t) < 0)
		return;
	t.c_iflag = (t.c_iflag & ~(tcflag_t)(INLCR | IGNCR | IXON)) | ICRNL;
	t.c_lflag |= ICANON | ISIG | IEXTEN;
	t.c_cflag |= CLOCAL | CREAD;
	if (batch) {
		t.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
		t.c_oflag &= ~(tcflag_t)OPOST;
	} else {
		t.c_lflag |= ECHO | ECHOE | ECHOK;
		t.c_oflag |= OPOST | ONLCR;
	}
	tcsetattr(0, TCSANOW, &t);
	setsid();
	ioctl(0, TIOCSCTTY, 0);
}

static int open_device(const char *path, struct err *e)
{
	owned_fd low = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	owned_fd fd = low < 0 ? FD_NONE : fcntl(low, F_DUPFD_CLOEXEC, 3);

	if (fd < 0)
		return err_sys(e, "open %s", path);
	for (int i = 0; i < 3; i++)
		if (dup2(fd, i) < 0)
			return err_sys(e, "give %s to descriptor %d", path, i);
	return 0;
}

/* In the child: the words become a command line. */
static int run_words(const struct console *con, struct str_list *words)
{
	char *argv[64], option[256];
	unsigned n = 0, first = words->n > 1 && !strcmp(words->v[0], "prior");
	const struct verb *v = verb_find(words->v[first]);

	if (words->n + 2 > sizeof argv / sizeof *argv) {
		fprintf(stderr, "prior: more than %zu words\n", sizeof argv / sizeof *argv - 2);
		return USAGE;
	}
	argv[n++] = (char *)words->v[first];
	if (con->run_dir && v && (v->opts & OPT(RUN_DIR)) &&
	    snprintf(option, sizeof option, "--run-dir=%s", con->run_dir) < (int)sizeof option)
		argv[n++] = option;
	for (unsigned i = first + 1; i < words->n; i++)
		argv[n++] = (char *)words->v[i];
	argv[n] = NULL;
	return verb_dispatch(argv[0], (int)n, argv);
}

static int run_command(const struct console *con, struct str_list *words)
{
	int status = 0;

	fflush(NULL);
	pid_t pid = fork();

	if (pid < 0) {
		fprintf(stderr, "prior: fork: %s\n", strerror(errno));
		return FAILED;
	}
	if (pid == 0) {
		signal(SIGINT, SIG_DFL);
		signal(SIGQUIT, SIG_DFL);
		signal(SIGTTOU, SIG_DFL);
		int code = run_words(con, words);

		fflush(NULL);
		_exit(code);
	}
	sys_wait(pid, &status);
	tcsetpgrp(0, getpgrp());	/* `run` gives the terminal to its command */
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* One line. Returns the exit code of its command, -1 when it was `exit`. */
static int do_line(const struct console *con, const char *line)
{
	struct arena a = { 0 };
	struct str_list words = { 0 };
	const char *why = "there is not enough memory";
	int code = DONE;

	if (value_split(&a, line, &words, &why) < 0) {
		fprintf(stderr, "prior: %s\n", why);
		code = USAGE;
	} else if (words.n == 1 && (!strcmp(words.v[0], "exit") || !strcmp(words.v[0], "quit"))) {
		code = -1;
	} else if (words.n > 0) {
		code = run_command(con, &words);
	}
	arena_free(&a);
	return code;
}

/* The rest of a line that did not fit is thrown away, and so is its beginning: half a command is none. */
static bool read_line(char *buf, size_t size, bool *whole)
{
	if (!fgets(buf, (int)size, stdin))
		return false;
	*whole = strchr(buf, '\n') || feof(stdin);
	for (int c = 0; !*whole && c != '\n' && c != EOF;)
		c = fgetc(stdin);
	return true;
}

static void loop(const struct console *con)
{
	char line[LINE_BYTES];
	bool whole = true;

	for (;;) {
		if (!con->batch)
			fputs(PROMPT, stdout);
		fflush(stdout);
		if (!read_line(line, sizeof line, &whole))
			return;
		if (!whole)
			fprintf(stderr, "prior: a line of more than %d bytes is not taken\n", LINE_BYTES - 2);
		int code = whole ? do_line(con, line) : USAGE;

		if (code < 0)
			return;
		if (con->batch)
			printf("exit: %d\n", code);
	}
}

int verb_console(struct ctl *c)
{
	struct console con = { .batch = has(c, OPT_BATCH), .run_dir = c->value[OPT_RUN_DIR] };
	struct err e;

	if (has(c, OPT_DEVICE)) {
		if (open_device(c->value[OPT_DEVICE], &e) < 0)
			return ctl_fail(c, FAILED, &e);
		set_terminal(con.batch);
	}
	/* For us ^C is not the end: it is for the command that runs. */
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	signal(SIGTTOU, SIG_IGN);
	if (con.batch)
		setenv("NO_COLOR", "1", 1);	/* a program reads this, whatever the device is */
	loop(&con);
	return DONE;
}
