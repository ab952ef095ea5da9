"""Bridges: the throughput between two cells beside the same pairs made with iproute2, and the n-th start on one bridge.

On this host, in network namespaces of its own. Both ends run on one CPU, so that all that is done to a packet counts.
The kernel itself hands the first words of a new port (IPv6 looks for its neighbours) to all others: with 500 of them that
is two milliseconds, of an iproute2 pair's start as well as of ours.
"""
import json
import os
import shutil
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple, Optional

from lib import paths

import programs
from figures import Budget, ratios, spread, table

OURS, FLOOR = "prior", "iproute2"
SUBNETS = '[10.88.0.0/16, "fd88::/64"]'
SERVER = {4: "10.88.0.2", 6: "fd88::2"}
PER_TURN = 4            # runs, or starts, of which the fastest counts
BYTES = "64M"
SIZES = (1, 100, 500)
WAIT = 120.0
ALONE = ("taskset", "-c", str(max(os.sched_getaffinity(0))), "nice", "-n", "-20")   # other work disturbs less


class Network(NamedTuple):
    speeds: dict        # (family, name) -> {round: bits a second}
    starts: dict        # cells on the bridge -> {round: microseconds}
    why_not: str = ""


class Apart:
    """A network namespace that lives as long as the process in it."""

    def __init__(self, stack: ExitStack, *before: str):
        self.process = subprocess.Popen([*before, "unshare", "-n", "sh", "-c", "echo; exec sleep 100000"],
                                        stdout=subprocess.PIPE)
        stack.callback(self.process.wait)
        stack.callback(self.process.kill)
        self.process.stdout.readline()
        self.inside = ("nsenter", "-t", str(self.process.pid), "-n")


def _ip(inside, *lines: str) -> None:
    subprocess.run([*inside, "ip", "-batch", "-"], input="\n".join(lines), text=True, check=True)


def _by_iproute2(stack: ExitStack) -> list:
    """What `inside` of the two ends is."""
    machine = Apart(stack)
    ends = [Apart(stack, *machine.inside) for _ in range(2)]
    _ip(machine.inside, "link add b0 type bridge", "addr add 10.88.0.1/16 dev b0", "addr add fd88::1/64 dev b0 nodad",
        "link set b0 up")
    for i, end in enumerate(ends, 2):
        _ip(machine.inside, f"link add v{i} master b0 up type veth peer name host0 netns {end.process.pid}")
        _ip(end.inside, f"addr add 10.88.0.{i}/16 dev host0", f"addr add fd88::{i}/64 dev host0 nodad",
            "link set host0 up")
    return [e.inside for e in ends]


class Prior:
    """`prior up` in a network namespace of its own, all of it up."""

    def __init__(self, stack: ExitStack, folder: Path, services: str):
        folder.mkdir(parents=True, exist_ok=True)
        self.run_dir = folder / "run"
        shutil.rmtree(self.run_dir, ignore_errors=True)
        config = folder / "prior.yaml"
        config.write_text(f"network: {{bridges: {{b0: {{subnets: {SUBNETS}}}}}}}\ndefaults:\n"
                          "  command: [sleep, \"100000\"]\n  logs: {sink: none}\n"
                          "  isolation: {preset: none, network: {bridge: b0}}\nservices:\n" + services)
        with open(folder / "said", "w") as said:
            self.process = subprocess.Popen(["unshare", "-n", programs.prior(), "up", "-c", config, "--run-dir",
                                             self.run_dir, "--log-dir", ""], stdout=said, stderr=said)
        stack.callback(self.process.wait)
        stack.callback(self.process.terminate)
        ends = time.monotonic() + WAIT
        while self.ask("status", "--prior").returncode:
            if time.monotonic() > ends or self.process.poll() is not None:
                raise OSError((folder / "said").read_text().strip() or "prior up does not answer")
            time.sleep(0.02)
        done = self.ask("wait", "--timeout", f"{WAIT:.0f}s")
        if done.returncode:
            raise OSError(done.stderr.strip() or "not everything is up")

    def ask(self, *words):
        return subprocess.run([programs.prior(), *words, "--run-dir", self.run_dir], capture_output=True, text=True)

    def inside(self, service: str) -> tuple:
        return ("nsenter", "-t", str(json.loads(self.ask("status", service, "--json").stdout)[0]["pid"]), "-n")

    def start_us(self, service: str) -> float:
        """From the decision to its exec, as its own event says."""
        done = self.ask("start", service)
        if done.returncode:
            raise OSError(done.stderr.strip())
        with open(self.run_dir / "events", "rb") as f:
            f.seek(max(0, f.seek(0, os.SEEK_END) - 8192))
            said = [json.loads(line) for line in f.read().splitlines()[1:]]
        return float([e for e in said if e["event"] == "started" and e["service"] == service][-1]["us"])


def _by_prior(stack: ExitStack, folder: Path) -> list:
    p = Prior(stack, folder, "".join(
        f"  end{i}: {{isolation: {{network: {{bridge: b0, address: [10.88.0.{i}/16, \"fd88::{i}/64\"]}}}}}}\n"
        for i in (2, 3)))
    return [p.inside("end2"), p.inside("end3")]


