"""One boot of one image under QEMU: two serial ports, a hard time limit, and how it ended. KVM is never tried."""
import json
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import NamedTuple, Optional

from . import arch, debs
from .kernels import Kernel
from .port import NotSaid, Port, PortClosed

COMMAND_LINE = "console=ttyS0 panic=-1 loglevel=4"

# What the kernel says last -> how the machine ended. A panic also restarts, so it comes first.
ENDINGS = (
    ("Kernel panic", "panic"),
    ("reboot: Power down", "poweroff"),
    ("reboot: Restarting system", "reboot"),
    ("reboot: System halted", "halt"),
)

FIRST_WORDS = 25    # seconds for init to say anything at all, on a busy host
LOADER = 60         # seconds more for firmware and boot loader, which read all there is by the firmware's drivers


class Infrastructure(Exception):
    """The machine never came to its init: not the program's doing; tried again once."""


class Hardware(NamedTuple):
    memory: int = 256           # MiB
    cpus: int = 1
    port: Optional[int] = None  # with a network card, this port of the host's loopback leads to the guest's 80
    cards: tuple = ()           # MACs of network cards more, that lead nowhere
    gateway: bool = False       # QEMU lends them a gateway and a name server, too
    append: str = ""
    disks: tuple = ()           # host files, raw, as virtio disks: /dev/vda, /dev/vdb...
    scsi: bool = False          # a bus that Machine.plug() puts disks on
    share: str = ""             # a folder of the run's own, by virtiofs; its name is the tag
    firmware: str = ""          # "bios" or "uefi": boots what is on the first disk, and no kernel is given
    resets: bool = False        # a reboot is one, with the memory as it was, and not QEMU's end
    clock: str = ""             # what the hardware clock shows at first, as QEMU's -rtc base= takes it
    icount: Optional[int] = None    # each instruction takes 2^icount ns of the guest's time: it repeats, on any host


def _boots(kernel: Kernel, initrd: Path, hw: Hardware, folder: Path) -> list:
    """What is booted, and by whom."""
    if hw.firmware == "bios":
        return []       # QEMU's own
    if hw.firmware == "uefi":
        package, code, empty = arch.current().uefi
        root, variables = debs.unpack(package), folder / "variables"
        if not variables.exists():
            shutil.copyfile(root / empty, variables)
        flash = "if=pflash,format=raw,file="
        return ["-drive", f"{flash}{root / code},readonly=on", "-drive", f"{flash}{variables}"]
    # With icount the guest's TSC counts nanoseconds; of words given twice the kernel takes the last.
    counted = ["tsc_early_khz=1000000"] if hw.icount is not None else []
    words = [COMMAND_LINE, arch.current().words, *counted, hw.append]
    return ["-kernel", str(kernel.vmlinuz), "-initrd", str(initrd), "-append", " ".join(words).strip()]


def _arguments(kernel: Kernel, initrd: Path, hw: Hardware, folder: Path, serials, control="") -> list:
    on = arch.current()
    command = [on.qemu, "-accel", "tcg", *on.machine, "-m", str(hw.memory), "-smp", str(hw.cpus), "-nodefaults",
               "-no-user-config", "-display", "none", *([] if hw.resets else ["-no-reboot"]),
               *_boots(kernel, initrd, hw, folder)]
    for n, chardev in enumerate(serials):
        command += ["-chardev", f"{chardev},id=serial{n}"]
    command += on.serials
    if control:
        command += ["-chardev", f"{control},id=control", "-mon", "chardev=control,mode=control"]
    if hw.clock:
        command += ["-rtc", f"base={hw.clock}"]
    if hw.icount is not None:
        command += ["-icount", f"shift={hw.icount},sleep=off"]     # idle time passes at once
    for n, disk in enumerate(hw.disks):
        command += ["-drive", f"file={disk},format=raw,if=none,id=disk{n}", "-device", f"virtio-blk-pci,drive=disk{n}"]
    if hw.scsi:
        command += ["-device", "virtio-scsi-pci,id=scsi"]
    if hw.port is not None:
        command += ["-netdev", f"user,id=net0,hostfwd=tcp:127.0.0.1:{hw.port}-:80",
                    "-device", "virtio-net-pci,netdev=net0,romfile="]
    for n, mac in enumerate(hw.cards):
        command += ["-netdev", f"user,id=card{n},restrict={'off' if hw.gateway else 'on'}",
                    "-device", f"virtio-net-pci,netdev=card{n},mac={mac},romfile="]
    return command


VIRTIOFSD = Path("/usr/lib/qemu/virtiofsd")


