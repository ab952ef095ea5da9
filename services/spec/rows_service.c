/* The rows of a service: its process and its supervision. */
/* SPDX-License-Identifier: ISC */
#include "services/spec/rows.h"
#include "services/logs/record.h"

#define F(f, ctype) CONF_FIELD(struct spec_service, f, ctype)
#define BOOL(f) .type = CONF_BOOL, F(f, bool)
#define COUNT(f, lo, hi) .type = CONF_COUNT, F(f, int64_t), .min = (lo), .max = (hi)
#define MSEC(f) .type = CONF_MSEC, F(f, int64_t), .min = 0, .max = LONGEST
#define SIGNAL(f) .type = CONF_SIGNAL, F(f, int64_t)
#define WORD(f, list) .type = CONF_WORD, F(f, unsigned), .words = (list)
#define TEXT(f) .type = CONF_TEXT, F(f, const char *)
#define PATH(f) .type = CONF_PATH, F(f, const char *)
#define LIST(f) .type = CONF_LIST, F(f, struct str_list)
#define COMMAND(f) .type = CONF_COMMAND, F(f, struct str_list)
#define PAIRS(f) .type = CONF_PAIRS, F(f, struct pair_list)
#define SECTION(rows) .type = CONF_SECTION, .sub = (rows)
#define ALIAS(path) .type = CONF_CUSTOM, .alias = (path), .doc = "Another spelling of " path "."

static const char *const type_words[] = { "simple", "oneshot", "forking", NULL };
static const char *const notify_words[] = { "main", "all", NULL };
static const char *const ready_words[] = { "started", "notify", "fd", "listening", "healthcheck", "notify-reload",
	NULL };
static const char *const restart_words[] = { "no", "on-failure", "always", "unless-stopped", NULL };
static const char *const failure_words[] = { "none", "reboot", "poweroff", "stop-all", "start", NULL };
static const char *const sink_words[] = { "auto", "file", "ring", "console", "none", NULL };
static const char *const format_words[] = { "rfc3164", "rfc5424", NULL };
/* Without kern, which is the kernel's, and the four numbers that have no name. */
static const char *const facility_words[] = {
	"user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp",
	"local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7", NULL,
};
#define LOCAL0_WORD 11	/* in the list above; it is facility 16 */

unsigned spec_facility(unsigned word)
{
	return word < LOCAL0_WORD ? word + 1 : word - LOCAL0_WORD + 16;
}


static const struct conf_key ready_keys[] = {
	{ "fd", COUNT(ready_fd, 3, 1023), .doc = "Descriptor to which the service writes a newline when it is ready.",
	  .example = "4" },
	{ 0 }
};

static const struct conf_key backoff_keys[] = {
	{ "initial", MSEC(backoff_initial), .def = "100ms",
	  .doc = "Pause before the first restart; it doubles with each further one." },
	{ "max", MSEC(backoff_max), .def = "30s", .doc = "Longest pause between two restarts." },
	{ 0 }
};

const struct conf_key health_keys[] = {
	{ "test", LIST(healthcheck.test), .set = set_health_test, .put = put_health_test,
	  .doc = "Command that ends with 0 when the service is well: [CMD, ARG...], [CMD-SHELL, TEXT] or text for a "
		 "shell.",
	  .example = "[CMD, /bin/true]" },
	{ "http", TEXT(healthcheck.http),
	  .doc = "URL that answers with a status below 400, asked in its network: http://ADDRESS:PORT/PATH." },
	{ "url", ALIAS("healthcheck.http") },
	{ "tcp", TEXT(healthcheck.tcp),
	  .doc = "ADDRESS:PORT that takes a connection, in the service's network." },
	{ "interval", MSEC(healthcheck.interval), .def = "30s",
	  .doc = "Time between two checks; until the first good one they come sooner, and count as one an interval." },
	{ "timeout", MSEC(healthcheck.timeout), .def = "30s",
	  .doc = "Time after which a check has failed." },
	{ "retries", COUNT(healthcheck.retries, 1, 1000), .def = "3",
	  .doc = "Failures in a row that make the service unhealthy; its restart policy then applies." },
	{ "start_period", MSEC(healthcheck.start_period), .def = "0s",
	  .doc = "Time after the start in which failures do not count." },
	{ 0 }
};

static const struct conf_key cron_keys[] = {
	{ "expression", .type = CONF_TEXT, .flags = CONF_SELF,
	  .doc = "When to start it: seconds, minutes, hours, days, months, weekdays." },
	{ "timezone", TEXT(cron_timezone), .def = "UTC", .check = zone_rule_name,
	  .doc = "Time zone of the expression: a name as Europe/Berlin, or a rule as CET-1CEST,M3.5.0,M10.5.0/3." },
	{ 0 }
};

