"""Issues with their labels, comments, reactions and history as GitHub's API shows them."""

from collections import Counter
from typing import Any

from app.localhub import permissions, render
from app.localhub.records import Comment, Issue, IssueEvent, Label, Reaction, Repository
from app.localhub.state import State

Json = dict[str, Any]

_REACTIONS = ("+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes")


def label(state: State, row: Label) -> Json:
    owner = state.repositories[row.repository_id]
    return {
        "id": row.id,
        "node_id": render.node_id("LA", row.id),
        "url": f"{render.repository_url(state, owner)}/labels/{row.name}",
        "name": row.name,
        "color": row.color,
        "default": False,
        "description": row.description,
    }


def labels(state: State, row: Issue) -> list[Json]:
    return [label(state, state.labels[label_id]) for label_id in row.label_ids]


def author_association(state: State, where: Repository, account_id: int) -> str:
    """What the author is to the repository."""
    account = state.accounts[account_id]
    if account.id == where.owner_id:
        return "OWNER"
    trusted = account.type == "User" and account.login in where.roles and permissions.has_role(account, where, "triage")
    return ("MEMBER" if state.accounts[where.owner_id].type == "Organization" else "COLLABORATOR") if trusted else "NONE"


def reaction_rollup(state: State, subject_id: int, url: str) -> Json:
    counts = Counter(reaction.content for reaction in state.reactions if reaction.subject_id == subject_id)
    return {"url": f"{url}/reactions", "total_count": counts.total(), **{content: counts[content] for content in _REACTIONS}}


def reaction(state: State, row: Reaction) -> Json:
    return {
        "id": row.id,
        "node_id": render.node_id("REA", row.id),
        "user": render.user(state, row.user_id),
        "content": row.content,
        "created_at": row.created_at,
    }


def issue(state: State, row: Issue) -> Json:
    """GitHub's `issue`; a pull request shows as one too."""
    where = state.repositories[row.repository_id]
    base, web = render.repository_url(state, where), render.web_url(state, where)
    url = f"{base}/issues/{row.number}"
    parent = state.issues.find(lambda other: row.id in other.sub_issues)
    shown: Json = {
        "id": row.id,
        "node_id": render.node_id("I", row.id),
        "number": row.number,
        "title": row.title,
        "body": row.body,
        "state": row.state,
        "state_reason": row.state_reason,
        "user": render.user(state, row.user_id),
        "labels": labels(state, row),
        "assignee": None,
        "assignees": [],
        "milestone": None,
        "locked": False,
        "active_lock_reason": None,
        "type": None,
        "comments": sum(1 for comment in state.comments if comment.issue_id == row.id),
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        "closed_at": row.closed_at,
        "closed_by": render.user(state, row.closed_by) if row.closed_by is not None else None,
        "author_association": author_association(state, where, row.user_id),
        "performed_via_github_app": render.app_or_none(state, row.app_id),
        "url": url,
        "html_url": f"{web}/{'pull' if row.pull_id is not None else 'issues'}/{row.number}",
        "repository_url": base,
        "labels_url": f"{url}/labels{{/name}}",
        "comments_url": f"{url}/comments",
        "events_url": f"{url}/events",
        "timeline_url": f"{url}/timeline",
        "reactions": reaction_rollup(state, row.id, url),
        **_summaries(state, row),
    }
    if parent is not None:
        shown["parent_issue_url"] = f"{base}/issues/{parent.number}"
    if row.pull_id is not None:
        pull = state.pulls[row.pull_id]
        shown["draft"] = pull.draft
        shown["pull_request"] = {
            "url": f"{base}/pulls/{row.number}",
            "html_url": f"{web}/pull/{row.number}",
            "diff_url": f"{web}/pull/{row.number}.diff",
            "patch_url": f"{web}/pull/{row.number}.patch",
            "merged_at": pull.merged_at,
        }
    return shown


def _summaries(state: State, row: Issue) -> Json:
    blockers = [state.issues[other] for other in row.blocked_by]
    blocked = state.issues.where(lambda other: row.id in other.blocked_by)
    children = [state.issues[other] for other in row.sub_issues]
    done = sum(1 for child in children if child.state == "closed")
    return {
        "issue_dependencies_summary": {
            "blocked_by": sum(1 for other in blockers if other.state == "open"),
            "blocking": sum(1 for other in blocked if other.state == "open"),
            "total_blocked_by": len(blockers),
            "total_blocking": len(blocked),
        },
        "sub_issues_summary": {
            "total": len(children),
            "completed": done,
            "percent_completed": 100 * done // len(children) if children else 0,
        },
    }


def comment(state: State, row: Comment) -> Json:
    where, about = state.repositories[row.repository_id], state.issues[row.issue_id]
    url = f"{render.repository_url(state, where)}/issues/comments/{row.id}"
    kind = "pull" if about.pull_id is not None else "issues"
    return {
        "id": row.id,
        "node_id": render.node_id("IC", row.id),
        "url": url,
        "html_url": f"{render.web_url(state, where)}/{kind}/{about.number}#issuecomment-{row.id}",
        "issue_url": f"{render.repository_url(state, where)}/issues/{about.number}",
        "user": render.user(state, row.user_id),
        "body": row.body,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        "author_association": author_association(state, where, row.user_id),
        "performed_via_github_app": render.app_or_none(state, row.app_id),
        "reactions": reaction_rollup(state, row.id, url),
    }


def issue_event(state: State, row: IssueEvent) -> Json:
    where = state.repositories[state.issues[row.issue_id].repository_id]
    shown: Json = {
        "id": row.id,
        "node_id": render.node_id("LE", row.id),
        "url": f"{render.repository_url(state, where)}/issues/events/{row.id}",
        "actor": render.user(state, row.actor_id),
        "event": row.event,
        "commit_id": None,
        "commit_url": None,
        "created_at": row.created_at,
        "performed_via_github_app": render.app_or_none(state, row.app_id),
    }
    if row.event in {"closed", "reopened"}:
        shown["state_reason"] = None
    extra = {"label": row.label, "rename": row.rename}
    return {**shown, **{name: value for name, value in extra.items() if value is not None}}
