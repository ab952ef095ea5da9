#!/bin/sh
# What prior prints of a configuration: show, the schema, the example with every key; and that these agree.
# SPDX-License-Identifier: ISC
set -u
export LC_ALL=C.UTF-8
bin=${PRIOR:?the binary to ask}
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT || exit 2
status=0

is() { # NAME, then what must be true
	name=$1
	shift
	if "$@" >"$work/out" 2>&1; then
		echo "ok golden: $name"
	else
		echo "not ok golden: $name"
		head -20 "$work/out" | sed 's/^/    /'
		status=1
	fi
}

# Files of configs/ that are printed from the rows.
printed() { # FILE COMMAND...
	file=$1
	shift
	"$@" >"$work/printed" || return
	[ "${UPDATE-}" = 1 ] && cp "$work/printed" "$file"
	diff -u "$file" "$work/printed"
}
is "configs/prior.schema.json is what prior schema prints" printed configs/prior.schema.json "$bin" schema
is "configs/every-key.yaml is what prior docs example prints" printed configs/every-key.yaml "$bin" docs example

shows() { # NAME show's arguments
	golden=$1
	shift
	tools/golden "conf-$golden" prior show "$@" || status=1
}
shows niso -c tests/seeds/niso.yaml my-api
shows niso-isolation -c tests/seeds/niso.yaml --isolation limited
shows niso-database -c tests/seeds/niso.yaml database
shows niso-strict -c tests/seeds/niso.yaml strict
shows niso-minimal -c tests/seeds/niso.yaml minimal
shows systemg -c tests/seeds/systemg.yaml limited
shows podspawn -c tests/seeds/podspawn-locked-down.yaml dev
shows checklist-json -c tests/seeds/hardening-checklist.yaml system --json
shows every-key -c configs/every-key.yaml web
shows unknown -c tests/seeds/niso.yaml my-apy

# What show prints is a configuration, and shows the same again.
again() { # FILE SERVICE
	"$bin" show -c "$1" "$2" >"$work/once.yaml" 2>"$work/problems" || return
	"$bin" show -c "$work/once.yaml" "$2" >"$work/twice.yaml" 2>"$work/problems" || return
	grep -q ': error: ' "$work/problems" && cat "$work/problems" && return 1
	sed 's/  # .*//' "$work/once.yaml" >"$work/once"
	sed 's/  # .*//' "$work/twice.yaml" >"$work/twice"
	diff -u "$work/once" "$work/twice"
}
for s in my-api debugged limited none minimal strict worker database; do
	is "show reads back: niso's $s" again tests/seeds/niso.yaml $s
done
for s in web capable limited isolated nginx untrusted; do
	is "show reads back: systemg's $s" again tests/seeds/systemg.yaml $s
done
is "show reads back: the checklist" again tests/seeds/hardening-checklist.yaml system

# The schema takes every file that prior takes, and refuses what it refuses for its form.
if ! python3 -c 'import jsonschema, yaml' 2>/dev/null; then
	echo "skip golden: the schema takes what prior takes: needs python3-jsonschema and python3-yaml"
	exit $status
fi
cat >"$work/validate.py" <<'END'
import json, sys, jsonschema, yaml
schema = json.load(open("configs/prior.schema.json"))
jsonschema.Draft7Validator.check_schema(schema)
validator = jsonschema.Draft7Validator(schema)
wanted, bad = sys.argv[1], 0
for path in sys.argv[2:]:
    document = yaml.safe_load(open(path))
    if "/presets/" in path:
        document = {"defaults": document}
    errors = list(validator.iter_errors(document))
    if (wanted == "good") == bool(errors):
        bad = 1
        print(path, [(list(e.absolute_path), e.message[:200]) for e in errors] or "is taken")
sys.exit(bad)
END
is "the schema takes the seeds" python3 "$work/validate.py" good tests/seeds/*.yaml
is "the schema takes the presets and the examples" python3 "$work/validate.py" good $(find configs -name '*.yaml' ! -name image.yaml)
mkdir "$work/bad"
n=0
while read -r line; do
	n=$((n + 1))
	printf 'services: {s: {command: [x], %s}}\n' "$line" >"$work/bad/$n.yaml"
done <<'END'
colour: red
restart: sometimes
type: daemon
start_timeout: 5 minutes
max_restarts: many
max_restarts: -1
critical: perhaps
listen: {tcp: ":80"}
listen: [{tpc: ":80"}]
isolation: {preset: sever}
isolation: {pid: maybe}
isolation: {network: {brige: x}}
isolation: {network: [{bridge: x}, {bridge: y, keep: true}]}
isolation: {network: [{bridge: x}, {bridge: y, service: z}]}
isolation: {unveil: {/a: rq}}
security: {seccomp: paranoid}
security: {seccomp: {action: explode}}
limits: {nofile: {sft: 1, hard: 2}}
limits: {nice: 20}
limits: {cgroup: {memory_max: 1.5Q}}
depends_on: {a: {condition: healthy}}
umask: "999"
END
is "the schema refuses what prior refuses for its form" python3 "$work/validate.py" bad "$work"/bad/*.yaml
is "and prior does refuse them" sh -c '! for f in "$2"/bad/*.yaml; do
	"$1" check "$f" | grep -q ": error: service s: .*\(unknown key\|is not\|must be\)" || echo "$f"; done | grep .' sh "$bin" "$work"
exit $status
