/* The rows behind types.h, and what must be true of the numbers in each record. */
/* SPDX-License-Identifier: ISC */
#include "netns/net.h"
#include "services/plan/type_rows.h"
#include "init/base/bpf.h"
#include "init/base/sum.h"
#include "services/spec/spec.h"
#include <linux/filter.h>
#include <linux/mount.h>
#include <string.h>
#include <sys/socket.h>

#define ATTRS (0x7fu | MOUNT_ATTR_NODIRATIME | 0x00200000u)
#define MOUNT_FLAGS (MOUNT_F_REC | MOUNT_F_CREATE | MOUNT_F_OPTIONAL | MOUNT_F_RUNTIME | MOUNT_F_OWN | MOUNT_F_HOSTS | \
		     MOUNT_F_DEVICE)
#define LANDLOCK_RIGHTS 0xffffull
#define CAPS_ALL ((1ull << 41) - 1)

const struct plan_type plan_string_type = { .name = "string", .size = 1, .align = 1, .is_string = true };
static const struct plan_type number32 = { .name = "number", .size = 4, .align = 4 };
static const struct plan_type number64 = { .name = "number", .size = 8, .align = 8 };
static const struct plan_type filter_type = TYPE(sock_filter, 0);

/* Arrays of strings: the element is itself a reference. */
static const struct plan_field word_fields[] = { { .name = "text", STRING } };
static const struct plan_field assign_fields[] = { { .name = "text", STRING, .text = TEXT_ASSIGN, .needed = 1 } };
static const struct plan_field template_fields[] = { { .name = "name", STRING, .text = TEXT_FULL, .needed = 1 } };
static const struct plan_type template_type = TYPE(plan_ref, FIELDS(template_fields));
static const struct plan_type word_type = TYPE(plan_ref, FIELDS(word_fields));
static const struct plan_type assign_type = TYPE(plan_ref, FIELDS(assign_fields));

static const struct plan_field sysctl_fields[] = {
	FIELD(plan_file, path, STRING, .text = TEXT_RELATIVE, .needed = 1),
	FIELD(plan_file, value, STRING),
};
static const struct plan_type sysctl_type = TYPE(plan_file, FIELDS(sysctl_fields));

static const struct plan_field limit_fields[] = {
	FIELD(plan_file, path, STRING, .text = TEXT_FILE, .needed = 1),
	FIELD(plan_file, value, STRING, .text = TEXT_FULL),
};
static const struct plan_type limit_type = TYPE(plan_file, FIELDS(limit_fields));

static const struct plan_field refused_fields[] = {
	FIELD(plan_refused, name, STRING, .text = TEXT_FULL, .needed = 1),
	FIELD(plan_refused, why, STRING),
};

static const char *refused_wrong(const struct plan *p, const void *record)
{
	uint32_t code = ((const struct plan_refused *)record)->exit_code;

	(void)p;
	return code && code != 126 && code != 127 ? "unknown exit code" : NULL;
}

static const struct plan_type refused_type = TYPE(plan_refused, FIELDS(refused_fields), .wrong = refused_wrong);

bool plan_addr_is_one(const struct plan_addr *a)
{
	return (a->family == AF_INET && a->prefix <= 32) || (a->family == AF_INET6 && a->prefix <= 128);
}

static const char *addr_wrong(const struct plan *p, const void *record)
{
	(void)p;
	return plan_addr_is_one(record) ? NULL : "neither an IPv4 nor an IPv6 address";
}

static const struct plan_type addr_type = TYPE(plan_addr, .wrong = addr_wrong);

static const struct plan_field bridge_fields[] = {
	FIELD(plan_bridge, name, STRING, .text = TEXT_INTERFACE, .needed = 1),
	FIELD(plan_bridge, addrs, .of = &addr_type, .max = PLAN_ADDRS_MAX),
};

