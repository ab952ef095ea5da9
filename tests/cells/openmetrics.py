#!/usr/bin/env python3
"""Is what comes on standard input OpenMetrics 1.0 text? Prints what is wrong, by line; the exit code is 1 then."""
# SPDX-License-Identifier: ISC
import re
import sys

SUFFIXES = {"counter": ["_total", "_created"], "info": ["_info"], "gauge": [""], "stateset": [""], "unknown": [""]}
SAMPLE = re.compile(r'^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(.*)\})? (-?[0-9]+(?:\.[0-9]+)?(?:e[-+]?[0-9]+)?|NaN|[+-]Inf)$')
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\n"])*)"(,|$)')
wrong = []


def labels_of(text, where):
    found, at = {}, 0
    while at < len(text):
        m = LABEL.match(text, at)
        if not m:
            wrong.append(f"{where}: labels: {text}")
            return found
        if m[1] in found:
            wrong.append(f"{where}: label {m[1]} twice")
        found[m[1]] = m[2]
        at = m.end()
    return found


def main():
    text = sys.stdin.buffer.read().decode()
    if not text.endswith("\n# EOF\n"):
        wrong.append("does not end with # EOF")
    seen, samples, family, meta = set(), set(), None, {}
    for n, line in enumerate(text.split("\n")[:-2], 1):
        if line.startswith("# "):
            word, name, rest = line[2:].split(" ", 2)
            if word not in ("TYPE", "UNIT", "HELP"):
                wrong.append(f"{n}: {word}")
            if name != family:
                if name in seen:
                    wrong.append(f"{n}: family {name} comes twice")
                seen.add(name)
                family, meta = name, {}
            if word in meta:
                wrong.append(f"{n}: {word} of {name} twice")
            meta[word] = rest
            if word == "TYPE" and rest not in SUFFIXES:
                wrong.append(f"{n}: type {rest}")
            if word == "UNIT" and not name.endswith("_" + rest):
                wrong.append(f"{n}: {name} does not end with its unit {rest}")
            continue
        m = SAMPLE.match(line)
        if not m:
            wrong.append(f"{n}: no sample: {line}")
            continue
        labels = labels_of(m[3] or "", n)
        if family is None or m[1] not in [family + s for s in SUFFIXES[meta.get("TYPE", "unknown")]]:
            wrong.append(f"{n}: {m[1]} is not of the family {family}")
        if meta.get("TYPE") == "stateset" and (family not in labels or m[4] not in ("0", "1")):
            wrong.append(f"{n}: a state has its family as a label, and is 0 or 1")
        if meta.get("TYPE") == "counter" and m[4].startswith("-"):
            wrong.append(f"{n}: a counter below 0")
        key = (m[1], tuple(sorted(labels.items())))
        if key in samples:
            wrong.append(f"{n}: {line}: twice")
        samples.add(key)
    print("\n".join(wrong) if wrong else f"{len(seen)} families, {len(samples)} samples")
    return bool(wrong)


sys.exit(main())
