/* `prior top`: what the services use now; on a terminal again and again. */
/* SPDX-License-Identifier: ISC */
#include "init/base/mono.h"
#include "init/ctl/json.h"
#include "init/ctl/live.h"
#include "init/ctl/verbs.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#define FIRST_MS 500	/* between the two looks that a share of CPU time takes */
#define FRAME_MS 2000

/* One look: PID 1 is asked once, the rest comes from the ledger and the cgroups. */
struct look {
	struct live live;
	struct views all;
	int64_t at_us;
};

struct line {
	const struct view *v;
	double share;		/* of one CPU, in percent; < 0: not known */
};

static void look_close(struct look *l)
{
	views_free(&l->all);
	live_close(&l->live);
	*l = (struct look){ 0 };
}

static int look_take(struct look *l, struct ctl *c, struct err *e)
{
	struct look got = { 0 };

	if (live_open(&got.live, ctl_run_dir(c), e) < 0)
		return -e->code;
	if (views_take(&got.all, &got.live, c->args, mono_now().ms, e) < 0) {
		live_close(&got.live);
		return -e->code;
	}
	for (unsigned i = 0; i < got.all.n; i++)
		view_read_usage(&got.all.v[i]);
	got.at_us = mono_us();
	look_close(l);
	*l = got;
	return 0;
}

static const struct view *same(const struct views *all, const char *name)
{
	for (unsigned i = 0; i < all->n; i++)
		if (!strcmp(all->v[i].name, name))
			return &all->v[i];
	return NULL;
}

/* A start in between has another cgroup, whose time begins at nothing. */
static double share(const struct look *was, const struct look *now, unsigned i)
{
	const struct view *v = &now->all.v[i];
	const struct view *before = i < was->all.n && !strcmp(was->all.v[i].name, v->name) ? &was->all.v[i] :
				    same(&was->all, v->name);
	int64_t us = now->at_us - was->at_us;

	if (!before || !v->has_cpu || !before->has_cpu || v->cpu_us < before->cpu_us || us <= 0)
		return -1;
	return 100.0 * (double)(v->cpu_us - before->cpu_us) / (double)us;
}

static int by_use(const void *a, const void *b)
{
	const struct line *x = a, *y = b;

	if (x->share != y->share)
		return x->share < y->share ? 1 : -1;
	if (x->v->memory != y->v->memory)
		return x->v->memory < y->v->memory ? 1 : -1;
	return strcmp(x->v->name, y->v->name);
}

static struct line *lines_of(const struct look *was, const struct look *now)
{
	struct line *lines = calloc(now->all.n + 1, sizeof *lines);

	for (unsigned i = 0; lines && i < now->all.n; i++)
		lines[i] = (struct line){ &now->all.v[i], share(was, now, i) };
	if (lines)
		qsort(lines, now->all.n, sizeof *lines, by_use);
	return lines;
}

static void put_row(struct table *t, const struct line *l)
{
	const struct view *v = l->v;
	char span[SHORT_TEXT];

	table_row(t);
	table_cell(t, BOLD, "%s", v->name);
	table_cell(t, state_row(v->now.state)->colour, "%s", v->now.state < SVC_STATES ?
		   svc_state_name[v->now.state] : "?");
	if (l->share >= 0)
		table_cell(t, l->share >= 90 ? RED : PLAIN, "%.1f", l->share);
	else
		table_cell(t, DIM, "-");
	if (v->has_cpu)
		table_cell(t, PLAIN, "%.2fs", (double)v->cpu_us / 1e6);
	else
		table_cell(t, DIM, "-");
	table_cell(t, PLAIN, "%s", v->has_memory ? bytes_text(v->memory, span) : "-");
	table_cell(t, PLAIN, "%s", v->has_peak ? bytes_text(v->peak, span) : "-");
	if (v->has_tasks)
		table_cell(t, PLAIN, "%llu", (unsigned long long)v->tasks);
	else
		table_cell(t, DIM, "-");
	table_cell(t, v->now.restarts ? YELLOW : PLAIN, "%u", v->now.restarts);
}

static void put_table(const struct line *lines, unsigned n, bool colour)
{
	static const char *const heads[] = { "SERVICE", "STATE", "CPU%", "CPU", "MEMORY", "PEAK", "TASKS", "RESTARTS" };
	struct table t = { 0 };

	table_row(&t);
	for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
		table_cell(&t, DIM, "%s", heads[i]);
	for (unsigned i = 0; i < n; i++)
		put_row(&t, &lines[i]);
	table_print(&t, colour, stdout);
}

