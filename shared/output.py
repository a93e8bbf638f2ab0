"""Reads what a command prints: counted, logged, cut into lines and forgotten, so that no amount of it costs memory."""

import os
import select
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from shared.capped_log import CappedLog

TAIL_LINE = 4000
LONGEST_LINE = 1024 * 1024
_TAIL_LINES = 200
_CHUNK = 64 * 1024
_DRAIN_SECONDS = 1.0


class Output:
    """One pipe until its end, or until `end` is told that nobody who matters writes any more."""

    def __init__(
        self,
        pipe: IO[bytes],
        limit_bytes: int | None,
        log: Path | None,
        log_bytes: int,
        on_line: Callable[[str], None] | None,
    ) -> None:
        self.count = 0
        self.last = time.monotonic()
        self.error: Exception | None = None
        self._pipe, self._limit, self._on_line = pipe, limit_bytes, on_line
        self._log: CappedLog | None = None
        self._tail: deque[str] = deque(maxlen=_TAIL_LINES)
        self._rest = bytearray()
        self._give_up: float | None = None
        self._thread = threading.Thread(target=self._work, args=(log, log_bytes), daemon=True, name="output")
        self._thread.start()

    @property
    def tail(self) -> str:
        """The last lines, each cut to 4,000 characters."""
        return "\n".join(self._tail)

    @property
    def is_too_much(self) -> bool:
        return self._limit is not None and self.count > self._limit

    def end(self) -> None:
        """Takes what is still in the pipe: whoever holds it open for longer is not waited for."""
        self._give_up = time.monotonic() + _DRAIN_SECONDS
        self._thread.join()

    def _work(self, log: Path | None, log_bytes: int) -> None:
        with self._keeping_log():
            self._log = CappedLog(log, log_bytes) if log else None
        self._read()
        self._say([bytes(self._rest)] if self._rest else [])
        with self._keeping_log():
            if self._log:
                self._log.close()

    def _read(self) -> None:
        handle = self._pipe.fileno()
        os.set_blocking(handle, False)
        readable = select.poll()
        readable.register(handle, select.POLLIN)
        with self._pipe:
            while self._give_up is None or time.monotonic() < self._give_up:
                if not readable.poll(200):
                    if self._give_up is None:
                        continue
                    break
                if not (chunk := os.read(handle, _CHUNK)):
                    break
                self._take(chunk)

    def _take(self, chunk: bytes) -> None:
        self.last = time.monotonic()
        self.count += len(chunk)
        if self.is_too_much:
            return  # drained, so that the command meets its end by us and not by a full pipe
        with self._keeping_log():
            if self._log:
                self._log.write(chunk)
        first, *lines = chunk.split(b"\n")
        # By chunks, since a command may print millions of tiny lines; an unfinished one waits for its rest, within bounds.
        self._rest += first[: LONGEST_LINE - len(self._rest)]
        if lines:
            whole, self._rest = bytes(self._rest), bytearray(lines.pop())
            self._say([whole, *lines])

    def _say(self, lines: list[bytes]) -> None:
        self._tail.extend(_text(line[:TAIL_LINE]) for line in lines[-_TAIL_LINES:])
        if self._on_line is None or self.error is not None:
            return
        try:
            for line in lines:
                self._on_line(_text(line))
        except Exception as error:  # noqa: BLE001 raised again by `run`, where somebody can act on it
            self.error = error

    @contextmanager
    def _keeping_log(self) -> Iterator[None]:
        """A full disk ends the log, not the reading."""
        try:
            yield
        except OSError as error:
            self._log = None
            self._say([f"(its log could not be written: {error.strerror})".encode()])


def _text(line: bytes) -> str:
    return line.decode(errors="replace").rstrip("\r")
