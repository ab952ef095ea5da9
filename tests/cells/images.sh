#!/bin/sh
# Roots that are images: squashfs and erofs, shared, compared, let go; and images that are none. Needs root.
# SPDX-License-Identifier: ISC
set -u
cd "$(dirname "$0")/../.." || exit 2
who=images
. tests/cells/lib/say.sh
needs_root
needs_spaces -mpn
for tool in mksquashfs mkfs.erofs busybox; do
	command -v $tool >/dev/null || { echo "skip images: there is no $tool (see tools/packages.txt)"; exit 0; }
done
[ -c /dev/loop-control ] && grep -q squashfs /proc/filesystems && grep -q erofs /proc/filesystems ||
	{ echo "skip images: this kernel has no loop devices, squashfs or erofs"; exit 0; }
. tests/cells/lib/up.sh
state() { ctl status "$1" --json 2>/dev/null | tr -d '\n' | sed 's/.*"state": *"\([a-z]*\)".*/\1/'; }
# Loop devices whose file is ours; none of them, at the latest in five seconds.
loops() { grep -lF "$work/$1" /sys/block/loop*/loop/backing_file 2>/dev/null | wc -l; }
none_left() { n=0; while [ "$(loops "")" != 0 ] && [ $n -lt 600 ]; do n=$((n + 1)); pause; done; loops ""; }

mkdir -p "$work/tree/bin" "$work/tree/etc" "$work/tree/proc" "$work/tree/dev" "$work/tree/tmp" "$work/tree/sys"
cp "$(command -v busybox)" "$work/tree/bin/busybox"
echo 'app:x:1234:1234::/:/bin/sh' >"$work/tree/etc/passwd"
mksquashfs "$work/tree" "$work/a.squashfs" -all-root -quiet -no-progress >/dev/null || exit 2
mkfs.erofs -q "$work/b.erofs" "$work/tree" >/dev/null 2>&1 || mkfs.erofs "$work/b.erofs" "$work/tree" >/dev/null || exit 2
sleep="[/bin/busybox, sleep, '1000']"
cat >"$work/conf.yaml" <<YAML
services:
  squash: {command: $sleep, user: app, isolation: {rootfs: $work/a.squashfs}}
  shares: {command: $sleep, user: app, isolation: {rootfs: $work/a.squashfs}}
  strict: {command: $sleep, isolation: {rootfs: $work/a.squashfs, preset: strict}}
  erofs: {command: $sleep, user: app, isolation: {rootfs: $work/b.erofs}}
  writes: {command: [/bin/busybox, touch, /etc/new], user: "0", restart: "no", isolation: {rootfs: $work/b.erofs}}
YAML
is "check looks into images" 0 "$(timeout 120 "$work/prior" check "$work/conf.yaml" >/dev/null 2>&1; echo $?)"
begin
for s in squash shares strict erofs; do is "$s is up" up "$(state $s)"; done
pid=$(ctl status squash --json | tr -d '\n' | sed 's/.*"pid": *\([0-9]*\).*/\1/')
is "its user is the image's" 1234 "$(awk '/^Uid/ { print $2 }' "/proc/$pid/status")"
is "its root is the image and nothing else" "bin dev etc proc sys tmp" "$(ls "/proc/$pid/root" | tr '\n' ' ' | sed 's/ $//')"
has "a write fails, for root too" "Read-only file system" "$(until_logs writes touch)"
is "three services have one loop device" 1 "$(loops a.squashfs)"
for s in squash strict erofs; do
	audit=$(ctl audit $s)
	is "$s is found as planned" 0 $?
	has "$s: the file behind its root is compared" "✓ image: file $(stat -c %i "$work/$([ $s = erofs ] && echo b.erofs || echo a.squashfs)")" "$audit"
