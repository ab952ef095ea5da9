/* The rows of a service's limits: resource limits by their short names, scheduling, and the control group. */
/* SPDX-License-Identifier: ISC */
#include "services/spec/rows.h"
#include <sys/resource.h>

#define F(f, ctype) CONF_FIELD(struct spec_service, f, ctype)
#define SIZE(f) .type = CONF_SIZE, F(f, uint64_t), .min = 0, .max = INT64_MAX, .check = at_least_one_rule
#define COUNT(f, lo, hi) .type = CONF_COUNT, F(f, int64_t), .min = (lo), .max = (hi)
#define ALIAS(path) .type = CONF_CUSTOM, .alias = (path), .doc = "Another spelling of " path "."
#define LIMIT(which) .type = CONF_CUSTOM, F(rlimit[which], struct spec_rlimit), .set = set_rlimit, \
	.given = rlimit_given, .put = put_rlimit, .schema = RLIMIT_SCHEMA
#define RLIMIT_SCHEMA "\"type\":[\"integer\",\"string\",\"object\"],\"additionalProperties\":false,\"properties\":" \
	"{\"soft\":{\"type\":[\"integer\",\"string\"]},\"hard\":{\"type\":[\"integer\",\"string\"]}}"

static const struct conf_key cgroup_keys[] = {
	{ "root", .type = CONF_PATH, F(cgroup_root, const char *), .doc = "A writable cgroup2 path, for containers.",
	  .example = "/sys/fs/cgroup" },
	{ "memory_max", SIZE(memory_max), .flags = CONF_ALLOW_MAX, .doc = "Memory at which it is killed.",
	  .example = "512M" },
	{ "memory_high", SIZE(memory_high), .flags = CONF_ALLOW_MAX, .doc = "Memory at which it is slowed down.",
	  .example = "384M" },
	{ "cpu_max", .type = CONF_CUSTOM, F(cpu_quota_us, uint64_t), .set = set_cpu_max, .given = cpu_max_given,
	  .put = put_cpu_max,
	  .doc = "CPU time: \"200%\" of one CPU, \"QUOTA PERIOD\" in microseconds, or max.",
	  .schema = "\"type\":[\"string\",\"integer\"]", .example = "\"200%\"" },
	{ "cpu_weight", COUNT(cpu_weight, 1, 10000), .doc = "Share of the CPU where it is contended; 100 is usual.",
	  .example = "100" },
	{ "io_weight", COUNT(io_weight, 1, 10000),
	  .doc = "Share of disk bandwidth where it is contended; 100 is usual.", .example = "100" },
	{ "pids_max", COUNT(pids_max, 1, 4194304), .flags = CONF_ALLOW_MAX,
	  .doc = "Processes and threads it may have.", .example = "256" },
	{ 0 }
};

const struct conf_key limits_keys[] = {
	{ "nofile", LIMIT(RLIMIT_NOFILE), .doc = "Open descriptors.", .example = "65536" },
	{ "nproc", LIMIT(RLIMIT_NPROC), .doc = "Processes of the user.", .example = "1024" },
	{ "memlock", LIMIT(RLIMIT_MEMLOCK), .doc = "Locked memory.", .example = "100M" },
	{ "core", LIMIT(RLIMIT_CORE), .doc = "Size of core files.", .example = "0" },
	{ "cpu", LIMIT(RLIMIT_CPU), .doc = "CPU time in seconds.", .example = "unlimited" },
	{ "fsize", LIMIT(RLIMIT_FSIZE), .doc = "Size of files it writes.", .example = "unlimited" },
	{ "data", LIMIT(RLIMIT_DATA), .doc = "Size of its data segment.", .example = "unlimited" },
	{ "stack", LIMIT(RLIMIT_STACK), .doc = "Size of its stack.", .example = "{soft: 8M, hard: unlimited}" },
	{ "rss", LIMIT(RLIMIT_RSS), .doc = "Resident memory; the kernel ignores it.", .example = "unlimited" },
	{ "as", LIMIT(RLIMIT_AS), .doc = "Address space.", .example = "unlimited" },
	{ "locks", LIMIT(RLIMIT_LOCKS), .doc = "File locks; the kernel ignores it.", .example = "unlimited" },
	{ "sigpending", LIMIT(RLIMIT_SIGPENDING), .doc = "Queued signals.", .example = "1024" },
	{ "msgqueue", LIMIT(RLIMIT_MSGQUEUE), .doc = "Bytes in POSIX message queues.", .example = "800K" },
	{ "rtprio", LIMIT(RLIMIT_RTPRIO), .doc = "Realtime priority.", .example = "0" },
	{ "rttime", LIMIT(RLIMIT_RTTIME), .doc = "Realtime CPU time in microseconds.", .example = "unlimited" },
	{ "nice", COUNT(nice, -20, 19), .doc = "Niceness; its limit, RLIMIT_NICE, is rlimit_nice.", .example = "5" },
	{ "rlimit_nice", LIMIT(RLIMIT_NICE),
	  .doc = "How far it may lower its niceness, as the kernel counts: 20 minus the niceness, so 20 is 0.",
	  .example = "20" },
	{ "oom_score_adj", COUNT(oom_score_adj, -1000, 1000),
	  .doc = "How readily the kernel kills it when memory runs out.",
	  .example = "200" },
	{ "cpu_affinity", .type = CONF_LIST, F(cpu_affinity, struct str_list), .set = set_cpus_allowed,
	  .check = cpu_list_rule,
	  .doc = "CPUs it may run on: numbers and ranges.", .example = "[0, 0-1]" },
	{ "cgroup", .type = CONF_SECTION, .sub = cgroup_keys, .doc = "Limits of its control group." },
	{ "shm_size", SIZE(shm_size), .doc = "Size of its /dev/shm.", .example = "64M" },
	{ 0 }
};

const struct conf_key resource_keys[] = {
	{ "memory_max", ALIAS("limits.cgroup.memory_max") },
	{ "memory_high", ALIAS("limits.cgroup.memory_high") },
	{ "cpu_max", ALIAS("limits.cgroup.cpu_max") },
	{ "cpu_weight", ALIAS("limits.cgroup.cpu_weight") },
	{ "io_weight", ALIAS("limits.cgroup.io_weight") },
	{ "pids_limit", ALIAS("limits.cgroup.pids_max") },
	{ "pids_max", ALIAS("limits.cgroup.pids_max") },
	{ "shm_size", ALIAS("limits.shm_size") },
	{ "ulimits", .type = CONF_SECTION, .sub = limits_keys, .alias = "limits",
	  .doc = "Another spelling of limits." },
	{ 0 }
};
