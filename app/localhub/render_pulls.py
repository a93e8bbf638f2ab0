"""Pull requests and reviews as GitHub's API shows them."""

from typing import Any

from app.localhub import bare, render, render_issues
from app.localhub.records import Pull, Repository, Review
from app.localhub.state import State

Json = dict[str, Any]


def base_tip(state: State, row: Pull) -> str:
    """What the pull request would be merged into now; for a finished one, what it was merged into."""
    where = state.repositories[row.repository_id]
    is_open = state.issues[row.issue_id].state == "open"
    return where.refs.get(f"refs/heads/{row.base_ref}", row.base_sha) if is_open else row.base_sha


def fork_point(state: State, row: Pull) -> str:
    """Where its own commits begin."""
    git_dir = state.git_dir(state.repositories[row.repository_id])
    return bare.merge_base(git_dir, base_tip(state, row), row.head_sha) or row.base_sha


def simple(state: State, row: Pull) -> Json:
    """GitHub's `pull-request-simple`, as lists have it."""
    where, issue = state.repositories[row.repository_id], state.issues[row.issue_id]
    api, web = render.repository_url(state, where), render.web_url(state, where)
    url, page = f"{api}/pulls/{row.number}", f"{web}/pull/{row.number}"
    links = {
        "self": url,
        "html": page,
        "issue": f"{api}/issues/{row.number}",
        "comments": f"{api}/issues/{row.number}/comments",
        "review_comments": f"{url}/comments",
        "review_comment": f"{api}/pulls/comments{{/number}}",
        "commits": f"{url}/commits",
        "statuses": f"{api}/statuses/{row.head_sha}",
    }
    return {
        "id": row.id,
        "node_id": render.node_id("PR", row.id),
        "number": row.number,
        "title": issue.title,
        "body": issue.body,
        "state": issue.state,
        "draft": row.draft,
        "locked": False,
        "user": render.user(state, issue.user_id),
        "author_association": render_issues.author_association(state, where, issue.user_id),
        "labels": render_issues.labels(state, issue),
        "assignee": None,
        "assignees": [],
        "requested_reviewers": [],
        "requested_teams": [],
        "milestone": None,
        "auto_merge": None,
        "created_at": issue.created_at,
        "updated_at": issue.updated_at,
        "closed_at": issue.closed_at,
        "merged_at": row.merged_at,
        "merge_commit_sha": row.merge_commit_sha,
        "head": _side(state, where, row.head_ref, row.head_sha),
        "base": _side(state, where, row.base_ref, row.base_sha),
        "url": url,
        "html_url": page,
        "diff_url": f"{page}.diff",
        "patch_url": f"{page}.patch",
        **{f"{name}_url": link for name, link in links.items() if name not in {"self", "html"}},
        "_links": {name: {"href": link} for name, link in links.items()},
    }


def pull(state: State, row: Pull, *, judged: bool = False) -> Json:
    """GitHub's `pull-request`; mergeable is told only when `judged`, as GitHub works it out later than it sends webhooks."""
    git_dir = state.git_dir(state.repositories[row.repository_id])
    start = fork_point(state, row)
    files = bare.diff(git_dir, start, row.head_sha)
    mergeable, mergeable_state = _mergeable(state, row) if judged else (None, "unknown")
    return {
        **simple(state, row),
        "merged": row.merged_at is not None,
        "merged_by": render.user(state, row.merged_by) if row.merged_by is not None else None,
        "mergeable": mergeable,
        "mergeable_state": mergeable_state,
        "rebaseable": False,
        "comments": sum(1 for comment in state.comments if comment.issue_id == row.issue_id),
        "review_comments": 0,
        "maintainer_can_modify": False,
        "commits": bare.ahead_behind(git_dir, start, row.head_sha)[0],
        "additions": sum(file.added for file in files),
        "deletions": sum(file.removed for file in files),
        "changed_files": len(files),
    }


def _mergeable(state: State, row: Pull) -> tuple[bool | None, str]:
    if state.issues[row.issue_id].state == "closed":
        return None, "unknown"
    git_dir = state.git_dir(state.repositories[row.repository_id])
    if bare.merge_tree(git_dir, base_tip(state, row), row.head_sha) is None:
        return False, "dirty"
    if row.draft:
        return True, "draft"
    red = {"failure", "cancelled", "timed_out", "action_required", None}
    checks = state.check_runs.where(lambda run: run.repository_id == row.repository_id and run.head_sha == row.head_sha)
    return True, "unstable" if any(run.conclusion in red for run in checks) else "clean"


def minimal(state: State, row: Pull) -> Json:
    """GitHub's `pull-request-minimal`, as check runs have it."""
    where = state.repositories[row.repository_id]
    url = render.repository_url(state, where)
    here = {"id": where.id, "name": where.name, "url": url}
    return {
        "id": row.id,
        "number": row.number,
        "url": f"{url}/pulls/{row.number}",
        "head": {"ref": row.head_ref, "sha": row.head_sha, "repo": here},
        "base": {"ref": row.base_ref, "sha": row.base_sha, "repo": here},
    }


def review(state: State, row: Review) -> Json:
    """GitHub's `pull-request-review`."""
    pull_row = state.pulls[row.pull_id]
    where = state.repositories[pull_row.repository_id]
    url = f"{render.repository_url(state, where)}/pulls/{pull_row.number}"
    page = f"{render.web_url(state, where)}/pull/{pull_row.number}#pullrequestreview-{row.id}"
    return {
        "id": row.id,
        "node_id": render.node_id("PRR", row.id),
        "user": render.user(state, row.user_id),
        "body": row.body,
        "state": row.state,
        "html_url": page,
        "pull_request_url": url,
        "author_association": render_issues.author_association(state, where, row.user_id),
        "_links": {"html": {"href": page}, "pull_request": {"href": url}},
        "submitted_at": row.submitted_at,
        "commit_id": row.commit_id,
    }


def _side(state: State, where: Repository, ref: str, sha: str) -> Json:
    return {
        "label": f"{where.owner}:{ref}",
        "ref": ref,
        "sha": sha,
        "user": render.user(state, where.owner_id),
        "repo": render.repository(state, where),
    }