static void number_or_null(struct json *j, const char *key, bool has, uint64_t v)
{
	if (has)
		json_int(j, key, (int64_t)v);
	else
		json_null(j, key);
}

static void put_json(const struct line *lines, unsigned n)
{
	struct json j = { .to = stdout };

	json_list(&j, NULL);
	for (unsigned i = 0; i < n; i++) {
		const struct view *v = lines[i].v;

		json_object(&j, NULL);
		json_text(&j, "service", v->name);
		json_text(&j, "state", v->now.state < SVC_STATES ? svc_state_name[v->now.state] : "?");
		if (lines[i].share >= 0)
			json_tenths(&j, "cpu_percent", (unsigned)(lines[i].share * 10 + 0.5));
		else
			json_null(&j, "cpu_percent");
		number_or_null(&j, "cpu_us", v->has_cpu, v->cpu_us);
		number_or_null(&j, "memory", v->has_memory, v->memory);
		number_or_null(&j, "memory_peak", v->has_peak, v->peak);
		number_or_null(&j, "tasks", v->has_tasks, v->tasks);
		json_int(&j, "restarts", v->now.restarts);
		json_end(&j);
	}
	json_end(&j);
}

static int once(struct ctl *c, struct look *was, struct look *now, struct err *e)
{
	if (look_take(was, c, e) < 0)
		return -e->code;
	poll(NULL, 0, FIRST_MS);
	if (look_take(now, c, e) < 0)
		return -e->code;
	struct line *lines = lines_of(was, now);

	if (!lines)
		return err_set(e, ENOMEM, "there is not enough memory for %u services", now->all.n);
	if (has(c, OPT_JSON))
		put_json(lines, now->all.n);
	else
		put_table(lines, now->all.n, colour_wanted(stdout));
	free(lines);
	return 0;
}

/* --- on a terminal --- */

static volatile sig_atomic_t over;

static void end(int sig)
{
	(void)sig;
	over = 1;
}

/* Its own page of the terminal, keys without a newline; both given back by screen_leave(). */
static bool screen_enter(struct termios *was)
{
	struct sigaction sa = { .sa_handler = end };
	struct termios raw;

	if (tcgetattr(0, was) < 0)
		return false;
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
	raw = *was;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	tcsetattr(0, TCSANOW, &raw);
	fputs("\033[?1049h\033[?25l", stdout);
	return true;
}

static void screen_leave(const struct termios *was)
{
	fputs("\033[?25h\033[?1049l", stdout);
	fflush(stdout);
	tcsetattr(0, TCSANOW, was);
}

static unsigned rows_of_screen(void)
{
	struct winsize w;

	return ioctl(1, TIOCGWINSZ, &w) == 0 && w.ws_row > 4 ? w.ws_row : 24;
}

static void put_frame(const struct look *was, const struct look *now)
{
	struct line *lines = lines_of(was, now);
	unsigned most = rows_of_screen() - 4, n = now->all.n < most ? now->all.n : most;

	fputs("\033[H\033[2J", stdout);
	if (lines)
		put_table(lines, n, colour_wanted(stdout));
	if (n < now->all.n)
		printf("and %u more\n", now->all.n - n);
	fputs("q: quit\n", stdout);
	fflush(stdout);
	free(lines);
}

/* True: somebody wants to quit. */
static bool wait_for_key(int ms)
{
	struct pollfd p = { .fd = 0, .events = POLLIN };
	char key;

	if (poll(&p, 1, ms) <= 0)
		return over;
	return read(0, &key, 1) != 1 || key == 'q' || over;
}

static int again_and_again(struct ctl *c, struct look *was, struct look *now, struct err *e)
{
	struct termios before;
	int rc = look_take(was, c, e), ms = FIRST_MS;

	if (rc < 0 || !screen_enter(&before))
		return rc < 0 ? rc : once(c, was, now, e);
	while (rc == 0 && !wait_for_key(ms)) {
		rc = look_take(now, c, e);
		if (rc == 0) {
			put_frame(was, now);
			look_close(was);
			*was = *now;
			*now = (struct look){ 0 };
		}
		ms = FRAME_MS;
	}
	screen_leave(&before);
	return rc;
}

int verb_top(struct ctl *c)
{
	struct look was = { 0 }, now = { 0 };
	struct err e;
	bool live = !has(c, OPT_JSON) && isatty(0) && isatty(1);
	int rc = live ? again_and_again(c, &was, &now, &e) : once(c, &was, &now, &e);

	look_close(&was);
	look_close(&now);
	return rc < 0 ? ctl_fail(c, UNKNOWN, &e) : DONE;
}
