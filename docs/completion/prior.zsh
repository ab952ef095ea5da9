#compdef prior
# What zsh can complete of prior(8); printed by `prior completion zsh`: do not edit.
# SPDX-License-Identifier: ISC
_prior_services() { compadd -- ${(f)"$(prior status --json 2>/dev/null | sed -n 's/.*"service": "\([^"]*\)".*/\1/p')"} }
_prior()
{
	local -a verbs
	verbs=(
		'run:Supervise one command: reap, pass signals on, end with its code.'
		'up:Run a configuration in the foreground, without being PID 1.'
		'check:Say everything that is wrong with a configuration.'
		'compile:Write the compiled plan of a configuration.'
		'show:Show what a service'\''s configuration comes to, and where each value is from.'
		'schema:Print the JSON Schema of the configuration, for editors.'
		'keygen:Make a pair of keys, for signatures.'
		'sign:Sign files: configurations, compiled plans, images.'
		'verify:Check the signatures of files.'
		'reload-config:Read the configuration again and apply only what changed.'
		'status:Show the services, or one in detail with its last lines.'
		'start:Start services and wait until they are ready.'
		'stop:Stop services and wait until nothing of them is left.'
		'restart:Stop and start services.'
		'reload:Ask services to read their configuration again.'
		'enable:Have services started at boot from now on.'
		'disable:Have services not started at boot from now on.'
		'healthy:Say what is not well; print nothing when all is.'
		'signal:Send a signal to the main process of services.'
		'enter:A shell, or a command, inside a running service'\''s cell.'
		'wait:Wait until every wanted service is up, listening, done or has failed.'
		'logs:Print what services wrote.'
		'top:Show what services use: CPU, memory, tasks.'
		'events:Print what happened, as prior saw it.'
		'network:Show bridges, cells'\'' addresses, published ports, counters.'
		'audit:Compare the sandboxes of running services with the plan, as the kernel has them.'
		'probe:Try what this kernel and these privileges support for services.'
		'why:Say in sentences why a service is in the state that it is in.'
		'graph:Print who needs whom: as DOT, or with --svg as a picture.'
		'chart:Print the chart of the boot as SVG: when each service was started and ready.'
		'completion:Print what a shell needs to complete verbs, options and services.'
		'help:Print this, or the help of a verb.'
		'version:Print the version.'
		'poweroff:Stop everything in order and switch off; in a container: stop and end.'
		'reboot:The same, and boot again.'
		'halt:The same, and stand still.'
		'kexec:The same, and boot KERNEL (or the loaded one) at once.'
		'soft-reboot:The same, and boot again under the same kernel.'
		'reexec:Replace the running PID 1 by the binary on disk; services do not notice.'
		'last-boot:Show how the boot before this one ended: why, when, its last events.'
		'slot:Show the machine'\''s A/B slots, or say of one that it is good, bad or preferred.'
		'console:A prompt for these verbs, for machines without a shell.'
	)
	if (( CURRENT == 2 )); then _describe verb verbs; return; fi
	local -a options
	case $words[2] in
	run)
		options=(
			'--help:Say what this verb does and takes.'
		)
		_files
		;;
	up)
		options=(
			'--help:Say what this verb does and takes.'
		)
		_files
		;;
	check)
		options=(
			'--help:Say what this verb does and takes.'
			'--json:Print JSON instead of text.'
			'--config:The configuration: a file, or a directory with prior.yaml and services.d/.'
			'--offline:Look at the text only, not at this machine'\''s users, programs and kernel.'
			'--threshold:Exit 1 when the exposure of a service is above N: 0 to 10, such as 1.3.'
			'--trust:It must be signed by this key: its file, or the key itself (else as prior.trust= of the kernel, or $PRIOR_TRUST, says).'
		)
		_files
		;;
	compile)
		options=(
			'--help:Say what this verb does and takes.'
			'--config:The configuration: a file, or a directory with prior.yaml and services.d/.'
			'--output:The file to write.'
			'--container:The plan is for a container that cannot make namespaces or mounts.'
			'--trust:It must be signed by this key: its file, or the key itself (else as prior.trust= of the kernel, or $PRIOR_TRUST, says).'
		)
		_files
		;;
	show)
		options=(
			'--help:Say what this verb does and takes.'
			'--json:Print JSON instead of text.'
			'--config:The configuration: a file, or a directory with prior.yaml and services.d/.'
			'--isolation:The short table of what isolates the service.'
			'--steps:The steps by which a cell is made, in order, with their reasons.'
			'--exposure:The questions behind the exposure score that are not answered well.'
			'--threshold:Exit 1 when the exposure of a service is above N: 0 to 10, such as 1.3.'
			'--bundle:The config.json that its OCI runtime would get here.'
		)
		_prior_services
		;;
	schema)
		options=(
			'--help:Say what this verb does and takes.'
		)
		;;
	keygen)
		options=(
			'--help:Say what this verb does and takes.'
			'--secret-key:The file of the secret key, without a password.'
			'--public-key:The file of the public key; to verify, also the key itself (RW...).'
		)
		;;
	sign)
		options=(
			'--help:Say what this verb does and takes.'
			'--secret-key:The file of the secret key, without a password.'
		)
		;;
	verify)
		options=(
			'--help:Say what this verb does and takes.'
			'--public-key:The file of the public key; to verify, also the key itself (RW...).'
		)
		;;
	reload-config)
		options=(
			'--help:Say what this verb does and takes.'
			'--json:Print JSON instead of text.'
			'--run-dir:Where the running prior keeps its control socket (else /run/prior, or a user'\''s own).'
			'--no-wait:Ask, and do not wait for the result.'
			'--timeout:Wait at most this long: 500ms, 30s, 5m.'
			'--dry-run:Only say what would change.'
		)
		;;
	status)
		options=(
			'--help:Say what this verb does and takes.'
			'--json:Print JSON instead of text.'
			'--run-dir:Where the running prior keeps its control socket (else /run/prior, or a user'\''s own).'
			'--prior:About PID 1 itself.'
		)
		_prior_services
		;;
	start)
		options=(
			'--help:Say what this verb does and takes.'
			'--run-dir:Where the running prior keeps its control socket (else /run/prior, or a user'\''s own).'
			'--no-wait:Ask, and do not wait for the result.'
			'--timeout:Wait at most this long: 500ms, 30s, 5m.'
		)
		_prior_services
		;;
	stop)
		options=(
			'--help:Say what this verb does and takes.'
			'--run-dir:Where the running prior keeps its control socket (else /run/prior, or a user'\''s own).'
			'--no-wait:Ask, and do not wait for the result.'
			'--timeout:Wait at most this long: 500ms, 30s, 5m.'
		)
		_prior_services
		;;
	restart)
		options=(
			'--help:Say what this verb does and takes.'
			'--run-dir:Where the running prior keeps its control socket (else /run/prior, or a user'\''s own).'
			'--no-wait:Ask, and do not wait for the result.'
			'--timeout:Wait at most this long: 500ms, 30s, 5m.'
		)
		_prior_services
		;;
	reload)
		options=(
			'--help:Say what this verb does and takes.'
			'--run-dir:Where the running prior keeps its control socket (else /run/prior, or a user'\''s own).'
			'--no-wait:Ask, and do not wait for the result.'
			'--timeout:Wait at most this long: 500ms, 30s, 5m.'
		)
		_prior_services
		;;
	enable)
		options=(
			'--help:Say what this verb does and takes.'
			'--run-dir:Where the running prior keeps its control socket (else /run/prior, or a user'\''s own).'
			'--no-wait:Ask, and do not wait for the result.'
			'--timeout:Wait at most this long: 500ms, 30s, 5m.'
			'--now:Start or stop it too.'
		)
		_prior_services
		;;
	disable)
		options=(
			'--help:Say what this verb does and takes.'
			'--run-dir:Where the running prior keeps its control socket (else /run/prior, or a user'\''s own).'
			'--no-wait:Ask, and do not wait for the result.'
			'--timeout:Wait at most this long: 500ms, 30s, 5m.'
			'--now:Start or stop it too.'
		)
		_prior_services
		;;
	healthy)
		options=(
			'--help:Say what this verb does and takes.'
			'--run-dir:Where the running prior keeps its control socket (else /run/prior, or a user'\''s own).'
		)
		_prior_services
		;;
	signal)
		options=(
			'--help:Say what this verb does and takes.'
			'--run-dir:Where the running prior keeps its control socket (else /run/prior, or a user'\''s own).'
			'--signal:The signal, by name or number (SIGTERM).'
		)
		_prior_services
		;;
	enter)
		options=(
			'--help:Say what this verb does and takes.'
			'--run-dir:Where the running prior keeps its control socket (else /run/prior, or a user'\''s own).'
			'--privileged:As the machine'\''s root, who gives nothing up: for a service that you trust.'
		)
		_prior_services
		;;
	wait)
		options=(
			'--help:Say what this verb does and takes.'
			'--run-dir:Where the running prior keeps its control socket (else /run/prior, or a user'\''s own).'
			'--timeout:Wait at most this long: 500ms, 30s, 5m.'
		)
		;;
	logs)
		options=(
			'--help:Say what this verb does and takes.'
			'--json:Print JSON instead of text.'
			'--run-dir:Where the running prior keeps its control socket (else /run/prior, or a user'\''s own).'
			'--follow:Go on printing what comes.'
			'--lines:Only the last N lines.'
			'--since:Only what is newer than 10m (ago), @SECONDS, 2026-01-31 or 2026-01-31T12:00:00 (UTC).'
			'--until:Only what is not newer than that, written as with --since.'
			'--grep:Only lines with this extended regular expression; small letters mean large ones too.'
			'--level:Only lines that are at least as grave: err, warning, 4.'
		)
		_prior_services
		;;
	top)
		options=(
			'--help:Say what this verb does and takes.'
			'--json:Print JSON instead of text.'
			'--run-dir:Where the running prior keeps its control socket (else /run/prior, or a user'\''s own).'
		)
		_prior_services
		;;
	events)
		options=(
			'--help:Say what this verb does and takes.'
			'--json:Print JSON instead of text.'
			'--run-dir:Where the running prior keeps its control socket (else /run/prior, or a user'\''s own).'
			'--follow:Go on printing what comes.'
			'--lines:Only the last N lines.'
			'--since:Only what is newer than 10m (ago), @SECONDS, 2026-01-31 or 2026-01-31T12:00:00 (UTC).'
			'--until:Only what is not newer than that, written as with --since.'
			'--grep:Only lines with this extended regular expression; small letters mean large ones too.'
			'--level:Only lines that are at least as grave: err, warning, 4.'
		)
		_prior_services
		;;
	network)
		options=(
			'--help:Say what this verb does and takes.'
			'--json:Print JSON instead of text.'
			'--run-dir:Where the running prior keeps its control socket (else /run/prior, or a user'\''s own).'
		)
		;;
	audit)
		options=(
			'--help:Say what this verb does and takes.'
			'--json:Print JSON instead of text.'
			'--run-dir:Where the running prior keeps its control socket (else /run/prior, or a user'\''s own).'
			'--exposure:The questions behind the exposure score that are not answered well.'
			'--threshold:Exit 1 when the exposure of a service is above N: 0 to 10, such as 1.3.'
		)
		_prior_services
		;;
	probe)
		options=(
			'--help:Say what this verb does and takes.'
			'--json:Print JSON instead of text.'
			'--config:The configuration: a file, or a directory with prior.yaml and services.d/.'
		)
		_prior_services
		;;
	why)
		options=(
			'--help:Say what this verb does and takes.'
			'--run-dir:Where the running prior keeps its control socket (else /run/prior, or a user'\''s own).'
		)
		_prior_services
		;;
	graph)
		options=(
			'--help:Say what this verb does and takes.'
			'--json:Print JSON instead of text.'
			'--config:The configuration: a file, or a directory with prior.yaml and services.d/.'
			'--run-dir:Where the running prior keeps its control socket (else /run/prior, or a user'\''s own).'
			'--svg:Print a picture (by Graphviz where it is installed).'
		)
		;;
	chart)
		options=(
			'--help:Say what this verb does and takes.'
			'--json:Print JSON instead of text.'
			'--run-dir:Where the running prior keeps its control socket (else /run/prior, or a user'\''s own).'
		)
		;;
	completion)
		options=(
			'--help:Say what this verb does and takes.'
		)
		;;
	help)
		options=(
			'--help:Say what this verb does and takes.'
		)
		;;
	version)
		options=(
			'--help:Say what this verb does and takes.'
		)
		;;
	poweroff)
		options=(
			'--help:Say what this verb does and takes.'
			'--run-dir:Where the running prior keeps its control socket (else /run/prior, or a user'\''s own).'
			'--force:Do not ask PID 1: tell the kernel, at once. Nothing is stopped in order.'
		)
		;;
	reboot)
		options=(
			'--help:Say what this verb does and takes.'
			'--run-dir:Where the running prior keeps its control socket (else /run/prior, or a user'\''s own).'
			'--force:Do not ask PID 1: tell the kernel, at once. Nothing is stopped in order.'
		)
		;;
	halt)
		options=(
			'--help:Say what this verb does and takes.'
			'--run-dir:Where the running prior keeps its control socket (else /run/prior, or a user'\''s own).'
			'--force:Do not ask PID 1: tell the kernel, at once. Nothing is stopped in order.'
		)
		;;
	kexec)
		options=(
			'--help:Say what this verb does and takes.'
			'--run-dir:Where the running prior keeps its control socket (else /run/prior, or a user'\''s own).'
			'--force:Do not ask PID 1: tell the kernel, at once. Nothing is stopped in order.'
			'--initrd:The initial file system of the kernel to load.'
			'--append:Its command line (that of the running kernel).'
		)
		;;
	soft-reboot)
		options=(
			'--help:Say what this verb does and takes.'
			'--run-dir:Where the running prior keeps its control socket (else /run/prior, or a user'\''s own).'
		)
		;;
	reexec)
		options=(
			'--help:Say what this verb does and takes.'
			'--run-dir:Where the running prior keeps its control socket (else /run/prior, or a user'\''s own).'
		)
		;;
	last-boot)
		options=(
			'--help:Say what this verb does and takes.'
			'--json:Print JSON instead of text.'
		)
		;;
	slot)
		options=(
			'--help:Say what this verb does and takes.'
			'--json:Print JSON instead of text.'
			'--run-dir:Where the running prior keeps its control socket (else /run/prior, or a user'\''s own).'
		)
		;;
	console)
		options=(
			'--help:Say what this verb does and takes.'
			'--run-dir:Where the running prior keeps its control socket (else /run/prior, or a user'\''s own).'
			'--device:The terminal to talk to, instead of standard input and output.'
			'--batch:For programs: no prompt, no echo, and `exit: N` after each command.'
		)
		;;
	esac
	[[ $PREFIX != -* ]] || _describe option options
}
_prior "$@"
