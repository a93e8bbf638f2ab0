"""One repository on GitHub as the app sees and changes it; every write looks first or can be repeated."""

import re
from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from app.found import Survey
from app.github import answers, checks, ci
from app.github.answers import (
    Blocker,
    BranchNow,
    Comment,
    IssueFacts,
    IssueNow,
    LabelEvent,
    Permission,
    PullNow,
    RepositoryNow,
)
from app.github.batch import (
    BranchAsk,
    ChecksAsk,
    ChecksPage,
    DefaultBranchAsk,
    IssueAsk,
    Links,
    LinksAsk,
    Own,
    OwnCheckAsk,
    OwnCommentAsk,
    SurveyAsk,
)
from app.github.calls import Calls
from app.github.checks import CheckWrite
from app.github.ci import CiNow
from app.github.errors import Invalid, NotFound
from app.github.reads import LINGER, Reads
from app.github.texts import Place, Text, Texts
from shared.github import BRANCH_PREFIX, COMMENT_LIMIT, cut

__all__ = [
    "Blocker",
    "BranchNow",
    "CheckWrite",
    "IssueFacts",
    "IssueNow",
    "LabelEvent",
    "PullNow",
    "RepositoryClient",
    "RepositoryNow",
]

# A batch of labels is put on within seconds, by the same person.
_UNHURRIED = 0.5
_LOGIN = re.compile(r"[\w-]+(\[bot\])?", re.ASCII)


