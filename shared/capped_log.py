"""A log file with an end: the first half and the last half of what was written, and between them how much is missing."""

import os
from pathlib import Path

_NOTICE = "\n[... {:>19,} bytes left out ...]\n"
_NOTICE_BYTES = len(_NOTICE.format(0))
_CHUNK = 1024 * 1024


class CappedLog:
    """Appends at most `limit_bytes` to a file; it is never held in memory and is in order whenever somebody looks.

    While it grows it may be half as large again: what is too much is cut out of its middle each time a half was added.
    """

    def __init__(self, path: Path, limit_bytes: int) -> None:
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        self._begin = os.fstat(self._handle).st_size  # what an earlier command wrote stays
        self._half = max(limit_bytes // 2, 2 * _NOTICE_BYTES)
        self._size = 0
        self._left_out = 0

    def write(self, chunk: bytes) -> None:
        self._put(chunk, self._size)
        self._size += len(chunk)
        if self._size > 3 * self._half:
            self._cut()

    def close(self) -> None:
        """Brings it down to its limit; a full disk does not matter, nothing grows."""
        try:
            if self._size > 2 * self._half:
                self._cut()
        finally:
            os.close(self._handle)

    def _cut(self) -> None:
        """Moves the newest bytes down behind the first half and the notice, which always lie before them."""
        kept = self._half - _NOTICE_BYTES
        place = self._half + _NOTICE_BYTES
        old_notice = _NOTICE_BYTES if self._left_out else 0
        self._left_out += self._size - self._half - old_notice - kept
        for offset in range(0, kept, _CHUNK):
            moved = os.pread(self._handle, min(_CHUNK, kept - offset), self._begin + self._size - kept + offset)
            self._put(moved, place + offset)
        self._put(_NOTICE.format(self._left_out).encode(), self._half)
        self._size = 2 * self._half
        os.ftruncate(self._handle, self._begin + self._size)

    def _put(self, data: bytes, offset: int) -> None:
        view = memoryview(data)
        while view:
            written = os.pwrite(self._handle, view, self._begin + offset)
            view, offset = view[written:], offset + written
