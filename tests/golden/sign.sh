#!/bin/sh
# prior keygen, sign and verify, and minisign beside them: each takes what the other makes.
# SPDX-License-Identifier: ISC
command -v minisign >/dev/null || { echo "skip golden: signatures: needs minisign"; exit 0; }
. tests/golden/lib/is.sh
says() { # TEXT CODE COMMAND...
	text=$1 want=$2
	shift 2
	"$@" >said 2>&1
	got=$?
	cat said
	[ "$got" = "$want" ] && grep -qF -- "$text" said
}
mode() { # MODE FILE
	[ "$(stat -c %a "$2")" = "$1" ]
}

echo 'services: {}' >prior.yaml
dd if=/dev/urandom of=image bs=64k count=20 2>/dev/null
: >empty
umask 022
is "keygen makes a pair" says "a.sec is secret, a.pub is for all" 0 "$bin" keygen -s a.sec -p a.pub
is "... the secret one for its owner alone" mode 600 a.sec
is "... and writes over none" says "a.sec: is there already" 1 "$bin" keygen -s a.sec -p b.pub
is "... neither a public one, without which there is no secret one" says "a.pub: is there already" 1 "$bin" keygen -s b.sec -p a.pub
is "... of which nothing is left" [ ! -e b.sec ]
# A write that takes a part of it: 1 block of 512 bytes is more than a key has, so the limit is in bytes.
is "... a key that is written in part is none" says "c.sec: write: File too large" 1 sh -c 'trap "" XFSZ; exec prlimit --fsize=100 "$0" keygen -s c.sec -p c.pub' "$bin"
is "... of which nothing is left either" [ ! -e c.sec ]
is "keygen says what it needs" says "say with -s" 64 "$bin" keygen -s x
is "sign signs several files" "$bin" sign -s a.sec prior.yaml image empty
is "... with a key that comes by a pipe, in pieces" sh -c '{ head -c 40 a.sec; tail -c +41 a.sec; } | "$0" sign -s /dev/stdin prior.yaml' "$bin"
is "a secret key that cannot be read is named" says "/: read it: Is a directory" 1 "$bin" sign -s / prior.yaml
is "... or is not there" says "none.sec: No such file" 1 "$bin" sign -s none.sec prior.yaml
is "verify names the key and the comment" says "file:image" 0 "$bin" verify -p a.pub prior.yaml image empty
is "verify takes the key itself" "$bin" verify -p "$(tail -n 1 a.pub)" prior.yaml image
for f in prior.yaml image empty; do
	is "minisign takes our signature of $f" minisign -V -p a.pub -m $f
done
rm -f ./*.minisig
is "minisign signs with our key" minisign -S -s a.sec -m prior.yaml
is "... and prior takes it" "$bin" verify -p a.pub prior.yaml
minisign -G -W -p m.pub -s m.sec >/dev/null
for l in -H -l; do
	rm -f ./*.minisig
	is "minisign $l signs" minisign -S "$l" -s m.sec -m prior.yaml -m prior.yaml -t "of minisign $l"
	is "... and prior takes it, with its comment" says "of minisign $l" 0 "$bin" verify -p m.pub prior.yaml
done
is "prior signs with minisign's key" "$bin" sign -s m.sec prior.yaml image
is "... and minisign takes it" minisign -V -p m.pub -m image
printf 'pw\npw\n' | minisign -G -p p.pub -s p.sec >/dev/null 2>&1
if [ -s p.sec ]; then
	is "a key under a password is refused, and how to go on" says "take the password away" 1 "$bin" sign -s p.sec image
else
	echo "skip golden: a key under a password: minisign takes none from a pipe here"
fi
is "another key is named" says "is signed by the key" 1 "$bin" verify -p a.pub prior.yaml
echo >>prior.yaml
is "a change is found" says "prior.yaml: has been changed since the key" 1 "$bin" verify -p m.pub prior.yaml image
rm image.minisig
is "an empty file is signed in the old way" sh -c ': >none && minisign -S -l -s m.sec -m none -t none'
is "... and taken" "$bin" verify -p m.pub none
is "a missing signature is named" says "image: is not signed: there is no image.minisig" 1 "$bin" verify -p m.pub image
is "a key is no signature" says "of base64 where 100 belong" 1 sh -c "cp m.pub image.minisig; exec $bin verify -p m.pub image"
head -c 20000 /dev/zero >image.minisig
is "a long file is no signature" says "longer than 12288 bytes" 1 "$bin" verify -p m.pub image
exit $status
