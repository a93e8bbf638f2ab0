"""Pull requests and their reviews."""

from typing import Literal

from pydantic import BaseModel

from app.localhub import bare, issues, pull_requests, render_git, render_pulls
from app.localhub.calls import Call, Reply
from app.localhub.errors import Refused, invalid, not_found
from app.localhub.permissions import may
from app.localhub.records import Pull, Review

_HEADS = "refs/heads/"


class NewPull(BaseModel):
    """Body of a pull request's creation."""

    title: str
    head: str
    base: str
    body: str | None = None
    draft: bool = False


class PullEdit(BaseModel):
    """Body of a pull request's change; what is absent stays."""

    title: str | None = None
    body: str | None = None
    state: Literal["open", "closed"] | None = None
    base: str | None = None


class Merge(BaseModel):
    """Body of a merge."""

    commit_title: str | None = None
    commit_message: str | None = None
    sha: str | None = None
    merge_method: Literal["merge", "squash", "rebase"] = "merge"


class NewReview(BaseModel):
    """Body of a review; without an event it would stay pending, which nobody here uses."""

    body: str = ""
    event: Literal["APPROVE", "REQUEST_CHANGES", "COMMENT"]
    commit_id: str | None = None


def listing(call: Call) -> Reply:
    """Pull requests by state, head (`owner:branch`) and base, newest first by default."""
    query, where, state = call.query, call.repository, call.state
    wanted = query.get("state", "open")
    found = [
        row
        for row in state.pulls
        if row.repository_id == where.id
        and wanted in {state.issues[row.issue_id].state, "all"}
        and query.get("base", row.base_ref) == row.base_ref
        and _names_head(query.get("head", ""), where.owner, row.head_ref)
    ]
    found.sort(key=lambda row: row.number, reverse=query.get("direction", "desc") == "desc")
    return call.listing(found, lambda row: render_pulls.simple(state, row))


def _names_head(asked: str, owner: str, branch: str) -> bool:
    # A head without an owner is not understood and filters nothing, as on GitHub.
    return ":" not in asked or asked.lower() == f"{owner}:{branch}".lower()


def pull(call: Call) -> Reply:
    return Reply(200, render_pulls.pull(call.state, find(call), judged=True))


def create(call: Call) -> Reply:
    """A new pull request, refused where GitHub refuses: unknown branch, nothing to merge, the same one open already."""
    wanted, where, state = call.parse(NewPull), call.repository, call.state
    head_ref = wanted.head.removeprefix(f"{where.owner}:")
    title = issues.checked_title(wanted.title)
    issues.check_body(wanted.body, "PullRequest")
    head, base = _checked_branches(call, head_ref, wanted.base)
    issue = issues.new_issue(state, where, title, wanted.body, call.by)
    made = Pull(
        id=state.next_id(),
        repository_id=where.id,
        issue_id=issue.id,
        number=issue.number,
        head_ref=head_ref,
        head_sha=head,
        base_ref=wanted.base,
        base_sha=base,
        draft=wanted.draft,
    )
    state.pulls.save(made)
    issue.pull_id = made.id
    pull_requests.keep_head(call.hub, where, made)
    issues.tell(call.hub, issue, "opened", call.by)
    return Reply(201, render_pulls.pull(state, made))


def _checked_branches(call: Call, head_ref: str, base_ref: str) -> tuple[str, str]:
    where, git_dir = call.repository, call.state.git_dir(call.repository)
    head, base = where.refs.get(_HEADS + head_ref), where.refs.get(_HEADS + base_ref)
    if head is None:
        raise invalid("PullRequest", "head")
    if base is None:
        raise invalid("PullRequest", "base")
    if any((row.head_ref, row.base_ref) == (head_ref, base_ref) for row in pull_requests.open_pulls(call.hub, where)):
        raise invalid("PullRequest", "head", f"A pull request already exists for {where.owner}:{head_ref}.")
    if bare.merge_base(git_dir, base, head) is None:
        raise invalid("PullRequest", "base", f"The {head_ref} branch has no history in common with {base_ref}")
    if bare.ahead_behind(git_dir, base, head)[0] == 0:
        raise invalid("PullRequest", "base", f"No commits between {base_ref} and {head_ref}")
    return head, base


def edit(call: Call) -> Reply:
    """Title, body, base and state."""
    row, wanted = find(call), call.parse(PullEdit)
    issue = call.state.issues[row.issue_id]
    if not may(call.actor, call.repository, "write") and issue.user_id != call.by.account_id:
        raise Refused(403, "Must have admin rights to Repository.")
    issues.change_text(call.hub, issue, wanted, call.by)
    if wanted.base is not None and wanted.base != row.base_ref:
        _change_base(call, row, wanted.base)
    if wanted.state is not None and wanted.state != issue.state:
        _change_state(call, row, wanted.state)
    return Reply(200, render_pulls.pull(call.state, row, judged=True))


