"""GitHub as the runner uses it, by PyGithub: imported when the pull request phase starts, because it takes 8 MB."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import structlog
from github import Auth, Github, GithubException
from github.GithubRetry import GithubRetry
from github.PullRequest import PullRequest
from requests import RequestException

from runner import pull_request_text
from runner.pull_request_text import DRAFT_NOTE
from shared.errors import TransientError
from shared.github import API_VERSION
from shared.messages import AttemptBrief
from shared.models import AttemptReport, Finding
from shared.retry import on_transient

_log = structlog.get_logger()
_ACTOR = "{ __typename login }"
_SHAPE = f"id number state isDraft isCrossRepository headRefName headRefOid body author {_ACTOR}"
_IN = "query($owner: String!, $name: String!, %s) { repository(owner: $owner, name: $name) { nameWithOwner %s } }"
_PULLS = _IN % (
    "$head: String!",
    f"pullRequests(headRefName: $head, first: 100, states: [OPEN, CLOSED, MERGED]) {{ nodes {{ {_SHAPE} }} }}",
)
_PULL = _IN % ("$number: Int!", f"pullRequest(number: $number) {{ {_SHAPE} }}")
_REVIEWS = _IN % (
    "$number: Int!",
    f"pullRequest(number: $number) {{ id reviews(last: 100) {{ nodes {{ body author {_ACTOR} }} }} }}",
)


class GithubRefused(Exception):
    """GitHub does not hold what we asked it to; the message is for people."""


@dataclass(frozen=True, slots=True)
class Found:
    """A pull request as GraphQL tells of it; `state` is OPEN, CLOSED or MERGED."""

    number: int
    state: str
    author: str
    body: str
    head_sha: str
    node: str = ""
    draft: bool = False


class Publisher:
    """The pull request of one branch; every write is preceded by a look for what is there already, so it may be repeated."""

    def __init__(self, brief: AttemptBrief, token: str) -> None:
        self._brief = brief
        # Only reads are repeated blindly; the app paces all runners' writes by its permits.
        retry = GithubRetry(total=3, backoff_factor=0.2, allowed_methods={"GET", "HEAD"})
        self._github = Github(
            auth=Auth.Token(token),
            base_url=brief.repository.api_url,
            timeout=30,
            user_agent="shoal-runner",
            retry=retry,
            seconds_between_requests=None,
            seconds_between_writes=None,
            api_version=API_VERSION,
            lazy=True,  # what is only written to is not read
        )
        self._name = brief.repository.full_name
        self._repository = self._github.get_repo(self._name)

    def open(self, head_sha: str, report: AttemptReport) -> int:
        """The number of the one pull request, made or adopted, and read back."""
        for attempt in on_transient():
            with attempt, _words():
                found = self._find() or self._create(report)
        for attempt in on_transient():
            with attempt, _words():
                # A follow-up adds a commit; what the pull request says of the whole change stays.
                if self._brief.follow_up is None:
                    self._bring_up_to_date(found, report)
        self._read_back(found.number, head_sha)
        return found.number

    def _bring_up_to_date(self, found: Found, report: AttemptReport) -> None:
        """A draft of ours that is green now is ready, before the note goes by which it is known; a person's draft stays one."""
        if found.draft and not report.draft and DRAFT_NOTE in found.body:
            given = {"pullRequestId": found.node}
            try:
                with _words():
                    # REST has no such request.
                    self._github.requester.graphql_named_mutation("markPullRequestReadyForReview", given, "pullRequest { isDraft }")
            except GithubRefused as refused:
                _log.warning("the pull request stays a draft", number=found.number, reason=str(refused))
        if found.body != report.pull_request_body:
            self._lazily(found.number).edit(title=report.pull_request_title, body=report.pull_request_body)

    def review(self, number: int, head_sha: str, text: str, findings: Sequence[Finding], *, answer: str = "") -> None:
        """The review, or the answer to it, once each, as a comment; a second call finds the first one's."""
        words = pull_request_text
        body = words.answer(self._brief, answer) if answer else words.review(self._brief, text, findings)
        marker = words.answer_marker(self._brief) if answer else words.review_marker(self._brief)
        for attempt in on_transient():
            with attempt, _words():
                there, node = self._look_for_review(number, marker)
                if not there:
                    self._post_review(number, node, head_sha, body)
        for attempt in on_transient():
            with attempt, _words():
                there, _ = self._look_for_review(number, marker)
        if not there:
            raise GithubRefused("the review is not there after it was posted")

    def close(self) -> None:
        self._github.close()

    def _find(self) -> Found | None:
        """Over every base and state: a merged or closed one is an answer too."""
        brief = self._brief
        where = self._ask(_PULLS, {"head": brief.branch})
        nodes = [node for node in where["pullRequests"]["nodes"] if node and not node["isCrossRepository"]]
        all_of_branch = [_found(node) for node in nodes if node["headRefName"] == brief.branch]
        ours = [pull_request for pull_request in all_of_branch if pull_request.author == brief.app_login]
        for pull_request in ours:
            if pull_request.state == "OPEN":
                return pull_request
        for pull_request in ours:
            how = "merged" if pull_request.state == "MERGED" else "closed"
            raise GithubRefused(
                f"pull request #{pull_request.number} from this branch was {how} already: label the issue again for more"
            )
        for pull_request in all_of_branch:
            if pull_request.state == "OPEN":
                raise GithubRefused(f"{pull_request.author} opened #{pull_request.number} from our branch: close it, then retry")
        return None

    def _create(self, report: AttemptReport) -> Found:
        brief = self._brief
        try:
            made = self._repository.create_pull(
                base=brief.repository.default_branch,
                head=brief.branch,
                title=report.pull_request_title,
                body=report.pull_request_body,
                draft=report.draft,
            )
        except GithubException as error:
            if error.status == httpx.codes.UNPROCESSABLE_ENTITY and "already exists" in str(error.data):
                raise TransientError("somebody created it a moment ago") from error  # found by the next look
            raise
        return Found(made.number, "OPEN", brief.app_login, made.body or "", made.head.sha)

    def _read_back(self, number: int, head_sha: str) -> None:
        for attempt in on_transient(attempts=6, seconds=20):
            with attempt, _words():
                pull_request = _found(self._ask(_PULL, {"number": number})["pullRequest"])
                if pull_request.head_sha != head_sha:  # GitHub computes it a moment after the push
                    raise TransientError(f"pull request #{number} shows {pull_request.head_sha}, we pushed {head_sha}")
        if f"Closes #{self._brief.issue.number}" not in pull_request.body:
            raise GithubRefused(f"pull request #{number} does not say `Closes #{self._brief.issue.number}`")

    def _look_for_review(self, number: int, marker: str) -> tuple[bool, str]:
        """Whether ours is there, and GraphQL's name of the pull request."""
        found = self._ask(_REVIEWS, {"number": number})["pullRequest"]
        ours = (one for one in found["reviews"]["nodes"] if _login(one["author"]) == self._brief.app_login)
        return any(marker in (one["body"] or "") for one in ours), found["id"]

    def _post_review(self, number: int, node: str, head_sha: str, body: str) -> None:
        """By GraphQL, which takes nothing of the hour's requests by REST; by REST where that is refused."""
        given = {"pullRequestId": node, "commitOID": head_sha, "event": "COMMENT", "body": body}
        try:
            with _words():
                self._github.requester.graphql_named_mutation("addPullRequestReview", given, "pullRequestReview { id }")
        except GithubRefused as refused:
            _log.info("the review goes by REST", number=number, reason=str(refused))
            commit = self._repository.get_commit(head_sha)
            self._lazily(number).create_review(commit=commit, body=body, event="COMMENT")

    def _lazily(self, number: int) -> PullRequest:
        """To write to: it is not read for that."""
        return self._repository.get_pull(number)

    def _ask(self, query: str, variables: Mapping[str, object]) -> dict[str, Any]:
        """The repository's part of a query's answer. One query stands for a look that takes a request per page by REST."""
        owner, _, name = self._brief.repository.full_name.partition("/")
        _, body = self._github.requester.graphql_query(query, {"owner": owner, "name": name, **variables})
        where: dict[str, Any] = body["data"]["repository"]
        if (now := where["nameWithOwner"]) != self._name:  # renamed since: a look finds it by the old name, a write does not
            self._name, self._repository = now, self._github.get_repo(now)
        return where


