/* The rows of a service's cell: what it sees (isolation) and what it may do (security). */
/* SPDX-License-Identifier: ISC */
#include "services/spec/rows.h"

#define F(f, ctype) CONF_FIELD(struct spec_service, f, ctype)
#define BOOL(f) .type = CONF_BOOL, F(f, bool), .def = "false", .example = "true"
#define BOOL_OFF(f) .type = CONF_BOOL, F(f, bool), .def = "false"
#define WORD(f, list) .type = CONF_WORD, F(f, unsigned), .words = (list)
#define TEXT(f) .type = CONF_TEXT, F(f, const char *)
#define PATH(f) .type = CONF_PATH, F(f, const char *)
#define LIST(f) .type = CONF_LIST, F(f, struct str_list)
#define PAIRS(f) .type = CONF_PAIRS, F(f, struct pair_list)
#define ALIAS(path) .type = CONF_CUSTOM, .alias = (path), .doc = "Another spelling of " path "."

const char *const preset_names[PRESETS + 1] = { "none", "minimal", "server", "strict", "worker", "database",
	"contained", NULL };
static const char *const user_words[] = { "false", "true", "first", NULL };
static const char *const network_words[] = { "false", "true", NULL };
static const char *const link_words[] = { "default", "private", "vepa", "bridge", "l2", "l3", "l3s", NULL };
static const char *const system_words[] = { "no", "yes", "full", "strict", NULL };
static const char *const home_words[] = { "no", "yes", "read-only", "tmpfs", NULL };
static const char *const proc_words[] = { "default", "noaccess", "invisible", "ptraceable", NULL };
static const char *const subset_words[] = { "all", "pid", NULL };
static const char *const seccomp_words[] = { "none", "default", "strict", NULL };
static const char *const action_words[] = { "errno", "kill", "log", NULL };
static const char *const runtime_words[] = { "", "runsc", "crun", "runc", NULL };

/* What is said of each interface, the first and those in `also`: FIELD names its place, EXAMPLE is for the first. */
#define LINK_KEYS(FIELD, EXAMPLE) \
	{ "bridge", .type = CONF_TEXT, FIELD(bridge, const char *), .check = interface_rule, \
	  .doc = "Bridge of the machine's network to be attached to.", EXAMPLE("prior0") }, \
	{ "macvlan", .type = CONF_TEXT, FIELD(macvlan, const char *), .check = interface_rule, \
	  .doc = "Interface of the machine on which it has one of its own, with a MAC address from its name: a host " \
		 "of that network beside the machine; its addresses must be given, and the rules of prior do not " \
		 "hold there, so it is the only interface of a service." }, \
	{ "ipvlan", .type = CONF_TEXT, FIELD(ipvlan, const char *), .check = interface_rule, \
	  .doc = "The same with the interface's own MAC address." }, \
	{ "mode", .type = CONF_WORD, FIELD(upper, unsigned), .words = link_words, .def = "default", \
	  .doc = "Of a macvlan: private, vepa, bridge (the default); of an ipvlan: l2 (the default), l3, l3s." }, \
	{ "address", .type = CONF_LIST, FIELD(addresses, struct str_list), .check = cell_prefixes_rule, \
	  .doc = "Addresses with prefix length, one or a list; when absent, one of each of the bridge's subnets, by " \
		 "the service's name, the same ever after.", EXAMPLE("10.88.0.2/24") }, \
	{ "gateway", .type = CONF_TEXT, FIELD(gateway, const char *), .check = address_rule, \
	  .doc = "Default route; the bridge's own address when absent; of several interfaces one has it for each " \
		 "family: that which says gateway, else the first on a bridge.", EXAMPLE("10.88.0.1") }, \
	{ "ports", .type = CONF_LIST, FIELD(ports, struct str_list), .check = ports_rule, \
	  .doc = "Ports of the machine that lead to the service: [ADDRESS:]MACHINE:SERVICE[/udp], each a port or a " \
		 "range.", EXAMPLE("[\"8080:80\", \"127.0.0.1:5353:53/udp\"]") }, \
	{ "egress", .type = CONF_LIST, FIELD(egress, struct str_list), .check = egress_rule, \
	  .doc = "All that the service may reach on its own account: NETWORK[:PORT[-PORT][/tcp|/udp]]; none: " \
		 "nothing; answers to others are free, and so is everything when absent; a further interface without " \
		 "a list has that of the first.", EXAMPLE("[10.0.0.0/8, \"192.0.2.1:443/tcp\"]") }, \
	{ "send_max", .type = CONF_SIZE, FIELD(send_max, uint64_t), .min = 1024, .max = INT64_C(1) << 40, \
	  .doc = "Bytes a second that it may send, as all sizes are written; what is more waits a little, then is " \
		 "dropped.", EXAMPLE("10M") }, \
	{ "receive_max", .type = CONF_SIZE, FIELD(receive_max, uint64_t), .min = 1024, .max = INT64_C(1) << 40, \
	  .doc = "Bytes a second that it may receive.", EXAMPLE("100M") }