static const char *bridge_wrong(const struct plan *p, const void *record)
{
	const struct plan_bridge *b = record;

	(void)p;
	return !plan_mtu_is_one(b->mtu) || b->flags & ~BRIDGE_NAT ? "its MTU or flags are out of range" : NULL;
}

static const struct plan_type bridge_type = TYPE(plan_bridge, FIELDS(bridge_fields), .wrong = bridge_wrong);

static const struct plan_field hosts_fields[] = {
	FIELD(plan_file, path, STRING, .text = TEXT_FILE, .needed = 1, .max = 16 * PLAN_LINKS_MAX),
	FIELD(plan_file, value, STRING, .text = TEXT_FULL, .needed = 1),
};
static const struct plan_type hosts_type = TYPE(plan_file, FIELDS(hosts_fields));

static const struct plan_type port_type = TYPE(plan_port, .wrong = plan_port_wrong);
static const struct plan_type egress_type = TYPE(plan_egress, .wrong = plan_egress_wrong);

static const struct plan_field link_fields[] = {
	FIELD(plan_link, bridge, STRING, .text = TEXT_INTERFACE),
	FIELD(plan_link, ifname, STRING, .text = TEXT_INTERFACE),
	FIELD(plan_link, parent, STRING, .text = TEXT_INTERFACE),
	FIELD(plan_link, addrs, .of = &addr_type, .max = 64),
	FIELD(plan_link, ports, .of = &port_type, .max = 1024),
	FIELD(plan_link, egress, .of = &egress_type, .max = 256),
};
static const struct plan_type link_type = TYPE(plan_link, FIELDS(link_fields), .wrong = plan_link_wrong);

static const struct plan_field interface_fields[] = {
	FIELD(plan_interface, name, STRING, .text = TEXT_INTERFACE, .needed = 1),
	FIELD(plan_interface, addrs, .of = &addr_type, .max = PLAN_ADDRS_MAX),
	FIELD(plan_interface, parent, STRING, .text = TEXT_INTERFACE),
	FIELD(plan_interface, match_mac, STRING, .max = 17),
	FIELD(plan_interface, match_driver, STRING, .max = 255),
	FIELD(plan_interface, match_path, STRING, .max = 255),
	FIELD(plan_interface, match_name, STRING, .max = 255),
};
static const struct plan_type interface_type =
	TYPE(plan_interface, FIELDS(interface_fields), .wrong = plan_interface_wrong);

static const char *dep_wrong(const struct plan *p, const void *record)
{
	const struct plan_dep *d = record;

	if (d->service >= p->head->services.n)
		return "there is no service of that number";
	return d->kind > DEP_CONFLICTS || d->condition > COND_COMPLETED ? "unknown kind or condition" : NULL;
}

static const struct plan_type dep_type = TYPE(plan_dep, .is_dep = true, .wrong = dep_wrong);

static const char *offset_wrong(const struct plan *p, const void *record)
{
	const struct plan_offset *o = record;

	(void)p;
	return o->offset < -93600 || o->offset > 93600 || o->from > INT64_C(1) << 40 ? "no offset of local time" : NULL;
}

static const struct plan_type offset_type = TYPE(plan_offset, .wrong = offset_wrong);

static const struct plan_field cron_fields[] = {
	FIELD(plan_cron, zone, .of = &offset_type, .needed = 1, .max = 512),
	FIELD(plan_cron, text, STRING),
};

static const char *cron_wrong(const struct plan *p, const void *record)
{
	const struct plan_cron *c = record;

	for (uint32_t i = 1; i < c->zone.n; i++)
		if (PLAN_FIRST(p, c->zone, struct plan_offset)[i].from <=
		    PLAN_FIRST(p, c->zone, struct plan_offset)[i - 1].from)
			return "its time zone goes back";
	return !c->seconds || !c->minutes || !c->hours || !c->days || !c->months || !c->weekdays ? "means no time" :
												   NULL;
}

