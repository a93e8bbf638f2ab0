"""Many reads of one repository as one GraphQL query, and its answer as many answers. Pure: nothing is sent here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from app.github import answers
from app.github.answers import Blocker
from app.github.errors import Forbidden, NotFound
from shared.errors import TransientError, UserError
from shared.github import SETTINGS_FILE

# GitHub gives a query ten seconds; a batch of this size takes a fraction of one.
MOST = 40
_LIMITED = {"RATE_LIMITED", "RATE_LIMIT"}
_UNTIL_TOLD = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class IssueAsk:
    """What an issue is now; with `history`, also who labelled and who edited it, and the repository's settings -> IssueFacts."""

    number: int
    history: bool = False


@dataclass(frozen=True, slots=True)
class LinksAsk:
    """What blocks an issue, and its sub-issues -> two tuples of Blocker; None for each that this server has not got."""

    number: int


@dataclass(frozen=True, slots=True)
class BranchAsk:
    """Where a branch stands, and every pull request from it -> BranchNow."""

    branch: str


@dataclass(frozen=True, slots=True)
class DefaultBranchAsk:
    """The name of the default branch now -> str."""


@dataclass(frozen=True, slots=True)
class ChecksAsk:
    """Checks and statuses on a commit, a hundred from `after` on, and whether a pull request could be merged -> ChecksPage."""

    head_sha: str
    pull: int = 0
    after: str = ""


@dataclass(frozen=True, slots=True)
class OwnCommentAsk:
    """The comment of `login` with a hidden marker, among an issue's first hundred -> Own."""

    number: int
    marker: str
    login: str


@dataclass(frozen=True, slots=True)
class OwnCheckAsk:
    """An App's check run of a name on a commit with that `external_id`, the newest -> Own."""

    head_sha: str
    app_id: int
    name: str
    external_id: str


@dataclass(frozen=True, slots=True)
class SurveyAsk:
    """Everything of ours that is open: branches, pull requests, checks on their heads -> Survey."""

    prefix: str
    app_id: int
    login: str


Ask = IssueAsk | LinksAsk | BranchAsk | DefaultBranchAsk | ChecksAsk | OwnCommentAsk | OwnCheckAsk | SurveyAsk
Links = tuple[tuple[Blocker, ...] | None, tuple[Blocker, ...] | None]


@dataclass(frozen=True, slots=True)
class ChecksPage:
    """Some of a commit's checks and statuses, as GraphQL shows them; `after` asks for the next ones, empty at the end."""

    contexts: tuple[dict[str, Any], ...]
    mergeable: bool | None
    after: str


@dataclass(frozen=True, slots=True)
class Own:
    """The number of what we made before, None when it is not there; `more`: not all was looked at.

    `node` is GraphQL's name of it, `home` of the issue or repository that it belongs to.
    """

    id: int | None
    more: bool
    node: str = ""
    home: str = ""


@dataclass(frozen=True, slots=True)
class Query:
    """Values of people travel as variables: none of them can change what is asked."""

    text: str
    variables: Mapping[str, Any]


class Limited(TransientError):
    """A rate limit inside a 200: the hour's points, or a secondary limit."""

    def __init__(self, message: str, after: timedelta, *, secondary: bool) -> None:
        super().__init__(message, after)
        self.secondary = secondary


class TooLarge(TransientError):
    """GitHub did not finish in time: less at once may work."""


