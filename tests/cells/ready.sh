#!/bin/sh
# The images of examples/: built by podman from what this machine has, and run as their compose file runs them. Needs root.
# SPDX-License-Identifier: ISC
set -u
cd "$(dirname "$0")/../.." || exit 2
: "${PRIOR:?the binary}"
who=ready
. tests/cells/lib/say.sh
needs_root
for p in podman buildah runc nginx python3 busybox; do
	command -v $p >/dev/null || { echo "skip ready: $p is not installed"; exit 0; }
done
work=$(mktemp -d) || exit 2
pods="--storage-driver vfs --root $work/pods --runroot $work/run"
pod() { timeout 300 podman $pods --cgroup-manager cgroupfs --events-backend file --runtime runc "$@"; }
trap 'pod rm -fa >/dev/null 2>&1; rm -rf "$work"' EXIT
failed_build() { not_ok "$1" "$(tail -n 15 "$work/log")"; exit 1; }
# --pull=never: what is not here is not asked for.
build() { pod build --pull=never --isolation chroot --format docker "$@" >"$work/log" 2>&1; }

# In the place of the stage that compiles: what `make` has built here.
mkdir -p "$work/built/out" "$work/built/bin"
cp "$PRIOR" "$work/built/out/prior" && cp "$(command -v busybox)" "$work/built/bin/busybox" || exit 2
tar -C "$work/built" -c . | pod import - localhost/built >"$work/log" 2>&1 || {
	echo "skip ready: no image can be made here: $(tail -1 "$work/log")"
	exit 0
}
# Only what the files name goes along, not all that lies in the folder.
mkdir -p "$work/context" && cp -r examples "$work/context/"
build -f examples/scratch/Dockerfile --build-arg BUILT=localhost/built -t scratch "$work/context" || failed_build "FROM scratch: it is built"
ok "FROM scratch: it is built"

limits="--network=none --ulimit nofile=1024:1024 --ulimit nproc=1000:1000"
if ! pod run --rm $limits --entrypoint /bin/httpd scratch --help >"$work/log" 2>&1 && grep -q 'runc\|OCI' "$work/log"; then
	echo "skip ready: no container runs here: $(tail -1 "$work/log")"
	exit 0
fi
serves() { # NAME OPTION...: it runs, and all is well
	name=$1
	shift
	pod run -d --name "$name" $limits "$@" >"$work/log" 2>&1
	n=0
	until pod exec "$name" /sbin/prior wait --timeout 20s >>"$work/log" 2>&1 || [ $n -ge 10 ]; do n=$((n + 1)); done
	is "$name: all services are up" 0 "$(pod exec "$name" /sbin/prior healthy >>"$work/log" 2>&1; echo $?)"
}
stops() { # NAME
	pod stop -t 30 "$1" >/dev/null 2>&1
	pod logs "$1" >"$work/log" 2>&1
	is "$1: it stops in order, with 0" 0 "$(pod inspect -f '{{.State.ExitCode}}' "$1")"
}
serves one-file scratch
is "one-file: the image has two programs and two files" "/bin/httpd /etc/prior/prior.yaml /sbin/prior /srv/index.html" \
	"$(pod export one-file | tar -t | grep -E '^(bin|etc/prior|sbin|srv)/.*[^/]$' | sed 's|^|/|' | sort | paste -sd' ')"
is "one-file: HEALTHCHECK is prior's" "[CMD /sbin/prior healthy]" "$(pod inspect -f '{{.Config.Healthcheck.Test}}' one-file)"
stops one-file

# debian-slim: of this machine's own files, those that nginx, Python and a shell need.
base() {
	for p in nginx /usr/bin/python3 sh; do readlink -f "$(command -v $p)"; done
	for p in nginx /usr/bin/python3 sh; do ldd "$(command -v $p)" | grep -o '/[^ ]*'; done
	echo /etc/passwd
	echo /etc/group
	/usr/bin/python3 -c 'import sysconfig; print(sysconfig.get_path("stdlib"))'
}
mkdir -p "$work/slim/usr/bin" "$work/slim/usr/sbin" "$work/slim/tmp" "$work/slim/run" "$work/slim/var/log/nginx" "$work/slim/etc"
for d in bin sbin lib lib64; do mkdir -p "$work/slim/usr/$d" && ln -s "usr/$d" "$work/slim/$d"; done
base | sort -u | while read -r f; do
	to=$work/slim$(dirname "$f")
	mkdir -p "$to" && cp -rL "$f" "$to/"
done 2>/dev/null
rm -rf "$work"/slim/usr/lib/python3*/dist-packages "$work"/slim/usr/lib/python3*/test
for p in /usr/bin/python3 sh; do ln -sf "$(basename "$(readlink -f "$(command -v $p)")")" "$work/slim/usr/bin/${p##*/}"; done
chmod 1777 "$work/slim/tmp"
tar -C "$work/slim" -c . | pod import - localhost/slim >"$work/log" 2>&1
build -f examples/debian/Dockerfile --build-arg BUILT=localhost/built --build-arg SLIM=localhost/slim -t site "$work/context" || failed_build "debian: it is built"
ok "debian: it is built"
# As compose.yaml has it.
compose=$(python3 - examples/debian/compose.yaml <<'PY'
import sys, yaml
s = yaml.safe_load(open(sys.argv[1]))["services"]["site"]
print(*(["--read-only"] if s["read_only"] else []), *(f"--tmpfs {t}" for t in s["tmpfs"]),
      *(f"--cap-drop {c}" for c in s["cap_drop"]), *(f"--cap-add {c}" for c in s["cap_add"]),
      *(f"--security-opt {o.replace(':true', '')}" for o in s["security_opt"]))
PY
)
serves site $compose site
is "site: nginx answers with what the application says" "/hello" "$(pod exec site /usr/bin/python3 -c '
import urllib.request
print(urllib.request.urlopen("http://127.0.0.1:8080/hello", timeout=60).read().decode().strip())' 2>&1)"
is "site: each has a user of its own" 2 "$(pod exec site /sbin/prior audit 2>&1 | sed -n 's/.* Uid: \([0-9]*\) .*/\1/p' | sort -u | grep -vc '^0$')"
pod exec site /sbin/prior status --json >"$work/log" 2>&1
is "site: both are attested" 2 "$(grep -c '"attested": true' "$work/log")"
stops site
is "site: nginx first, then what it needs" "web app" "$(sed -n 's/.* \(web\|app\): stopping.*/\1/p' "$work/log" | paste -sd' ')"
exit $failed