static const struct plan_type cron_type = TYPE(plan_cron, FIELDS(cron_fields), .wrong = cron_wrong);

static const char *condition_wrong(const struct plan *p, const void *record)
{
	const struct plan_condition *c = record;

	if (c->kind >= CONDITIONS || c->negated > 1)
		return "unknown kind";
	return c->kind != CONDITION_KERNEL_COMMAND_LINE && plan_str(p, c->value)[0] != '/' ? "its path is relative" :
											     NULL;
}

static const struct plan_field condition_fields[] = {
	FIELD(plan_condition, value, STRING, .text = TEXT_FULL, .needed = 1),
};
static const struct plan_type condition_type =
	TYPE(plan_condition, FIELDS(condition_fields), .wrong = condition_wrong);

static const struct plan_type connections_type = TYPE(plan_connections, .wrong = plan_connections_wrong);

static const char *mount_wrong(const struct plan *p, const void *record)
{
	const struct plan_mount *m = record;

	if (m->kind >= MOUNT_KINDS || m->flags & ~MOUNT_FLAGS)
		return "unknown kind or flag";
	if ((m->attr | m->clear) & ~(uint64_t)ATTRS || (m->clear && m->kind != MOUNT_REMOUNT))
		return "unknown attribute";
	if (m->kind == MOUNT_BIND && !m->source.n)
		return "bound from nowhere";
	if (m->flags & MOUNT_F_HOSTS && (m->kind != MOUNT_BIND || strncmp(plan_str(p, m->source), HOSTS_DIR,
									  strlen(HOSTS_DIR))))
		return "names that are not prior's";
	if (m->flags & MOUNT_F_DEVICE && (m->kind != MOUNT_BIND || strncmp(plan_str(p, m->source), "/dev/", 5)))
		return "a device that is none";
	return NULL;
}

static const struct plan_field mount_fields[] = {
	FIELD(plan_mount, source, STRING, .text = TEXT_INSIDE),
	FIELD(plan_mount, target, STRING, .text = TEXT_INSIDE, .needed = 1),
	FIELD(plan_mount, data, STRING),
};
static const struct plan_type mount_type = TYPE(plan_mount, FIELDS(mount_fields), .wrong = mount_wrong);

static const struct plan_field credential_fields[] = {
	FIELD(plan_file, path, STRING, .text = TEXT_FILE, .needed = 1),
	FIELD(plan_file, value, STRING, .text = TEXT_INSIDE, .needed = 1),
};
static const struct plan_type credential_type = TYPE(plan_file, FIELDS(credential_fields));

static const char *dir_wrong(const struct plan *p, const void *record)
{
	const struct plan_dir *d = record;

	(void)p;
	return d->kind >= DIR_KINDS || d->mode > 07777 || d->flags & ~(DIR_F_PRIVATE | DIR_F_KEEP)
		       ? "unknown kind, mode or flag" : NULL;
}

static const struct plan_field dir_fields[] = {
	FIELD(plan_dir, base, STRING, .text = TEXT_INSIDE, .needed = 1),
	FIELD(plan_dir, name, STRING, .text = TEXT_RELATIVE, .needed = 1),
};
static const struct plan_type dir_type = TYPE(plan_dir, FIELDS(dir_fields), .wrong = dir_wrong);

static const char *rlimit_wrong(const struct plan *p, const void *record)
{
	const struct plan_rlimit *r = record;

	(void)p;
	return r->resource >= SPEC_RLIMITS || r->soft > r->hard ? "no such limit, or soft is above hard" : NULL;
}

static const struct plan_type rlimit_type = TYPE(plan_rlimit, .wrong = rlimit_wrong);

static const char *landlock_wrong(const struct plan *p, const void *record)
{
	const struct plan_landlock *l = record;

	(void)p;
	return !l->access || l->access & ~LANDLOCK_RIGHTS ? "unknown access right" : NULL;
}