done
has "and the kind of its file system" "✓ mount /: squashfs,ro,nosuid,nodev" "$(ctl audit squash)"
cp "$work/a.squashfs" "$work/new" && mv "$work/new" "$work/a.squashfs"
has "another file of that name is another image" "✗ image:" "$(ctl audit squash)"
ctl restart squash >/dev/null
is "a restart takes the new one" 0 "$(ctl audit squash >/dev/null; echo $?)"
ctl stop squash shares strict >/dev/null
n=0; while [ "$(loops a.squashfs)" != 0 ] && [ $n -lt 600 ]; do n=$((n + 1)); pause; done
is "the last stop lets the loop device go" 0 "$(loops a.squashfs)"
cp "$work/b.erofs" "$work/a.squashfs"
ctl start squash >/dev/null 2>&1
has "an image of another kind than planned is not mounted" "was squashfs when it was planned, and is erofs now" "$(ctl status squash 2>&1; ctl why squash 2>&1)"
finish
is "nothing is left behind" 0 "$(none_left)"

mksquashfs "$work/tree" "$work/s" -all-root -quiet -no-progress >/dev/null
head -c 100000 "$work/s" >"$work/cut"
head -c 8192 "$work/b.erofs" >"$work/cut-erofs"
(head -c 60 "$work/s"; head -c 999940 /dev/urandom) >"$work/broken"
truncate -s 2M "$work/broken"
echo text >"$work/text"
mkfifo "$work/fifo"
: >"$work/empty"
refused() { # WHAT FILE TEXT
	echo "services: {x: {command: $sleep, isolation: {rootfs: $work/$2}}}" >"$work/one.yaml"
	text=$(timeout 120 "$work/prior" check "$work/one.yaml" 2>&1)
	has "$1 is refused" "isolation.rootfs: $work/$2: $3" "$text"
}
refused "a squashfs image that is cut off" cut "a squashfs image that is cut off: 100000 bytes of"
refused "an erofs image that is cut off" cut-erofs "a erofs image that is cut off: 8192 bytes of"
refused "an image of random blocks" broken "mount it: squashfs: "
refused "a text" text "neither a squashfs nor an erofs image"
refused "an empty file" empty "neither a squashfs nor an erofs image"
refused "a pipe" fifo "neither a directory nor a file"
ln -s "$work/s" "$work/link"
refused "a link to an image" link ""
cp "$work/one.yaml" "$work/user.yaml"
sed -i "s,$work/link,$work/s," "$work/user.yaml"
chmod 644 "$work/user.yaml" "$work/s"
has "an ordinary user is told that he cannot mount" "isolation.rootfs: " "$(timeout 120 setpriv --reuid 65534 --regid 65534 --clear-groups "$work/prior" check "$work/user.yaml" 2>&1)"
is "nothing is left of what was refused" 0 "$(none_left)"

# Loop devices are out of reach: an erofs image can do without, where the kernel can.
cat >"$work/conf.yaml" <<YAML
services: {erofs: {command: $sleep, user: app, isolation: {rootfs: $work/b.erofs}}}
YAML
cat >"$work/no-loop" <<'SH'
#!/bin/sh
mount --bind /dev/null /dev/loop-control && exec "$@"
SH
chmod 755 "$work/no-loop"
begin unshare -m "$work/no-loop"
if [ "$(state erofs)" = up ]; then
	ok "an erofs image is mounted by its file where there is no loop device"
	is "and found as planned" 0 "$(ctl audit erofs >/dev/null; echo $?)"
elif [ "$(uname -r | cut -d. -f1)" -lt 7 ] && [ "$(uname -r | awk -F. '{ print $1 * 100 + $2 < 612 }')" = 1 ]; then
	echo "skip images: an erofs image is mounted by its file: Linux $(uname -r) cannot"
else
	is "an erofs image is mounted by its file where there is no loop device" up "$(cat "$work/log")"
fi
finish
sed -i 's/b.erofs/s/' "$work/conf.yaml"
has "a squashfs image is refused there, by name" "free loop device" "$(unshare -m "$work/no-loop" timeout 120 "$work/prior" check "$work/conf.yaml" 2>&1)"
exit $failed
