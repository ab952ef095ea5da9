/* What a service comes to: all of it with where each value is from, or the short table of its isolation. */
/* SPDX-License-Identifier: ISC */
#include "services/spec/caps.h"
#include "services/spec/rows.h"
#include <errno.h>
#include <string.h>

static const char *origin_text(struct conf_out *o, struct origin at)
{
	return spec_origin_text(o->owner, at);
}

static struct spec_service *find(struct spec *s, const char *service, struct err *e)
{
	struct spec_service *svc = spec_find(s, service);
	const char *best = NULL;
	unsigned least = 99, d;

	if (svc)
		return svc;
	if (spec_name_kind(service) == NAME_TEMPLATE && spec_template_of(s, service)) {
		err_set(e, ENOENT, "%s is a template; ask for an instance of it, such as %s1", service, service);
		return NULL;
	}
	for (unsigned i = 0; i < s->nservices; i++)
		if (value_is_near(service, s->services[i].name, &d) && d < least) {
			least = d;
			best = s->services[i].name;
		}
	err_set(e, ENOENT, "there is no service '%.64s'%s%s%s", service, best ? " (did you mean '" : "",
		best ? best : "", best ? "'?)" : "");
	return NULL;
}

static struct conf_out out_to(struct spec *s, const struct spec_service *svc, FILE *to, enum conf_form form)
{
	return (struct conf_out){ .to = to, .form = form, .depth = 1, .index = service_index(),
				  .origins = &svc->origins, .origin_text = origin_text, .owner = s };
}

static void show_json(struct spec *s, const struct spec_service *svc, FILE *to)
{
	struct conf_out config = out_to(s, svc, to, CONF_FORM_JSON), from = out_to(s, svc, to, CONF_FORM_FROM);

	fputs("{\n  \"service\": ", to);
	conf_put_text(&config, svc->name);
	fputs(",\n  \"config\": ", to);
	conf_print(&config, service_keys, svc);
	fputs(",\n  \"from\": ", to);
	conf_print(&from, service_keys, svc);
	fputs("\n}\n", to);
}

int spec_show(struct spec *s, const char *service, bool json, FILE *to, struct err *e)
{
	const struct spec_service *svc = find(s, service, e);
	struct conf_out o;

	if (!svc)
		return -e->code;
	if (json) {
		show_json(s, svc, to);
		return 0;
	}
	o = out_to(s, svc, to, CONF_FORM_YAML);
	fputs("services:\n  ", to);
	conf_put_text(&o, svc->name);
	fprintf(to, ":  # %s\n", spec_origin_text(s, svc->from));
	conf_print(&o, service_keys, svc);
	return 0;
}

/* The short table, as lines or as one JSON object. */
struct short_table {
	struct conf_out out;
	bool json, begun;
};

static void row(struct short_table *t, const char *name, const char *key, const char *value)
{
	if (!t->json) {
		fprintf(t->out.to, "  %-14s%s\n", name, value);
		return;
	}
	fprintf(t->out.to, "%s\n  \"%s\": ", t->begun ? "," : "{", key);
	conf_put_text(&t->out, value);
	t->begun = true;
}

static const char *namespaces_text(const struct spec_service *svc, char *buf, size_t size)
{
	const struct {
		const char *name;
		bool on;
	} all[] = {
		{ svc->ns_user == USER_NS_FIRST ? "user (first)" : "user", svc->ns_user != USER_NS_NO },
		{ "pid", svc->ns_pid }, { "mount", svc->ns_mount }, { "network", svc->network.mode != 0 },
			{ "ipc", svc->ns_ipc },
		{ "uts", svc->ns_uts }, { "cgroup", svc->ns_cgroup }, { "time", svc->ns_time },
	};
	struct text t = { .at = buf, .size = size };

	text_add(&t, "");
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (all[i].on)
			text_fmt(&t, "%s%s", t.n ? ", " : "", all[i].name);
	return t.n ? buf : "none";
}