static const struct plan_field landlock_fields[] = {
	FIELD(plan_landlock, path, STRING, .text = TEXT_INSIDE, .needed = 1),
};
static const struct plan_type landlock_type =
	TYPE(plan_landlock, FIELDS(landlock_fields), .wrong = landlock_wrong);

static const char *device_wrong(const struct plan *p, const void *record)
{
	const struct device_rule *d = record;

	(void)p;
	return (d->type != DEVICE_ANY && d->type != DEVICE_BLOCK && d->type != DEVICE_CHARACTER) || !d->access ||
	       d->access > DEVICE_ALL ? "no such kind of device or access" : NULL;
}

static const struct plan_type device_type = TYPE(device_rule, .wrong = device_wrong);

static const char *care_wrong(const struct plan *p, const void *record)
{
	const struct plan_care *c = record;
	const bool by_network = c->check_kind == HEALTH_BY_HTTP || c->check_kind == HEALTH_BY_TCP;

	(void)p;
	if (c->check_kind > HEALTH_BY_TCP || (c->check_kind && (!c->interval_ms || !c->timeout_ms || !c->retries)))
		return "its health check is unknown, or has no time";
	if (by_network && (!plan_addr_is_one(&c->check_addr) || !c->check_port))
		return "its health check has no address";
	if ((c->check_kind == HEALTH_BY_EXEC) != (c->command[CARE_TEST].argv.n != 0) ||
	    (c->check_kind == HEALTH_BY_HTTP && c->http_path.n == 0))
		return "its health check has no test";
	for (unsigned i = 0; i < CARE_COMMANDS; i++)
		if (!c->command[i].argv.n != !c->command[i].exe.n)
			return "a command of it has no program";
	return c->fd_store_max > CARE_STORE_MAX || c->ready_fd < 0 || c->ready_fd > 1023 ||
	       (c->ready_fd && c->ready_fd < 3) ? "a number of its care is out of range" : NULL;
}

#define COMMAND_FIELDS(i) \
	FIELD(plan_care, command[i].argv, .of = &word_type, .max = 65536), \
	FIELD(plan_care, command[i].exe, STRING, .text = TEXT_ABSOLUTE)

static const struct plan_field care_fields[] = {
	COMMAND_FIELDS(CARE_PRE_START), COMMAND_FIELDS(CARE_POST_START), COMMAND_FIELDS(CARE_PRE_STOP),
	COMMAND_FIELDS(CARE_POST_STOP), COMMAND_FIELDS(CARE_TEST),
	FIELD(plan_care, pid_file, STRING, .text = TEXT_INSIDE),
	FIELD(plan_care, on_failure, .of = &dep_type, .max = 1),
	FIELD(plan_care, http_path, STRING),
	FIELD(plan_care, http_host, STRING),
};
static const struct plan_type care_type = TYPE(plan_care, FIELDS(care_fields), .wrong = care_wrong);

/* One row per rule about a service's numbers; the reason is what is true when the service is wrong. */
static bool supervision_is_out_of_range(const struct plan_service *s)
{
	return s->type > TYPE_FORKING || s->ready > READY_NOTIFY_RELOAD || s->restart > RESTART_UNLESS_STOPPED ||
	       s->on_failure > ON_FAILURE_START || s->device_gone > DEVICE_GONE_KEEP || s->log_sink > SINK_NONE ||
	       s->log_forward > 15 || s->log_facility > 23 || s->log_level > 7 ||
	       !(s->log_forward & 1) != !s->log_socket.n || s->preset >= PRESETS;
}

