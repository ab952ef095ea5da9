"""Ratios over rounds, tables on standard output, and what is measured against its budget."""
from typing import NamedTuple, Optional


TOO_WIDE = 0.4      # between the 10th and the 90th percentile, as a part of the median


class Spread(NamedTuple):
    """Median, 10th and 90th percentile."""
    median: float
    low: float
    high: float
    n: int

    def text(self, form: str = "{:.2f}") -> str:
        if self.n < 2:
            return form.format(self.median)
        return f"{form.format(self.median)} [{form.format(self.low)} {form.format(self.high)}]"


def percentile(values, part: float) -> float:
    """Between the two nearest."""
    values = sorted(values)
    at = part * (len(values) - 1)
    below = int(at)
    above = min(below + 1, len(values) - 1)
    return values[below] + (values[above] - values[below]) * (at - below)


def spread(values) -> Optional[Spread]:
    values = list(values)
    if not values:
        return None
    return Spread(percentile(values, 0.5), percentile(values, 0.1), percentile(values, 0.9), len(values))


def ratios(mine: dict, floor: dict) -> Optional[Spread]:
    """Of each round that both have."""
    return spread(mine[r] / floor[r] for r in mine if floor.get(r))


class Budget(NamedTuple):
    what: str
    value: Optional[float]
    now: Optional[float]        # at most this; None: there is only a goal
    goal: Optional[float]
    unit: str = "x"
    why: str = ""               # why there is no value
    over: Optional[Spread] = None   # the rounds it comes from

    def verdict(self) -> str:
        if self.value is None:
            return "not measured"
        if self.over and self.over.high - self.over.low > TOO_WIDE * abs(self.over.median):
            return f"too noisy to say: {self.over.text()}"
        if self.now is not None and self.value > self.now:
            return "OVER"
        if self.goal is not None and self.value > self.goal:
            return "within, goal not reached" if self.now is not None else "goal not reached"
        return "within"

    def row(self) -> tuple:
        def number(v):
            return "" if v is None else f"{v:.4g} {self.unit}"
        value = "" if self.value is None else f"{self.value:.3g} {self.unit}"
        return self.what, value, number(self.now), number(self.goal), self.verdict() + (f": {self.why}" if self.why else "")


def table(head, rows) -> str:
    """Columns as wide as they must be; the first is text, numbers are right-aligned."""
    rows = [[str(c) for c in row] for row in rows]
    widths = [max(len(row[i]) for row in [list(head), *rows]) for i in range(len(head))]

    def line(row):
        cells = [c.ljust(w) if i == 0 or not _is_number(c) else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths))]
        return ("  " + "  ".join(cells)).rstrip()
    return "\n".join([line(head), "  " + "  ".join("-" * w for w in widths), *map(line, rows)])


def _is_number(text: str) -> bool:
    return bool(text) and (text[0].isdigit() or text[0] == "-")