/* The shorter of "none", "all", the kept ones, "all but" the dropped ones. */
static const char *caps_text(const struct spec_service *svc, char *buf, size_t size)
{
	bool root = !svc->dynamic_user && (!svc->user || !strcmp(svc->user, "root") || !strcmp(svc->user, "0"));
	uint64_t caps = root ? svc->caps : svc->caps_added;
	bool most = __builtin_popcountll(caps) > 20;
	struct text t = { .at = buf, .size = size };

	if (caps == 0)
		return "none";
	if (caps == CAPS_ALL)
		return "all";
	text_add(&t, most ? "all but " : "");
	for (unsigned i = 0, n = 0; i < CAPS_KNOWN; i++)
		if ((caps >> i & 1) != most)
			text_fmt(&t, "%s%s", n++ ? ", " : "", cap_name(i));
	return buf;
}

static const char *size_or(uint64_t v, const char *otherwise, char buf[static VALUE_TEXT])
{
	return v == 0 ? otherwise : v == VALUE_MAX ? "unlimited" : value_size_text(v, buf);
}

static const char *memory_text(const struct spec_service *svc, char *buf, size_t size)
{
	char a[VALUE_TEXT], b[VALUE_TEXT];

	if (!svc->memory_max && !svc->memory_high)
		return "unlimited";
	if (!svc->memory_high)
		snprintf(buf, size, "%s (max)", size_or(svc->memory_max, "", a));
	else if (!svc->memory_max)
		snprintf(buf, size, "%s (high)", size_or(svc->memory_high, "", b));
	else
		snprintf(buf, size, "%s (max), %s (high)", size_or(svc->memory_max, "", a),
			size_or(svc->memory_high, "", b));
	return buf;
}

static const char *cpu_text(const struct spec_service *svc, char *buf, size_t size)
{
	uint64_t q = svc->cpu_quota_us, p = svc->cpu_period_us;

	if (q == 0 || q == VALUE_MAX)
		return "unlimited";
	if (q * 100 % p == 0)
		snprintf(buf, size, "%llu%%", (unsigned long long)(q * 100 / p));
	else
		snprintf(buf, size, "%.1f%%", (double)q * 100 / (double)p);
	return buf;
}

static const char *seccomp_text(const struct spec_service *svc)
{
	static const char *const words[] = { "none", "@system-service", "strict" };

	return svc->seccomp == SECCOMP_CUSTOM ? svc->seccomp_path : words[svc->seccomp];
}

static const char *pids_text(const struct spec_service *svc, char *buf, size_t size)
{
	if (svc->pids_max == UNSET_NUM || svc->pids_max == -1)
		return "unlimited";
	snprintf(buf, size, "%lld", (long long)svc->pids_max);
	return buf;
}

int spec_show_isolation(struct spec *s, const char *service, bool json, FILE *to, struct err *e)
{
	const struct spec_service *svc = find(s, service, e);
	char buf[1500];

	if (!svc)
		return -e->code;
	struct short_table t = { .out = out_to(s, svc, to, CONF_FORM_JSON), .json = json };

	if (json)
		row(&t, "Service:", "service", svc->name);
	row(&t, "Preset:", "preset", preset_names[svc->preset]);
	row(&t, "DynamicUser:", "dynamic_user", svc->dynamic_user ? "yes" : "no");
	row(&t, "Seccomp:", "seccomp", seccomp_text(svc));
	row(&t, "Capabilities:", "capabilities", caps_text(svc, buf, sizeof buf));
	row(&t, "Namespaces:", "namespaces", namespaces_text(svc, buf, sizeof buf));
	row(&t, "Memory:", "memory", memory_text(svc, buf, sizeof buf));
	row(&t, "CPU:", "cpu", cpu_text(svc, buf, sizeof buf));
	row(&t, "PIDs:", "pids", pids_text(svc, buf, sizeof buf));
	if (json)
		fputs("\n}\n", to);
	return 0;
}
