#!/bin/sh
# The binary is what we say: a static, position-independent, hardened file. Takes its path in PRIOR.
# SPDX-License-Identifier: ISC
#
# The link can go wrong in silence: on Debian 12, `musl-gcc -static-pie` makes a dynamic program.
set -u
export LC_ALL=C
bin=${PRIOR:?the binary to look at}
name="binary (${LIBC:-$(basename "$(dirname "$bin")")})"
headers=$(readelf -hlW "$bin") && dynamic=$(readelf -dW "$bin") || { echo "not ok lint: $name: no ELF file: $bin"; exit 1; }

bad=
wants() { # TEXT PATTERN WHAT
	printf '%s\n' "$1" | grep -Eq -- "$2" || bad="$bad
    $3"
}
lacks() {
	printf '%s\n' "$1" | grep -Eq -- "$2" && bad="$bad
    $3"
}
wants "$headers" '^ *Type: +DYN' 'is not position independent (no ELF type DYN)'
lacks "$headers" ' INTERP ' 'asks for a dynamic linker (INTERP)'
lacks "$dynamic" '\(NEEDED\)' 'needs a shared library (NEEDED)'
# The small build has nothing to relocate, and nothing in its file that could be written: no RELRO is better than one.
if [ "${LIBC-}" = run-only ]; then
	wants "$(readelf -rW "$bin")" '^There are no relocations' 'has relocations, and nobody to apply them'
	lacks "$headers" 'LOAD +0x[0-9a-f]+ 0x[0-9a-f]+ 0x[0-9a-f]+ 0x0*[1-9a-f][0-9a-f]* 0x[0-9a-f]+ RW' 'has bytes that are writable'
else
	wants "$headers" ' GNU_RELRO ' 'has relocations that stay writable (no GNU_RELRO)'
fi
wants "$headers" 'GNU_STACK .* RW ' 'has an executable stack (GNU_STACK is not RW)'
lacks "$headers" 'LOAD .* RWE ' 'has a segment that is writable and executable'
wants "$dynamic" 'BIND_NOW|FLAGS_1.* NOW' 'binds lazily (no BIND_NOW)'
wants "$dynamic" 'FLAGS_1.* PIE' 'is not marked as PIE (FLAGS_1)'
lacks "$dynamic" 'TEXTREL' 'has text relocations'

# Whether our own code was compiled hardened shows in its objects only: the C library uses the same names.
objects=$(find "$(dirname "$bin")/init" "$(dirname "$bin")/services" -name '*.o' 2>/dev/null)
if [ -n "$objects" ]; then
	undefined=$("${NM:-nm}" -u $objects 2>/dev/null)
	wants "$undefined" ' __stack_chk_fail$' 'has no stack protector'
	[ "${LIBC:-glibc}" = musl ] || wants "$undefined" ' __[a-z]+_chk$' 'has no _FORTIFY_SOURCE'
fi

[ -z "$bad" ] || { echo "not ok lint: $name: $bin$bad"; exit 1; }
[ "${LIBC-}" = run-only ] && relro='nothing writable' || relro=relro
echo "ok lint: $name: static-pie, $relro, now, $(stat -c %s "$bin") bytes stripped"
