#!/bin/sh
# Directories, secrets and ids of services: made, kept, shown to the one whose they are, and to nobody else. Needs root.
# SPDX-License-Identifier: ISC
set -u
cd "$(dirname "$0")/../.." || exit 2
: "${PRIOR:?the binary}"
who=identity
. tests/cells/lib/say.sh
needs_root
unshare -m true 2>/dev/null || { echo "skip identity: no mount namespace can be made here"; exit 0; }
# The machine's own folders are covered by empty ones: nothing is left behind, and nothing of it is seen.
if [ -z "${IDENTITY_APART-}" ]; then
	IDENTITY_APART=1 exec unshare -m --propagation private "$PWD/tests/cells/identity.sh"
fi
for d in /var/lib /var/cache /var/log /run /mnt; do mount -t tmpfs -o mode=0755 tmpfs $d || exit 2; done
cp "$PRIOR" /mnt/prior && chmod 755 /mnt/prior && cd / || exit 2
run() { /mnt/prior run "$@" 2>&1; }
# Inside: what the shell says of an attempt, "ok" or the last words of its error.
try='t() { if r=$( { "$@"; } 2>&1 >/dev/null ); then echo ok; else echo "${r##*: }"; fi; };'
owner() { stat -c '%u:%g %a' "$1" 2>&1; }