def _serve(stack: ExitStack, inside, log: Path) -> None:
    with open(log, "w") as said:
        server = subprocess.Popen([*inside, *ALONE, "iperf3", "-s", "--forceflush"], stdout=said, stderr=said)
    stack.callback(server.wait)
    stack.callback(server.kill)
    ends = time.monotonic() + WAIT
    while "listening" not in log.read_text():
        if time.monotonic() > ends or server.poll() is not None:
            raise OSError(f"iperf3 does not serve: {log.read_text()}")
        time.sleep(0.02)


def _speed(inside, family: int) -> float:
    done = subprocess.run([*inside, *ALONE, "iperf3", "-c", SERVER[family], "-n", BYTES, "-J"], capture_output=True, text=True)
    try:
        return json.loads(done.stdout)["end"]["sum_received"]["bits_per_second"]
    except (ValueError, KeyError) as e:
        raise OSError(f"iperf3: {done.stdout[-300:]} {done.stderr}") from e


def _speeds(rounds: int, folder: Path) -> dict:
    found = {}
    with ExitStack() as stack:
        ends = {FLOOR: _by_iproute2(stack), OURS: _by_prior(stack, folder / "pair")}
        for name, (server, _) in ends.items():
            _serve(stack, server, folder / f"{name}.log")
        for r in range(rounds):
            turn = sorted(ends, reverse=bool(r % 2)) * PER_TURN
            for family in SERVER:
                for name in turn:
                    of = found.setdefault((family, name), {})
                    of[r] = max(of.get(r, 0.0), _speed(ends[name][1], family))
    return found


def _starts(rounds: int, folder: Path) -> dict:
    found = {n: {} for n in SIZES}
    once = '  once: {command: ["true"], type: oneshot, restart: "no"}\n'
    with ExitStack() as stack:
        have = {n: Prior(stack, folder / str(n), once + "".join(f"  s{i}: {{}}\n" for i in range(n))) for n in SIZES}
        for r in range(rounds):
            for i in range(len(SIZES)):
                n = SIZES[(r + i) % len(SIZES)]
                found[n][r] = min(have[n].start_us("once") for _ in range(PER_TURN))
    return found


def _lacks() -> str:
    if os.geteuid() != 0:
        return "needs root: network namespaces"
    missing = [p for p in ("ip", "iperf3") if not shutil.which(p)]
    return f"{', '.join(missing)}: not installed" if missing else ""


def measure(rounds: int) -> Network:
    why = _lacks()
    folder = paths.build() / "bench/network"
    if not why:
        try:
            return Network(_speeds(rounds, folder), _starts(rounds, folder))
        except (OSError, subprocess.CalledProcessError, IndexError, KeyError) as e:
            why = str(e)
    return Network({}, {}, why)


# ---- what comes of it

def figures(n: Network) -> dict:
    """A ratio over 1: ours is slower."""
    return {"why_not": n.why_not,
            "throughput": {f"IPv{family}": {"bits": spread(of.values()), "ratio": ratios(n.speeds[(family, FLOOR)], of)}
                           for (family, name), of in n.speeds.items() if name == OURS},
            "floor": {f"IPv{family}": spread(of.values()) for (family, name), of in n.speeds.items() if name == FLOOR},
            "starts": {str(k): {"us": spread(of.values()), "ratio": ratios(of, n.starts[SIZES[0]])}
                       for k, of in n.starts.items()}}


def text(n: Network) -> str:
    if n.why_not:
        return f"bridges: not measured: {n.why_not}"
    f = figures(n)
    speeds = [(f"TCP over {k}", _gbit(f["floor"][k]), _gbit(v["bits"]), v["ratio"].text())
              for k, v in f["throughput"].items()]
    starts = [(f"with {k} on it", f"{v['us'].median / 1000:.1f}", v["ratio"].text()) for k, v in f["starts"].items()]
    return ("throughput between two cells of a bridge, Gbit/s (host, one CPU)\n" +
            table(("", FLOOR, OURS, f"{FLOOR} / {OURS}"), speeds) +
            "\n\nstart of one more cell on a bridge (host)\n" + table(("", "ms", "x with 1"), starts))


def _gbit(s) -> str:
    return s._replace(median=s.median / 1e9, low=s.low / 1e9, high=s.high / 1e9).text("{:.1f}")


def budgets(n: Optional[Network]) -> list:
    if n is None:
        return []
    f = figures(n)
    found = [Budget(f"throughput between two cells, {k}: iproute2's over ours", v["ratio"].median, 1.05, None, "x",
                    "", v["ratio"])
             for k, v in f["throughput"].items()]
    last = f["starts"].get(str(SIZES[-1]))
    return found + [Budget(f"start of a cell on a bridge of {SIZES[-1]}, over one of {SIZES[0]}",
                           last and last["ratio"].median, 2.0, None, "x", n.why_not,
                           last and last["ratio"])]
