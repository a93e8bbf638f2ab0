"""What branches do to pull requests: pushes move them, merges finish them and close the issues they name."""

import re
from typing import Literal

from app.localhub import bare, issues, render, render_git, render_pulls
from app.localhub.bare import Author
from app.localhub.errors import Refused
from app.localhub.hub import By, Hub
from app.localhub.records import Issue, Pull, Repository

_NOTHING = "0" * 40
_HEADS = "refs/heads/"
# https://docs.github.com/issues/tracking-your-work-with-issues/using-issues/linking-a-pull-request-to-an-issue
_CLOSES = re.compile(r"\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):?\s+#(\d+)\b", re.IGNORECASE)
_PUSH_COMMITS = 20


def follow_refs(hub: Hub, where: Repository, by: By) -> None:
    """Compares the branches with those last seen, and does and tells what follows from each that moved."""
    before, after = where.refs, bare.refs(hub.state.git_dir(where))
    if before == after:
        return
    where.refs, where.pushed_at = after, hub.state.stamp()
    hub.state.repositories.save(where)
    for ref in sorted(before.keys() | after.keys()):
        old, new = before.get(ref, _NOTHING), after.get(ref, _NOTHING)
        if old == new:
            continue
        _tell_push(hub, where, ref, old, new, by)
        if ref.startswith(_HEADS):
            _follow_branch(hub, where, ref.removeprefix(_HEADS), old, new, by)


def _follow_branch(hub: Hub, where: Repository, branch: str, old: str, new: str, by: By) -> None:
    for pull in open_pulls(hub, where):
        if pull.head_ref == branch and new == _NOTHING:
            issues.set_state(hub, hub.state.issues[pull.issue_id], "closed", None, by)
        elif pull.head_ref == branch:
            _synchronize(hub, where, pull, old, new, by)
        if pull.base_ref == branch and new != _NOTHING and bare.is_ancestor(hub.state.git_dir(where), pull.head_sha, new):
            finish(hub, where, pull, old, new, by)


def open_pulls(hub: Hub, where: Repository) -> list[Pull]:
    return hub.state.pulls.where(lambda row: row.repository_id == where.id and hub.state.issues[row.issue_id].state == "open")


def _synchronize(hub: Hub, where: Repository, pull: Pull, old: str, new: str, by: By) -> None:
    pull.head_sha = new
    pull.base_sha = where.refs.get(_HEADS + pull.base_ref, pull.base_sha)
    hub.state.pulls.save(pull)
    keep_head(hub, where, pull)
    issue = hub.state.issues[pull.issue_id]
    issues.touch(hub.state, issue)
    issues.tell(hub, issue, "synchronize", by, before=old, after=new)


def keep_head(hub: Hub, where: Repository, pull: Pull) -> None:
    """`refs/pull/N/head` keeps the commits when the branch is gone."""
    bare.update_ref(hub.state.git_dir(where), f"refs/pull/{pull.number}/head", pull.head_sha)


def finish(hub: Hub, where: Repository, pull: Pull, base_before: str, merge_sha: str, by: By) -> None:
    """The pull request is merged; on the default branch it closes the issues that its body names."""
    pull.merged_at, pull.merged_by, pull.merge_commit_sha = hub.state.stamp(), by.account_id, merge_sha
    pull.base_sha = base_before
    hub.state.pulls.save(pull)
    row = hub.state.issues[pull.issue_id]
    hub.note(row.id, "merged", by)
    issues.set_state(hub, row, "closed", None, by)
    if pull.base_ref == where.default_branch:
        for issue in _closed_by(hub, where, row.body or ""):
            issues.set_state(hub, issue, "closed", "completed", by)


def _closed_by(hub: Hub, where: Repository, text: str) -> list[Issue]:
    numbers = {int(number) for number in _CLOSES.findall(text)}
    return hub.state.issues.where(
        lambda row: row.repository_id == where.id and row.number in numbers and row.pull_id is None and row.state == "open"
    )


def merge(hub: Hub, where: Repository, pull: Pull, method: Literal["merge", "squash"], title: str, message: str, by: By) -> str:
    """Makes the merge commit on the base branch; the pull request follows from that as from any push."""
    git_dir = hub.state.git_dir(where)
    base = render_pulls.base_tip(hub.state, pull)
    tree = bare.merge_tree(git_dir, base, pull.head_sha)
    if tree is None:
        raise Refused(405, "Pull Request is not mergeable")
    parents = (base, pull.head_sha) if method == "merge" else (base,)
    author: Author = render_git.author_of(hub.state.accounts[by.account_id])
    sha = bare.commit_tree(git_dir, tree, parents, f"{title}\n\n{message}".strip() + "\n", author)
    bare.update_ref(git_dir, _HEADS + pull.base_ref, sha)
    if method == "squash":  # its head is no ancestor of the base: nobody else would see that it is merged
        finish(hub, where, pull, base, sha, by)
    follow_refs(hub, where, by)
    return sha


def _tell_push(hub: Hub, where: Repository, ref: str, old: str, new: str, by: By) -> None:
    state, git_dir = hub.state, hub.state.git_dir(where)
    pusher = state.accounts[by.account_id]
    since = old if old != _NOTHING else where.refs.get(_HEADS + where.default_branch, "")
    revisions = [new, *([f"^{since}"] if since and since != new else [])]
    commits = bare.log(git_dir, *revisions, limit=_PUSH_COMMITS)[::-1] if new != _NOTHING else []
    if old == _NOTHING and since == new:
        commits = []
    shown = [
        render_git.pushed_commit(state, where, row, bare.diff(git_dir, row.parents[0], row.sha) if row.parents else ())
        for row in commits
    ]
    payload = {
        "ref": ref,
        "before": old,
        "after": new,
        "created": old == _NOTHING,
        "deleted": new == _NOTHING,
        "forced": _NOTHING not in {old, new} and not bare.is_ancestor(git_dir, old, new),
        "base_ref": None,
        "compare": f"{render.web_url(state, where)}/compare/{old[:12]}...{new[:12]}",
        "commits": shown,
        "head_commit": shown[-1] if shown else None,
        "pusher": {"name": pusher.login, "email": render_git.author_of(pusher).email},
    }
    hub.webhooks.emit(where, by.account_id, "push", None, payload)