# ---- directories of a fixed user
out=$(run --set user=nobody --set 'state_directory=[web, web/data]' --set cache_directory=web --set logs_directory=web \
	--set runtime_directory=web -- sh -c "$try"'
	for d in /var/lib/web /var/lib/web/data /var/cache/web /var/log/web /run/web; do t touch $d/file; done
	t touch /var/lib/other; echo "$STATE_DIRECTORY $CACHE_DIRECTORY $LOGS_DIRECTORY $RUNTIME_DIRECTORY"')
is "its directories can be written under protect_system: strict, and nothing else" "ok
ok
ok
ok
ok
Read-only file system
/var/lib/web:/var/lib/web/data /var/cache/web /var/log/web /run/web" "$out"
is "they are the service's own" "65534:65534 755" "$(owner /var/lib/web)"
is "and kept when it has ended" "/var/lib/web/data/file" "$(ls /var/lib/web/data/file)"
is "but for the runtime directory" "No such file or directory" "$(ls /run/web 2>&1 | sed 's/.*: //')"
run --set user=nobody --set runtime_directory=web --set runtime_directory_preserve=true -- touch /run/web/file
is "which runtime_directory_preserve keeps" "/run/web/file" "$(ls /run/web/file)"
is "without the key nothing is there to be written" "Read-only file system" \
	"$(run --set user=nobody -- sh -c "$try"'t touch /var/lib/web/new')"
is "permissions are what the key says" "65534:65534 700" \
	"$(run --set user=nobody --set state_directory=web --set 'state_directory_mode="0700"' -- true; owner /var/lib/web)"
has "their mounts let nothing be executed or be a device" "rw,nosuid,nodev,noexec" \
	"$(run --set user=nobody --set state_directory=web -- grep /var/lib/web /proc/self/mountinfo)"

# ---- what a service plants is not followed (CVE-2018-15687, CVE-2018-6954)
mkdir -p /mnt/target; echo precious >/mnt/target/file
rm -rf /var/lib/web/data; ln -s /mnt/target /var/lib/web/data; chown -h nobody /var/lib/web/data
out=$(run --set user=nobody --set 'state_directory=[web, web/data]' -- true)
has "CVE-2018-15687: a link in the place of a directory is refused" "web/data: is, or goes through, a symbolic link" "$out"
is "and what it leads to is as it was" "0:0 755 0:0 644" "$(owner /mnt/target) $(owner /mnt/target/file)"
rm /var/lib/web/data; ln /mnt/target/file /var/lib/web/hard 2>/dev/null || ln -s /mnt/target/file /var/lib/web/hard
ln -s /mnt/target /var/lib/web/soft
run --set user=daemon --set state_directory=web -- true
is "CVE-2017-18078: another user takes over what was the first one's" "1:1 1:1" \
	"$(stat -c %u:%g /var/lib/web | head -1) $(stat -c %u:%g /var/lib/web/file)"
is "and nothing behind a link" "0:0 755 0:0 644" "$(owner /mnt/target) $(owner /mnt/target/file)"
out=$(run --set user=nobody --set runtime_directory=gone -- sh -c 'ln -s /mnt/target /run/gone/link; mkdir -p /run/gone/a/b')
is "a link in the runtime directory goes, its target stays" "precious no" \
	"$(cat /mnt/target/file) $([ -e /run/gone ] && echo yes || echo no)"

# ---- dynamic users
one() { run --set state_directory=one "$@"; }
out=$(one -- sh -c "$try"'id -u; echo $STATE_DIRECTORY; t touch $STATE_DIRECTORY/file; t touch /var/lib/one/more; ls /var/lib/private')
uid=${out%%
*}
is "a dynamic user's directory is private, and at its usual place too" "/var/lib/private/one
ok
ok
one" "${out#*
}"
is "others cannot enter what it lies in" "0:0 700 $uid:$uid 755" "$(owner /var/lib/private) $(owner /var/lib/private/one)"
is "the machine finds it by its name" "private/one" "$(readlink /var/lib/one)"
is "whose id it is, is remembered" run "$(readlink "/var/lib/prior/uids/$uid")"
mkdir -p /var/lib/private/two; echo theirs >/var/lib/private/two/file; chmod 755 /var/lib/private/two
is "another's private directory is not to be seen" "one" "$(one -- ls /var/lib/private)"
is "it is the same id again" "$uid" "$(one -- id -u)"
rm "/var/lib/prior/uids/$uid"; ln -s somebody "/var/lib/prior/uids/$uid"; rm -r /var/lib/private/one /var/lib/one
other=$(one -- id -u)
is "CVE-2019-3843: an id that another service had is not given away" no "$([ "$other" = "$uid" ] && echo yes || echo no)"
is "but one that has no other" run "$(readlink "/var/lib/prior/uids/$other")"
rm "/var/lib/prior/uids/$other"
is "an owner is remembered by its directory alone" "$other" "$(one -- id -u)"
run --set state_directory=other -- true >/dev/null; rm -r /var/lib/prior /var/lib/private/other /var/lib/other
is "CVE-2019-3844: an id that owns another's directory is not given away" no \
	"$([ "$(run --set state_directory=other -- id -u)" = "$other" ] && echo yes || echo no)"
mkdir /var/lib/was; echo kept >/var/lib/was/file; chown -R nobody:nogroup /var/lib/was
is "a directory from before moves along" "kept private/was" "$(run --set state_directory=was -- cat /var/lib/was/file) $(readlink /var/lib/was)"
is "and back" "kept 65534:65534 755" "$(run --set user=nobody --set state_directory=was -- cat /var/lib/was/file) $(owner /var/lib/was)"
chmod 777 /var/lib/private; one -- true
is "a private folder that was opened is closed again" "0:0 700" "$(owner /var/lib/private)"
chown nobody /var/lib/private
has "one that is not root's is refused" "belongs to user 65534, not to root" "$(one -- true)"
chown root /var/lib/private

# ---- credentials
printf 's3cret-text' >/mnt/key; chmod 600 /mnt/key
secret() { run --set 'credentials={tls_key: /mnt/key}' "$@"; }
out=$(secret -- sh -c "$try"'cat $CREDENTIALS_DIRECTORY/tls_key; echo; cd $CREDENTIALS_DIRECTORY; stat -c "%u %a" . tls_key |
	sed "s/^$(id -u) /own /"; t touch new; t sh -c "echo x >tls_key"; t chmod 644 tls_key; t rm -f tls_key; t ln -s / x')
is "a credential can be read by its service and not be changed" "s3cret-text
own 500
own 400
Read-only file system
Read-only file system
Read-only file system
Read-only file system
Read-only file system" "$out"
has "it lies in memory that is not swapped, sealed" "ro,nosuid,nodev,noexec,relatime,nosymfollow - ramfs" \
	"$(secret -- sh -c 'grep credentials /proc/self/mountinfo' | sed 's,.* / /dev/credentials ,,')"
hasnt "it is not in the environment" s3cret "$(secret -- env)"
is "without the key there is none" "" "$(run -- sh -c 'echo $CREDENTIALS_DIRECTORY; ls /dev/credentials 2>/dev/null')"
is "the machine does not see it" "" "$(secret --preset minimal --set isolation.private_devices=false --set user=nobody -- sh -c \
	'nsenter -t 1 -m ls /run/credentials/run 2>/dev/null' ; ls /run/credentials 2>/dev/null)"
is "nor is a place left for it" "No such file or directory" "$(ls /run/credentials/run 2>&1 | sed 's/.*: //')"
ln -s /mnt/key /mnt/link
for bad in "link:symbolic link" "nope:No such file" "target:not a regular file" "fifo:not a regular file" "big:larger than 1 MiB"; do
	case $bad in fifo*) mkfifo /mnt/fifo ;; big*) head -c 1048577 /dev/zero >/mnt/big ;; esac
	has "a credential from '${bad%%:*}' keeps the service from starting" "${bad#*:}" \
		"$(run --set "credentials={a: /mnt/${bad%%:*}}" -- echo started)"