static bool flags_contradict(const struct plan_service *s)
{
	uint32_t f = s->flags;

	return f >> 31 || (f & CELL_NOTIFY_MAIN && !(f & CELL_NOTIFY)) ||
	       (f & CELL_SECCOMP_LOG && !(f & CELL_SECCOMP)) ||
	       (f & CELL_USER && f & CELL_USER_FIRST) || !(f & CELL_SECCOMP) != !s->seccomp.n ||
	       !(f & CELL_ROOT_TREE) != !s->root.n || !(f & CELL_ROOT_IMAGE) != !s->root_type.n ||
	       (s->devices.n && !(f & CELL_DEVICES)) || s->inet > 3 || (s->inet && !(f & CELL_SOCKETS)) ||
	       (f & CELL_ROOT_IMAGE && !(f & CELL_ROOT_TREE)) || (s->mounts.n && !(f & CELL_MOUNT)) ||
	       (s->landlock.n && !(f & CELL_LANDLOCK)) || (s->hostname.n && !(f & CELL_UTS)) ||
	       (f & CELL_ROOT_TREE && !(f & CELL_MOUNT)) || (s->root_digest.n && !(f & CELL_ROOT_IMAGE)) ||
	       ((s->landlock_net || s->landlock_scope || s->landlock_abi) && !(f & CELL_LANDLOCK)) ||
	       (f & (CELL_SECCOMP | CELL_LANDLOCK) && !(f & CELL_NNP));
}

static bool numbers_are_out_of_range(const struct plan_service *s)
{
	return s->stop_signal < 1 || s->stop_signal > 64 || s->reload_signal < 0 || s->reload_signal > 64 ||
	       s->uid == UINT32_MAX || s->gid == UINT32_MAX ||
	       s->umask > 0777 || s->caps & ~CAPS_ALL || s->landlock_net > 3 || s->landlock_scope > 3 ||
	       (s->nice != INT32_MIN && (s->nice < -20 || s->nice > 19)) ||
	       (s->oom_score_adj != INT32_MIN && (s->oom_score_adj < -1000 || s->oom_score_adj > 1000));
}

/* One that is another's, or stays. */
static bool network_is_wrong(const struct plan *p, const struct plan_service *s)
{
	const struct plan_service *o = plan_network(p, s);
	const bool first = (s->flags | o->flags) & CELL_USER_FIRST, keeps = s->flags & CELL_NET_KEEP;

	PLAN_EACH(struct plan_link, l, p, s->links)
		if (l->parent.n && s->links.n > 1)	/* no rules hold there: see check_several() */
			return true;
	return (s->links.n && !(s->flags & CELL_NET)) ||
	       ((keeps || o != s) && (!(s->flags & o->flags & CELL_NET) || first || s->runtime_kind ||
				      o->runtime_kind)) ||
	       (o != s && (s->links.n || o->share.n || keeps));
}

/* A slot has one connection and a base that has connections; whoever has these accepts at all of its sockets. */
static bool connections_contradict(const struct plan *p, const struct plan_service *s)
{
	const struct plan_dep *base = s->base.n ? PLAN_FIRST(p, s->base, struct plan_dep) : NULL;

	PLAN_EACH(struct plan_listen, l, p, s->listen)
		if ((l->kind == LISTEN_CONNECTION) != (base != NULL) || (l->in_cell && !(s->flags & CELL_NET)) ||
		    (l->activate == ACTIVATE_CONNECTION) != (s->connections.n != 0))
			return true;
	return (base && (s->listen.n != 1 || s->connections.n || !plan_service(p, base->service)->connections.n)) ||
	       (s->connections.n && !s->listen.n);
}

static const char *service_wrong(const struct plan *p, const void *record)
{
	const struct plan_service *s = record;

	if (supervision_is_out_of_range(s))
		return "a word of its supervision is unknown";
	if (flags_contradict(s))
		return "its flags contradict its tables";
	if (numbers_are_out_of_range(s))
		return "a number is out of range";
	if (network_is_wrong(p, s))
		return "its interfaces or its shared network is wrong";
	if (connections_contradict(p, s))
		return "its sockets and its connections do not belong together";
	if (s->runtime_kind >= OCI_RUNTIMES || !s->runtime_kind != !s->runtime.n || !s->runtime.n != !s->bundle.n ||
	    (s->runtime_kind && !(s->flags & CELL_MOUNT)))
		return "its runtime and its bundle do not belong together";
	if (!s->seccomp.n)
		return NULL;
	const char *why = plan_filter_wrong(plan_array(p, s->seccomp), s->seccomp.n);

	if (!why && s->seccomp_sum != sum_more(SUM_START, plan_array(p, s->seccomp),
					       s->seccomp.n * sizeof(struct sock_filter)))
		why = "its filter and the filter's sum differ";
	return why;
}

