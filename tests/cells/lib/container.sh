# The image of a container: ours, busybox, no passwd, nothing else; and what it may be told to start. Wants $work and $PRIOR.
# SPDX-License-Identifier: ISC
image=$work/image
conf() { cat >"$image/conf/$1.yaml"; }
image_made() { # PROGRAM APPLET...
	mkdir -p "$image/bin" "$image/etc/prior" "$image/conf/old" "$image/proc" "$image/sys" "$image/dev" "$image/run" "$image/tmp" || exit 2
	chmod 755 "$work" "$image" && chmod 1777 "$image/tmp"
	cp "$PRIOR" "$image/bin/prior" && cp "$(command -v busybox)" "$image/bin/busybox" && cp "$1" "$image/bin/" || exit 2
	chmod 755 "$image/bin"/*
	shift
	for a in "$@"; do ln -s busybox "$image/bin/$a"; done
	cat >"$image/etc/prior/prior.yaml" <<'YAML'
services:
  app: {command: [/bin/sh, -c, "id; grep CapEff /proc/self/status; exit 3"], critical: true, restart: "no"}
YAML
	conf server <<'YAML'
services:
  app: {command: [/bin/id], restart: "no", isolation: {preset: server}}
YAML
}
