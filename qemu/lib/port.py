"""A serial port of the machine, as we hold it: all it said is kept, and waiting wakes when more comes."""
import socket
import threading
import time
from pathlib import Path

from . import arch


class PortClosed(Exception):
    """The machine ended while something was expected of it."""


class NotSaid(Exception):
    """What was waited for did not come in time."""


class Port:
    def __init__(self, ours: socket.socket, log: Path):
        self._socket = ours
        self._said = bytearray()
        self._more = threading.Condition()
        self.closed = False
        self._log = open(log, "wb", buffering=0)
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                data = self._socket.recv(65536)
            except OSError:
                data = b""
            with self._more:
                if not data:
                    self.closed = True
                    self._log.close()
                    self._more.notify_all()
                    return
                self._log.write(data)
                self._said += data
                self._more.notify_all()

    @property
    def text(self) -> str:
        return self._said.decode(errors="replace").replace("\r\n", "\n")

    @property
    def size(self) -> int:
        return len(self._said)

    def said(self, start: int, end: int) -> bytes:
        return bytes(self._said[start:end])

    def send(self, text: str) -> None:
        try:
            self._socket.sendall(text.encode())
        except OSError as e:
            raise PortClosed(f"the machine ended: {e}") from None

    def wait(self, what: str, seconds: float, start: int = 0) -> int:
        """The place just behind the first `what` said at or after start."""
        return self.wait_any([what], seconds, start)[1]

    def wait_any(self, whats, seconds: float, start: int = 0) -> tuple:
        """(the one of whats that came, the place just behind it)."""
        deadline = time.monotonic() + seconds * arch.current().slower
        with self._more:
            while True:
                for what in whats:
                    at = self._said.find(what.encode(), start)
                    if at >= 0:
                        return what, at + len(what.encode())
                if self.closed:
                    raise PortClosed(f"the machine ended before it said {whats!r}")
                if not self._more.wait(deadline - time.monotonic()) and time.monotonic() >= deadline:
                    raise NotSaid(f"not said within {seconds:g} s: {whats!r}")

    def wait_closed(self, seconds: float) -> bool:
        with self._more:
            return self._more.wait_for(lambda: self.closed, seconds)
