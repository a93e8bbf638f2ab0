"""Writes check runs and comments together: one request for all that differ, however many pull requests show the same table."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

from app.github.answers import IssueNow
from app.github.batch import NoSuchField, Own, OwnCheckAsk, OwnCommentAsk, TooLarge
from app.github.calls import Calls
from app.github.checks import CheckWrite
from app.github.edits import (
    CheckEdit,
    CommentEdit,
    Edit,
    Made,
    NewCheck,
    NewComment,
    Reaction,
    chunks,
    creates,
    mutation,
    name,
    outcomes,
)
from app.github.reads import Reads
from shared.github import COMMENT_LIMIT, cut

# Names are looked up again when they were forgotten, at the price of one query for all.
_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class CommentText:
    """Our one comment with `marker` on an issue; `known_id` where it was made before."""

    number: int
    marker: str
    body: str
    known_id: int | None = None


@dataclass(frozen=True, slots=True)
class CheckText:
    """A check run, one per name, commit and `external_id`."""

    check: CheckWrite
    known_id: int | None = None


Text = CommentText | CheckText


@dataclass(frozen=True, slots=True)
class Place:
    """The repository that is written to, and in whose name."""

    full_name: str
    repository_id: int
    calls: Calls
    reads: Reads
    app_id: int
    app_login: str


@dataclass
class Texts:
    """One per account on GitHub. What it remembers are GraphQL's names of things, which never change."""

    _nodes: OrderedDict[tuple[int, type, int], str] = field(default_factory=OrderedDict)
    _repositories: dict[int, str] = field(default_factory=dict)
    _reactions: dict[int, list[Reaction]] = field(default_factory=dict)
    # An Enterprise server without these mutations: everything is written one by one.
    _unable: bool = False

    async def write(self, place: Place, texts: Sequence[Text]) -> list[int | None]:
        """The id of each that is now as it should be; None for what has to be written by itself, after a look."""
        if self._unable:
            return [None] * len(texts)
        edits = await asyncio.gather(*[self._edit(place, text) for text in texts])
        planned = [(number, edit) for number, edit in enumerate(edits) if edit is not None]
        found: list[int | None] = [None] * len(texts)
        for some in chunks([edit for _, edit in planned]):
            numbers, planned = [number for number, _ in planned[: len(some)]], planned[len(some) :]
            for number, made in zip(numbers, await self._send(place, some), strict=True):
                self._learn(place, texts[number], made)
                found[number] = made.id if made is not None else None
        return found

    def met(self, repository_id: int, issue: int, node: str) -> None:
        """An issue that was just read, and may be reacted to."""
        self._keep((repository_id, IssueNow, issue), node)

    async def react(self, place: Place, issue: int, content: str) -> bool:
        """With all who react in this repository at about the same time; False when it has to be done by itself."""
        node = self._nodes.get((place.repository_id, IssueNow, issue))
        if self._unable or not node:
            return False
        wanted = Reaction(node, content)
        self._reactions.setdefault(place.repository_id, []).append(wanted)
        done: frozenset[Edit] = await place.reads.together((place.repository_id, "reactions"), lambda: self._react(place))
        return wanted in done

    async def _react(self, place: Place) -> frozenset[Edit]:
        wanted = self._reactions.pop(place.repository_id)
        made = [one for some in chunks(wanted) for one in await self._send(place, some)]
        return frozenset(edit for edit, one in zip(wanted, made, strict=True) if one is not None)

    async def _edit(self, place: Place, text: Text) -> Edit | None:
        known = text.known_id and self._nodes.get((place.repository_id, type(text), text.known_id))
        if isinstance(text, CommentText):
            body = cut(text.body, COMMENT_LIMIT, "\n\n*Cut here: GitHub's limit is reached.*")
            if known:
                return CommentEdit(known, body)
            own: Own = await place.reads.ask(place.calls, place.full_name, OwnCommentAsk(text.number, text.marker, place.app_login))
            if own.more or not own.home:
                return None
            return CommentEdit(own.node, body) if own.node else NewComment(own.home, body)
        home = self._repositories.get(place.repository_id)
        if known and home:
            return CheckEdit(home, known, text.check)
        check = text.check
        ask = OwnCheckAsk(check.head_sha, place.app_id, check.name, check.external_id)
        own = await place.reads.ask(place.calls, place.full_name, ask)
        if own.more or not own.home:
            return None
        self._repositories[place.repository_id] = own.home
        return CheckEdit(own.home, own.node, check) if own.node else NewCheck(own.home, check)

    async def _send(self, place: Place, edits: Sequence[Edit]) -> list[Made | None]:
        query = mutation(edits)
        try:
            body = await place.calls.mutate(query.text, query.variables, creates=creates(edits))
        except NoSuchField:
            self._unable = True
            return [None] * len(edits)
        except TooLarge:
            return [None] * len(edits)
        found = outcomes(edits, body)
        for edit, made in zip(edits, found, strict=True):
            await place.calls.wrote("POST", f"graphql {name(edit)} repos/{place.full_name}", "200" if made else "refused")
        return found

    def _learn(self, place: Place, text: Text, made: Made | None) -> None:
        if made is None:
            self._nodes.pop((place.repository_id, type(text), text.known_id or 0), None)
        elif made.node:
            self._keep((place.repository_id, type(text), made.id), made.node)

    def _keep(self, key: tuple[int, type, int], node: str) -> None:
        self._nodes[key] = node
        if len(self._nodes) > _KEPT:
            self._nodes.popitem(last=False)
