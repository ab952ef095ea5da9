#!/bin/sh
# Signed configurations for real: images at each start, files that services name, reloads, the anchor. Needs root.
# SPDX-License-Identifier: ISC
set -u
cd "$(dirname "$0")/../.." || exit 2
who=trust
. tests/cells/lib/say.sh
needs_root
needs_spaces -mpn
for tool in mksquashfs busybox; do
	command -v $tool >/dev/null || { echo "skip trust: there is no $tool (see tools/packages.txt)"; exit 0; }
done
[ -c /dev/loop-control ] && grep -q squashfs /proc/filesystems ||
	{ echo "skip trust: this kernel has no loop devices or squashfs"; exit 0; }
. tests/cells/lib/up.sh
prior() { timeout 60 "$work/prior" "$@"; }
signed() { prior sign -s "$work/$1.sec" "$work/$2" 2>&1; }
image() { # NAME WORD: a root with that word in it
	echo "$2" >"$work/tree/etc/word"
	mksquashfs "$work/tree" "$work/new.img" -all-root -quiet -no-progress -noappend >/dev/null && mv "$work/new.img" "$work/$1"
}
reload() { ctl reload-config 2>&1; }

mkdir -p "$work/tree/bin" "$work/tree/etc" "$work/tree/proc" "$work/tree/dev" "$work/etc/services.d"
cp "$(command -v busybox)" "$work/tree/bin/busybox"
for k in anchor team; do prior keygen -s "$work/$k.sec" -p "$work/$k.pub" >/dev/null || exit 2; done
image web.img one
echo 'WORD=one' >"$work/web.env"
printf '{"defaultAction": "SCMP_ACT_ALLOW"}' >"$work/filter.json"
conf=$work/etc
cat >"$conf/prior.yaml" <<YAML
trust: {signers: [{name: team, public_key: $(tail -n 1 "$work/team.pub"), scope: ["my-*"]}]}
services:
  base: {command: [/bin/sleep, "1000"], isolation: {preset: none}}
YAML
cat >"$conf/services.d/my.yaml" <<YAML
services:
  my-image: {command: [/bin/busybox, sleep, "1000"], stop_signal: SIGKILL, isolation: {rootfs: $work/web.img}}
  my-env: {command: [/bin/sleep, "1000"], env_file: [$work/web.env], isolation: {preset: none}}
  my-filter: {command: [/bin/sleep, "1000"], security: {seccomp: $work/filter.json}}
YAML
options="--trust $work/anchor.pub"
is "without a signature nothing begins" 125 "$(prior up -c "$conf" $options --run-dir "$run" --log-dir "" >"$work/log" 2>&1; echo $?)"
has "with the file that lacks it" "$conf/prior.yaml: is not signed: there is no $conf/prior.yaml.minisig" "$(cat "$work/log")"
for words in "up --trust= -c" "check --trust=" "compile --trust= -o $work/none"; do
	has "an empty key is no key: $words" "the key that must have signed the configuration is empty" "$(prior $words "$conf" 2>&1)"
done
for words in "up --run-dir $run --log-dir= -c" check "show base -c" "graph -c" "probe base -c"; do
	has "nor is one of the environment: $words" "the key that must have signed the configuration is empty" "$(PRIOR_TRUST= prior $words "$conf" 2>&1)"
done
for words in "show base -c" "graph -c" "probe base -c"; do
	has "not shown as if it were in effect: $words" "$conf/prior.yaml: is not signed" "$(PRIOR_TRUST=$work/anchor.pub prior $words "$conf" 2>&1)"
done
signed anchor etc/prior.yaml
is "what is signed is shown" 0 "$(PRIOR_TRUST=$work/anchor.pub prior show base -c "$conf" >"$work/said" 2>&1; echo $?)"
has "a file of services.d, too" "$conf/services.d/my.yaml: is not signed" "$(prior check $options "$conf")"
signed team etc/services.d/my.yaml
said=$(prior check $options "$conf")
for f in web.img web.env filter.json; do has "$f is asked for its signature" "$work/$f: is not signed" "$said"; done
for f in web.img web.env filter.json; do signed team $f; done
begin
for s in base my-image my-env my-filter; do is "$s is up" up "$(field $s state)"; done
is "what runs is as planned" 0 "$(ctl audit my-image my-filter >/dev/null; echo $?)"
image web.img two
ctl restart my-image >/dev/null 2>&1
has "an image that was exchanged is not started" "is not the one whose signature was checked any more" "$(ctl why my-image)"
has "nor reloaded" "web.img: has been changed since the key" "$(reload)"
signed team web.img
is "a signed one is, by a reload" 0 "$(reload >"$work/said"; echo $?)"
ctl start my-image >/dev/null 2>&1
is "and runs" up "$(until_is my-image state up)"
is "with what is in it" two "$(cat "/proc/$(field my-image pid)/root/etc/word")"
pid=$(field base pid)
sed -i 's/1000/1001/' "$conf/prior.yaml"
has "a reload of a first file that was changed changes nothing" "prior.yaml: has been changed since the key" "$(reload)"
is "and touches nobody" "$pid up" "$(field base pid) $(field base state)"
signed team etc/prior.yaml
has "the anchor stays the anchor" "which is nobody's who is trusted here" "$(reload)"
finish
signed anchor etc/prior.yaml
is "a plan is compiled of what is signed" 0 "$(prior compile $options -o "$work/plan" "$conf" >"$work/said" 2>&1; echo $?)"
conf=$work/plan
is "and is not believed itself" 125 "$(prior up -c "$conf" $options --run-dir "$run" --log-dir "" >"$work/log" 2>&1; echo $?)"
signed anchor plan
begin
is "until it is signed" up "$(field my-image state)"
image web.img three
signed team web.img
ctl restart my-image >/dev/null 2>&1
has "then the image is the plan's, whoever signs another" "is not the one whose signature was checked any more" "$(ctl why my-image)"
finish
exit $failed
