"""The Debian packages named in tools/packages.txt, by section."""
from . import paths


def section(name: str) -> list:
    rows = (line.split("#", 1)[0].split() for line in (paths.TOP / "tools/packages.txt").read_text().splitlines())
    found = [row[1] for row in rows if len(row) >= 2 and name in row[0].split(",")]
    if not found:
        raise KeyError(f"no section {name} in tools/packages.txt")
    return found
