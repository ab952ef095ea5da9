#!/bin/sh
# The bundles that OCI runtimes get: config.json for one service with every kind of key, and what is refused or told.
# SPDX-License-Identifier: ISC
set -u
export LC_ALL=C.UTF-8
: "${PRIOR:?the binary to ask}"
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT || exit 2
chmod 755 "$work"
status=0
mkdir -p "$work/root/bin" "$work/root/etc" "$work/root/dev" "$work/root/proc" "$work/root/tmp" "$work/root/sys" \
	"$work/root/srv" "$work/data"
cp /bin/true "$work/root/bin/app"
printf 'app:x:1234:1235::/srv:/bin/sh\n' >"$work/root/etc/passwd"
printf 'tls:x:1300:\n' >"$work/root/etc/group"
: >"$work/root/etc/hosts"
write() { # RUNTIME MORE
	cat >"$work/prior.yaml" <<YAML
services:
  web:
    command: [/bin/app, -a, 'b "c"']
    user: app
    group: "1235"
    supplementary_groups: [tls]
    umask: "0027"
    working_dir: /srv
    environment: {TZ: UTC}
    isolation:
      rootfs: $work/root
      readonly_rootfs: true
      hostname: web.example
      volumes: ["$work/data:/srv:rw"]
      tmpfs: {/tmp: "size=8M"}
      devices: ["/dev/null:/dev/more:rw"]
      inaccessible_paths: [/etc/group]
      read_only_paths: [/etc]
    security: {seccomp: default, runtime: $1}
    limits: {nofile: 4096, memlock: {soft: 64K, hard: 1M}, oom_score_adj: 200}
$2
YAML
}
# Sorted and indented; of the filter only how it begins: tests/unit/test_oci_seccomp.c looks at all of it.
bundle() {
	"$PRIOR" show web --bundle -c "$work/prior.yaml" 2>&1 | python3 -c '
import json, sys
text = sys.stdin.read()
if not text.startswith("{"):
    print(text.replace(sys.argv[1], "."))
    raise SystemExit
d = json.loads(text)
calls = d["linux"]["seccomp"].pop("syscalls")
d["linux"]["seccomp"]["syscalls"] = [{**calls[0], "names": calls[0]["names"][:3] + ["..."]}, "..."]
print(json.dumps(d, indent=1, sort_keys=True))' "$work"
}
for runtime in crun runc runsc; do
	if ! PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin command -v $runtime >/dev/null; then
		echo "skip golden: oci-$runtime: $runtime is not installed"
		continue
	fi
	write $runtime ""
	bundle >"$work/got"
	tools/golden oci-$runtime cat "$work/got" || status=1
done

says() { # WHAT TEXT RUNTIME MORE
	write "$3" "$4"
	got=$("$PRIOR" check "$work/prior.yaml" 2>&1)
	case $got in *"$2"*) echo "ok golden: $1" ;; *) echo "not ok golden: $1"; echo "$got" | sed 's/^/    /'; status=1 ;; esac
}
if [ "$(id -u)" != 0 ]; then
	says "only root starts containers" "security.runtime: crun: only root starts it" crun ""
fi
exit $status
