"""What a handler gets and gives: one API request with its actor, one answer."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlencode

from pydantic import BaseModel, ValidationError

from app.localhub.auth import Actor, AppItself, InstallationActor, Person
from app.localhub.errors import Refused, malformed
from app.localhub.hub import By, Hub
from app.localhub.records import App, Repository
from app.localhub.state import State

Json = dict[str, Any]
B = TypeVar("B", bound=BaseModel)
T = TypeVar("T")


@dataclass(frozen=True)
class Reply:
    """An answer: status, body (None: empty) and headers."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Call:
    """One API request whose actor has been found and may do this."""

    hub: Hub
    actor: Actor
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Json
    url: str
    repository_or_none: Repository | None = None

    @property
    def state(self) -> State:
        return self.hub.state

    @property
    def by(self) -> By:
        """The account in whose name this is done."""
        match self.actor:
            case Person(account):
                return By(account.id)
            case AppItself(app) | InstallationActor(app=app):
                return By(app.bot_id, app.id)

    @property
    def repository(self) -> Repository:
        if self.repository_or_none is None:
            raise AssertionError("only endpoints below /repos ask for it")
        return self.repository_or_none

    @property
    def app(self) -> App:
        """The App that calls, by its JWT or by an installation's token."""
        if isinstance(self.actor, AppItself | InstallationActor):
            return self.actor.app
        raise Refused(401, "A JSON web token could not be decoded")

    def parse(self, model: type[B]) -> B:
        """The body as `model`, or 422 naming the first field at fault."""
        try:
            return model.model_validate(self.body)
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(str(part) for part in first["loc"])
            given = "wasn't supplied" if first["type"] == "missing" else f"is not valid: {first['msg']}"
            raise malformed(f'"{name}" {given}.') from error

    def number(self, name: str) -> int:
        """A number in the path; GitHub answers 404 to anything else."""
        text = self.path[name]
        if not text.isdecimal():
            raise Refused(404, "Not Found")
        return int(text)

    def page(self, items: Sequence[T]) -> tuple[Sequence[T], dict[str, str]]:
        """The asked page of `items` and its Link header."""
        size = min(max(_whole(self.query.get("per_page"), 30), 1), 100)
        number = max(_whole(self.query.get("page"), 1), 1)
        last = max(-(-len(items) // size), 1)
        targets = {"prev": number - 1, "next": number + 1, "last": last, "first": 1}
        wanted = [
            name for name in targets if (name in {"prev", "first"} and number > 1) or (name in {"next", "last"} and number < last)
        ]
        links = [f'<{self.url}?{urlencode({**self.query, "page": str(targets[name])})}>; rel="{name}"' for name in wanted]
        return items[(number - 1) * size : number * size], {"Link": ", ".join(links)} if links else {}

    def listing(self, items: Sequence[T], render: Callable[[T], Json]) -> Reply:
        """One page of rendered items."""
        page, headers = self.page(items)
        return Reply(200, [render(item) for item in page], headers)

    def wrapped(self, name: str, items: Sequence[T], render: Callable[[T], Json]) -> Reply:
        """The same as an object with their number."""
        page, headers = self.page(items)
        return Reply(200, {"total_count": len(items), name: [render(item) for item in page]}, headers)


def _whole(text: str | None, default: int) -> int:
    return int(text) if text and text.isdecimal() else default