class Share:
    """A folder of the host, served by virtiofsd to one machine; it ends with it."""

    def __init__(self, folder: Path, log):
        listens = socket.socket(socket.AF_UNIX)
        listens.bind("")        # the kernel chooses a name
        listens.listen(1)
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(listens.getsockname())
        self._server = subprocess.Popen(
            [VIRTIOFSD, "-f", f"--fd={listens.fileno()}", "-o", f"source={folder}", "-o", "sandbox=chroot",
             "-o", "cache=auto"], pass_fds=[listens.fileno()], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        listens.close()

    def arguments(self, hw: Hardware) -> list:
        return ["-object", f"memory-backend-memfd,id=memory,size={hw.memory}M,share=on", "-numa", "node,memdev=memory",
                "-chardev", f"socket,id=share,fd={self.socket.fileno()}",
                "-device", f"vhost-user-fs-pci,chardev=share,tag={hw.share}"]

    def end(self) -> None:
        self._server.kill()
        self._server.wait()


def interactive(kernel: Kernel, initrd: Path, hw: Hardware) -> int:
    """Boots with the console on this terminal, nothing on the second port; returns when the machine ends."""
    with tempfile.TemporaryDirectory() as folder:
        command = _arguments(kernel, initrd, hw, Path(folder), ["stdio,mux=on,signal=off", "null"])
        return subprocess.run([*command, "-mon", "chardev=serial0"]).returncode


class Machine:
    """Booting from the moment it is made. folder receives console.log and second.log, and keeps UEFI's variables."""

    def __init__(self, kernel: Kernel, initrd: Path, folder: Path, hw: Hardware = Hardware(), limit: float = 60):
        folder.mkdir(parents=True, exist_ok=True)
        pairs = [socket.socketpair() for _ in range(3)]
        theirs = [pair[1].fileno() for pair in pairs]
        *serials, control = [f"socket,fd={fd}" for fd in theirs]
        command = _arguments(kernel, initrd, hw, folder, serials, control)
        self._log = open(folder / "qemu.log", "w+")
        self._share = Share(folder.parent / hw.share, self._log) if hw.share else None
        if self._share:
            command += self._share.arguments(hw)
            theirs.append(self._share.socket.fileno())
        self._qemu = subprocess.Popen(command, pass_fds=theirs, stdin=subprocess.DEVNULL,
                                      stdout=self._log, stderr=self._log)
        for their in [pair[1] for pair in pairs] + ([self._share.socket] if self._share else []):
            their.close()
        self.console = Port(pairs[0][0], folder / "console.log")
        self.second = Port(pairs[1][0], folder / "second.log")
        self._control = Port(pairs[2][0], folder / "control.log")
        self._controls = 0
        self.control("qmp_capabilities", wait=False)
        self.started = time.monotonic()
        self.patience = (FIRST_WORDS + (LOADER if hw.firmware else 0)) * arch.current().slower
        self.limit = limit
        self.out_of_time = False
        self._timer = threading.Timer(limit, self._too_long)
        self._timer.daemon = True
        self._timer.start()

    def _too_long(self) -> None:
        self.out_of_time = True
        self._qemu.kill()

    def _init_has_spoken(self) -> bool:
        """The kernel's own lines begin with a time in microseconds; anything else is init's."""
        return self.second.size > 0 or any(
            line and not re.match(r"\[ *\d+\.\d{6}\]", line) for line in self.console.text.splitlines())

    def first_words(self) -> None:
        """Returns when init said something or the machine ended; Infrastructure when neither comes."""
        deadline = time.monotonic() + self.patience
        seen = 0
        while not self._init_has_spoken():
            if self.console.closed:
                if self.console.size == 0 and not self.out_of_time:
                    raise Infrastructure(f"QEMU ended at once: {self.qemu_said()}")
                return
            if time.monotonic() > deadline:
                raise Infrastructure(f"no output from init in {self.patience} s")
            try:
                seen = self.console.wait("\n", 0.25, seen)
            except (NotSaid, PortClosed):
                pass

    def control(self, command: str, wait=True, **arguments) -> None:
        """Has QEMU do something, by its monitor's protocol (QMP)."""
        self._controls += 1
        self._control.send(json.dumps({"execute": command, "arguments": arguments, "id": self._controls}) + "\n")
        if wait:
            self._control.wait(f'{{"return": {{}}, "id": {self._controls}}}', 20)

    def press(self, *keys: str) -> None:
        """Keys of the keyboard, together, by QEMU's names."""
        self.control("send-key", keys=[{"type": "qcode", "data": key} for key in keys])

    def plug(self, disk: Path) -> None:
        """One more disk, while it runs."""
        file = {"driver": "file", "filename": str(disk)}
        self.control("blockdev-add", driver="raw", file=file, **{"node-name": disk.stem})
        self.control("device_add", driver="scsi-hd", bus="scsi.0", drive=disk.stem)

    def qemu_said(self) -> str:
        self._log.seek(0)
        return self._log.read().strip() or "it said nothing"

    def ending(self) -> Optional[str]:
        """How it ended, as the console tells; else "timeout" or "killed"; None while it runs."""
        text = self.console.text
        for said, name in ENDINGS:
            if said in text:
                return name
        if self.out_of_time:
            return "timeout"
        return "killed" if self.console.closed else None

    def wait_end(self, seconds: float) -> Optional[str]:
        """How it ended; None when it has not within these seconds."""
        deadline = time.monotonic() + seconds
        self.console.wait_closed(seconds)
        while self._qemu.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        return self.ending()

    def kill(self) -> None:
        """Ends QEMU whatever it does; harmless when it has ended."""
        self._timer.cancel()
        self._qemu.kill()
        self._qemu.wait()
        if self._share:
            self._share.end()
        self.console.wait_closed(2)
        self._log.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()
