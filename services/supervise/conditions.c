/* Looking whether the conditions of a start hold: see conditions.h. */
/* SPDX-License-Identifier: ISC */
#include "services/supervise/conditions.h"
#include "init/base/sys.h"
#include "init/base/text.h"
#include "services/spec/spec.h"
#include "services/supervise/fsm.h"
#include "services/supervise/reap.h"
#include "services/supervise/start.h"
#include "services/supervise/stop.h"
#include <string.h>
#include <sys/stat.h>

#define HOLD 0		/* exit code: all of them; else 1 + the number of the first that does not */

/* "quiet" finds quiet and quiet=1; "quiet=1" only itself. */
static bool is_on_command_line(const char *word)
{
	char line[4096];
	owned_fd fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, line, sizeof line - 1);
	size_t len = strlen(word);
	char *save = NULL;

	line[n > 0 ? n : 0] = '\0';
	for (char *w = strtok_r(line, " \t\n", &save); w; w = strtok_r(NULL, " \t\n", &save))
		if (!strncmp(w, word, len) && (!w[len] || (w[len] == '=' && !strchr(word, '='))))
			return true;
	return false;
}

static bool holds(const struct plan *p, const struct plan_condition *c)
{
	const char *value = plan_str(p, c->value);
	struct stat st;

	switch ((enum svc_condition_kind)c->kind) {
	case CONDITION_PATH_EXISTS:
		return stat(value, &st) == 0;
	case CONDITION_PATH_IS_DIRECTORY:
		return stat(value, &st) == 0 && S_ISDIR(st.st_mode);
	case CONDITION_FILE_NOT_EMPTY:
		return stat(value, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0;
	case CONDITION_FILE_IS_EXECUTABLE:
		return stat(value, &st) == 0 && S_ISREG(st.st_mode) && st.st_mode & 0111;
	case CONDITION_KERNEL_COMMAND_LINE:
		return is_on_command_line(value);
	case CONDITIONS:
		break;
	}
	return false;
}

/* The child's whole life. */
static int look(const struct plan *p, struct plan_ref conditions)
{
	const struct plan_condition *c = PLAN_FIRST(p, conditions, struct plan_condition);

	for (uint32_t k = 0; k < conditions.n; k++)
		if (holds(p, c + k) == (bool)c[k].negated)
			return (int)k + 1;
	return HOLD;
}

int conditions_begin(struct prior *p, uint32_t i, struct err *e)
{
	const struct plan_service *d = plan_service(&p->plan, i);
	struct clone_args a = { .flags = CLONE_CLEAR_SIGHAND, .exit_signal = SIGCHLD };
	const pid_t pid = sys_clone3(&a);

	if (pid == 0)
		_exit(look(&p->plan, d->conditions));
	if (pid < 0)
		return err_sys(e, "look at its conditions: fork");
	svc_of(p, i)->flags |= SVC_F_CHECKING;
	svc_of(p, i)->builder = pid;
	reap_add(p, pid, i, PID_BUILDER);
	svc_timer(p, i, d->start_timeout_ms);
	return 0;
}

bool conditions_ended(struct prior *p, uint32_t i, int code)
{
	const struct plan_service *d = plan_service(&p->plan, i);
	struct ledger_svc *s = svc_of(p, i);

	if (!(s->flags & SVC_F_CHECKING))
		return false;
	{
		LEDGER_WRITE(s);
		s->flags &= ~SVC_F_CHECKING;
	}
	if (s->state != SVC_STARTING) {
		stop_check(p, i);
		return true;
	}
	if (code < 0 || (uint32_t)code > d->conditions.n) {
		start_builder_died(p, i, "could not look at its conditions");
		return true;
	}
	if (code == HOLD) {
		svc_post(p, i, EV_CHECKED);
		return true;
	}
	const struct plan_condition *c = PLAN_FIRST(&p->plan, d->conditions, struct plan_condition) + code - 1;
	{
		struct text t = TEXT_IN(s->why);
		LEDGER_WRITE(s);

		text_fmt(&t, "conditions.%s: '%s%s' does not hold", spec_conditions[c->kind], c->negated ? "!" : "",
			 plan_str(&p->plan, c->value));
	}
	svc_post(p, i, EV_SKIPPED);
	return true;
}

enum svc_event svc_skip(struct prior *p, uint32_t i)
{
	struct ledger_svc *s = svc_of(p, i);

	s->flags &= ~(SVC_F_WANTED | SVC_F_RESTART);
	prior_say(p, "info", "skipped", svc_name(p, i), s->why);
	return EV_NONE;
}
