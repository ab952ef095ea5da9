"""A scenario: a short Python file with an image and a function run(m). Loads it and runs it once."""
import importlib.util
import linecache
import time
import traceback
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from . import arch, debs, kernels, paths
from .image import Image
from .machine import Hardware, Infrastructure, Machine
from .session import Failed, Session, Skip

TAIL = 60   # lines of console shown when a scenario fails


class Scenario(NamedTuple):
    name: str
    file: Path
    image: Image
    run: object             # run(m), or None for a plain description
    kernels: list
    libcs: list             # builds of the program that it is about; those of the machine alone need one
    limit: float            # seconds, of all its boots together
    hardware: Hardware
    about: str              # its first line
    disks: object = None    # disks(at): makes the disks, once, before the first image; at has folder, kernel, prior


class Outcome(NamedTuple):
    word: str               # "ok", "not ok", "skip"
    detail: str
    seconds: float
    lines: list = []        # verdicts of tests that ran inside


def load(file: Path) -> Scenario:
    spec = importlib.util.spec_from_file_location(f"scenario_{file.stem.replace('-', '_')}", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return Scenario(file.stem, file, module.image, getattr(module, "run", None),
                    getattr(module, "kernels", list(kernels.NAMES)), getattr(module, "libcs", ["glibc", "musl"]),
                    getattr(module, "limit", 60),
                    getattr(module, "hardware", Hardware()), (module.__doc__ or "").strip().partition("\n")[0],
                    getattr(module, "disks", None))


def _where(error: BaseException, file: Path) -> str:
    """The line of the scenario at which it failed."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == str(file)]
    if not frames:
        return str(error) if isinstance(error, Failed) else "".join(traceback.format_exception(error))
    last = frames[-1]
    return f"{file.name}:{last.lineno}: {linecache.getline(last.filename, last.lineno).strip()}\n{error}"


class Run:
    """One scenario on one kernel with one build of the program."""

    def __init__(self, scenario: Scenario, kernel_name: str, libc: str):
        self.scenario = scenario
        self.kernel = kernels.fetch(kernel_name)
        self.prior = paths.prior(libc)
        self.folder = paths.build() / "qemu" / f"{scenario.name}-{kernel_name}-{libc}{arch.suffix()}"
        self.limit = scenario.limit * arch.current().slower
        self.deadline = 0.0
        self.boots = 0
        self.disks = None
        self.sessions = []

    @contextmanager
    def boot(self, files=None, append="", config=None, ready=True, firmware=None):
        """Boots the scenario's image, with these changes; gives a Session. With firmware: what is on the first disk."""
        s = self.scenario
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.disks is None:
            self.disks = tuple(s.disks(self)) if s.disks else ()
        self.boots += 1
        folder = self.folder / f"boot{self.boots}"
        hw = s.hardware._replace(append=f"{s.hardware.append} {append}".strip(), disks=self.disks,
                                 firmware=s.hardware.firmware if firmware is None else firmware)
        initrd = None if hw.firmware else s.image.with_changes(files, config).build(folder / "initramfs", self.kernel,
                                                                                    self.prior)
        for attempt in ("first", "last"):
            with Machine(self.kernel, initrd, folder, hw, max(1, self.deadline - time.monotonic())) as machine:
                session = Session(machine, self.boot, self.disks)
                self.sessions.append(session)
                try:
                    machine.first_words()
                except Infrastructure as e:
                    if attempt == "last":
                        raise Failed(f"{e} (tried twice)") from None
                    continue
                if ready and s.image.tools:
                    session.wait_ready()
                yield session
                return

    def _attempt(self) -> None:
        with self.boot(ready=getattr(self.scenario.run, "ready", True)) as session:
            self.scenario.run(session)
            if session.machine.ending() == "panic":
                raise Failed("the kernel panicked")

    def _report(self, error: BaseException) -> str:
        lines = [_where(error, self.scenario.file)]
        if any(s.machine.out_of_time for s in self.sessions):
            lines.append(f"the time limit of {self.limit:g} s was reached")
        for session in self.sessions[-1:]:
            for command, code, text in session.history:
                lines.append(f"$ {command}   [exit {code}]")
                lines += [f"  {line}" for line in text.splitlines()[-12:]]
            tail = session.console.splitlines()[-TAIL:]
            lines.append(f"console, last {len(tail)} lines ({self.folder}/boot{self.boots}/console.log):")
            lines += [f"  {line}" for line in tail]
        return "\n".join(lines)

    def run(self) -> Outcome:
        start = time.monotonic()
        outcome = self._outcome(start)
        return outcome._replace(lines=[line for s in self.sessions for line in s.lines])

    def _outcome(self, start: float) -> Outcome:
        self.deadline = start + self.limit
        try:
            self._attempt()
        except (Skip, debs.PackageError) as e:
            return Outcome("skip", str(e), time.monotonic() - start)
        except Exception as e:      # whatever a scenario raises is its failure, the others go on
            return Outcome("not ok", self._report(e), time.monotonic() - start)
        return Outcome("ok", "\n".join(n for s in self.sessions for n in s.notes), time.monotonic() - start)