done
head -c 600000 /dev/zero >/mnt/half
has "all together are at most 1 MiB" "larger than 1 MiB together" "$(run --set 'credentials={a: /mnt/half, b: /mnt/half}' -- true)"
hasnt "no message has its text" s3cret "$(run --set 'credentials={a: /mnt/key, b: /mnt/half, c: /mnt/half}' -- true)"

# ---- labels, where nobody would enforce them
if [ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" = Y ]; then
	has "a profile that is not loaded is refused" "there is no such profile in the kernel" \
		"$(run --set security.apparmor_profile=nobody-has-it -- true)"
else
	has "a profile is refused where AppArmor is not active" "AppArmor is not active in this kernel" \
		"$(run --set security.apparmor_profile=web -- true)"
fi
if grep -q selinuxfs /proc/filesystems; then
	has "a context that no policy has is refused" "the loaded policy has no such context" \
		"$(run --set security.selinux_context=no:such:thing -- true)"
else
	has "a context is refused where SELinux is not active" "SELinux is not active in this kernel" \
		"$(run --set security.selinux_context=system_u:system_r:web_t:s0 -- true)"
fi

# ---- files that others could have written, and sockets: at load and by audit, each with the command that mends it
mkdir -p /mnt/etc/services.d
cat >/mnt/etc/prior.yaml <<YAML
services:
  web:
    command: [sleep, "1000"]
    user: nobody
    listen: [{name: w, unix: /run/web.sock}]
YAML
chmod 666 /mnt/etc/prior.yaml
has "a configuration that everybody can write is refused" \
	"everybody can write it (mode 0666): chmod go-w /mnt/etc/prior.yaml" "$(/mnt/prior check /mnt/etc 2>&1)"
chmod 644 /mnt/etc/prior.yaml
hasnt "one that root alone can write is not" "can write it" "$(/mnt/prior check /mnt/etc 2>&1)"
/mnt/prior up -c /mnt/etc --run-dir /mnt/rd --log-dir "" >/mnt/log 2>&1 &
up=$!
n=0
while [ ! -S /mnt/rd/control.sock ] && [ $n -lt 2400 ]; do n=$((n + 1)); timeout 0.05 tail -f /dev/null; done
ctl() { /mnt/prior "$@" --run-dir /mnt/rd 2>&1; }
ctl wait --timeout 90s >/dev/null
is "a socket is root's and the service's group's" "0:65534 660" "$(owner /run/web.sock)"
out=$(ctl audit); code=$?
is "audit finds all as it should be" 0 "$code"
has "the socket's permissions among them" "socket /run/web.sock: 0:65534 0660" "$out"
chmod 666 /run/web.sock
out=$(ctl audit web); code=$?
is "a socket that was opened to everybody is found" 1 "$code"
has "with the command that mends it" "mend it: chown 0:65534 /run/web.sock && chmod 0660 /run/web.sock" "$out"
sh -c "$(printf '%s\n' "$out" | sed -n 's/.*mend it: //p')"
is "which does" 0 "$(ctl audit web >/dev/null; echo $?)"
chmod o+w /mnt/etc/prior.yaml
has "a configuration that was opened is found, too" "mend it: chmod go-w /mnt/etc/prior.yaml" "$(ctl audit)"
chmod o-w /mnt/etc/prior.yaml
kill -TERM $up; wait $up
exit $failed
