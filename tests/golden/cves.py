"""Prints docs/CVES.md from tests/cves.txt; on standard error, what is wrong with that: cves.py."""
import re
import sys
from pathlib import Path

from controls import shown, wrong

HEAD = """\
# What broke elsewhere

Each row is a weakness that others had and prior could have, with the test that shows it has not. Tests in **bold** run
inside machines with Linux 6.1 and with 6.12 too. Written by `make golden` from `tests/cves.txt`, which is checked.

| CVE | in | what it was | here |
| --- | --- | --- | --- |"""


def main() -> int:
    problems, seen = [], set()
    print(HEAD)
    for line in Path("tests/cves.txt").read_text().splitlines():
        if line.startswith("#") or not line.strip():
            continue
        ids, where, what, cell = (part.strip() for part in line.split(" | ", 3))
        problems += filter(None, [wrong(ids, cell)])
        problems += [f"{i}: is no CVE, or named twice" for i in ids.split()
                     if not re.fullmatch(r"CVE-20\d\d-\d+", i) or i in seen]
        seen.update(ids.split())
        print(f"| {', '.join(ids.split())} | {where} | {what} | {shown(cell)} |")
    # A test that names one is the test of a row.
    named = {i for f in Path("tests").rglob("*.[ch]") for i in re.findall(r"CVE-20\d\d-\d+", f.read_text())}
    problems += [f"{i}: is named in a test and has no row in tests/cves.txt" for i in sorted(named - seen)]
    print("\n".join(problems), file=sys.stderr)
    return 1 if problems else 0


sys.exit(main())
