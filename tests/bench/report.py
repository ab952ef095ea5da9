"""What was measured, as tables for people and as one JSON document."""
import os
import platform
import subprocess
from typing import NamedTuple

import inits
import network
import runs
import spawns
import stages
from figures import Budget, ratios, spread, table


class Measured(NamedTuple):
    groups: list        # of turns.Group
    outcomes: list      # of turns.Outcome
    booted: list        # of boots.Result
    bridges: object = None  # a network.Network
    appliance: object = None    # a stages.Stages


# ---- facts about where it was measured

def _first_line(*command) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    return done.stdout.splitlines()[0].strip() if done.stdout else "unknown"


def facts(release: str) -> dict:
    with open("/proc/cpuinfo") as f:
        model = next((line.partition(":")[2].strip() for line in f if line.startswith("model name")), platform.machine())
    return {"host": f"Linux {os.uname().release}, {os.cpu_count()} x {model}, load {os.getloadavg()[0]:.1f} at the end",
            "guest": f"Linux {release}, 1 CPU", "qemu": _first_line("qemu-system-x86_64", "--version")}


# ---- starts: of cells, of one command

def _series(outcome, name: str, what: str) -> dict:
    return {t.round: getattr(t, what) for t in outcome.turns if t.name == name}


def start_figures(outcome, group) -> dict:
    """name -> spreads of one contestant in one place."""
    floor = group.members[0].name
    found = {}
    for m in group.members:
        row = {"version": m.version(), "why_not": outcome.missing.get(m.name, "")}
        for what in ("first", "gone"):
            mine, base = _series(outcome, m.name, what), _series(outcome, floor, what)
            row[f"{what}_us"] = spread(mine.values())
            row[f"{what}_ratio"] = ratios(mine, base)
            row[f"{what}_over_us"] = spread(mine[r] - base[r] for r in mine if r in base)
        row["attest_us"] = spread(v for v in _series(outcome, m.name, "attest").values() if v)
        if m.memory and m.name in outcome.memory:
            row["pss_kib"], row["rss_kib"] = outcome.memory[m.name]
        if m.size:
            row["bytes"] = m.size()
        found[m.name] = row
    return found


def _or(value, form="{:.2f}") -> str:
    return value.text(form) if value else ""


def cells_text(outcome, group) -> str:
    rows = [(m.name, _or(f["first_us"], "{:.0f}"), _or(f["first_ratio"]), _or(f["gone_us"], "{:.0f}"),
             _or(f["gone_ratio"]), _or(f["attest_us"], "{:.0f}"), f["why_not"] and f"not measured: {f['why_not']}" or m.what,
             f["version"])
            for m, f in zip(group.members, start_figures(outcome, group).values())]
    return table(("", "to its first instruction, us", "x floor", "until all is gone, us", "x floor", "comparing, us", "",
                  "version"), rows)


def runs_text(outcome, group) -> str:
    rows = []
    for m, f in zip(group.members, start_figures(outcome, group).values()):
        rows.append((m.name, _or(f["first_us"], "{:.0f}"), _or(f["first_over_us"], "{:.0f}"), _or(f["gone_over_us"], "{:.0f}"),
                     f.get("bytes") or "", f.get("pss_kib", ""), f.get("rss_kib", ""),
                     f["why_not"] and f"not measured: {f['why_not']}", f["version"]))
    return table(("", "to its child, us", "over bare, us", "to its end, over bare, us", "bytes", "PSS KiB", "RSS KiB", "",
                  "version"), rows)


# ---- boots

def _boots(measured, init, n: int) -> list:
    return [r for r in measured.booted if r.boot.init is init and r.boot.services == n]


def _good(results, what: str) -> dict:
    return {r.boot.round: r.said[what] for r in results if what in r.said and not r.why}


def pss(said: dict) -> int:
    return sum(kind["pss_kib"] for kind in said["supervisors"].values())


def _sizes(measured) -> list:
    return sorted({r.boot.services for r in measured.booted})