static const char *const gone_words[] = { "stop", "keep", NULL };

static const struct conf_key needs_device_keys[] = {
	{ "paths", LIST(needs_devices), .flags = CONF_SELF, .doc = "The devices." },
	{ "timeout", MSEC(device_timeout), .def = "90s",
	  .doc = "So long it waits; then it has failed, until they are there all the same; 0: for ever, and a boot, or "
		 "`prior wait`, does not wait for it or for who needs it." },
	{ "gone", WORD(device_gone, gone_words), .def = "stop",
	  .doc = "What becomes of it when one of them goes while it runs: stop, and it waits again; or keep." },
	{ 0 }
};

static const struct conf_key hook_keys[] = {
	{ "pre_start", COMMAND(pre_start),
	  .doc = "Command to run before the start, in a cell like its own; the start waits for it and fails with it.",
	  .example = "[/bin/true]" },
	{ "post_start", COMMAND(post_start),
	  .doc = "Command to run in its cell when it is ready; it is up when this has ended, and fails with it.",
	  .example = "[/bin/true]" },
	{ "pre_stop", COMMAND(pre_stop),
	  .doc = "Command to run in its cell before the stop signal, for stop_timeout at most.",
	  .example = "[/bin/true]" },
	{ "post_stop", COMMAND(post_stop),
	  .doc = "Command to run after the last process is gone; SERVICE_RESULT, EXIT_CODE and EXIT_STATUS say how it "
		 "ended.",
	  .example = "[/bin/true]" },
	{ 0 }
};

static const struct conf_key log_keys[] = {
	{ "sink", WORD(log_sink, sink_words), .def = "auto",
	  .doc = "Where output goes; auto: files where /var/log/prior is writable, the ring otherwise." },
	{ "max_bytes", .type = CONF_SIZE, F(log_max_bytes, uint64_t), .min = 32768, .max = INT64_C(1) << 40,
	  .def = "2M", .doc = "Size at which a log file is rotated." },
	{ "max_files", COUNT(log_max_files, 1, 64), .def = "4",
	  .doc = "Log files that are kept, the current one included." },
	{ "forward", LIST(log_forward), .check = forward_rule,
	  .doc = "Where lines go as well: syslog, kmsg (the kernel's log), or both; never waited for.",
	  .example = "[syslog]" },
	{ "syslog_identifier", TEXT(syslog_identifier), .check = identifier_rule,
	  .doc = "The name that syslog and the kernel's log show; the service's name when absent.", .example = "web" },
	{ "syslog_facility", WORD(syslog_facility, facility_words), .def = "daemon",
	  .doc = "Facility of forwarded lines." },
	{ "syslog_level", WORD(syslog_level, level_words), .def = "info",
	  .doc = "Level of lines that do not say their own." },
	{ "syslog_level_prefix", BOOL(syslog_level_prefix), .def = "true",
	  .doc = "Take a beginning like <3> as the line's level, 0 (emerg) to 7 (debug), and not as its text." },
	{ "syslog_socket", PATH(syslog_socket), .check = syslog_socket_rule, .def = "/dev/log",
	  .doc = "UNIX datagram socket that lines for syslog are sent to." },
	{ "syslog_format", WORD(syslog_format, format_words), .def = "rfc3164",
	  .doc = "rfc3164: what the C library's syslog() sends, local time and no host; rfc5424: the newer form." },
	{ 0 }
};

static const struct conf_key env_keys[] = {
	{ "file", ALIAS("env_file") },
	{ "vars", ALIAS("environment") },
	{ 0 }
};

static const struct conf_key deployment_keys[] = {
	{ "health_check", SECTION(health_keys), .alias = "healthcheck", .doc = "Another spelling of healthcheck." },
	{ 0 }
};

#define DEPENDS_ON_SCHEMA "\"anyOf\":[{\"type\":\"string\"},{\"type\":\"array\",\"items\":{\"type\":\"string\"}}," \
	"{\"type\":\"object\",\"additionalProperties\":" \
	"{\"type\":[\"object\",\"null\"],\"additionalProperties\":false," \
	"\"properties\":{\"condition\":" \
	"{\"enum\":[\"service_started\",\"service_healthy\",\"service_completed_successfully\"]}}}}]"