#define OF_FIRST(f, ctype) CONF_FIELD(struct spec_service, network.link.f, ctype)
#define OF_FURTHER(f, ctype) CONF_FIELD(struct spec_link, f, ctype)
#define SHOWN(text) .example = (text)
#define NOT_SHOWN(text) .example = NULL

static const struct conf_key further_keys[] = {
	LINK_KEYS(OF_FURTHER, NOT_SHOWN),
	{ 0 }
};

static const struct conf_key network_keys[] = {
	LINK_KEYS(OF_FIRST, SHOWN),
	{ "addresses", ALIAS("isolation.network.address") },
	{ "also", .type = CONF_ITEMS, .flags = CONF_REST, F(network.also, struct spec_link_list), .sub = further_keys,
	  .each = sizeof(struct spec_link), .from_at = offsetof(struct spec_link, from), .check = further_links_rule,
	  .doc = "Further interfaces, up to three, each a map with the keys above and a bridge of its own: host1, "
		 "host2 and host3 in the cell, where the first is host0; nothing is passed on between them; a list of "
		 "maps in the place of network says the same.",
	  .example = "[]" },
	{ "keep", BOOL_OFF(network.keep),
	  .doc = "The network stays while the service is restarted, with what was made in it; it goes when the service "
		 "is stopped.",
	  .example = "true" },
	{ "service", TEXT(network.service),
	  .doc = "Service whose network it shares: it starts after that one, is stopped with it, and has its "
		 "addresses, names and rules." },
	{ 0 }
};

static const struct conf_key landlock_keys[] = {
	{ "ro_paths", .type = CONF_CUSTOM, .set = set_landlock, .alias = "isolation.unveil",
	  .doc = "Paths to read and execute below.",
	  .schema = "\"type\":[\"array\",\"string\"],\"items\":{\"type\":\"string\"}" },
	{ "rw_paths", .type = CONF_CUSTOM, .set = set_landlock, .alias = "isolation.unveil",
	  .doc = "Paths to read, write, create and remove below.",
	  .schema = "\"type\":[\"array\",\"string\"],\"items\":{\"type\":\"string\"}" },
	{ 0 }
};