def boot_figures(measured, n: int) -> dict:
    """name -> time and ratios of a boot with n services."""
    floor = _good(_boots(measured, inits.by_name(inits.FLOOR), n), "boot_us")
    found = {}
    for init in inits.INITS:
        results = _boots(measured, init, n)
        if not results:
            continue
        good = _good(results, "boot_us")
        row = {"version": init.version(), "why_not": next((r.why for r in results if r.why), ""),
               "boot_us": spread(good.values()), "ratio": ratios(good, floor)}
        said = next((r.said for r in results if r.said and not r.why), None)
        if said:
            row.update(pss_kib=pss(said), processes=sum(k["count"] for k in said["supervisors"].values()),
                       wakeups=max(r.said["wakeups"] for r in results if r.said), idle_s=said["idle_s"],
                       supervisors=said["supervisors"])
        found[init.name] = row
    return found


def _boot_row(measured, init, sizes) -> tuple:
    row = [init.name]
    whys = []
    for n in sizes:
        f = boot_figures(measured, n).get(init.name)
        if not f or not f["boot_us"]:
            row += ["", ""]
            whys += [f"{n}: {f['why_not']}"] if f else []
            continue
        row += [f"{f['boot_us'].median / 1000:.1f}", _or(f["ratio"])]
    return (*row, "not measured: " + "; ".join(whys) if whys else init.what, init.version())


def boots_text(measured) -> str:
    sizes = [n for n in _sizes(measured) if n]
    head = [""]
    for n in sizes:
        head += [f"{n}: ms", "x floor"]
    return table((*head, "", "version"), [_boot_row(measured, i, sizes) for i in inits.INITS])


def memory_text(measured) -> str:
    sizes = _sizes(measured)
    rows = []
    for init in inits.INITS:
        by = {n: boot_figures(measured, n).get(init.name, {}) for n in sizes}
        have = [n for n in sizes if "pss_kib" in by[n]]
        each = (by[have[-1]]["pss_kib"] - by[have[0]]["pss_kib"]) / (have[-1] - have[0]) if len(have) > 1 else None
        rows.append((init.name, *(by[n].get("pss_kib", "") for n in sizes),
                     "" if each is None else f"{each:.1f}", by[have[-1]]["processes"] if have else "",
                     max(by[n]["wakeups"] for n in have) if have else ""))
    last = sizes[-1] if sizes else 0
    return table(("", *(f"{n}: KiB" for n in sizes), "KiB each", f"processes at {last}", "wake-ups in 5 s"), rows)


def orphan_figures(measured) -> dict:
    found = {}
    for r in measured.booted:
        if r.boot.orphans and "reap_us" in r.said:
            keys = ("orphans", "left", "reap_us", "reap_cpu_us")
            found[r.boot.init.name] = {k: r.said[k] for k in keys}
    floor = found.get(inits.FLOOR)
    for row in found.values():
        row["ratio"] = row["reap_us"] / floor["reap_us"] if floor else None
        row["cpu_ratio"] = row["reap_cpu_us"] / floor["reap_cpu_us"] if floor else None
    return found


def orphans_text(measured) -> str:
    rows = [(name, f["orphans"], f["left"], f"{f['reap_us'] / 1000:.0f}", f"{f['ratio']:.2f}" if f["ratio"] else "",
             f"{f['reap_cpu_us'] / 1000:.0f}", f"{f['cpu_ratio']:.2f}" if f["cpu_ratio"] else "")
            for name, f in orphan_figures(measured).items()]
    return table(("", "orphans", "left", "until reaped, ms", "x floor", "CPU of PID 1, ms", "x floor"), rows)


# ---- against the budget

def _start_budgets(measured) -> list:
    found = []
    for o in measured.outcomes:
        if spawns.CELLS not in measured.groups:
            continue
        figures = start_figures(o, spawns.CELLS)
        for name, now, goal in ((spawns.OURS, 1.5, 1.3), (spawns.UNATTESTED, None, 1.15)):
            r = figures[name]["first_ratio"]
            found.append(Budget(f"strict cell, {name}, over the floor ({o.where})", r and r.median, now, goal, "x",
                                figures[name]["why_not"], r))
    for o in measured.outcomes:
        if runs.RUNS in measured.groups and o.where.startswith("host"):
            for name in ("prior run", "prior run, musl"):
                row = start_figures(o, runs.RUNS)[name]
                over = row["first_over_us"]
                found.append(Budget(f"{name}, over a bare exec ({o.where})", over and over.median, None, 100, "us",
                                    row["why_not"], over))
    return found


