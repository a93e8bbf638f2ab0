"""What every provider's module gives, and the values that pass between it, the budget and the proxy."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple, Protocol

from runner.agents.shape import Provider

Body = dict[str, object]


class Refused(Exception):
    """A request that never leaves: answered in the provider's own shape with this status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Counted(NamedTuple):
    """Tokens of one answer so far; `input` with the cached and the written ones, `final` when nothing more is to come."""

    input: int = 0
    cached: int = 0
    # Put into the provider's cache: for five minutes, and for an hour (dearer).
    written: int = 0
    written_hour: int = 0
    output: int = 0
    final: bool = False

    def and_then(self, later: "Counted") -> "Counted":
        """Providers repeat their counts as they grow, some of them in part."""
        return Counted(
            max(self.input, later.input),
            max(self.cached, later.cached),
            max(self.written, later.written),
            max(self.written_hour, later.written_hour),
            max(self.output, later.output),
            self.final or later.final,
        )


class Ask(NamedTuple):
    """What a request wants; `output` None: as much as the model can give."""

    model: str
    output: int | None
    # Fewer tokens of output than this make no sense.
    least: int = 256
    # How many answers at once.
    answers: int = 1
    # What a dearer class of service multiplies the price with.
    factor: float = 1


class Failure(NamedTuple):
    """An error that came inside a stream that had begun with 200."""

    status: int
    words: str


class Api(Protocol):
    """One provider's API, as far as it is let through."""

    NAME: Provider
    PUBLIC_URL: str

    def allows(self, method: str, path: str) -> bool: ...

    def generates(self, path: str) -> bool: ...

    def target(self, base: str, path: str) -> str:
        """Where upstream a path of ours lies."""
        ...

    def credential(self, key: str) -> dict[str, str]: ...

    def ask(self, path: str, body: Body) -> Ask:
        """What it wants; raises Refused for what cannot be counted."""
        ...

    def prepare(self, body: Body, output: int | None) -> None:
        """Makes the answer say its usage and, unless None, limits its output."""
        ...

    def counted(self, event: Body) -> Counted | None: ...

    def failure(self, event: Body) -> Failure | None: ...

    def error(self, status: int, message: str) -> Body: ...


def part(value: object, *names: str) -> Body:
    """The object that lies below these names, empty when there is none."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def number(value: object, *names: str) -> int:
    """The first of these fields that is a count, else 0."""
    fields = part(value)
    for name in names:
        found = fields.get(name)
        if isinstance(found, int) and not isinstance(found, bool) and found >= 0:
            return found
    return 0


def limit(value: object, *names: str) -> int | None:
    """A limit that the client sent; one that is no positive number is refused, since the provider may read it in its own way."""
    fields = part(value)
    found = [fields[name] for name in names if fields.get(name) is not None]
    if not found:
        return None
    if any(not isinstance(each, int) or isinstance(each, bool) or each < 1 for each in found):
        raise Refused(400, f"{names[0]} must be a positive whole number")
    return max(each for each in found if isinstance(each, int))


def pictures(body: Body) -> Iterator[int]:
    """The sizes of the pictures in a request: they lie there as base64 and count by their area, not by their bytes."""
    waiting: list[object] = [body]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            if value.startswith("data:image/"):
                yield len(value)
        elif isinstance(value, list):
            waiting.extend(value)
        elif isinstance(value, dict):
            data = value.get("data")
            if isinstance(data, str) and _is_picture(value):
                yield len(data)
            else:
                waiting.extend(value.values())


def _is_picture(value: Mapping[str, object]) -> bool:
    kinds = (value.get(name) for name in ("media_type", "mimeType", "mime_type"))
    return any(isinstance(kind, str) and kind.startswith("image/") for kind in kinds)