const struct conf_key service_keys[] = {
	/* the process */
	{ "command", COMMAND(command),
	  .doc = "Program and arguments: a list, or text that is split as a shell would, without one.",
	  .example = "[/bin/sleep, infinity]" },
	{ "type", WORD(type, type_words), .def = "simple",
	  .doc = "simple: runs until it is stopped; oneshot: runs once to its end; forking: "
		 "its first process ends with 0 and leaves another one, which is then the main one." },
	{ "pid_file", PATH(pid_file),
	  .doc = "File in the service's own root with the main process's number, for type: forking; without it that is "
		 "the one process that is left.", },
	{ "user", TEXT(user), .set = set_user, .check = user_rule,
	  .doc = "User to run as: a name, looked up in the service's own root, or a number; also USER:GROUP.",
	  .example = "nobody" },
	{ "group", TEXT(group), .check = user_rule, .doc = "Group to run as; the user's own when absent.",
	  .example = "nogroup" },
	{ "supplementary_groups", LIST(supplementary_groups), .check = users_rule, .doc = "Further groups.",
	  .example = "[tty]" },
	{ "working_dir", PATH(working_dir), .check = work_dir_rule, .doc = "Directory to start in; / when absent.",
	  .example = "/" },
	{ "umask", .type = CONF_OCTAL, F(umask, int64_t), .def = "0022",
	  .doc = "Permissions that new files do not get." },
	{ "environment", PAIRS(environment), .check = environment_rule,
	  .doc = "Variables of the service's environment; nothing else is in it but what prior adds.",
	  .example = "{TZ: UTC}" },
	{ "env_file", LIST(env_file), .check = paths_rule,
	  .doc = "Files of KEY=VALUE lines, read when the configuration is compiled.",
	  .example = "[]" },
	{ "credentials", PAIRS(credentials), .check = credentials_rule,
	  .doc = "Secrets by name: files of at most 1 MiB together, read at each start and shown to the service alone, "
		 "in $CREDENTIALS_DIRECTORY; never in its environment or in a log.",
	  .example = "{tls_key: /etc/keys/web.key}" },
	{ "state_directory", LIST(state_directory), .check = directories_rule,
	  .doc = "Directories below /var/lib, made for the service and kept; in $STATE_DIRECTORY; with "
		 "security.dynamic_user they lie in /var/lib/private.",
	  .example = "web" },
	{ "cache_directory", LIST(cache_directory), .check = directories_rule,
	  .doc = "The same below /var/cache; in $CACHE_DIRECTORY.", .example = "web" },
	{ "runtime_directory", LIST(runtime_directory), .check = directories_rule,
	  .doc = "The same below /run, removed when the service has stopped; in $RUNTIME_DIRECTORY.",
	  .example = "web" },
	{ "logs_directory", LIST(logs_directory), .check = directories_rule,
	  .doc = "The same below /var/log; in $LOGS_DIRECTORY.", .example = "web" },
	{ "state_directory_mode", .type = CONF_OCTAL, F(state_directory_mode, int64_t), .def = "0755",
	  .doc = "Permissions of its state directories, set at each start." },
	{ "cache_directory_mode", .type = CONF_OCTAL, F(cache_directory_mode, int64_t), .def = "0755",
	  .doc = "Permissions of its cache directories." },
	{ "runtime_directory_mode", .type = CONF_OCTAL, F(runtime_directory_mode, int64_t), .def = "0755",
	  .doc = "Permissions of its runtime directories." },
	{ "logs_directory_mode", .type = CONF_OCTAL, F(logs_directory_mode, int64_t), .def = "0755",
	  .doc = "Permissions of its logs directories." },
	{ "runtime_directory_preserve", BOOL(runtime_directory_preserve), .def = "false",
	  .doc = "Keep the runtime directories when the service has stopped." },

	/* supervision */
	{ "depends_on", .type = CONF_CUSTOM, F(depends_on, struct spec_dep_list), .set = set_depends_on,
	  .given = depends_on_given, .put = put_depends_on,
	  .doc = "Services that must be there first: a list, or a map with a condition for each.",
	  .schema = DEPENDS_ON_SCHEMA,
	  .example = "{db: {condition: service_started}}" },
	{ "wants", LIST(wants), .doc = "Services that are started with it and may fail.", .example = "[metrics]" },
	{ "after", LIST(after), .doc = "Services that are started before it, if they are started at all.",
	  .example = "[db]" },
	{ "before", LIST(before), .doc = "Services that are started after it, if they are started at all.",
	  .example = "[metrics]" },
	{ "conflicts", LIST(conflicts),
	  .doc = "Services that are stopped before it starts, and that stop it when they are started.",
	  .example = "[web-old]" },
	{ "ready", WORD(ready, ready_words), .def = "started", .sub = ready_keys, .map_means = "fd",
	  .doc = "What makes it ready: that it runs; READY=1 on NOTIFY_SOCKET (notify-reload: after a reload, too); a "
		 "newline on the descriptor of NOTIFY_FD, or of that number; its own sockets; its first good health "
		 "check." },
	{ "notify_access", WORD(notify_access, notify_words), .def = "main",
	  .doc = "Whose messages on NOTIFY_SOCKET count: its main process's, or those of all its processes (for "
		 "scripts that run systemd-notify)." },
	{ "start_timeout", MSEC(start_timeout), .def = "30s",
	  .doc = "Time to become ready; then it has failed. 0, and for a oneshot nothing said, is no limit." },
	{ "restart", WORD(restart, restart_words), .flags = CONF_NO, .set = set_restart, .def = "on-failure",
	  .doc = "When to run it again after it ended; the default is no for type: oneshot; also on-failure:N.",
	  .schema = "\"anyOf\":[{\"enum\":[\"no\",false,\"on-failure\",\"always\",\"unless-stopped\"]},"
		    "{\"type\":\"string\",\"pattern\":\"^on-failure:[0-9]+$|\\\\$\\\\{\"}]" },
	{ "backoff", .type = CONF_CUSTOM, .sub = backoff_keys, .set = set_backoff,
	  .doc = "Pause before a restart: a map, or one time for all.",
	  .schema = "\"type\":[\"string\",\"integer\"]" },
	{ "max_restarts", COUNT(max_restarts, 0, 1000000), .def = "5",
	  .doc = "Restarts within restart_window after which the service has failed; 0 is no limit." },
	{ "restart_window", MSEC(restart_window), .def = "60s", .doc = "Time in which restarts are counted." },
	{ "on_failure", WORD(on_failure, failure_words), .set = set_on_failure, .put = put_on_failure, .def = "none",
	  .doc = "What to do when it has failed: none, reboot, poweroff, stop-all or start:SERVICE, which is then not "
		 "started at boot by itself.",
	  .schema = "\"type\":\"string\",\"pattern\":\"^(none|reboot|poweroff|stop-all|start:.+)$|\\\\$\\\\{\"" },
	{ "enabled", BOOL(enabled), .def = "true",
	  .doc = "Whether it is started at boot by itself. prior enable and prior disable say otherwise, for this "
		 "machine, without a change to any file; what needs or wants it starts it in any case." },
	{ "critical", BOOL(critical), .def = "false",
	  .doc = "When it has ended and is not started again, the container ends or the machine reboots." },
	{ "stop_signal", SIGNAL(stop_signal), .def = "SIGTERM", .doc = "Signal that asks it to stop." },
	{ "stop_timeout", MSEC(stop_timeout), .def = "10s",
	  .doc = "Time between the stop signal and SIGKILL to its whole cgroup." },
	{ "reload_signal", SIGNAL(reload_signal), .def = "SIGHUP",
	  .doc = "Signal that asks it to read its configuration again.", .example = "SIGUSR1" },
	{ "watchdog", MSEC(watchdog), .def = "0",
	  .doc = "Time within which it must send WATCHDOG=1 on NOTIFY_SOCKET; then it gets SIGABRT and has failed. "
		 "0: no watchdog.", .example = "30s" },
	{ "fd_store_max", COUNT(fd_store_max, 0, 48), .def = "0",
	  .doc = "Descriptors that it may leave with FDSTORE=1; it gets them back at its next start, behind its "
		 "sockets.",
	  .example = "4" },
	{ "healthcheck", SECTION(health_keys), .doc = "How to ask it whether it is well." },
	{ "cron", TEXT(cron), .sub = cron_keys,
	  .doc = "When the clock starts it, instead of the boot: seconds, minutes, hours, days, months, weekdays "
		 "(five: without seconds), or @daily and its kin; it is not started again while it still runs.",
	  .example = "\"0 0 2 * * *\"" },
	{ "every", MSEC(every), .def = "0",
	  .doc = "Time from one start by the clock to the next, the first at boot; 0: not." },
	{ "conditions", PAIRS(conditions), .check = conditions_rule,
	  .doc = "What must hold in the machine, or the start is skipped: path_exists, path_is_directory, "
		 "file_not_empty, file_is_executable (a path), kernel_command_line (a word or NAME=VALUE); with ! in "
		 "front of the value: what must not.",
	  .example = "{path_exists: /etc/nginx, kernel_command_line: \"!rescue\"}" },
	{ "needs_device", LIST(needs_devices), .sub = needs_device_keys, .check = device_paths_rule,
	  .doc = "Devices without which it is not started, as /dev/NAME (a link of machine.devices, too) or a path "
		 "below /sys, such as /sys/class/net/wan: it waits until all are there, while the boot goes on; "
		 "only where prior boots the machine.",
	  .example = "[/dev/null]" },
	{ "hooks", SECTION(hook_keys), .doc = "Commands around start and stop." },
	{ "listen", .type = CONF_ITEMS, F(listen, struct spec_listen_list), .sub = listen_keys,
	  .each = sizeof(struct spec_listen),
	  .from_at = offsetof(struct spec_listen, from),
	  .doc = "Sockets that prior binds and passes on, from descriptor 3." },
	{ "idle_timeout", MSEC(idle_timeout), .def = "0",
	  .doc = "Stop a lazily started service, which then listens again, when for this long nothing has come to its "
		 "sockets and none of its connections there is open; 0: never." },
	{ "connections", SECTION(connections_keys),
	  .doc = "For activate: connection: each connection gets a service of its own, NAME@1, NAME@2 and so on, in a "
		 "cell of its own, which is gone when it has ended; REMOTE_ADDR and REMOTE_PORT say from where." },
	{ "logs", SECTION(log_keys), .doc = "What happens to its output." },
	{ "isolation", SECTION(isolation_keys), .doc = "What it sees." },
	{ "security", SECTION(security_keys), .doc = "What it may do." },
	{ "limits", SECTION(limits_keys), .doc = "How much it may use." },

	/* as in the seeds and in Compose */
	{ "entrypoint", COMMAND(entrypoint), .alias = "command",
	  .doc = "Compose's way: stands before command." },
	{ "capabilities", .type = CONF_CUSTOM, .set = set_capabilities, .alias = "security.cap_add",
	  .doc = "The capabilities to keep: cap_drop: [ALL] and cap_add with this list.",
	  .schema = "\"type\":[\"array\",\"string\"],\"items\":{\"type\":\"string\"}" },
	{ "env", SECTION(env_keys), .alias = "environment", .doc = "Another spelling of env_file and environment." },
	{ "restart_policy", ALIAS("restart") },
	{ "deployment", SECTION(deployment_keys), .alias = "healthcheck",
	  .doc = "Holds another spelling of healthcheck." },
	{ "ulimits", SECTION(limits_keys), .alias = "limits", .doc = "Another spelling of limits." },
	{ "pids_limit", ALIAS("limits.cgroup.pids_max") },
	{ "mem_limit", ALIAS("limits.cgroup.memory_max") },
	{ "cpus", .type = CONF_CUSTOM, .set = set_cpus, .alias = "limits.cgroup.cpu_max",
	  .doc = "Compose's way: CPUs as a number, 1.5 is 150%.",
	  .schema = "\"type\":[\"number\",\"string\"]" },
	{ "cpuset", ALIAS("limits.cpu_affinity") },
	{ "shm_size", ALIAS("limits.shm_size") },
	{ "oom_score_adj", ALIAS("limits.oom_score_adj") },
	{ "group_add", ALIAS("supplementary_groups") },
	{ "hostname", ALIAS("isolation.hostname") },
	{ "read_only", ALIAS("isolation.readonly_rootfs") },
	{ "tmpfs", ALIAS("isolation.tmpfs") },
	{ "volumes", ALIAS("isolation.volumes") },
	{ "devices", ALIAS("isolation.devices") },
	{ "ports", ALIAS("isolation.network.ports") },
	{ "network_mode", .type = CONF_CUSTOM, .set = set_network_mode, .alias = "isolation.network",
	  .doc = "Compose's way: none is a private network, host the machine's.", .schema = "\"type\":\"string\"" },
	{ "cap_add", ALIAS("security.cap_add") },
	{ "cap_drop", ALIAS("security.cap_drop") },
	{ "security_opt", .type = CONF_CUSTOM, .set = set_security_opt, .alias = "security",
	  .doc = "Compose's way: no-new-privileges, seccomp=PROFILE, apparmor=PROFILE, label=CONTEXT.",
	  .schema = "\"type\":[\"array\",\"string\"],\"items\":{\"type\":\"string\"}" },
	{ "stop_grace_period", ALIAS("stop_timeout") },
	{ 0 }
};
