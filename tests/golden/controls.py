"""Prints docs/CONTROLS.md from tests/controls.txt; on standard error, what a control lacks: controls.py."""
import sys
from pathlib import Path

import yaml

sys.path.insert(0, "qemu")
from lib import cells  # noqa: E402  (after the path)

WHERE = ("tests/cells", "qemu/scenarios", "tests/unit", "tests/lint")
COLUMNS = ("on", "off", "taken away")
# Of a service: its controls are all of these sections, and these keys.
SECTIONS = ("isolation", "security", "limits")
KEYS = ("user", "group", "supplementary_groups", "credentials", "state_directory", "cache_directory",
        "runtime_directory", "logs_directory")
NO_CONTROLS = ("isolation.preset", "isolation.required", "limits.cgroup.root")     # they say how, not what

HEAD = """\
# Each control and what shows it

A control is a key that takes something from a service. For each there is a test that shows its forbidden act fail
(on), the same act succeed without the key (off), and the start refused, by name, where the kernel or the privilege that
it needs is missing (taken away). Tests named in **bold** run inside machines with Linux 6.1 and with 6.12; the others on
the kernel of whoever runs them. Written by `make golden` from `tests/controls.txt`, which is checked: a control without
all three, or a test that is not there, fails `make check`.
"""


def paths(at: dict, above: str = ""):
    for key, below in at.items():
        name = f"{above}{key}"
        if isinstance(below, dict) and name in ("limits.cgroup", *SECTIONS):
            yield from paths(below, f"{name}.")
        else:
            yield name


def controls() -> list:
    """Every built key of a service that is a control, as the example of every key has them."""
    web = yaml.safe_load(Path("configs/every-key.yaml").read_text())["services"]["web"]
    keys = [key for key in KEYS if key in web] + list(paths({s: web[s] for s in SECTIONS}))
    return [key for key in keys if key not in NO_CONTROLS]


def rows() -> dict:
    """key -> its three cells."""
    found, at = {}, None
    for line in Path("tests/controls.txt").read_text().splitlines():
        if line.startswith("#") or not line.strip():
            continue
        if not line[0].isspace():
            for at in line.split():
                found[at] = []
            names = line.split()
            continue
        for name in names:
            found[name].append(line.strip().replace("KEY", name.rpartition(".")[2]))
    return found


def place(file: str) -> Path:
    return next((Path(w) / file for w in WHERE if (Path(w) / file).exists()), None)


def both_kernels(file: Path) -> bool:
    return file.parts[0] == "qemu" or file.name in cells.SCRIPTS or file.stem in cells.PROGRAMS


def wrong(key: str, cell: str) -> str:
    """Why this cell shows nothing; empty when it does."""
    if cell.startswith("- "):
        return ""
    file, _, words = cell.partition(": ")
    if not words:
        return f"{key}: '{cell}' is neither FILE: WORDS nor - REASON"
    if not place(file):
        return f"{key}: there is no test {file}"
    if words not in place(file).read_text():
        return f"{key}: {file} has no '{words}'"
    return ""


def shown(cell: str) -> str:
    if cell.startswith("- "):
        return cell[2:]
    file, _, words = cell.partition(": ")
    name = f"**{file}**" if place(file) and both_kernels(place(file)) else file
    return f"{name}: {words}".replace("|", "\\|")


def main() -> int:
    have, problems = rows(), []
    wanted = controls()
    for key in wanted:
        cells_of = have.get(key, [])
        if len(cells_of) != len(COLUMNS):
            problems.append(f"{key}: {len(cells_of)} of {len(COLUMNS)} cells in tests/controls.txt")
        problems += filter(None, (wrong(key, cell) for cell in cells_of))
    problems += [f"{key}: is in tests/controls.txt and no control" for key in have if key not in wanted]
    print(HEAD)
    print("| control | " + " | ".join(COLUMNS) + " |\n|" + " --- |" * (len(COLUMNS) + 1))
    for key in wanted:
        print(f"| `{key}` | " + " | ".join(map(shown, have.get(key, []))) + " |")
    print("\n".join(problems), file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