def ready(call: Call) -> None:
    """No draft any more; only GraphQL has this."""
    row = find(call)
    if row.draft:
        row.draft = False
        call.state.pulls.save(row)
        issues.tell(call.hub, call.state.issues[row.issue_id], "ready_for_review", call.by)


def _change_base(call: Call, row: Pull, base_ref: str) -> None:
    sha, before = call.repository.refs.get(_HEADS + base_ref), row.base_ref
    if sha is None:
        raise invalid("PullRequest", "base", f"Proposed base branch '{base_ref}' was not found")
    old_sha, row.base_ref, row.base_sha = row.base_sha, base_ref, sha
    call.state.pulls.save(row)
    changes = {"base": {"ref": {"from": before}, "sha": {"from": old_sha}}}
    issues.tell(call.hub, call.state.issues[row.issue_id], "edited", call.by, changes=changes)


def _change_state(call: Call, row: Pull, state: Literal["open", "closed"]) -> None:
    if state == "open":
        if row.merged_at is not None:
            raise invalid("PullRequest", "state", "state cannot be changed. The pull request cannot be reopened.")
        _checked_branches(call, row.head_ref, row.base_ref)
    issues.set_state(call.hub, call.state.issues[row.issue_id], state, None, call.by)


def files(call: Call) -> Reply:
    """What it changes, from where its own commits begin."""
    row = find(call)
    changed = bare.diff(call.state.git_dir(call.repository), render_pulls.fork_point(call.state, row), row.head_sha)
    return call.listing(changed, lambda file: render_git.diff_entry(call.state, call.repository, row.head_sha, file))


def commits(call: Call) -> Reply:
    """Its own commits, oldest first."""
    row = find(call)
    base = render_pulls.fork_point(call.state, row)
    own = bare.log(call.state.git_dir(call.repository), row.head_sha, f"^{base}")[::-1]
    return call.listing(own, lambda commit: render_git.commit(call.state, call.repository, commit))


def merge(call: Call) -> Reply:
    row, wanted = find(call), call.parse(Merge)
    issue = call.state.issues[row.issue_id]
    if issue.state == "closed" or row.draft:
        raise Refused(405, "Pull Request is still a draft" if row.draft else "Pull Request is not mergeable")
    if wanted.sha is not None and wanted.sha != row.head_sha:
        raise Refused(409, "Head branch was modified. Review and try the merge again.")
    if wanted.merge_method == "rebase":
        raise Refused(405, "Rebase merges are not allowed on this repository.")
    squash = wanted.merge_method == "squash"
    title = wanted.commit_title or (
        f"{issue.title} (#{row.number})"
        if squash
        else f"Merge pull request #{row.number} from {call.repository.owner}/{row.head_ref}"
    )
    message = wanted.commit_message if wanted.commit_message is not None else ("" if squash else issue.title)
    sha = pull_requests.merge(call.hub, call.repository, row, wanted.merge_method, title, message, call.by)
    return Reply(200, {"sha": sha, "merged": True, "message": "Pull Request successfully merged"})


def reviews(call: Call) -> Reply:
    row = find(call)
    return call.listing(
        call.state.reviews.where(lambda review: review.pull_id == row.id), lambda review: render_pulls.review(call.state, review)
    )


def create_review(call: Call) -> Reply:
    """A review; nobody approves or blocks a pull request of their own."""
    row, wanted = find(call), call.parse(NewReview)
    if wanted.event != "COMMENT" and call.state.issues[row.issue_id].user_id == call.by.account_id:
        what = "approve" if wanted.event == "APPROVE" else "request changes on"
        raise Refused(422, f"Unprocessable Entity: Can not {what} your own pull request")
    if wanted.event != "APPROVE" and not wanted.body.strip():
        raise Refused(422, "Unprocessable Entity: Review Body can't be blank")
    states: dict[str, Literal["APPROVED", "CHANGES_REQUESTED", "COMMENTED"]] = {
        "APPROVE": "APPROVED",
        "REQUEST_CHANGES": "CHANGES_REQUESTED",
        "COMMENT": "COMMENTED",
    }
    made = Review(
        id=call.state.next_id(),
        pull_id=row.id,
        user_id=call.by.account_id,
        body=wanted.body,
        state=states[wanted.event],
        commit_id=wanted.commit_id or row.head_sha,
        submitted_at=call.state.stamp(),
    )
    call.state.reviews.save(made)
    shown = {"review": render_pulls.review(call.state, made), "pull_request": render_pulls.simple(call.state, row)}
    call.hub.webhooks.emit(call.repository, call.by.account_id, "pull_request_review", "submitted", shown)
    return Reply(200, render_pulls.review(call.state, made))


def find(call: Call) -> Pull:
    """The pull request that the path names."""
    number = call.number("pull_number")
    found = call.state.pulls.find(lambda row: row.repository_id == call.repository.id and row.number == number)
    if found is None:
        raise not_found()
    return found