class NoSuchField(Exception):
    """This server does not have a field: an Enterprise server older than that."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


_ACTOR = "{ __typename login }"
_LABELLED = (
    "timelineItems(last: 100, itemTypes: [LABELED_EVENT]) { pageInfo { hasPreviousPage } "
    f"nodes {{ ... on LabeledEvent {{ id createdAt actor {_ACTOR} label {{ name }} }} }} }}"
)
_RENAMED = (
    "renamed: timelineItems(last: 100, itemTypes: [RENAMED_TITLE_EVENT]) { pageInfo { hasPreviousPage } "
    f"nodes {{ ... on RenamedTitleEvent {{ createdAt actor {_ACTOR} }} }} }}"
)
_EDITS = f"userContentEdits(first: 100) {{ pageInfo {{ hasNextPage }} nodes {{ editedAt editor {_ACTOR} }} }}"
# On the default branch as it is now; `HEAD` is that on GitHub.
_SETTINGS = f'settings: object(expression: "HEAD:{SETTINGS_FILE}") {{ ... on Blob {{ text }} }}'
_ISSUE = (
    f"id databaseId number title body state updatedAt author {_ACTOR} repository {{ nameWithOwner }} "
    "labels(first: 100) { nodes { name } }"
)
_LINK = "(first: 100) { nodes { number state repository { nameWithOwner } } }"
_PULL = f"number state isDraft isCrossRepository url headRefName headRefOid baseRefName author {_ACTOR}"
_COMMENTS = f"comments(first: 100) {{ pageInfo {{ hasNextPage }} nodes {{ id databaseId body author {_ACTOR} }} }}"
_CONTEXTS = (
    "pageInfo { hasNextPage endCursor } nodes { __typename "
    "... on CheckRun { databaseId name status conclusion title summary text url checkSuite { app { databaseId slug } } } "
    "... on StatusContext { context state description targetUrl } }"
)


def query(full_name: str, asks: Sequence[Ask], without: frozenset[str] = frozenset()) -> Query:
    """One query for all asks, the n-th under the aliases `a<n>` and `b<n>`; fields in `without` are left out."""
    owner, _, name = full_name.partition("/")
    variables: dict[str, Any] = {"owner": owner, "name": name}
    types = ["$owner: String!", "$name: String!"]
    fields = [_SETTINGS] if any(isinstance(ask, SurveyAsk) or (isinstance(ask, IssueAsk) and ask.history) for ask in asks) else []
    for place, ask in enumerate(asks):
        text, given = _fields(place, ask, without)
        fields.append(text)
        for variable, (kind, value) in given.items():
            types.append(f"${variable}: {kind}")
            variables[variable] = value
    text = (
        f"query({', '.join(types)}) {{ rateLimit {{ cost remaining resetAt }} "
        f"repository(owner: $owner, name: $name) {{ id nameWithOwner isPrivate defaultBranchRef {{ name }} {' '.join(fields)} }} }}"
    )
    return Query(text, variables)


def _fields(place: int, ask: Ask, without: frozenset[str]) -> tuple[str, dict[str, tuple[str, Any]]]:
    if isinstance(ask, IssueAsk):
        edits = "" if "userContentEdits" in without else f" {_EDITS}"
        more = f" createdAt {_LABELLED} {_RENAMED}{edits}" if ask.history else ""
        inside = f"__typename ... on Issue {{ {_ISSUE}{more} }} ... on PullRequest {{ number pullState: state }}"
        return f"a{place}: issueOrPullRequest(number: $n{place}) {{ {inside} }}", {f"n{place}": ("Int!", ask.number)}
    if isinstance(ask, LinksAsk):
        links = [f"{name}{_LINK}" for name in ("blockedBy", "subIssues") if name not in without]
        inside = f"__typename ... on Issue {{ number {' '.join(links)} }}"
        return f"a{place}: issueOrPullRequest(number: $n{place}) {{ {inside} }}", {f"n{place}": ("Int!", ask.number)}
    if isinstance(ask, OwnCommentAsk):
        inside = f"... on Issue {{ id {_COMMENTS} }} ... on PullRequest {{ id {_COMMENTS} }}"
        return f"a{place}: issueOrPullRequest(number: $n{place}) {{ {inside} }}", {f"n{place}": ("Int!", ask.number)}
    if isinstance(ask, OwnCheckAsk):
        return _own_check(place, ask)
    if isinstance(ask, SurveyAsk):
        return _survey(place, ask)
    if isinstance(ask, DefaultBranchAsk):
        return "", {}  # every query tells it
    if isinstance(ask, BranchAsk):
        reference = f"a{place}: ref(qualifiedName: $q{place}) {{ target {{ oid }} }}"
        chosen = f"headRefName: $h{place}, first: 100, states: [OPEN, CLOSED, MERGED]"
        pulls = f"b{place}: pullRequests({chosen}) {{ nodes {{ {_PULL} }} }}"
        name = {f"q{place}": ("String!", f"refs/heads/{ask.branch}"), f"h{place}": ("String!", ask.branch)}
        return f"{reference} {pulls}", name
    contexts = f"contexts(first: 100, after: $c{place}) {{ {_CONTEXTS} }}"
    commit = f"a{place}: object(oid: $o{place}) {{ ... on Commit {{ statusCheckRollup {{ {contexts} }} }} }}"
    page = {f"o{place}": ("GitObjectID!", ask.head_sha), f"c{place}": ("String", ask.after or None)}
    if not ask.pull:
        return commit, page
    return f"{commit} b{place}: pullRequest(number: $p{place}) {{ mergeable }}", {**page, f"p{place}": ("Int!", ask.pull)}


def _own_check(place: int, ask: OwnCheckAsk) -> tuple[str, dict[str, tuple[str, Any]]]:
    which = f"filterBy: {{ appId: $i{place}, checkName: $m{place} }}"
    runs = (
        f"checkRuns(first: 100, filterBy: {{ appId: $i{place}, checkName: $m{place}, checkType: ALL }}) "
        "{ pageInfo { hasNextPage } nodes { id databaseId externalId } }"
    )
    suites = f"checkSuites(first: 10, {which}) {{ nodes {{ {runs} }} }}"
    given = {f"o{place}": ("GitObjectID!", ask.head_sha), f"i{place}": ("Int", ask.app_id), f"m{place}": ("String", ask.name)}
    return f"a{place}: object(oid: $o{place}) {{ ... on Commit {{ {suites} }} }}", given


def _survey(place: int, ask: SurveyAsk) -> tuple[str, dict[str, tuple[str, Any]]]:
    refs = (
        f'a{place}: refs(refPrefix: "refs/heads/", query: $q{place}, first: 100) '
        "{ nodes { prefix name associatedPullRequests(first: 1) { totalCount } } }"
    )
    runs = "checkRuns(first: 20, filterBy: { checkType: LATEST }) { nodes { databaseId name status externalId } }"
    suites = f"checkSuites(first: 1, filterBy: {{ appId: $i{place} }}) {{ nodes {{ {runs} }} }}"
    head = f"commits(last: 1) {{ nodes {{ commit {{ oid {suites} }} }} }}"
    newest = "states: [OPEN], first: 50, orderBy: { field: CREATED_AT, direction: DESC }"
    pulls = f"b{place}: pullRequests({newest}) {{ nodes {{ number headRefName isCrossRepository author {_ACTOR} {head} }} }}"
    return f"{refs} {pulls}", {f"q{place}": ("String", ask.prefix), f"i{place}": ("Int", ask.app_id)}


def refusal(body: Mapping[str, Any], wait: timedelta | None) -> Exception | None:
    """The error of an answer that is none at all, though its status was 200; `wait` is what the headers ask for."""
    for error in body.get("errors") or []:
        words, kind = str(error.get("message") or ""), str(error.get("type") or "")
        if kind in _LIMITED or "rate limit" in words.lower():
            secondary = kind not in _LIMITED or "secondary" in words.lower()
            return Limited(f"GitHub's rate limit on `POST /graphql`: {words}", wait or _UNTIL_TOLD, secondary=secondary)
        if (error.get("extensions") or {}).get("code") == "undefinedField":
            return NoSuchField(str(error["extensions"].get("fieldName") or ""))
    if body.get("data") is None and "errors" in body:
        words = "; ".join(str(error.get("message")) for error in body["errors"])[:300]
        return TooLarge(f"GitHub could not answer `POST /graphql`: {words}")
    if not isinstance(body.get("data"), Mapping):
        return TransientError("GitHub answered `POST /graphql` with neither data nor errors")
    return None


def replies(full_name: str, asks: Sequence[Ask], body: Mapping[str, Any], without: frozenset[str] = frozenset()) -> list[Any]:
    """For each ask its answer, or the exception that stands for it: one that fails takes nothing from the others."""
    errors = body.get("errors") or []
    where = body["data"].get("repository")
    if where is None:
        lost = _error(next(iter(errors), {}), f"the repository `{full_name}`")
        return [lost] * len(asks)
    return [_reply(place, ask, where, _errors_of(place, errors), without) for place, ask in enumerate(asks)]


def _errors_of(place: int, errors: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    ours = {f"a{place}", f"b{place}"}
    return [error for error in errors if len(path := error.get("path") or []) > 1 and path[1] in ours]


def _reply(place: int, ask: Ask, where: Mapping[str, Any], errors: Sequence[Mapping[str, Any]], without: frozenset[str]) -> Any:
    if errors:
        return _error(errors[0], _name(ask))
    first, second = where.get(f"a{place}"), where.get(f"b{place}")
    if isinstance(ask, IssueAsk | LinksAsk):
        if first is None or _elsewhere(first, where):
            return NotFound(f"GitHub has nothing at {_name(ask)}, or the App may not see it")
        if isinstance(ask, IssueAsk):
            return answers.issue_facts(first, where)
        return tuple(None if name in without else answers.links(first.get(name)) for name in ("blockedBy", "subIssues"))
    if isinstance(ask, OwnCommentAsk):
        return _own_comment(ask, first or {})
    if isinstance(ask, OwnCheckAsk):
        return _own_run(ask, first or {}, str(where.get("id") or ""))
    if isinstance(ask, SurveyAsk):
        return answers.survey(first or {}, second or {}, where, ask.prefix, ask.login)
    if isinstance(ask, DefaultBranchAsk):
        return answers.default_branch(where)
    if isinstance(ask, BranchAsk):
        return answers.branch_now(ask.branch, first, second, where)
    contexts = (((first or {}).get("statusCheckRollup") or {}).get("contexts")) or {}
    page = contexts.get("pageInfo") or {}
    judged = {"MERGEABLE": True, "CONFLICTING": False}.get((second or {}).get("mergeable") or "")
    return ChecksPage(tuple(contexts.get("nodes") or ()), judged, page["endCursor"] if page.get("hasNextPage") else "")


def _own_comment(ask: OwnCommentAsk, subject: Mapping[str, Any]) -> Own:
    # Anybody can write the marker; only in our own comment does it mean anything.
    comments = subject.get("comments") or {}
    for node in comments.get("nodes") or []:
        if node and answers.actor(node.get("author"))[0] == ask.login and ask.marker in (node.get("body") or ""):
            return Own(int(node["databaseId"]), more=False, node=str(node.get("id") or ""), home=str(subject.get("id") or ""))
    return Own(None, more=bool((comments.get("pageInfo") or {}).get("hasNextPage")), home=str(subject.get("id") or ""))


def _own_run(ask: OwnCheckAsk, commit: Mapping[str, Any], home: str) -> Own:
    pages = [suite["checkRuns"] for suite in (commit.get("checkSuites") or {}).get("nodes") or [] if suite]
    runs = [run for page in pages for run in page.get("nodes") or [] if run]
    ours = [run for run in runs if run.get("externalId") == ask.external_id]
    newest = max(ours, key=lambda run: int(run["databaseId"]), default=None)
    more = any((page.get("pageInfo") or {}).get("hasNextPage") for page in pages)
    if newest is None:
        return Own(None, more, home=home)
    return Own(int(newest["databaseId"]), more, node=str(newest.get("id") or ""), home=home)


def _elsewhere(issue: Mapping[str, Any], where: Mapping[str, Any]) -> bool:
    """A transferred issue may be answered by what it became."""
    home = (issue.get("repository") or {}).get("nameWithOwner")
    return home is not None and home.casefold() != str(where.get("nameWithOwner")).casefold()


def _error(error: Mapping[str, Any], what: str) -> Exception:
    words, kind = str(error.get("message") or "no reason given"), str(error.get("type") or "")
    if kind == "NOT_FOUND":
        return NotFound(f"GitHub has nothing at {what}, or the App may not see it")
    if kind == "FORBIDDEN":
        return Forbidden(f"the GitHub App may not read {what} ({words}): check its permissions with `shoal doctor`")
    if kind == "INSUFFICIENT_SCOPES":
        return UserError(f"the token may not read {what}: {words}")
    return TransientError(f"GitHub could not read {what}: {words}")


def _name(ask: Ask) -> str:
    match ask:
        case IssueAsk(number=number) | LinksAsk(number=number) | OwnCommentAsk(number=number):
            return f"issue #{number}"
        case BranchAsk(branch=branch):
            return f"branch `{branch}`"
        case ChecksAsk(head_sha=sha) | OwnCheckAsk(head_sha=sha):
            return f"the checks of {sha[:8]}"
        case DefaultBranchAsk():
            return "the default branch"
        case SurveyAsk(prefix=prefix):
            return f"branches `{prefix}*` and the open pull requests"