static const struct plan_field service_fields[] = {
	FIELD(plan_service, name, STRING, .text = TEXT_SERVICE, .needed = 1),
	FIELD(plan_service, care, .of = &care_type, .max = 1),
	FIELD(plan_service, deps, .of = &dep_type),
	FIELD(plan_service, cron, .of = &cron_type, .max = 1),
	FIELD(plan_service, conditions, .of = &condition_type, .max = 64),
	FIELD(plan_service, needs_devices, .of = &plan_device_path_type, .max = 16),
	FIELD(plan_service, listen, .of = &plan_listen_type, .max = 16),
	FIELD(plan_service, log_identifier, STRING, .max = 64),
	FIELD(plan_service, log_socket, STRING, .text = TEXT_ABSOLUTE, .max = 108),
	FIELD(plan_service, connections, .of = &connections_type, .max = 1),
	FIELD(plan_service, base, .of = &dep_type, .max = 1),
	FIELD(plan_service, argv, .of = &word_type, .needed = 1, .max = 65536),
	FIELD(plan_service, env, .of = &assign_type, .max = 65536),
	FIELD(plan_service, exe, STRING, .text = TEXT_ABSOLUTE, .needed = 1),
	FIELD(plan_service, cwd, STRING, .text = TEXT_ABSOLUTE),
	FIELD(plan_service, groups, .of = &number32, .max = 65536),
	FIELD(plan_service, root, STRING, .text = TEXT_INSIDE),
	FIELD(plan_service, root_type, STRING, .max = 16), FIELD(plan_service, root_digest, STRING, .max = 128),
	FIELD(plan_service, mounts, .of = &mount_type, .max = 4096),
	FIELD(plan_service, hostname, STRING, .max = 64),
	FIELD(plan_service, rlimits, .of = &rlimit_type, .max = SPEC_RLIMITS),
	FIELD(plan_service, landlock, .of = &landlock_type, .max = 4096),
	FIELD(plan_service, seccomp, .of = &filter_type, .max = BPF_MAXINSNS),
	FIELD(plan_service, cgroup_root, STRING, .text = TEXT_ABSOLUTE),
	FIELD(plan_service, cgroup, .of = &limit_type, .max = 64),
	FIELD(plan_service, devices, .of = &device_type, .max = DEVICE_RULES_MAX),
	FIELD(plan_service, affinity, .of = &number64, .max = 128),
	FIELD(plan_service, links, .of = &link_type, .max = PLAN_LINKS_MAX),
	FIELD(plan_service, share, .of = &dep_type, .max = 1),
	FIELD(plan_service, dirs, .of = &dir_type, .max = 160),
	FIELD(plan_service, credentials, .of = &credential_type, .max = 64),
	FIELD(plan_service, apparmor, STRING, .text = TEXT_FULL, .max = 255),
	FIELD(plan_service, selinux, STRING, .text = TEXT_FULL, .max = 255),
	FIELD(plan_service, runtime, STRING, .text = TEXT_ABSOLUTE),
	FIELD(plan_service, bundle, STRING),
	FIELD(plan_service, note, STRING),
};
const struct plan_type plan_service_type =
	TYPE(plan_service, FIELDS(service_fields), .wrong = service_wrong);

