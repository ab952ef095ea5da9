# What bash can complete of prior(8); printed by `prior completion bash`: do not edit.
# SPDX-License-Identifier: ISC
_prior()
{
	local cur=${COMP_WORDS[COMP_CWORD]} words= services= files=

	COMPREPLY=()
	if [ "$COMP_CWORD" -le 1 ]; then
		words='run up check compile show schema keygen sign verify reload-config status start stop restart reload enable disable healthy signal enter wait logs top events network audit probe why graph chart completion help version poweroff reboot halt kexec soft-reboot reexec last-boot slot console'
	else case ${COMP_WORDS[1]} in
	run) words='--help' files=1 ;;
	up) words='--help' files=1 ;;
	check) words='--help --json --config --offline --threshold --trust' files=1 ;;
	compile) words='--help --config --output --container --trust' files=1 ;;
	show) words='--help --json --config --isolation --steps --exposure --threshold --bundle' services=1 ;;
	schema) words='--help' ;;
	keygen) words='--help --secret-key --public-key' ;;
	sign) words='--help --secret-key' ;;
	verify) words='--help --public-key' ;;
	reload-config) words='--help --json --run-dir --no-wait --timeout --dry-run' ;;
	status) words='--help --json --run-dir --prior' services=1 ;;
	start) words='--help --run-dir --no-wait --timeout' services=1 ;;
	stop) words='--help --run-dir --no-wait --timeout' services=1 ;;
	restart) words='--help --run-dir --no-wait --timeout' services=1 ;;
	reload) words='--help --run-dir --no-wait --timeout' services=1 ;;
	enable) words='--help --run-dir --no-wait --timeout --now' services=1 ;;
	disable) words='--help --run-dir --no-wait --timeout --now' services=1 ;;
	healthy) words='--help --run-dir' services=1 ;;
	signal) words='--help --run-dir --signal' services=1 ;;
	enter) words='--help --run-dir --privileged' services=1 ;;
	wait) words='--help --run-dir --timeout' ;;
	logs) words='--help --json --run-dir --follow --lines --since --until --grep --level' services=1 ;;
	top) words='--help --json --run-dir' services=1 ;;
	events) words='--help --json --run-dir --follow --lines --since --until --grep --level' services=1 ;;
	network) words='--help --json --run-dir' ;;
	audit) words='--help --json --run-dir --exposure --threshold' services=1 ;;
	probe) words='--help --json --config' services=1 ;;
	why) words='--help --run-dir' services=1 ;;
	graph) words='--help --json --config --run-dir --svg' ;;
	chart) words='--help --json --run-dir' ;;
	completion) words='--help' ;;
	help) words='--help' ;;
	version) words='--help' ;;
	poweroff) words='--help --run-dir --force' ;;
	reboot) words='--help --run-dir --force' ;;
	halt) words='--help --run-dir --force' ;;
	kexec) words='--help --run-dir --force --initrd --append' ;;
	soft-reboot) words='--help --run-dir' ;;
	reexec) words='--help --run-dir' ;;
	last-boot) words='--help --json' ;;
	slot) words='--help --json --run-dir' ;;
	console) words='--help --run-dir --device --batch' ;;
	esac; fi
	case ${COMP_WORDS[COMP_CWORD - 1]} in --config|-c|--output|-o|--run-dir) files=1 ;; esac
	case $cur in
	-*) ;;
	*) [ "$COMP_CWORD" -le 1 ] || words=
	   [ -z "$services" ] || words=$(prior status --json 2>/dev/null | sed -n 's/.*"service": "\([^"]*\)".*/\1/p') ;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
	[ -z "$files" ] || mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$cur")
}
complete -F _prior prior