def _boot_budgets(measured) -> list:
    figures = {n: boot_figures(measured, n) for n in _sizes(measured)}
    found = []
    if 100 in figures:
        for name in ("prior, unconfined", "prior, compiled", "prior musl, unconfined"):
            row = figures[100].get(name, {})
            found.append(Budget(f"boot of 100 services, {name}, over the floor", row.get("ratio") and row["ratio"].median,
                                1.5, 1.2, "x", row.get("why_not", "")))
        row = figures[100].get("prior musl, confined", {})
        found.append(Budget("memory of all supervisors, 100 services, musl", row.get("pss_kib"), None, 400, "KiB",
                            row.get("why_not", "")))
        low = next((n for n in sorted(figures) if "pss_kib" in figures[n].get("prior musl, confined", {})), 100)
        if low < 100 and "pss_kib" in row:
            each = (row["pss_kib"] - figures[low]["prior musl, confined"]["pss_kib"]) / (100 - low)
            found.append(Budget(f"memory of a service more, from {low} to 100, musl", each, None, 4, "KiB"))
    ours = [f for rows in figures.values() for name, f in rows.items() if name.startswith("prior") and "wakeups" in f]
    if ours:
        found.append(Budget("wake-ups of all supervisors, idle, 5 s", max(f["wakeups"] for f in ours), 0, 0, ""))
    left = [f["left"] for name, f in orphan_figures(measured).items() if name.startswith("prior")]
    if left:
        found.append(Budget("orphans not reaped, of 10,000", max(left), 0, 0, ""))
    return found


def budgets(measured) -> list:
    return _start_budgets(measured) + network.budgets(measured.bridges) + _boot_budgets(measured)


# ---- all of it

def text(measured, about: dict, seconds: float) -> str:
    parts = [f"{k}: {v}" for k, v in about.items()]
    parts.append("All figures are medians over rounds [10th 90th percentile]; of a round's starts the fastest counts. In the\n"
                 "guest an instruction is 2 ns: it repeats, and caches, TLB and branches cost nothing there.")
    for group, as_text in ((spawns.CELLS, cells_text), (runs.RUNS, runs_text)):
        for outcome in measured.outcomes if group in measured.groups else ():
            parts.append(f"\n{group.name} ({outcome.where})\n{as_text(outcome, group)}")
            parts += [f"  {note}" for note in outcome.notes if group is spawns.CELLS]
    if measured.bridges:
        parts.append(f"\n{network.text(measured.bridges)}")
    if measured.booted:
        parts.append(f"\nboot until N services run (guest, instructions)\n{boots_text(measured)}")
        parts.append(f"\nmemory of all supervisor processes with N idle services: PSS\n{memory_text(measured)}")
        if orphan_figures(measured):
            parts.append(f"\norphans that all end at once (guest, instructions)\n{orphans_text(measured)}")
    if measured.appliance:
        parts.append(f"\n{stages.text(measured.appliance)}")
    parts.append("\nagainst the budget\n" + table(("", "measured", "now", "goal", ""), [b.row() for b in budgets(measured)]))
    parts.append(f"\ntook {seconds:.0f} s")
    return "\n".join(parts)


def document(measured, about: dict) -> dict:
    """Spreads become {median, low, high, n}."""
    starts = {g.name: {o.where: start_figures(o, g) for o in measured.outcomes} for g in measured.groups}
    return _plain({
        "about": about, "starts": starts, "notes": {o.where: o.notes for o in measured.outcomes},
        "bridges": network.figures(measured.bridges) if measured.bridges else None,
        "boots": {str(n): boot_figures(measured, n) for n in _sizes(measured)},
        "orphans": orphan_figures(measured),
        "stages": measured.appliance._asdict() if measured.appliance else None,
        "budgets": [{**b._asdict(), "verdict": b.verdict()} for b in budgets(measured)],
    })


def _plain(value):
    if hasattr(value, "_asdict"):
        return _plain(value._asdict())
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    return round(value, 3) if isinstance(value, float) else value
