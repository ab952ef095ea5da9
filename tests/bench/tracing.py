"""The kernel's trace of system calls and task switches, on one CPU, as time of each process in each call."""
import os
import re
from collections import Counter, defaultdict
from pathlib import Path
from typing import NamedTuple

LINE = re.compile(r"^\s*(.+)-(\d+)\s+\[000\]\s+\S+\s+(\d+): (\w+): (.*?)\s*$", re.M)
SPAWNER = "prior-spawner"
LEAST = 20          # microseconds per start that a row must have to be shown
HEADERS = ("/usr/include/x86_64-linux-gnu/asm/unistd_64.h", "/usr/include/asm-generic/unistd.h")


class Event(NamedTuple):
    comm: str
    pid: int
    us: float
    kind: str
    rest: str

    def field(self, name: str) -> int:
        return int(re.search(rf"\b{name}=(\d+)", self.rest)[1])

    def call(self) -> int:
        return int(self.rest.split()[1])


def call_names() -> dict:
    for header in HEADERS:
        if Path(header).exists():
            return {int(n): name for name, n in re.findall(r"#define __NR_(\w+)\s+(\d+)", Path(header).read_text())}
    return {}


def parse(text: str) -> list:
    """The events behind the line @trace. The clock is a TSC that counts nanoseconds."""
    _, _, trace = text.partition("@trace")
    return [Event(comm.strip(), int(pid), int(ns) / 1000, kind, rest) for comm, pid, ns, kind, rest in LINE.findall(trace)]


class Profile(NamedTuple):
    title: str
    times: int          # starts (or services) that the sums are divided by
    total: float        # microseconds of all
    used: dict          # (who, call or "user") -> microseconds
    count: Counter      # (who, call) -> calls; (who, "user") -> page faults
    calls: list         # (who, call, arguments, result, microseconds on the CPU) of one start, in order

    def text(self) -> str:
        who = defaultdict(float)
        for (name, _), us in self.used.items():
            who[name] += us
        lines = [f"{self.title}: {self.total / self.times:.0f} us each"]
        for name, us in sorted(who.items(), key=lambda x: -x[1]):
            calls = sum(n for (of, call), n in self.count.items() if of == name and call != "user")
            lines.append(f"  {name:24} {us / self.times:8.0f} us {calls / self.times:7.1f} calls")
            if not calls:
                continue    # a thread of the kernel: what it did is its name
            rows = [(call, used) for (of, call), used in self.used.items() if of == name and used / self.times >= LEAST]
            for call, used in sorted(rows, key=lambda x: -x[1]):
                n = self.count[name, call] / self.times
                noun = "page faults" if call == "user" else "calls"
                lines.append(f"      {call:24} {used / self.times:8.0f} us {n:7.1f} {noun}")
        return "\n".join(lines)

    def calls_text(self) -> str:
        return "\n".join(f"{who:10} {us:8.1f} us  {call}({arguments}) = {result}"
                         for who, call, arguments, result, us in self.calls)


class Walk:
    """Goes through the events once: whose time is it, and in which call."""

    def __init__(self, events, role, begin: float, end: float):
        names = call_names()
        self.used, self.count, self.calls = defaultdict(float), Counter(), []
        inside = {}         # pid -> [name, arguments, microseconds so far]
        now, last = None, None
        for e in events:
            if now is not None and begin <= last and e.us <= end:
                who, call = role(now, e), inside.get(now)
                self.used[who, call[0] if call else "user"] += e.us - last
                if call:
                    call[2] += e.us - last
            last, now = e.us, e.pid
            if e.kind == "sched_switch":
                now = e.field("next_pid")
            elif e.kind == "page_fault_user" and begin <= e.us <= end:
                self.count[role(e.pid, e), "user"] += 1
            elif e.kind == "sys_enter":
                inside[e.pid] = [names.get(e.call(), str(e.call())), e.rest.partition("(")[2].rstrip(")"), 0.0]
                if begin <= e.us <= end:
                    self.count[role(e.pid, e), inside[e.pid][0]] += 1
            elif e.kind == "sys_exit" and e.pid in inside:
                name, arguments, us = inside.pop(e.pid)
                if begin <= e.us <= end:
                    self.calls.append((role(e.pid, e), name, arguments, e.rest.rpartition("= ")[2], us))


def _comms(events) -> dict:
    """pid -> the last name it had."""
    return {e.pid: e.comm for e in events}


def _is_begin(e, pipe2: int) -> bool:
    """The pipe for what the started process has to say; that of our reports does not block."""
    return e.kind == "sys_enter" and e.call() == pipe2 and int(e.rest.split(",")[1], 16) == os.O_CLOEXEC


def of_starts(events, called, skip: int) -> Profile:
    """Starts by one parent: each begins with its pipe2. called: the name of its child, then of that one's children;
    ours may have a spawner between."""
    pipe2 = next(n for n, name in call_names().items() if name == "pipe2")
    begins = [e for e in events if _is_begin(e, pipe2)]
    parent = begins[0].pid
    begins = [e.us for e in begins if e.pid == parent]
    roles, children, comms = {parent: "parent", 0: "idle"}, Counter(), _comms(events)
    for e in events:
        if e.kind != "sched_process_fork":
            continue
        by, child = e.field("pid"), e.field("child_pid")
        if comms.get(child) == SPAWNER:
            roles[child] = "spawner"
        elif by == parent or roles.get(by) == "spawner":
            roles[child] = called[0]
        elif roles.get(by) == called[0]:
            children[by] += 1
            roles[child] = called[min(children[by], len(called) - 1)]
    end = max(e.us for e in events if e.pid == parent)
    walk = Walk(events, lambda pid, e: roles.get(pid) or f"other: {comms.get(pid, pid)}", begins[skip], end)
    one = Walk(events, lambda pid, e: roles.get(pid) or "other", begins[-2], begins[-1])
    return Profile("a start", len(begins) - skip, end - begins[skip], walk.used, walk.count, one.calls)


def of_boot(events, boot_us: float) -> Profile:
    """From the exec of PID 1 until the last service reported. A process is called by its name at the time; PID 1's
    children until they execute something are `PID 1's child`."""
    execve = next(n for n, name in call_names().items() if name == "execve")
    begin = next(e.us for e in events if e.pid == 1 and e.kind == "sys_enter" and e.call() == execve)
    executed, forked = set(), set()

    for e in events:
        if e.kind == "sched_process_fork":
            forked.add(e.field("child_pid"))
    comms = _comms(events)

    def role(pid: int, e: Event) -> str:
        if pid in (0, 1):
            return ("idle", "PID 1")[pid]
        if e.pid == pid and e.kind == "sys_exit" and e.rest.startswith(f"NR {execve} = 0"):
            executed.add(pid)
        if pid in forked and pid not in executed:
            return "before its exec"
        return comms.get(pid, str(pid))
    walk = Walk(events, role, begin, begin + boot_us)
    services = sum(1 for (who, call), n in walk.count.items() if who == "hello" for _ in range(n) if call == "ppoll")
    return Profile(f"a boot of {services} services, per service", max(services, 1), boot_us, walk.used, walk.count, walk.calls)
