/* `prior last-boot`: how the boot before this one ended, from what this one has found. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "init/base/text.h"
#include "init/ctl/json.h"
#include "init/ctl/last_boot.h"
#include "init/lastboot.h"
#include "init/boot_record.h"
#include "services/logs/logs.h"
#include <fcntl.h>
#include <string.h>
#include <time.h>

static const char *const state_words[RECORD_STATES] = {
	[RECORD_RUNS] = "cut off", [RECORD_ASKED] = "asked for", [RECORD_FAILED] = "failure",
};

static void stamp(int64_t s, char to[32])
{
	const time_t at = (time_t)s;
	struct tm t;

	gmtime_r(&at, &t);
	strftime(to, 32, "%Y-%m-%dT%H:%M:%SZ", &t);
}

/* The part of a line of the ring that is the event: behind its time and its stream. */
static char *next_event(char **lines)
{
	for (char *line; (line = strsep(lines, "\n"));) {
		char *json = strchr(line, '{');

		if (json)
			return json;
	}
	return NULL;
}

static void print_json(struct boot_record *r, FILE *to)
{
	struct json j = { .to = to };
	char at[32], *rest = r->events;

	json_object(&j, NULL);
	json_text(&j, "ended", state_words[r->state]);
	json_text(&j, "how", *r->how ? r->how : NULL);
	json_text(&j, "why", *r->why ? r->why : NULL);
	stamp(r->began_s, at);
	json_text(&j, "began", at);
	stamp(r->ended_s, at);
	json_text(&j, "at", r->ended_s ? at : NULL);
	json_int(&j, "uptime_ms", r->uptime_ms);
	json_int(&j, "boot", r->boots);
	json_int(&j, "failures", r->nfailures);
	json_bool(&j, "braked", r->braked);
	json_text(&j, "kernel", *r->kernel ? r->kernel : NULL);
	json_list(&j, "events");
	for (char *ev; (ev = next_event(&rest));)
		json_text(&j, NULL, ev);
	json_end(&j);
	json_end(&j);
}

static void print_kernel(struct boot_record *r, FILE *to)
{
	char *rest = r->kernel;

	fputs("the kernel's last words:\n", to);
	for (char *line; (line = strsep(&rest, "\n"));) {
		text_tame(line);
		if (*line)
			fprintf(to, "  %s\n", line);
	}
}

static void print_text(struct boot_record *r, FILE *to)
{
	char at[32], human[EVENT_MAX], *rest = r->events;

	if (r->state == RECORD_RUNS)
		fprintf(to, "boot %u was cut off: the power failed, or something reset the machine\n", r->boots);
	else
		fprintf(to, "boot %u ended with %s, %s\n", r->boots, r->how,
			r->state == RECORD_ASKED ? "as somebody asked for" : "for a failure");
	text_tame(r->why);
	if (*r->why)
		fprintf(to, "  why     %s\n", r->why);
	stamp(r->began_s, at);
	fprintf(to, "  began   %s\n", at);
	stamp(r->ended_s, at);
	if (r->ended_s)
		fprintf(to, "  ended   %s, after %lld.%03lld s\n", at, (long long)(r->uptime_ms / 1000),
			(long long)(r->uptime_ms % 1000));
	if (r->nfailures)
		fprintf(to, "  reboots for failure in a row: %u%s\n", r->nfailures,
			r->braked ? "; the brake held the machine" : "");
	if (*r->kernel)
		print_kernel(r, to);
	for (char *ev; (ev = next_event(&rest));) {
		event_human(ev, strlen(ev), human, sizeof human);
		text_tame(human);
		fprintf(to, "  %s\n", human);
	}
}

void last_boot_print(struct boot_record *r, bool as_json, FILE *to)
{
	if (as_json)
		print_json(r, to);
	else
		print_text(r, to);
}

int verb_last_boot(struct ctl *c)
{
	static struct boot_record r;
	owned_fd fd = open(LASTBOOT_FILE, O_RDONLY | O_CLOEXEC);
	struct err e;

	if (fd < 0 && errno == ENOENT)
		return ctl_say(c, FAILED, "nothing is known of the boot before: this is the first one, or "
			       "machine.last_boot names no place to keep it");
	if (fd < 0) {
		err_sys(&e, "read " LASTBOOT_FILE);
		return ctl_fail(c, FAILED, &e);
	}
	if (read(fd, &r, sizeof r) != sizeof r || r.state >= RECORD_STATES || !memchr(r.how, '\0', sizeof r.how) ||
	    !memchr(r.why, '\0', sizeof r.why) || !memchr(r.kernel, '\0', sizeof r.kernel) ||
	    !memchr(r.events, '\0', sizeof r.events))
		return ctl_say(c, FAILED, "%s: not as this prior writes it", LASTBOOT_FILE);
	last_boot_print(&r, has(c, OPT_JSON), stdout);
	return DONE;
}
