"""Reads what an answer says about its own use while it passes, in little memory."""

import json

from runner.models.shapes import Api, Body, Counted, Failure

# The longest event of a stream, and the longest answer that is no stream, which are looked into.
_LONGEST = 8 * 1024 * 1024
_BYTES_PER_TOKEN = 4
# An event is only parsed when one of these words stands in it: most are bits of text.
_TELLING = (b"usage", b"error", b"failed")


class Meter:
    """Feed it every byte of the answer, then call `end`."""

    def __init__(self, api: Api, *, streams: bool) -> None:
        self._api = api
        self._streams = streams
        self._rest = bytearray()
        self._skipping = False
        self.counted = Counted()
        self.failure: Failure | None = None
        self.bytes = 0

    def feed(self, chunk: bytes) -> None:
        self.bytes += len(chunk)
        if not self._streams:
            if len(self._rest) <= _LONGEST:
                self._rest += chunk
            return
        *lines, rest = chunk.split(b"\n")
        for line in lines:
            self._rest += line
            self._line()
        if len(self._rest) + len(rest) > _LONGEST:
            self._rest.clear()
            self._skipping = True
        if not self._skipping:
            self._rest += rest

    def end(self) -> None:
        if self._streams:
            self._line()
        elif len(self._rest) <= _LONGEST:
            self._parse(bytes(self._rest))
        self._rest.clear()

    def output_estimate(self) -> int:
        """For an answer that broke off: what its bytes may have been, never less than it said itself."""
        return max(self.counted.output, self.bytes // _BYTES_PER_TOKEN)

    def _line(self) -> None:
        line = bytes(self._rest)
        self._rest.clear()
        if not self._skipping and line.startswith(b"data:") and any(word in line for word in _TELLING):
            self._parse(line.removeprefix(b"data:"))
        self._skipping = False

    def _parse(self, text: bytes) -> None:
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            return
        for event in found if isinstance(found, list) else [found]:
            if isinstance(event, dict):
                self._take(event)

    def _take(self, event: Body) -> None:
        if counted := self._api.counted(event):
            self.counted = self.counted.and_then(counted)
        self.failure = self._api.failure(event) or self.failure
