"""Runner processes that are started before there is an attempt for them: everything imported, waiting for their launch line."""

import threading
from collections import deque
from collections.abc import Callable
from subprocess import Popen

_IDLE_SECONDS = 120.0  # memory is worth more than the second that a later start would gain
_REFILL_SECONDS = 2.0  # not while the one that was just taken begins its work


class Ahead:
    """As many as may start at the same moment; they end with the app, for its end of their standard input closes."""

    def __init__(self, most: int, spawn: Callable[[], Popen[bytes]], room: Callable[[], int]) -> None:
        """`room` says how many processes more the machine's memory should hold."""
        self._most = most
        self._spawn = spawn
        self._room = room
        self._waiting: deque[Popen[bytes]] = deque()
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        self._is_open = True

    def fill(self) -> None:
        """Attempts will start soon."""
        with self._lock:
            if not self._is_open:
                return
            for child in [child for child in self._waiting if child.returncode is not None]:
                self._waiting.remove(child)
                _hang_up(child)
            while len(self._waiting) < min(self._most, self._room()):
                self._waiting.append(self._spawn())
            self._later(_IDLE_SECONDS, self._end)

    def take(self) -> Popen[bytes] | None:
        """One that is alive, which is the caller's from now on; another one is made ready in a while, where there is room."""
        with self._lock:
            while self._waiting:
                child = self._waiting.popleft()
                if child.returncode is None:
                    self._later(_REFILL_SECONDS, self.fill)
                    return child
                _hang_up(child)
        return None

    def close(self) -> None:
        """Nobody will be asked for any more."""
        with self._lock:
            self._is_open = False
        self._end()

    def _later(self, seconds: float, what: Callable[[], None]) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = threading.Timer(seconds, what)
        self._timer.daemon = True
        self._timer.start()

    def _end(self) -> None:
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            for child in self._waiting:
                _hang_up(child)
            self._waiting.clear()


def _hang_up(child: Popen[bytes]) -> None:
    """Its standard input ends, and with that so does it."""
    if child.stdin is not None:
        child.stdin.close()
