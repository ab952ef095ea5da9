/* The rows of the control tool. */
/* SPDX-License-Identifier: ISC */
#include "init/ctl/verbs.h"
#include "init/conf/value.h"
#include "init/run.h"
#include "init/up.h"
#include <stddef.h>
#include <string.h>

const struct opt ctl_opts[OPTS] = {
	[OPT_HELP]	= { "help", 'h', NULL, "Say what this verb does and takes." },
	[OPT_JSON]	= { "json", 0, NULL, "Print JSON instead of text." },
	[OPT_CONFIG]	= { "config", 'c', "PATH",
			    "The configuration: a file, or a directory with prior.yaml and services.d/." },
	[OPT_RUN_DIR]	= { "run-dir", 0, "DIR",
			    "Where the running prior keeps its control socket (else /run/prior, or a user's own)." },
	[OPT_NO_WAIT]	= { "no-wait", 0, NULL, "Ask, and do not wait for the result." },
	[OPT_OFFLINE]	= { "offline", 0, NULL,
			    "Look at the text only, not at this machine's users, programs and kernel." },
	[OPT_OUTPUT]	= { "output", 'o', "PLAN", "The file to write." },
	[OPT_CONTAINER]	= { "container", 0, NULL,
			    "The plan is for a container that cannot make namespaces or mounts." },
	[OPT_ISOLATION]	= { "isolation", 0, NULL, "The short table of what isolates the service." },
	[OPT_STEPS]	= { "steps", 0, NULL, "The steps by which a cell is made, in order, with their reasons." },
	[OPT_PRIOR]	= { "prior", 0, NULL, "About PID 1 itself." },
	[OPT_SIGNAL]	= { "signal", 's', "SIGNAL", "The signal, by name or number (SIGTERM)." },
	[OPT_FOLLOW]	= { "follow", 'f', NULL, "Go on printing what comes." },
	[OPT_LINES]	= { "lines", 'n', "N", "Only the last N lines." },
	[OPT_SINCE]	= { "since", 0, "T",
			    "Only what is newer than 10m (ago), @SECONDS, 2026-01-31 or 2026-01-31T12:00:00 (UTC)." },
	[OPT_UNTIL]	= { "until", 0, "T", "Only what is not newer than that, written as with --since." },
	[OPT_GREP]	= { "grep", 'g', "PATTERN",
			    "Only lines with this extended regular expression; small letters mean large ones too." },
	[OPT_LEVEL]	= { "level", 'p', "LEVEL", "Only lines that are at least as grave: err, warning, 4." },
	[OPT_TIMEOUT]	= { "timeout", 0, "T", "Wait at most this long: 500ms, 30s, 5m." },
	[OPT_DEVICE]	= { "device", 0, "DEV", "The terminal to talk to, instead of standard input and output." },
	[OPT_BATCH]	= { "batch", 0, NULL, "For programs: no prompt, no echo, and `exit: N` after each command." },
	[OPT_DRY_RUN]	= { "dry-run", 0, NULL, "Only say what would change." },
	[OPT_EXPOSURE]	= { "exposure", 0, NULL,
			    "The questions behind the exposure score that are not answered well." },
	[OPT_THRESHOLD]	= { "threshold", 0, "N",
			    "Exit 1 when the exposure of a service is above N: 0 to 10, such as 1.3." },
	[OPT_NOW]	= { "now", 0, NULL, "Start or stop it too." },
	[OPT_SVG]	= { "svg", 0, NULL, "Print a picture (by Graphviz where it is installed)." },
	[OPT_FORCE]	= { "force", 'f', NULL,
			    "Do not ask PID 1: tell the kernel, at once. Nothing is stopped in order." },
	[OPT_INITRD]	= { "initrd", 0, "FILE", "The initial file system of the kernel to load." },
	[OPT_APPEND]	= { "append", 0, "WORDS", "Its command line (that of the running kernel)." },
	[OPT_PRIVILEGED] = { "privileged", 0, NULL,
			    "As the machine's root, who gives nothing up: for a service that you trust." },
	[OPT_SECRET]	= { "secret-key", 's', "FILE", "The file of the secret key, without a password." },
	[OPT_PUBLIC]	= { "public-key", 'p', "KEY",
			    "The file of the public key; to verify, also the key itself (RW...)." },
	[OPT_TRUST]	= { "trust", 0, "KEY", "It must be signed by this key: its file, or the key itself (else as "
			    "prior.trust= of the kernel, or $PRIOR_TRUST, says)." },
	[OPT_BUNDLE]	= { "bundle", 0, NULL, "The config.json that its OCI runtime would get here." },
};

