"""Bridges: the throughput between two cells, and of one with the outside by NAT, beside the same made with iproute2 and
nft; and the n-th start on one bridge.

On this host, in network namespaces of its own. Both ends run on one CPU, so that all that is done to a packet counts, and
what counts is the time that they have it: other work on this host takes away from the throughput, and not from that.
The kernel goes through all ports of a bridge when it gets another one, and again when that one's carrier comes: with
500 of them more than a millisecond, which nobody can take from it. So a pair like a cell's is made on the very same
bridges with iproute2, too: what is left of a start without it is prior's, and has to stay what it is on an empty bridge.
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
PORT = "5201"           # iperf3's
PER_TURN = 4            # runs, or starts, of which the fastest counts
BYTES = "64M"
SIZES = (1, 100, 500)
WAIT = 120.0
ALONE = ("taskset", "-c", str(max(os.sched_getaffinity(0))), "nice", "-n", "-20")   # other work disturbs less


class Way(NamedTuple):
    nat: bool
    caller: str         # of Ends
    to: str


WAYS = {"IPv4": Way(False, "client", "10.88.0.2"), "IPv6": Way(False, "client", "fd88::2"),
        "IPv4, in by a published port": Way(True, "outside", "192.0.2.1"),
        "IPv4, out by NAT": Way(True, "client", "192.0.2.2")}


class Ends(NamedTuple):
    """What leads into each: two cells of a bridge, and somebody outside who knows the machine's address alone."""
    server: tuple
    client: tuple
    outside: Optional[tuple]


class Network(NamedTuple):
    speeds: dict        # (way, name) -> {round: bits a second of CPU}
    starts: dict        # cells on the bridge -> {round: microseconds}
    pairs: dict         # the same of a pair made with iproute2
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


def _outside(stack: ExitStack, machine) -> tuple:
    far = Apart(stack)
    _ip(machine, f"link add out type veth peer name far netns {far.process.pid}", "addr add 192.0.2.1/24 dev out",
        "link set out up")
    _ip(far.inside, "addr add 192.0.2.2/24 dev far", "link set far up")
    return far.inside


NFT = f"""
table ip bench {{
	chain in {{ type nat hook prerouting priority dstnat; iifname out tcp dport {PORT} dnat to 10.88.0.2; }}
	chain out {{ type nat hook postrouting priority srcnat; ip saddr 10.88.0.0/16 oifname out masquerade; }}
}}
"""


