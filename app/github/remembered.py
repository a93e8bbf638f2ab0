"""Answers that GitHub need not send again: a 304 costs nothing of the hour's budget."""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field

import httpx

# All bodies together; a list of long issues alone may have some.
_BYTES = 16 * 2**20


@dataclass(frozen=True, slots=True)
class _Answer:
    token: str = field(repr=False)
    response: httpx.Response


@dataclass
class Remembered:
    """By what was asked. An entity tag is worth something to one token only: with the hourly new one, all is read again."""

    _answers: OrderedDict[Hashable, _Answer] = field(default_factory=OrderedDict)
    _bytes: int = 0

    def tag(self, asked: Hashable, token: str) -> str:
        """What to send along; empty when there is nothing to compare with."""
        known = self._answers.get(asked)
        return known.response.headers.get("etag", "") if known is not None and known.token == token else ""

    def settle(self, asked: Hashable, token: str, response: httpx.Response) -> httpx.Response:
        """The answer that counts: the remembered one when GitHub says that it is still the same."""
        known = self._answers.get(asked)
        if response.status_code == httpx.codes.NOT_MODIFIED and known is not None:
            self._answers.move_to_end(asked)
            return known.response
        if known is not None:
            self._bytes -= len(known.response.content)
        self._answers[asked] = _Answer(token, response)
        self._answers.move_to_end(asked)
        self._bytes += len(response.content)
        while self._bytes > _BYTES:
            _, oldest = self._answers.popitem(last=False)
            self._bytes -= len(oldest.response.content)
        return response
