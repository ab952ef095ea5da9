#!/bin/sh
# A folder that does not describe an image is refused with its reason, before anything is fetched.
# SPDX-License-Identifier: ISC
set -u
cd "$(dirname "$0")/../.." && export LC_ALL=C.UTF-8 || exit 2
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT || exit 2
status=0
python3 -c 'import yaml' 2>/dev/null || { echo "skip golden: image.yaml: no python3-yaml"; exit 0; }

refused() { # TEXT-OF-image.yaml MESSAGE
	printf '%b' "$1" >"$work/image.yaml"
	said=$(BUILD=$work/build qemu/image --kind disk "$work" 2>&1) || [ "$?" != 1 ] || case $said in *"$2"*) return ;; esac
	printf 'not ok golden: image.yaml is refused\n    given: %s\n    wanted: %s\n    said: %s\n' "$1" "$2" "$said"
	status=1
}
refused 'kernel: "6.1"\n' "there is no prior.yaml, the configuration of the image"
: >"$work/prior.yaml"
refused 'kernels: "6.1"\n' "image.yaml: unknown key 'kernels'; there are cells, cmdline,"
refused '- a\n' "image.yaml: must be keys and values"
refused 'kernel: 6.1\n' 'image.yaml: kernel: must be text (put it in quotes)'
refused 'packages: nginx\n' "image.yaml: packages: must be a list of words"
refused 'slot: 64M\n' "image.yaml: slot: must be a number"
refused 'root: ext4\n' "image.yaml: root: must be one of erofs, squashfs"
refused 'version: a b\n' "image.yaml: version: letters, digits and"
refused "cmdline: \"it's\"\n" "image.yaml: cmdline: printable ASCII in one line, without '"
refused 'cells: {web: {program: []}}\n' "image.yaml: cells.web: unknown key 'program'"
refused 'files: {/etc/x: nothing}\n' "image.yaml: files: /etc/x: nothing is not a file in $work"
refused 'a: [\n' "while parsing"
mkdir "$work/files" && mkfifo "$work/files/fifo" && refused '' "files/fifo: is neither a file nor a folder nor a symbolic link"
[ -e "$work/build" ] && { echo "not ok golden: image.yaml is refused before anything is fetched"; status=1; }
[ "$status" = 1 ] || echo "ok golden: image.yaml is refused with the reason"
exit $status