const char *const group_titles[GROUPS] = {
	[GROUP_RUN]	= "Running",
	[GROUP_CONFIG]	= "Configuration",
	[GROUP_SERVICES] = "Services",
	[GROUP_INSIGHT]	= "Insight",
	[GROUP_MACHINE]	= "The machine",
	[GROUP_HIDDEN]	= "",
};

#define LATER(n) { .name = n, .group = GROUP_HIDDEN, .max = -1 }
#define LIVE (OPT(RUN_DIR))

const struct verb ctl_verbs[] = {
	{ .name = "run", .group = GROUP_RUN, .raw = run_main, .args = "-- COMMAND [ARG...]",
	  .summary = "Supervise one command: reap, pass signals on, end with its code." },
	{ .name = "up", .group = GROUP_RUN, .raw = up_main, .args = "[-c PATH]",
	  .summary = "Run a configuration in the foreground, without being PID 1." },

	{ .name = "check", .group = GROUP_CONFIG, .run = verb_check, .args = "[PATH...]", .max = -1,
	  .opts = OPT(CONFIG) | OPT(JSON) | OPT(OFFLINE) | OPT(THRESHOLD) | OPT(TRUST),
	  .summary = "Say everything that is wrong with a configuration.",
	  .more = "Every problem is printed at once as FILE:LINE:COLUMN: error: TEXT. The configuration is planned "
		  "for this machine too, so that a missing user or program is found; --offline leaves that out. "
		  "A compiled plan is checked for being whole. With --threshold, each service's declared exposure is "
		  "compared with N; the services have to be planned for that, even with --offline.",
	  .exits = "0 nothing wrong, 1 problems, 2 cannot be read" },
	{ .name = "compile", .group = GROUP_CONFIG, .run = verb_compile, .args = "PATH", .min = 0, .max = 1,
	  .opts = OPT(CONFIG) | OPT(OUTPUT) | OPT(CONTAINER) | OPT(TRUST),
	  .summary = "Write the compiled plan of a configuration.",
	  .more = "PATH stands for -c PATH. The plan may be given wherever a configuration may. It is for a machine "
		  "where everything can be isolated, whatever the build host allows; --container makes one for where "
		  "namespaces are out of reach. The file appears whole or not at all.",
	  .exits = "0 written, 1 problems, 2 cannot be read" },
	{ .name = "show", .group = GROUP_CONFIG, .run = verb_show, .args = "[SERVICE]", .max = 1,
	  .opts = OPT(CONFIG) | OPT(JSON) | OPT(ISOLATION) | OPT(STEPS) | OPT(EXPOSURE) | OPT(THRESHOLD) | OPT(BUNDLE),
	  .summary = "Show what a service's configuration comes to, and where each value is from.",
	  .more = "The exposure is asked of the plan, for a machine where everything can be isolated. It is the number "
		  "that systemd-analyze security gives, by the same questions and weights, and beside it one of our "
		  "own further questions.",
	  .exits = "0 shown, 1 problems, no such service or an exposure above N, 2 cannot be read" },
	{ .name = "schema", .group = GROUP_CONFIG, .run = verb_schema,
	  .summary = "Print the JSON Schema of the configuration, for editors." },

	{ .name = "keygen", .group = GROUP_CONFIG, .run = verb_keygen, .opts = OPT(SECRET) | OPT(PUBLIC),
	  .summary = "Make a pair of keys, for signatures.",
	  .more = "Both are files in minisign's format, and its own are taken in their place. The secret key is "
		  "without a password, for its owner alone (mode 0600): it belongs on the machine that signs, or "
		  "better in a drawer, and never into an image. What is there already is not written over.",
	  .exits = "0 made, 1 failed" },
	{ .name = "sign", .group = GROUP_CONFIG, .run = verb_sign, .args = "FILE...", .min = 1, .max = -1,
	  .opts = OPT(SECRET),
	  .summary = "Sign files: configurations, compiled plans, images.",
	  .more = "The signature of FILE is FILE.minisig beside it, in minisign's format (Ed25519 of the BLAKE2b-512 "
		  "hash); an older one is replaced. Its trusted comment has the time and the name of the file. The "
		  "secret key may come by a pipe, so that it is on no disk as it is: gpg -d KEY.gpg | prior sign -s "
		  "/dev/stdin FILE.",
	  .exits = "0 all are signed, 1 one is not" },
	{ .name = "verify", .group = GROUP_CONFIG, .run = verb_verify, .args = "FILE...", .min = 1, .max = -1,
	  .opts = OPT(PUBLIC),
	  .summary = "Check the signatures of files.",
	  .more = "FILE.minisig must be beside FILE, and by that key.",
	  .exits = "0 all are signed by the key, 1 one is not" },

	{ .name = "reload-config", .group = GROUP_CONFIG, .run = verb_reload_config,
	  .opts = LIVE | OPT(DRY_RUN) | OPT(NO_WAIT) | OPT(TIMEOUT) | OPT(JSON),
	  .summary = "Read the configuration again and apply only what changed.",
	  .more = "First says what will change. New services are started, changed ones restarted (with what runs and "
		  "needs them), those that are gone stopped; all others are not touched. What does not depend on a "
		  "service that still stops does not wait for it. Listening sockets whose "
		  "address stays are kept open throughout. A configuration with an error in it changes nothing. Who is "
		  "down because somebody stopped it stays down. Bridges, their rules and names are changed at once; "
		  "what is done once at boot (interfaces, mounts, kernel settings) is in effect from the next boot. "
		  "SIGHUP to prior does the same.",
	  .exits = "0 done (or nothing to do), 1 refused, or a service that was started anew has failed" },

	{ .name = "status", .group = GROUP_SERVICES, .run = verb_status, .args = "[SERVICE...]", .max = -1,
	  .opts = LIVE | OPT(JSON) | OPT(PRIOR),
	  .summary = "Show the services, or one in detail with its last lines.",
	  .exits = "0 active (without SERVICE: always), 3 not active, 4 no such service or no prior" },
	{ .name = "start", .group = GROUP_SERVICES, .run = verb_start, .args = "SERVICE...", .min = 1, .max = -1,
	  .opts = LIVE | OPT(NO_WAIT) | OPT(TIMEOUT),
	  .summary = "Start services and wait until they are ready.",
	  .more = "What they need is started first. NAME@INSTANCE of which there is the template NAME@ is made for "
		  "that; it goes when it has ended or is stopped.",
	  .exits = "0 done, 1 failed, 4 no such service" },
	{ .name = "stop", .group = GROUP_SERVICES, .run = verb_stop, .args = "SERVICE...", .min = 1, .max = -1,
	  .opts = LIVE | OPT(NO_WAIT) | OPT(TIMEOUT),
	  .summary = "Stop services and wait until nothing of them is left.",
	  .more = "What needs them is stopped first.",
	  .exits = "0 done, 1 failed, 4 no such service" },
	{ .name = "restart", .group = GROUP_SERVICES, .run = verb_restart, .args = "SERVICE...", .min = 1, .max = -1,
	  .opts = LIVE | OPT(NO_WAIT) | OPT(TIMEOUT),
	  .summary = "Stop and start services.",
	  .more = "What needs them and runs is stopped before and started after them.",
	  .exits = "0 done, 1 failed, 4 no such service" },
	{ .name = "reload", .group = GROUP_SERVICES, .run = verb_reload, .args = "SERVICE...", .min = 1, .max = -1,
	  .opts = LIVE | OPT(NO_WAIT) | OPT(TIMEOUT),
	  .summary = "Ask services to read their configuration again.",
	  .more = "Sends reload_signal. With ready: notify-reload it waits until the service says that it is done.",
	  .exits = "0 done, 1 failed, 4 no such service" },
	{ .name = "enable", .group = GROUP_SERVICES, .run = verb_enable, .args = "SERVICE...", .min = 1, .max = -1,
	  .opts = LIVE | OPT(NOW) | OPT(NO_WAIT) | OPT(TIMEOUT),
	  .summary = "Have services started at boot from now on.",
	  .more = "Kept in /var/lib/prior/enabled, for this machine; the configuration's files stay as they are, and "
		  "what is kept wins over their key `enabled`. An instance of a template can be enabled, too, before "
		  "anybody has started it. With --now they are started as well, as by `prior start`.",
	  .exits = "0 done, 1 failed (a read-only file system), 4 no such service" },
	{ .name = "disable", .group = GROUP_SERVICES, .run = verb_disable, .args = "SERVICE...", .min = 1, .max = -1,
	  .opts = LIVE | OPT(NOW) | OPT(NO_WAIT) | OPT(TIMEOUT),
	  .summary = "Have services not started at boot from now on.",
	  .more = "What needs or wants one of them still starts it. With --now they are stopped as well, as by `prior "
		  "stop`.",
	  .exits = "0 done, 1 failed (a read-only file system), 4 no such service" },
	{ .name = "healthy", .group = GROUP_SERVICES, .run = verb_healthy, .args = "[SERVICE...]", .max = -1,
	  .opts = LIVE,
	  .summary = "Say what is not well; print nothing when all is.",
	  .more = "For HEALTHCHECK lines and exec probes. Without SERVICE it asks about all that should be up. A "
		  "service with a health check is well when that is good, any other when it is ready.",
	  .exits = "0 all is well, 1 something is not, or no prior, 4 no such service" },
	{ .name = "signal", .group = GROUP_SERVICES, .run = verb_signal, .args = "[SIGNAL] SERVICE...",
	  .min = 1, .max = -1, .opts = LIVE | OPT(SIGNAL),
	  .summary = "Send a signal to the main process of services.",
	  .more = "A first word in capitals, or a number in front of the services, is the signal. Without one it is "
		  "SIGTERM.",
	  .exits = "0 sent, 1 failed, 4 no such service" },
	{ .name = "enter", .group = GROUP_SERVICES, .run = verb_enter, .args = "SERVICE [-- COMMAND [ARG...]]",
	  .min = 1, .max = -1, .opts = LIVE | OPT(PRIVILEGED),
	  .summary = "A shell, or a command, inside a running service's cell.",
	  .more = "It joins the service's namespaces and its cgroup, in its root, and gives up what the service gave "
		  "up: ids, capabilities, system calls, files. So it can do no more than the service, counts against "
		  "its limits, and ends with it. Without COMMAND it is /bin/sh of the service's root. COMMAND is "
		  "looked for along the PATH of the service, whose environment it has, and nothing of ours but TERM. "
		  "On a terminal it gets one of its own; otherwise its input and output are copied through pipes: no "
		  "descriptor of ours goes in. With --privileged a program out of the cell runs with all rights of "
		  "the machine. It takes root, or the user whose prior it is, in the same namespaces as prior.",
	  .exits = "the command's, 128+N on signal N; 125 it could not be entered, 126 COMMAND cannot be executed, "
		   "127 there is none" },
	{ .name = "wait", .group = GROUP_SERVICES, .run = verb_wait, .opts = LIVE | OPT(TIMEOUT),
	  .summary = "Wait until every wanted service is up, listening, done or has failed.",
	  .exits = "0 settled, 1 not within the time, or no prior" },

	{ .name = "logs", .group = GROUP_INSIGHT, .run = verb_logs, .args = "[SERVICE...]", .max = -1,
	  .opts = LIVE | OPT(FOLLOW) | OPT(LINES) | OPT(SINCE) | OPT(UNTIL) | OPT(GREP) | OPT(LEVEL) | OPT(JSON),
	  .summary = "Print what services wrote.",
	  .more = "Of several services (without SERVICE: of all) in the order of time, over all rotated files and what "
		  "is in memory. What a terminal would obey is shown as \\xNN; with --json the line is as it was "
		  "written. A service that is in the configuration no more keeps its lines until its files are "
		  "removed.",
	  .exits = "0 printed, 1 failed, 4 no such service" },
	{ .name = "top", .group = GROUP_INSIGHT, .run = verb_top, .args = "[SERVICE...]", .max = -1,
	  .opts = LIVE | OPT(JSON),
	  .summary = "Show what services use: CPU, memory, tasks.",
	  .more = "On a terminal it goes on, until q is pressed; otherwise it is one table. CPU% is of one CPU, within "
		  "the last two seconds (of one table: half a second). prior is asked once for each; the figures are "
		  "read from the cgroups.",
	  .exits = "0 shown, 4 no such service or no prior" },
	{ .name = "events", .group = GROUP_INSIGHT, .run = verb_events, .args = "[SERVICE...]", .max = -1,
	  .opts = LIVE | OPT(FOLLOW) | OPT(LINES) | OPT(SINCE) | OPT(UNTIL) | OPT(GREP) | OPT(LEVEL) | OPT(JSON),
	  .summary = "Print what happened, as prior saw it.",
	  .more = "Kept in memory, in /run/prior/events; last-boot has the end of those of the boot before. With "
		  "--json a line is an object with time, level (info, warning, error), event (its name), service, "
		  "why, and fields of its own. docs/EVENTS.md lists all events, and what to do.",
	  .exits = "0 printed, 1 failed, 4 no such service" },
	{ .name = "network", .group = GROUP_INSIGHT, .run = verb_network, .opts = LIVE | OPT(JSON),
	  .summary = "Show bridges, cells' addresses, published ports, counters.",
	  .more = "Received and sent are what the service has received and sent. The rules (nf_tables prior) are read "
		  "back from the kernel and compared with what was made, and what they dropped is counted; that takes "
		  "root.",
	  .exits = "0 shown, 1 no prior answers" },
	{ .name = "audit", .group = GROUP_INSIGHT, .run = verb_audit, .args = "[SERVICE...]", .max = -1,
	  .opts = LIVE | OPT(JSON) | OPT(EXPOSURE) | OPT(THRESHOLD),
	  .summary = "Compare the sandboxes of running services with the plan, as the kernel has them.",
	  .more = "Then each service's exposure is told: as the plan declares it, and as the kernel attests it. "
		  "What the kernel does not show counts as absent.",
	  .exits = "0 everything is as planned, 1 something is not, cannot be read or is exposed above N, "
		   "4 no such service or no prior" },
	{ .name = "probe", .group = GROUP_INSIGHT, .run = verb_probe, .args = "[SERVICE]", .max = 1,
	  .opts = OPT(CONFIG) | OPT(JSON),
	  .summary = "Try what this kernel and these privileges support for services.",
	  .more = "Each line is found by doing it in a child that is thrown away, not by a version or a name, and says "
		  "which services need it. With SERVICE only what that one needs is shown. What does not work is "
		  "followed by what it takes.",
	  .exits = "0 all that is needed works, 1 something that is asked for is missing, "
		   "2 the configuration cannot be read, 4 no such service" },
	{ .name = "why", .group = GROUP_INSIGHT, .run = verb_why, .args = "SERVICE", .min = 1, .max = 1, .opts = LIVE,
	  .summary = "Say in sentences why a service is in the state that it is in.",
	  .exits = "0 said, 4 no such service or no prior" },
	{ .name = "graph", .group = GROUP_INSIGHT, .run = verb_graph,
	  .opts = LIVE | OPT(CONFIG) | OPT(SVG) | OPT(JSON),
	  .summary = "Print who needs whom: as DOT, or with --svg as a picture.",
	  .more = "Of what runs, with its states; with -c of a configuration. Solid: depends_on, dashed: wants, "
		  "dotted: after and before, red: conflicts." },
	{ .name = "chart", .group = GROUP_INSIGHT, .run = verb_chart, .opts = LIVE | OPT(JSON),
	  .summary = "Print the chart of the boot as SVG: when each service was started and ready.",
	  .more = "Of each service the last start is shown; of a machine, the stages of its boot too." },
	{ .name = "completion", .group = GROUP_INSIGHT, .run = verb_completion, .args = "bash|zsh|fish", .min = 1,
	  .max = 1, .summary = "Print what a shell needs to complete verbs, options and services.",
	  .more = "`make install` puts it where the shells look." },
	{ .name = "help", .group = GROUP_INSIGHT, .run = verb_help, .args = "[VERB]", .max = 1,
	  .summary = "Print this, or the help of a verb." },
	{ .name = "version", .group = GROUP_INSIGHT, .run = verb_version, .summary = "Print the version." },

	{ .name = "poweroff", .group = GROUP_MACHINE, .run = verb_poweroff, .opts = LIVE | OPT(FORCE),
	  .summary = "Stop everything in order and switch off; in a container: stop and end." },
	{ .name = "reboot", .group = GROUP_MACHINE, .run = verb_reboot, .args = "[ARGUMENT]", .max = 1,
	  .opts = LIVE | OPT(FORCE),
	  .summary = "The same, and boot again.",
	  .more = "ARGUMENT is for the firmware; which ones it knows is the board's affair." },
	{ .name = "halt", .group = GROUP_MACHINE, .run = verb_halt, .opts = LIVE | OPT(FORCE),
	  .summary = "The same, and stand still." },
	{ .name = "kexec", .group = GROUP_MACHINE, .run = verb_kexec, .args = "[KERNEL]", .max = 1,
	  .opts = LIVE | OPT(FORCE) | OPT(INITRD) | OPT(APPEND),
	  .summary = "The same, and boot KERNEL (or the loaded one) at once.",
	  .more = "The firmware is passed over. Where the kernel that runs is locked down, KERNEL must be signed." },
	{ .name = "soft-reboot", .group = GROUP_MACHINE, .run = verb_soft_reboot, .opts = LIVE,
	  .summary = "The same, and boot again under the same kernel.",
	  .more = "PID 1 begins anew, with its binary on disk." },
	{ .name = "reexec", .group = GROUP_MACHINE, .run = verb_reexec, .opts = LIVE,
	  .summary = "Replace the running PID 1 by the binary on disk; services do not notice." },
	{ .name = "last-boot", .group = GROUP_MACHINE, .run = verb_last_boot, .opts = OPT(JSON),
	  .summary = "Show how the boot before this one ended: why, when, its last events.",
	  .more = "Kept at machine.last_boot. A boot that left no word was cut off: the power failed, or a watchdog or "
		  "the kernel reset the machine; what the kernel left in pstore (ramoops, EFI) is shown then. Root's.",
	  .exits = "0 shown, 1 nothing is known of it" },
	{ .name = "slot", .group = GROUP_MACHINE, .run = verb_slot, .args = "[list|mark-good|mark-bad|switch] [SLOT]",
	  .max = 2, .opts = LIVE | OPT(JSON),
	  .summary = "Show the machine's A/B slots, or say of one that it is good, bad or preferred.",
	  .more = "As machine.slots says where they are counted. Without SLOT it is the one that runs. mark-good gives "
		  "it all its tries back, which prior does by itself when all has been well; mark-bad takes them; "
		  "switch gives them, too, and makes it the first. Each is on the disk when the command ends, whole, "
		  "or not at all when the power is cut.",
	  .exits = "0 done, 1 failed, or there are no slots" },
	{ .name = "console", .group = GROUP_MACHINE, .run = verb_console, .opts = OPT(DEVICE) | OPT(BATCH) | LIVE,
	  .summary = "A prompt for these verbs, for machines without a shell.",
	  .more = "Words are split as a shell would; `help` lists the verbs, `exit` leaves." },

	{ .name = "boot-good", .group = GROUP_HIDDEN, .run = verb_boot_good, .opts = LIVE,
	  .summary = "Keep that this boot is a good one: what PID 1 runs when all has been well." },
	{ .name = "docs", .group = GROUP_HIDDEN, .run = verb_docs,
	  .args = "verbs|keys|example|signals|steps|stages|states", .min = 1, .max = 1,
	  .summary = "Print a generated part of the manual." },

	LATER("violations"), LATER("learn"), LATER("receipt"), LATER("diff"), LATER("evidence"), LATER("freeze"),
	LATER("thaw"),
	LATER("import"),
	{ .name = NULL },
};

const struct verb *verb_find(const char *name)
{
	for (const struct verb *v = ctl_verbs; v->name; v++)
		if (strcmp(v->name, name) == 0)
			return v;
	return NULL;
}

const char *verb_nearest(const char *name)
{
	const char *words[sizeof ctl_verbs / sizeof *ctl_verbs];
	unsigned n = 0;

	for (const struct verb *v = ctl_verbs; v->name; v++)
		if (verb_is_built(v) && v->group != GROUP_HIDDEN)
			words[n++] = v->name;
	words[n] = NULL;
	return value_nearest(name, words);
}