const struct conf_key isolation_keys[] = {
	{ "preset", WORD(preset, preset_names), .def = "server",
	  .doc = "Set of defaults for all of isolation and security." },
	{ "required", .type = CONF_BOOL, F(required, bool), .def = "true",
	  .doc = "false: where namespaces, mounts, other ids or control groups are not possible, run without them; "
		 "status and events say what is missing.", .example = "false" },
	{ "user", WORD(ns_user, user_words), .flags = CONF_YES_NO, .def = "false", .example = "true",
	  .doc = "Own user namespace; made last, so that its capabilities are inert over the machine; first: its other "
		 "namespaces belong to it, and capabilities that are kept are in effect over those." },
	{ "pid", BOOL(ns_pid), .doc = "Own process tree." },
	{ "mount", BOOL(ns_mount), .doc = "Own mounts." },
	{ "network", WORD(network.mode, network_words), .flags = CONF_YES_NO, .def = "false", .sub = network_keys,
	  .map_means = "true",
	  .doc = "false: the machine's network; true: a private one with loopback only; or a map, or for several "
		 "interfaces a list of maps." },
	{ "ipc", BOOL(ns_ipc), .doc = "Own System V and POSIX message queues and shared memory." },
	{ "uts", BOOL(ns_uts), .doc = "Own host name." },
	{ "cgroup", BOOL(ns_cgroup), .doc = "Own view of the control groups." },
	{ "time", BOOL(ns_time), .doc = "Own monotonic and boot clocks." },
	{ "rootfs", PATH(rootfs), .doc = "Its root: a directory, or a squashfs or erofs image; absent: the "
		 "machine's own.",
	  .example = "/var/lib/images/web" },
	{ "readonly_rootfs", BOOL(readonly_rootfs), .doc = "Mount its root read-only." },
	{ "volumes", LIST(volumes), .check = volumes_rule,
	  .doc = "SOURCE:TARGET[:rw|ro], with what is mounted below SOURCE; always nosuid, nodev, nosymfollow.",
	  .example = "[\"/data/web:/srv:rw\"]" },
	{ "tmpfs", PAIRS(tmpfs), .set = set_tmpfs,
	  .doc = "Empty file systems in memory: path and options such as size=64M.",
	  .example = "{/scratch: \"size=64M\"}" },
	{ "devices", LIST(devices), .check = devices_rule,
	  .doc = "Device files to have in /dev: /dev/x[:/dev/y][:rw], with r, w, rw or (to make nodes of it) rwm.",
	  .example = "[\"/dev/ttyS1:rw\"]" },
	{ "unveil", .type = CONF_CUSTOM, F(unveil, struct spec_unveil_list), .set = set_unveil,
	  .given = unveil_given, .put = put_unveil,
	  .doc = "Paths that stay reachable, each with letters of rwxc (read, write, execute, create); all others "
		 "are not.",
	  .schema = "\"type\":\"object\",\"additionalProperties\":"
		    "{\"type\":\"string\",\"pattern\":\"^[rwxc]+$|\\\\$\\\\{\"}",
	  .example = "{/: rx, /srv: rwc}" },
	{ "hostname", TEXT(hostname), .check = hostname_rule,
	  .doc = "Host name in its uts namespace; the service's name when absent; neighbours on its bridges know it by "
		 "that, too, unless another service is called so.",
	  .example = "web" },
	{ "private_tmp", BOOL(private_tmp), .doc = "Own /tmp and /var/tmp." },
	{ "private_devices", BOOL(private_devices),
	  .doc = "A /dev without physical devices, and a program on its cgroup that lets no other be opened." },
	{ "private_ipc", BOOL(private_ipc), .doc = "Own ipc namespace and /dev/mqueue." },
	{ "protect_system", WORD(protect_system, system_words), .flags = CONF_YES_NO, .def = "no", .example = "strict",
	  .doc = "Read-only: yes: /usr, /boot, /efi; full: /etc too; strict: all but /dev, /proc, /sys." },
	{ "protect_home", WORD(protect_home, home_words), .flags = CONF_YES_NO, .def = "no", .example = "true",
	  .doc = "/home, /root and /run/user: inaccessible, read-only or empty." },
	{ "protect_proc", WORD(protect_proc, proc_words), .def = "default", .example = "invisible",
	  .doc = "Which processes of others /proc shows." },
	{ "proc_subset", WORD(proc_subset, subset_words), .def = "all", .example = "pid",
	  .doc = "pid: /proc shows nothing but processes." },
	{ "protect_kernel_tunables", BOOL(protect_kernel_tunables),
	  .doc = "/proc/sys, /sys and their like are read-only." },
	{ "protect_kernel_modules", BOOL(protect_kernel_modules), .doc = "No loading of kernel modules." },
	{ "protect_kernel_logs", BOOL(protect_kernel_logs), .doc = "No access to the kernel's log." },
	{ "protect_control_groups", BOOL(protect_control_groups), .doc = "/sys/fs/cgroup is read-only." },
	{ "protect_hostname", BOOL(protect_hostname), .doc = "The host name cannot be changed." },
	{ "protect_clock", BOOL(protect_clock), .doc = "The clocks cannot be set." },
	{ "read_only_paths", LIST(read_only_paths), .check = paths_rule, .doc = "Further paths that are read-only.",
	  .example = "[/opt]" },
	{ "inaccessible_paths", LIST(inaccessible_paths), .check = paths_rule,
	  .doc = "Paths that are covered by nothing.",
	  .example = "[/mnt]" },

	{ "landlock", .type = CONF_SECTION, .sub = landlock_keys, .alias = "isolation.unveil",
	  .doc = "Another spelling of unveil." },
	{ "security", .type = CONF_SECTION, .sub = security_keys, .alias = "security",
	  .doc = "Another place for security." },
	{ "resources", .type = CONF_SECTION, .sub = resource_keys, .alias = "limits",
	  .doc = "Another spelling of limits." },
	{ "seccomp", ALIAS("security.seccomp") },
	{ "apparmor_profile", ALIAS("security.apparmor_profile") },
	{ "selinux_context", ALIAS("security.selinux_context") },
	{ 0 }
};

#define SECCOMP_SCHEMA "\"type\":\"string\",\"pattern\":\"^(none|default|strict|/.*)$|\\\\$\\\\{\""

