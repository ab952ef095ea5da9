/* What follows from what is given: defaults that depend on other keys, spellings joined, sets of capabilities. */
/* SPDX-License-Identifier: ISC */
#include "services/spec/caps.h"
#include "services/spec/load.h"
#include <string.h>

static void set_origin(struct load *l, struct spec_service *svc, const void *field, struct origin at)
{
	const struct conf_index *x = service_index();
	const struct conf_key *k = conf_row_at(x, (size_t)((const char *)field - (const char *)svc));

	origins_set(&svc->origins, &l->s->arena, conf_number(x, k), at);
}

static bool is_from_file(const struct spec_service *svc, const void *field)
{
	return spec_from(svc, field).kind == FROM_FILE;
}

/* Compose's way: the entrypoint is the program, the command its arguments. */
static void join_command(struct load *l, struct spec_service *svc)
{
	struct str_list a = svc->entrypoint, b = svc->command, both = { 0 };

	if (a.n == 0)
		return;
	both.v = arena_get(&l->s->arena, (a.n + b.n + 1) * sizeof *both.v);
	if (!both.v)
		return;	/* the next thing that needs memory says so */
	memcpy(both.v, a.v, a.n * sizeof *a.v);
	if (b.n)
		memcpy(both.v + a.n, b.v, b.n * sizeof *b.v);
	both.n = a.n + b.n;
	svc->command = both;
	svc->entrypoint = (struct str_list){ 0 };
	const struct conf_key *k = conf_row(service_keys, "entrypoint");

	set_origin(l, svc, &svc->command, origins_get(&svc->origins, conf_number(service_index(), k)));
}

/* A user by name is stronger than a preset's wish for a dynamic one. */
static void choose_user(struct load *l, struct spec_service *svc)
{
	if (!svc->user || !svc->dynamic_user || is_from_file(svc, &svc->dynamic_user))
		return;
	svc->dynamic_user = false;
	set_origin(l, svc, &svc->dynamic_user, spec_from(svc, &svc->user));
}

/* strict has no network but loopback, so no use for internet sockets; whoever gives it a network wants them, too. */
static void choose_families(struct load *l, struct spec_service *svc)
{
	static const char *const more[] = { "inet", "inet6" };
	struct str_list *f = &svc->restrict_address_families, both = { 0 };

	if (svc->preset != PRESET_STRICT || spec_from(svc, f).kind != FROM_PRESET ||
	    !(is_from_file(svc, &svc->network.mode) || is_from_file(svc, &svc->network.link.bridge)))
		return;
	both.v = arena_get(&l->s->arena, (f->n + 3) * sizeof *both.v);
	if (!both.v)
		return;
	memcpy(both.v, f->v, f->n * sizeof *f->v);
	memcpy(both.v + f->n, more, sizeof more);
	both.n = f->n + 2;
	*f = both;
	set_origin(l, svc, f, spec_from(svc, is_from_file(svc, &svc->network.mode) ? (const void *)&svc->network.mode :
					     &svc->network.link.bridge));
}

/* A key that needs a namespace brings it, unless the file says no to the namespace (check.c then refuses the key). */
static void imply(struct load *l, struct spec_service *svc, bool *namespace, bool needed, const void *by)
{
	if (!needed || *namespace || is_from_file(svc, namespace))
		return;
	*namespace = true;
	set_origin(l, svc, namespace, spec_from(svc, by));
}

const struct spec_need *spec_needs(const struct spec_service *svc, struct spec_need v[static SPEC_NEEDS])
{
	const struct spec_need all[SPEC_NEEDS] = {
		{ "isolation.rootfs", &svc->rootfs, svc->rootfs != NULL },
		{ "isolation.readonly_rootfs", &svc->readonly_rootfs, svc->readonly_rootfs },
		{ "isolation.volumes", &svc->volumes, svc->volumes.n > 0 },
		{ "isolation.tmpfs", &svc->tmpfs, svc->tmpfs.n > 0 },
		{ "isolation.devices", &svc->devices, svc->devices.n > 0 },
		{ "isolation.private_tmp", &svc->private_tmp, svc->private_tmp },
		{ "isolation.private_devices", &svc->private_devices, svc->private_devices },
		{ "isolation.protect_system", &svc->protect_system, svc->protect_system != PROTECT_SYSTEM_NO },
		{ "isolation.protect_home", &svc->protect_home, svc->protect_home != PROTECT_HOME_NO },
		{ "isolation.protect_proc", &svc->protect_proc, svc->protect_proc != PROC_DEFAULT },
		{ "isolation.proc_subset", &svc->proc_subset, svc->proc_subset != SUBSET_ALL },
		{ "isolation.protect_kernel_tunables", &svc->protect_kernel_tunables, svc->protect_kernel_tunables },
		{ "isolation.protect_control_groups", &svc->protect_control_groups, svc->protect_control_groups },
		{ "isolation.read_only_paths", &svc->read_only_paths, svc->read_only_paths.n > 0 },
		{ "isolation.inaccessible_paths", &svc->inaccessible_paths, svc->inaccessible_paths.n > 0 },
		{ "limits.shm_size", &svc->shm_size, svc->shm_size != 0 },
	};

	memcpy(v, all, sizeof all);
	return v;
}

/* An instance's as OCI runtimes know it: a host's name has no '@'. */
static const char *host_name(struct load *l, const struct spec_service *svc)
{
	char *name = strchr(svc->name, '@') ? arena_copy(&l->s->arena, svc->name, strlen(svc->name)) : NULL;

	if (name)
		*strchr(name, '@') = '-';
	return name ? name : svc->name;
}

static void imply_namespaces(struct load *l, struct spec_service *svc)
{
	struct spec_need needs[SPEC_NEEDS];

	spec_needs(svc, needs);
	for (unsigned i = 0; i < SPEC_NEEDS; i++)
		imply(l, svc, &svc->ns_mount, needs[i].on, needs[i].field);
	imply(l, svc, &svc->ns_ipc, svc->private_ipc, &svc->private_ipc);
	imply(l, svc, &svc->ns_uts, svc->hostname != NULL, &svc->hostname);
	if (svc->ns_uts && !svc->hostname && strlen(svc->name) <= 63 && !strchr(svc->name, '_'))
		svc->hostname = host_name(l, svc);
}

static void resolve_caps(struct spec_service *svc)
{
	uint64_t keep = CAPS_ALL, add = 0;

	for (unsigned i = 0; i < svc->cap_drop.n; i++) {
		int c = cap_number(svc->cap_drop.v[i]);

		keep = c == (int)CAPS_KNOWN ? 0 : c >= 0 ? keep & ~(UINT64_C(1) << c) : keep;
	}
	for (unsigned i = 0; i < svc->cap_add.n; i++) {
		int c = cap_number(svc->cap_add.v[i]);

		add = c == (int)CAPS_KNOWN ? CAPS_ALL : c >= 0 ? add | UINT64_C(1) << c : add;
	}
	svc->caps_added = add;
	svc->caps = keep | add;
}

void resolve_service(struct load *l, struct spec_service *svc)
{
	svc->preset_given = is_from_file(svc, &svc->preset);
	if (svc->type == TYPE_ONESHOT && spec_from(svc, &svc->restart).kind == FROM_DEFAULT)
		svc->restart = RESTART_NO;
	join_command(l, svc);
	choose_user(l, svc);
	choose_families(l, svc);
	imply_namespaces(l, svc);
	resolve_caps(svc);
	for (unsigned i = 0; i < svc->listen.n; i++)
		if (!svc->listen.v[i].name)
			svc->listen.v[i].name = svc->name;
}