@dataclass(frozen=True, slots=True)
class RepositoryClient:
    """Made by GitHubApp.repository(); `app_login` and `app_id` say which texts are our own."""

    full_name: str
    repository_id: int
    calls: Calls
    reads: Reads
    app_id: int
    app_login: str
    texts: Texts

    # The repository

    async def about(self) -> RepositoryNow:
        """Its name, visibility and default branch now."""
        return answers.repository_now(await self.calls.get(self._root, remember=True))

    async def permission(self, login: str, *, hurried: bool = True) -> Permission:
        """What somebody may do here; a stranger may do nothing. Who is in no hurry waits half a second for others who ask it."""
        if not _LOGIN.fullmatch(login):
            return "none"
        key = (self.repository_id, "permission", login, hurried)
        found: Permission = await self.reads.together(key, lambda: self._permission(login), LINGER if hurried else _UNHURRIED)
        return found

    async def read_token(self) -> str:
        """A fresh token that can fetch this repository and nothing else."""
        permissions = {"contents": "read", "metadata": "read"}
        return (await self.calls.tokens.mint(self.calls.installation_id, self.repository_id, permissions)).token

    async def branch(self, branch: str) -> BranchNow:
        """Exactly this branch, a renamed one is another, and every pull request from it."""
        found: BranchNow = await self.reads.ask(self.calls, self.full_name, BranchAsk(branch))
        return found

    async def default_branch(self) -> str:
        """Its name now, by a query that others share."""
        found: str = await self.reads.ask(self.calls, self.full_name, DefaultBranchAsk())
        return found

    async def branch_sha(self, branch: str) -> str | None:
        """The commit of exactly this branch."""
        return (await self.branch(branch)).sha

    async def contains(self, newer: str, older: str) -> bool:
        """Whether commit `newer` is `older` or builds on it; a commit that GitHub has not got is contained in nothing."""
        try:
            compared = await self.calls.get(f"{self._root}/compare/{quote(older)}...{quote(newer)}", {"per_page": 1})
        except NotFound:
            return False
        return compared.get("status") in {"ahead", "identical"}

    async def create_branch(self, branch: str, sha: str) -> bool:
        """False when it exists: of many who try at once, GitHub lets one succeed."""
        try:
            await self.calls.write("POST", f"{self._root}/git/refs", {"ref": f"refs/heads/{branch}", "sha": sha})
        except Invalid:
            if await self.branch_sha(branch) is None:
                raise
            return False
        return True

    async def delete_branch(self, branch: str) -> None:
        """Gone already is fine too."""
        try:
            await self.calls.write("DELETE", f"{self._root}/git/refs/heads/{quote(branch)}")
        except (Invalid, NotFound):
            return

    async def file_text(self, path: str) -> str | None:
        """Of a file on the default branch; None when it is not there."""
        try:
            content = await self.calls.get(f"{self._root}/contents/{path}")
        except NotFound:
            return None
        return b64decode(content.get("content") or "").decode("utf-8", "replace")

    # Issues

    async def issue(self, number: int) -> IssueNow:
        """An issue now; NotFound when it was deleted or transferred."""
        return (await self.issue_facts(number)).issue

    async def issue_facts(self, number: int, *, history: bool = False) -> IssueFacts:
        """An issue, with `history` also who labelled and edited it; NotFound when it was deleted or transferred."""
        found: IssueFacts = await self.reads.ask(self.calls, self.full_name, IssueAsk(number, history))
        self.texts.met(self.repository_id, number, found.issue.node_id)
        return found

    async def labelled(self, facts: IssueFacts, *names: str) -> LabelEvent | None:
        """The newest time that one of these labels was put on the issue, however long ago."""
        found = facts.labelled(*names)
        if found is not None or not facts.more_labels:
            return found
        return await self._older_label_event(facts.issue.snapshot.number, {name.casefold() for name in names})

    async def labelled_issues(self, label: str) -> tuple[IssueNow, ...]:
        """All open issues with the label; pull requests are among them, as GitHub has it."""
        pages = self.calls.pages(f"{self._root}/issues", {"labels": label, "state": "open"}, remember=True)
        return tuple([answers.issue_now(item) async for item in pages])

    async def found_issues(self, search: str) -> tuple[int, ...]:
        """Numbers of the open issues of this repository that GitHub's search finds, at most its thousand."""
        pages = self.calls.pages("search/issues", {"q": f"{search} repo:{self.full_name} is:issue is:open"}, "items")
        here = f"/{self._root}".casefold()  # the search may name other repositories, too
        return tuple([int(item["number"]) async for item in pages if str(item["repository_url"]).casefold().endswith(here)])

    async def links(self, number: int) -> tuple[Blocker, ...]:
        """Native blockers and sub-issues; none on servers that do not know them."""
        found: Links = await self.reads.ask(self.calls, self.full_name, LinksAsk(number))
        blockers, children = found
        root = f"{self._root}/issues/{number}"
        # What an Enterprise server's GraphQL lacks, its REST may have.
        return (
            *(await self._related(f"{root}/dependencies/blocked_by") if blockers is None else blockers),
            *(await self._related(f"{root}/sub_issues") if children is None else children),
        )

    async def react(self, number: int, content: str) -> None:
        """Puts a reaction on an issue; GitHub keeps one of a kind."""
        if await self.texts.react(self._place, number, content):
            return
        await self.calls.write("POST", f"{self._root}/issues/{number}/reactions", {"content": content})

    async def comment(self, comment_id: int) -> Comment:
        """One comment as it stands now; NotFound when it was deleted."""
        return answers.comment(await self.calls.get(f"{self._root}/issues/comments/{comment_id}"))

    async def react_to_comment(self, comment_id: int, content: str) -> None:
        """Puts a reaction on a comment; GitHub keeps one of a kind."""
        await self.calls.write("POST", f"{self._root}/issues/comments/{comment_id}/reactions", {"content": content})

    async def upsert_comment(self, number: int, marker: str, body: str, known_id: int | None = None) -> int:
        """Our one comment with this marker on an issue: edited where it is, else found, else made."""
        payload = {"body": cut(body, COMMENT_LIMIT, "\n\n*Cut here: GitHub's limit is reached.*")}
        if known_id is not None and await self._edit_comment(known_id, payload):
            return known_id
        found = await self._own_comment(number, marker)
        if found is not None and await self._edit_comment(found, payload):
            return found
        made = await self.calls.write("POST", f"{self._root}/issues/{number}/comments", payload)
        return int(made["id"])

    # Pull requests and checks

    async def pulls_by_head(self, branch: str) -> tuple[PullNow, ...]:
        """Every pull request from this branch of this repository, whatever its base and state."""
        return (await self.branch(branch)).pulls

    async def create_pull(self, title: str, body: str, head: str, base: str, draft: bool) -> PullNow:
        """Opens a pull request, or adopts the open one that GitHub says is there already."""
        payload = {"title": title, "body": body, "head": head, "base": base, "draft": draft}
        try:
            return answers.pull_now(await self.calls.write("POST", f"{self._root}/pulls", payload))
        except Invalid as error:
            if "already exists" not in error.words:
                raise
            pull = next((pull for pull in await self.pulls_by_head(head) if pull.state == "open"), None)
            if pull is None:
                raise
            return pull

    async def upsert_check(self, check: CheckWrite, known_id: int | None = None) -> int:
        """Writes a check run once per name, commit and `external_id`; answers its id."""
        return await checks.upsert(self.calls, self._root, check, known_id, lambda: self._own_check(check))

    async def write_texts(self, texts: Sequence[Text]) -> list[int | None]:
        """All of these by as few requests as can be: the id of each, None for what has to be written by itself."""
        return await self.texts.write(self._place, texts)

    async def survey(self) -> Survey:
        """Everything of ours that is open here."""
        ask = SurveyAsk(BRANCH_PREFIX, self.app_id, self.app_login)
        found: Survey = await self.reads.ask(self.calls, self.full_name, ask)
        return found

    async def ci(self, head_sha: str, pull: int = 0) -> tuple[CiNow, bool | None]:
        """What everybody's checks but ours say of a commit, and whether its pull request could be merged; None: not known yet."""
        page: ChecksPage = await self.reads.ask(self.calls, self.full_name, ChecksAsk(head_sha, pull))
        contexts = [*page.contexts]
        while page.after:
            page = await self.reads.ask(self.calls, self.full_name, ChecksAsk(head_sha, pull, page.after))
            contexts += page.contexts
        return await ci.read(self.calls, self._root, self.app_id, contexts), page.mergeable

    @property
    def _place(self) -> Place:
        return Place(self.full_name, self.repository_id, self.calls, self.reads, self.app_id, self.app_login)

    @property
    def _root(self) -> str:
        return f"repos/{self.full_name}"

    async def _permission(self, login: str) -> Permission:
        try:
            return answers.permission(await self.calls.get(f"{self._root}/collaborators/{quote(login)}/permission"))
        except NotFound:
            return "none"

    async def _older_label_event(self, number: int, labels: set[str]) -> LabelEvent | None:
        """More than a hundred labels were put on since."""
        newest = None
        async for item in self.calls.pages(f"{self._root}/issues/{number}/events"):
            if item.get("event") == "labeled" and (event := answers.label_event(item)).label.casefold() in labels:
                newest = event
        return newest

    async def _related(self, path: str) -> tuple[Blocker, ...]:
        try:
            return tuple([answers.blocker(item) async for item in self.calls.pages(path)])
        except NotFound:
            return ()

    async def _own_check(self, check: CheckWrite) -> int | None:
        ask = OwnCheckAsk(check.head_sha, self.app_id, check.name, check.external_id)
        found: Own = await self.reads.ask(self.calls, self.full_name, ask)
        return await checks.find(self.calls, self._root, self.app_id, check) if found.more else found.id

    async def _own_comment(self, number: int, marker: str) -> int | None:
        found: Own = await self.reads.ask(self.calls, self.full_name, OwnCommentAsk(number, marker, self.app_login))
        if not found.more:
            return found.id
        # Anybody can write the marker; only in our own comment does it mean anything.
        async for item in self.calls.pages(f"{self._root}/issues/{number}/comments"):
            if answers.login(item) == self.app_login and marker in (item.get("body") or ""):
                return int(item["id"])
        return None

    async def _edit_comment(self, comment_id: int, payload: dict[str, Any]) -> bool:
        try:
            await self.calls.write("PATCH", f"{self._root}/issues/comments/{comment_id}", payload)
        except NotFound:
            return False  # a person deleted it
        return True
