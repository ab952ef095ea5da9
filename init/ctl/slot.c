/* `prior slot`: the machine's A/B slots, shown and changed. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "init/base/mono.h"
#include "init/base/text.h"
#include "init/bootslot.h"
#include "init/ctl/json.h"
#include "init/ctl/live.h"
#include "init/ctl/verbs.h"
#include "init/lastboot.h"
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define HOOK_MS 60000
#define HOOK_WORDS 64
#define NO_SLOT_KNOWN "which slot runs is not known (prior.slot= on the kernel's command line says it)"

static void show_json(const struct slots *s, const char *booted)
{
	struct json j = { .to = stdout };

	json_object(&j, NULL);
	json_text(&j, "booted", *booted ? booted : NULL);
	json_list(&j, "slots");
	for (unsigned i = 0; i < s->n; i++) {
		json_object(&j, NULL);
		json_text(&j, "slot", s->v[i].name);
		json_bool(&j, "booted", !strcmp(s->v[i].name, booted));
		json_bool(&j, "good", s->v[i].good);
		json_int(&j, "tries_left", s->v[i].left);
		json_end(&j);
	}
	json_end(&j);
	json_end(&j);
}

static void show_text(const struct slots *s, const char *booted)
{
	printf("SLOT              STATE     TRIES LEFT\n");
	for (unsigned i = 0; i < s->n; i++)
		printf("%-16s  %-8s  %u%s\n", s->v[i].name, s->v[i].good ? "good" : s->v[i].left ? "on trial" : "bad",
		       s->v[i].left, strcmp(s->v[i].name, booted) ? "" : "  (this one runs)");
}

/* COMMAND... mark-good a */
static void become_hook(const struct plan *p, const char *change, const char *name)
{
	const struct plan_ref *w = PLAN_FIRST(p, p->head->slots_hook, struct plan_ref);
	char *argv[HOOK_WORDS + 3];
	uint32_t n = 0;

	for (; n < p->head->slots_hook.n && n < HOOK_WORDS; n++)
		argv[n] = (char *)(uintptr_t)plan_str(p, w[n]);
	argv[n++] = (char *)(uintptr_t)change;
	argv[n++] = (char *)(uintptr_t)name;
	argv[n] = NULL;
	execv(argv[0], argv);
	fprintf(stderr, "prior: slot: hook: execute %s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

static int run_hook(const struct plan *p, const char *change, const char *name, struct err *e)
{
	const int64_t end = mono_now().ms + HOOK_MS;
	int status = 0;

	if (!p->head->slots_hook.n)
		return 0;
	pid_t pid = fork();

	if (pid < 0)
		return err_sys(e, "hook: fork");
	if (pid == 0)
		become_hook(p, change, name);
	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (mono_now().ms > end) {
			kill(pid, SIGKILL);
			waitpid(pid, &status, 0);
			return err_set(e, ETIME, "hook: not done within %d s, and killed", HOOK_MS / 1000);
		}
		poll(NULL, 0, 10);
	}
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 :
	       err_set(e, EPROTO, "hook: ended with code %d", WIFEXITED(status) ? WEXITSTATUS(status) :
		       128 + WTERMSIG(status));
}

/* The hook comes when it is done: who reads that it failed is not to take the slot for unchanged. */
static int change_one(const struct plan *p, enum slot_change to, const char *name, struct err *e)
{
	static const char *const done[SLOT_CHANGES] = {
		[SLOT_GOOD] = "marked good", [SLOT_BAD] = "marked bad", [SLOT_PREFER] = "preferred",
	};

	if (bootslot_change(p, name, to, e) < 0)
		return -e->code;
	if (run_hook(p, slot_change_name[to], name, e) < 0)
		return err_in(e, "slot %s is %s, but machine.slots.hook was not told", name, done[to]);
	return 0;
}

static int change(const struct plan *p, const char *word, const char *name, struct err *e)
{
	for (unsigned i = 0; i < SLOT_CHANGES; i++)
		if (!strcmp(word, slot_change_name[i]))
			return change_one(p, (enum slot_change)i, name, e);
	return err_set(e, EINVAL, "'%.40s' is none of list, mark-good, mark-bad, switch", word);
}

int verb_slot(struct ctl *c)
{
	const char *word = c->nargs ? c->args[0] : "list", *name = c->nargs > 1 ? c->args[1] : NULL;
	char booted[SLOT_NAME];
	struct live l = { 0 };
	struct slots s;
	struct err e;
	int rc = live_open(&l, ctl_run_dir(c), &e);

	if (rc < 0)
		return ctl_fail(c, FAILED, &e);
	if (!bootslot_booted(&l.plan, booted))
		*booted = '\0';
	if (!l.plan.head->boot_slots.n)
		rc = err_set(&e, ENOENT, "this machine has no slots: machine.slots");
	else if (!strcmp(word, "list"))
		rc = bootslot_read(&l.plan, &s, &e);
	else if (!name && (!*booted || !strcmp(word, "switch")))
		rc = err_set(&e, EINVAL, *booted ? "which slot to switch to?" :
			     NO_SLOT_KNOWN "; name one");
	else if ((rc = live_is_trusted(&l, &e)) == 0)
		rc = change(&l.plan, word, name ? name : booted, &e);
	if (rc == 0 && !strcmp(word, "list"))
		(has(c, OPT_JSON) ? show_json : show_text)(&s, booted);
	live_close(&l);
	return rc < 0 ? ctl_fail(c, FAILED, &e) : DONE;
}

/* What PID 1 has done when all has been well for a while; see good.h. */
static int keep_good(const struct plan *p, struct err *e)
{
	const char *record = plan_str(p, p->head->last_boot);
	char booted[SLOT_NAME];
	struct err first = { 0 };

	if (*record && lastboot_well(record, &first) == -EALREADY) {
		*e = first;	/* it was well, and has failed since, perhaps: nothing is said of its slot either */
		return -e->code;
	}
	if (p->head->boot_slots.n && p->head->good_after_ms) {
		if (!bootslot_booted(p, booted))
			return err_set(e, ENOENT, NO_SLOT_KNOWN);
		if (change_one(p, SLOT_GOOD, booted, e) < 0)
			return -e->code;
	}
	*e = first;
	return -e->code;
}

int verb_boot_good(struct ctl *c)
{
	struct live l = { 0 };
	struct err e;
	int rc = live_open(&l, ctl_run_dir(c), &e);

	if (rc == 0)
		rc = live_is_trusted(&l, &e);
	if (rc == 0)
		rc = keep_good(&l.plan, &e);
	live_close(&l);
	return rc < 0 ? ctl_fail(c, FAILED, &e) : DONE;
}