class Batch:
    """An ip(8) that runs already: what it is told is done when it answers."""

    def __init__(self, stack: ExitStack, inside):
        self.process = subprocess.Popen([*inside, "ip", "-oneline", "-batch", "-"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        stack.callback(self.process.wait)
        stack.callback(self.process.kill)

    def do(self, *lines: str, ask: str = "lo") -> None:
        self.process.stdin.write("\n".join([*lines, f"link show {ask}", ""]))
        self.process.stdin.flush()
        if not self.process.stdout.readline():
            raise OSError(f"ip: one of {lines} fails")


class Pair:
    """One more pair on a bridge that is there, again and again."""

    def __init__(self, stack: ExitStack, machine):
        self.end = Apart(stack, *machine)
        self.machine, self.cell = Batch(stack, machine), Batch(stack, self.end.inside)
        for batch in (self.machine, self.cell):
            batch.do()

    def us(self) -> float:
        began = time.monotonic()
        self.machine.do(f"link add v0 master b0 up type veth peer name host0 netns {self.end.process.pid}")
        self.cell.do("addr add 10.88.255.250/16 dev host0", "addr add fd88::fffe:fffe/64 dev host0 nodad",
                     "link set host0 up", "route add default via 10.88.0.1", "route add default via fd88::1")
        self.machine.do(ask="v0")   # as we do: its carrier is there when that is answered
        took = time.monotonic() - began
        self.machine.do("link del v0")
        return took * 1e6


def _by_iproute2(stack: ExitStack, nat: bool) -> Ends:
    machine = Apart(stack)
    ends = [Apart(stack, *machine.inside) for _ in range(2)]
    _ip(machine.inside, "link add b0 type bridge", "addr add 10.88.0.1/16 dev b0", "addr add fd88::1/64 dev b0 nodad",
        "link set b0 up")
    for i, end in enumerate(ends, 2):
        _ip(machine.inside, f"link add v{i} master b0 up type veth peer name host0 netns {end.process.pid}")
        _ip(end.inside, f"addr add 10.88.0.{i}/16 dev host0", f"addr add fd88::{i}/64 dev host0 nodad",
            "link set host0 up", "route add default via 10.88.0.1")
    if nat:
        subprocess.run([*machine.inside, "sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward && nft -f -"], input=NFT,
                       text=True, check=True)
    return Ends(ends[0].inside, ends[1].inside, _outside(stack, machine.inside) if nat else None)


class Prior:
    """`prior up` in a network namespace of its own, all of it up."""

    def __init__(self, stack: ExitStack, folder: Path, services: str, nat: bool = False):
        folder.mkdir(parents=True, exist_ok=True)
        self.run_dir = folder / "run"
        shutil.rmtree(self.run_dir, ignore_errors=True)
        config = folder / "prior.yaml"
        config.write_text(f"network: {{bridges: {{b0: {{subnets: {SUBNETS}, nat: {str(nat).lower()}}}}}}}\ndefaults:\n"
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


def _by_prior(stack: ExitStack, folder: Path, nat: bool) -> Ends:
    def end(i: int, more: str = "") -> str:
        return f"  end{i}: {{isolation: {{network: {{bridge: b0, address: [10.88.0.{i}/16, \"fd88::{i}/64\"]{more}}}}}}}\n"
    p = Prior(stack, folder, end(2, f', ports: ["{PORT}:{PORT}"]' if nat else "") + end(3), nat)
    machine = ("nsenter", "-t", str(p.process.pid), "-n")
    return Ends(p.inside("end2"), p.inside("end3"), _outside(stack, machine) if nat else None)


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


def _speed(inside, to: str) -> float:
    """Bits in a second of the CPU; in one by the clock, where both ends have it for themselves."""
    done = subprocess.run([*inside, *ALONE, "iperf3", "-c", to, "-n", BYTES, "-J"], capture_output=True, text=True)
    try:
        end = json.loads(done.stdout)["end"]
        busy = (end["cpu_utilization_percent"]["host_total"] + end["cpu_utilization_percent"]["remote_total"]) / 100
        return end["sum_received"]["bits_per_second"] / busy
    except (ValueError, KeyError, ZeroDivisionError) as e:
        raise OSError(f"iperf3: {done.stdout[-300:]} {done.stderr}") from e


def _both(stack: ExitStack, folder: Path, nat: bool) -> dict:
    both = {FLOOR: _by_iproute2(stack, nat), OURS: _by_prior(stack, folder / ("nat" if nat else "pair"), nat)}
    for name, ends in both.items():
        for i, inside in enumerate((ends.server, ends.outside) if nat else (ends.server,)):
            _serve(stack, inside, folder / f"{name}-{nat}-{i}.log")
    return both


def _speeds(rounds: int, folder: Path) -> dict:
    found = {}
    with ExitStack() as stack:
        ends = {nat: _both(stack, folder, nat) for nat in (False, True)}
        for r in range(rounds):
            turn = sorted((FLOOR, OURS), reverse=bool(r % 2)) * PER_TURN
            for what, way in WAYS.items():
                for name in turn:
                    of = found.setdefault((what, name), {})
                    of[r] = max(of.get(r, 0.0), _speed(getattr(ends[way.nat][name], way.caller), way.to))
    return found


def _starts(rounds: int, folder: Path) -> tuple:
    """(starts, pairs) of Network, in turns."""
    starts, pairs = {n: {} for n in SIZES}, {n: {} for n in SIZES}
    once = '  once: {command: ["true"], type: oneshot, restart: "no"}\n'
    with ExitStack() as stack:
        have = {n: Prior(stack, folder / str(n), once + "".join(f"  s{i}: {{}}\n" for i in range(n))) for n in SIZES}
        beside = {n: Pair(stack, ("nsenter", "-t", str(p.process.pid), "-n")) for n, p in have.items()}
        for r in range(rounds):
            for i in range(len(SIZES)):
                n = SIZES[(r + i) % len(SIZES)]
                starts[n][r] = min(have[n].start_us("once") for _ in range(PER_TURN))
                pairs[n][r] = min(beside[n].us() for _ in range(PER_TURN))
    return starts, pairs


def _own(n: Network, size: int) -> dict:
    """A start without what the kernel alone takes for a pair."""
    return {r: us - n.pairs[size][r] for r, us in n.starts[size].items()}


def _lacks() -> str:
    if os.geteuid() != 0:
        return "needs root: network namespaces"
    missing = [p for p in ("ip", "iperf3", "nft") if not shutil.which(p)]
    return f"{', '.join(missing)}: not installed" if missing else ""


def measure(rounds: int) -> Network:
    why = _lacks()
    folder = paths.build() / "bench/network"
    if not why:
        try:
            return Network(_speeds(rounds, folder), *_starts(rounds, folder))
        except (OSError, subprocess.CalledProcessError, IndexError, KeyError) as e:
            why = str(e)
    return Network({}, {}, {}, why)


# ---- what comes of it

def figures(n: Network) -> dict:
    """A ratio over 1: ours is slower."""
    return {"why_not": n.why_not,
            "throughput": {way: {"bits": spread(of.values()), "ratio": ratios(n.speeds[(way, FLOOR)], of)}
                           for (way, name), of in n.speeds.items() if name == OURS},
            "floor": {way: spread(of.values()) for (way, name), of in n.speeds.items() if name == FLOOR},
            "starts": {str(k): {"us": spread(of.values()), "pair_us": spread(n.pairs[k].values()),
                                "own_us": spread(_own(n, k).values()), "ratio": ratios(of, n.starts[SIZES[0]]),
                                "own_ratio": ratios(_own(n, k), _own(n, SIZES[0]))}
                       for k, of in n.starts.items()}}


def text(n: Network) -> str:
    if n.why_not:
        return f"bridges: not measured: {n.why_not}"
    f = figures(n)
    speeds = [(f"TCP over {k}", _gbit(f["floor"][k]), _gbit(v["bits"]), v["ratio"].text())
              for k, v in f["throughput"].items()]
    starts = [(f"with {k} on it", *(f"{v[of].median / 1000:.1f}" for of in ("us", "pair_us", "own_us")),
               v["ratio"].text(), v["own_ratio"].text()) for k, v in f["starts"].items()]
    return ("throughput between two cells of a bridge, and of one with the outside, Gbit in a second of CPU (host)\n" +
            table(("", FLOOR, OURS, f"{FLOOR} / {OURS}"), speeds) +
            "\n\nstart of one more cell on a bridge, and a pair by iproute2 on the same, ms (host)\n" +
            table(("", "start", "pair", "start - pair", "start, x with 1", "start - pair, x with 1"), starts))


def _gbit(s) -> str:
    return s._replace(median=s.median / 1e9, low=s.low / 1e9, high=s.high / 1e9).text("{:.1f}")


def budgets(n: Optional[Network]) -> list:
    if n is None:
        return []
    f = figures(n)
    found = [Budget(f"throughput of cells, {k}: iproute2's over ours", v["ratio"].median, 1.05, None, "x",
                    "", v["ratio"])
             for k, v in f["throughput"].items()]
    last = f["starts"].get(str(SIZES[-1]))
    on = f"start of a cell on a bridge of {SIZES[-1]}, over one of {SIZES[0]}"
    return found + [Budget(on, last and last["ratio"].median, 2.0, None, "x", n.why_not, last and last["ratio"]),
                    Budget(on + ", without the kernel's pair", last and last["own_ratio"].median, 1.25, None, "x",
                           n.why_not, last and last["own_ratio"])]