def _found(node: Mapping[str, Any]) -> Found:
    author, body = _login(node["author"]), node["body"] or ""
    return Found(node["number"], node["state"], author, body, node["headRefOid"], node["id"], node["isDraft"])


def _login(actor: Mapping[str, str] | None) -> str:
    """As REST has it: GraphQL leaves out the `[bot]` of an App's account."""
    name, is_bot = (actor or {}).get("login", ""), (actor or {}).get("__typename") == "Bot"
    return f"{name}[bot]" if is_bot and not name.endswith("[bot]") else name


@contextmanager
def _words() -> Iterator[None]:
    """PyGithub's and requests' exceptions as ours."""
    try:
        yield
    except GithubException as error:
        message = f"GitHub answered {error.status}: {str(error.data)[:500]}"
        if error.status >= httpx.codes.INTERNAL_SERVER_ERROR or _is_limit(error) or _is_of_query(error):
            raise TransientError(message, _asked_wait(error)) from error
        raise GithubRefused(message) from error
    except RequestException as error:
        raise TransientError(f"GitHub does not answer: {error}") from error


def _is_limit(error: GithubException) -> bool:
    """GitHub's secondary limits answer 403 like a refusal, but say so."""
    limited = error.status == httpx.codes.FORBIDDEN and (
        "Retry-After" in _headers(error) or "rate limit" in str(error.data).lower()
    )
    return limited or error.status == httpx.codes.TOO_MANY_REQUESTS


def _is_of_query(error: GithubException) -> bool:
    """A query that failed inside a 200, which PyGithub calls 400: limits and time-outs, and nothing that we asked wrongly."""
    errors = error.data.get("errors") if error.status == httpx.codes.BAD_REQUEST and isinstance(error.data, dict) else None
    lasting = {"NOT_FOUND", "FORBIDDEN", "INSUFFICIENT_SCOPES", "UNPROCESSABLE"}
    return errors is not None and not any(one.get("type") in lasting or "extensions" in one for one in errors)


def _asked_wait(error: GithubException) -> timedelta | None:
    """As GitHub says it: a number of seconds, or when the hour of a budget that is used up ends."""
    headers = _headers(error)
    asked, reset = headers.get("Retry-After", ""), headers.get("X-RateLimit-Reset", "")
    if asked.isdigit():
        return timedelta(seconds=int(asked))
    if headers.get("X-RateLimit-Remaining") == "0" and reset.isdigit():
        return timedelta(seconds=max(1.0, int(reset) - time.time()))
    return None


def _headers(error: GithubException) -> httpx.Headers:
    return httpx.Headers(error.headers or {})