static const struct conf_key seccomp_keys[] = {
	{ "profile", .type = CONF_WORD, .words = seccomp_words, .flags = CONF_SELF,
	  .doc = "The profile that the lists change: a name or the path of a file.",
	  .schema = SECCOMP_SCHEMA },
	{ "allow", LIST(seccomp_allow), .check = calls_rule,
	  .doc = "System calls and @groups that are allowed besides.", .example = "[personality]" },
	{ "deny", LIST(seccomp_deny), .check = calls_rule,
	  .doc = "System calls and @groups that are denied all the same.", .example = "[\"@mount\"]" },
	{ "action", WORD(seccomp_action, action_words), .def = "errno",
	  .doc = "What a denied call gets: EPERM, the end of the process, or only a line in the log." },
	{ "log", BOOL(seccomp_log),
	  .doc = "Write denied calls to the kernel's audit log (the end of a process always is)." },
	{ 0 }
};

const struct conf_key security_keys[] = {
	{ "dynamic_user", BOOL_OFF(dynamic_user),
	  .doc = "A user id of its own from a private range, the same at every start and nobody else's while it may "
		 "have files; brings private_tmp, protect_system: strict, protect_home: read-only, restrict_suid_sgid "
		 "and no_new_privileges, unless the file says otherwise." },
	{ "cap_drop", LIST(cap_drop), .set = set_cap_drop,
	  .doc = "Capabilities to give up, or ALL; adds to what the preset drops.", .example = "[ALL]" },
	{ "cap_add", LIST(cap_add), .set = set_caps, .doc = "Capabilities to have after all, with or without CAP_.",
	  .example = "[NET_BIND_SERVICE]" },
	{ "capabilities_add", ALIAS("security.cap_add") },
	{ "no_new_privileges", BOOL(no_new_privileges), .doc = "Nothing it executes can gain privileges." },
	{ "seccomp", WORD(seccomp, seccomp_words), .set = set_seccomp, .put = put_seccomp, .def = "none",
	  .sub = seccomp_keys,
	  .example = "default",
	  .doc = "System call filter: none, default, strict, the path of a file (a BPF program as the kernel takes it, "
		 "or the JSON of OCI runtimes, Docker and Podman), or a map.",
	  .schema = SECCOMP_SCHEMA },
	{ "pledge", TEXT(pledge), .check = pledge_rule,
	  .doc = "OpenBSD's promises instead of a profile; Landlock keeps what they say about paths.",
	  .example = "\"stdio rpath inet\"" },
	{ "restrict_namespaces", BOOL(restrict_namespaces), .set = set_namespaces, .put = put_namespaces,
	  .doc = "No namespaces can be made or entered; a list names kinds that can be all the same.",
	  .schema = "\"type\":[\"boolean\",\"string\",\"array\"],\"items\":{\"enum\":[\"user\",\"mount\",\"mnt\","
		    "\"pid\",\"network\",\"net\",\"ipc\",\"uts\",\"cgroup\",\"time\"]}" },
	{ "restrict_realtime", BOOL(restrict_realtime), .doc = "No realtime scheduling." },
	{ "restrict_suid_sgid", BOOL(restrict_suid_sgid), .doc = "No set-user-id or set-group-id files can be made." },
	{ "lock_personality", BOOL(lock_personality), .doc = "The execution domain cannot be changed." },
	{ "memory_deny_write_execute", BOOL(memory_deny_write_execute),
	  .doc = "No memory is writable and executable, nor becomes executable after it was written." },
	{ "system_call_architectures", LIST(system_call_architectures), .check = architectures_rule,
	  .doc = "native: calls of other architectures (i386, x32) end the process, as under every filter.",
	  .example = "[native]" },
	{ "restrict_address_families", LIST(restrict_address_families), .set = set_families,
	  .doc = "Socket families that may be used, such as inet, inet6, unix; absent: all that the profile allows; "
		 "in preset strict unix, with inet and inet6 when the file sets isolation.network.",
	  .example = "[inet, inet6, unix]" },
	{ "apparmor_profile", TEXT(apparmor_profile), .check = label_rule,
	  .doc = "AppArmor profile to run under, loaded before and in enforce mode; refused where AppArmor is not "
		 "active.",
	  .example = "web" },
	{ "selinux_context", TEXT(selinux_context), .check = label_rule,
	  .doc = "SELinux context to run in; refused where SELinux is not active.",
	  .example = "\"system_u:system_r:web_t:s0\"" },
	{ "runtime", WORD(runtime, runtime_words), .def = "",
	  .doc = "OCI runtime to run it under, from a bundle that prior writes; empty: none.",
	  .example = "runsc" },

	{ "pids_limit", ALIAS("limits.cgroup.pids_max") },
	{ "readonly_rootfs", ALIAS("isolation.readonly_rootfs") },
	{ "tmpfs", ALIAS("isolation.tmpfs") },
	{ 0 }
};