/* Numbers of services, ascending. */
static bool are_services(const struct plan *p, struct plan_ref r)
{
	const uint32_t *v = PLAN_FIRST(p, r, uint32_t);

	for (uint32_t i = 0; i < r.n; i++)
		if (v[i] >= p->head->services.n || (i && v[i] <= v[i - 1]))
			return false;
	return true;
}

static const char *head_wrong(const struct plan *p, const void *record)
{
	const struct plan_head *h = record;

	if (!are_services(p, h->asked))
		return "an instance that was asked for is no service";
	if (!are_services(p, h->disabled))
		return "what is disabled is no service";
	if (h->fstab > 1)
		return "fstab is neither 0 nor 1";
	if (h->metrics.n && PLAN_FIRST(p, h->metrics, struct plan_listen)->kind != LISTEN_TCP)
		return "its endpoint is no TCP socket";
	return h->emergency > 3 || h->brake_then > 3 || h->slots_by >= SLOTS_BY_KINDS || h->slots_tries > 99 ||
	       h->power_button >= BUTTON_WORDS || h->flags & ~PLAN_F_CONTAINER || h->start_order.n != h->services.n
		       ? "a number in its head is out of range" : NULL;
}

static const struct plan_field head_fields[] = {
	FIELD(plan_head, bridges, .of = &bridge_type, .max = 1024),	/* before services, which name them */
	FIELD(plan_head, services, .of = &plan_service_type, .max = PLAN_SERVICES_MAX),
	FIELD(plan_head, start_order, .of = &number32, .max = PLAN_SERVICES_MAX),
	FIELD(plan_head, hosts, .of = &hosts_type, .max = 1024 + PLAN_SERVICES_MAX),
	FIELD(plan_head, interfaces, .of = &interface_type, .max = 1024),
	FIELD(plan_head, nameservers, .of = &word_type, .max = 64),
	FIELD(plan_head, modules, .of = &word_type, .max = 4096),
	FIELD(plan_head, sysctls, .of = &sysctl_type, .max = 4096),
	FIELD(plan_head, mounts, .of = &plan_fstab_type, .max = 4096),
	FIELD(plan_head, device_rules, .of = &plan_device_rule_type, .max = 256),
	FIELD(plan_head, boot_slots, .of = &plan_boot_slot_type, .max = 8),
	FIELD(plan_head, boot_env, .of = &plan_boot_env_type, .max = 2),
	FIELD(plan_head, slots_at, STRING, .max = 255),
	FIELD(plan_head, slots_hook, .of = &word_type, .max = 64),
	FIELD(plan_head, hostname, STRING, .max = 64),
	FIELD(plan_head, console, STRING, .max = 255),
	FIELD(plan_head, random_seed, STRING, .text = TEXT_INSIDE, .max = 255),
	FIELD(plan_head, last_boot, STRING, .max = 255),
	FIELD(plan_head, rtc, STRING, .max = 8),
	FIELD(plan_head, watchdog_device, STRING, .text = TEXT_INSIDE, .max = 255),
	FIELD(plan_head, root_device, STRING, .max = 255),
	FIELD(plan_head, root_type, STRING, .max = 31),
	FIELD(plan_head, root_options, STRING, .max = 511),
	FIELD(plan_head, root_verity, STRING, .max = 135),
	FIELD(plan_head, root_overlay, STRING, .max = 255),
	FIELD(plan_head, console_shell, .of = &word_type, .max = 4096),
	FIELD(plan_head, refused, .of = &refused_type, .max = PLAN_SERVICES_MAX),
	FIELD(plan_head, templates, .of = &template_type, .max = PLAN_SERVICES_MAX),
	FIELD(plan_head, asked, .of = &number32, .max = PLAN_SERVICES_MAX),
	FIELD(plan_head, metrics, .of = &plan_listen_type, .max = 1),
	FIELD(plan_head, disabled, .of = &number32, .max = PLAN_SERVICES_MAX),
};
const struct plan_type plan_head_type = TYPE(plan_head, FIELDS(head_fields), .wrong = head_wrong);
