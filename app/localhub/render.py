"""Accounts, repositories, Apps and issues as GitHub's API shows them."""

import base64
from collections import Counter
from typing import Any

from app.localhub import permissions
from app.localhub.records import Account, App, Comment, Installation, Issue, IssueEvent, Label, Reaction, Repository
from app.localhub.state import State

Json = dict[str, Any]

_USER_LINKS = {
    "followers_url": "/followers",
    "following_url": "/following{/other_user}",
    "gists_url": "/gists{/gist_id}",
    "starred_url": "/starred{/owner}{/repo}",
    "subscriptions_url": "/subscriptions",
    "organizations_url": "/orgs",
    "repos_url": "/repos",
    "events_url": "/events{/privacy}",
    "received_events_url": "/received_events",
}
_REPOSITORY_LINKS = {
    "archive_url": "/{archive_format}{/ref}",
    "assignees_url": "/assignees{/user}",
    "blobs_url": "/git/blobs{/sha}",
    "branches_url": "/branches{/branch}",
    "collaborators_url": "/collaborators{/collaborator}",
    "comments_url": "/comments{/number}",
    "commits_url": "/commits{/sha}",
    "compare_url": "/compare/{base}...{head}",
    "contents_url": "/contents/{+path}",
    "contributors_url": "/contributors",
    "deployments_url": "/deployments",
    "downloads_url": "/downloads",
    "events_url": "/events",
    "forks_url": "/forks",
    "git_commits_url": "/git/commits{/sha}",
    "git_refs_url": "/git/refs{/sha}",
    "git_tags_url": "/git/tags{/sha}",
    "hooks_url": "/hooks",
    "issue_comment_url": "/issues/comments{/number}",
    "issue_events_url": "/issues/events{/number}",
    "issues_url": "/issues{/number}",
    "keys_url": "/keys{/key_id}",
    "labels_url": "/labels{/name}",
    "languages_url": "/languages",
    "merges_url": "/merges",
    "milestones_url": "/milestones{/number}",
    "notifications_url": "/notifications{?since,all,participating}",
    "pulls_url": "/pulls{/number}",
    "releases_url": "/releases{/id}",
    "stargazers_url": "/stargazers",
    "statuses_url": "/statuses/{sha}",
    "subscribers_url": "/subscribers",
    "subscription_url": "/subscription",
    "tags_url": "/tags",
    "teams_url": "/teams",
    "trees_url": "/git/trees{/sha}",
}
_REPOSITORY_CONSTANTS: Json = {
    "fork": False,
    "archived": False,
    "disabled": False,
    "has_discussions": False,
    "has_downloads": True,
    "has_issues": True,
    "has_pages": False,
    "has_projects": False,
    "has_wiki": False,
    "is_template": False,
    "web_commit_signoff_required": False,
    "homepage": None,
    "language": None,
    "license": None,
    "mirror_url": None,
    "topics": [],
    "allow_forking": True,
    "allow_merge_commit": True,
    "allow_squash_merge": True,
    "allow_rebase_merge": False,
    **dict.fromkeys(("forks", "forks_count", "stargazers_count", "watchers", "watchers_count", "size"), 0),
}
_REACTIONS = ("+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes")


def node_id(kind: str, row_id: int) -> str:
    """An opaque global id: the kind's letters and the number, as GitHub's look."""
    return f"{kind}_{base64.urlsafe_b64encode(row_id.to_bytes(8, 'big')).decode().rstrip('=')}"


def repository_url(state: State, repository: Repository) -> str:
    return f"{state.api_url}/repos/{repository.full_name}"


def web_url(state: State, repository: Repository) -> str:
    return f"{state.url}/{repository.full_name}"


def user(state: State, account_id: int) -> Json:
    """GitHub's `simple-user`."""
    account = state.accounts[account_id]
    url = f"{state.api_url}/users/{account.login}"
    return {
        "login": account.login,
        "id": account.id,
        "node_id": node_id("U", account.id),
        "avatar_url": f"{state.url}/{account.login}.png",
        "gravatar_id": "",
        "url": url,
        "html_url": f"{state.url}/{account.login}",
        "type": account.type,
        "site_admin": False,
        "user_view_type": "public",
        **{name: url + suffix for name, suffix in _USER_LINKS.items()},
    }


def full_user(state: State, account: Account) -> Json:
    """GitHub's `public-user`."""
    nothing: Json = dict.fromkeys(("bio", "blog", "company", "hireable", "location"))
    zeros = dict.fromkeys(("followers", "following", "public_gists", "public_repos"), 0)
    return {
        **user(state, account.id),
        **nothing,
        **zeros,
        "name": account.name or None,
        "email": account.email or None,
        "created_at": account.created_at,
        "updated_at": account.created_at,
    }


def repository(state: State, row: Repository) -> Json:
    """GitHub's `full-repository` (every smaller form is part of it)."""
    url, web = repository_url(state, row), web_url(state, row)
    host = state.url.partition("://")[2]
    open_issues = sum(1 for issue in state.issues if issue.repository_id == row.id and issue.state == "open")
    return {
        "id": row.id,
        "node_id": node_id("R", row.id),
        "name": row.name,
        "full_name": row.full_name,
        "owner": user(state, row.owner_id),
        "private": row.private,
        "visibility": "private" if row.private else "public",
        "description": row.description or None,
        "default_branch": row.default_branch,
        "url": url,
        "html_url": web,
        "clone_url": f"{web}.git",
        "svn_url": web,
        "git_url": f"git://{host}/{row.full_name}.git",
        "ssh_url": f"git@{host}:{row.full_name}.git",
        "created_at": row.created_at,
        "updated_at": row.pushed_at,
        "pushed_at": row.pushed_at,
        "open_issues": open_issues,
        "open_issues_count": open_issues,
        **_REPOSITORY_CONSTANTS,
        **{name: url + suffix for name, suffix in _REPOSITORY_LINKS.items()},
    }


def full_repository(state: State, row: Repository) -> Json:
    """With the two counts that only the repository's own page has."""
    return {**repository(state, row), "network_count": 0, "subscribers_count": 0}


def app(state: State, row: App) -> Json:
    """GitHub's `integration`."""
    return {
        "id": row.id,
        "client_id": row.client_id,
        "slug": row.slug,
        "node_id": node_id("A", row.id),
        "owner": user(state, row.owner_id),
        "name": row.name,
        "description": None,
        "external_url": f"{state.url}/apps/{row.slug}",
        "html_url": f"{state.url}/apps/{row.slug}",
        "created_at": row.created_at,
        "updated_at": row.created_at,
        "permissions": {"metadata": "read", **row.permissions},
        "events": row.events,
    }


def app_or_none(state: State, app_id: int | None) -> Json | None:
    return app(state, state.apps[app_id]) if app_id is not None else None


def installation(state: State, row: Installation) -> Json:
    """GitHub's `installation`."""
    owner, registered = state.accounts[row.account_id], state.apps[row.app_id]
    return {
        "id": row.id,
        "account": user(state, owner.id),
        "repository_selection": "selected",
        "access_tokens_url": f"{state.api_url}/app/installations/{row.id}/access_tokens",
        "repositories_url": f"{state.api_url}/installation/repositories",
        "html_url": f"{state.url}/settings/installations/{row.id}",
        "app_id": registered.id,
        "client_id": registered.client_id,
        "app_slug": registered.slug,
        "target_id": owner.id,
        "target_type": owner.type,
        "permissions": {"metadata": "read", **row.permissions},
        "events": registered.events,
        "created_at": row.created_at,
        "updated_at": row.created_at,
        "single_file_name": None,
        "suspended_by": None,
        "suspended_at": None,
    }


def label(state: State, row: Label) -> Json:
    owner = state.repositories[row.repository_id]
    return {
        "id": row.id,
        "node_id": node_id("LA", row.id),
        "url": f"{repository_url(state, owner)}/labels/{row.name}",
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
        "node_id": node_id("REA", row.id),
        "user": user(state, row.user_id),
        "content": row.content,
        "created_at": row.created_at,
    }


def issue(state: State, row: Issue) -> Json:
    """GitHub's `issue`; a pull request shows as one too."""
    where = state.repositories[row.repository_id]
    base, web = repository_url(state, where), web_url(state, where)
    url = f"{base}/issues/{row.number}"
    parent = state.issues.find(lambda other: row.id in other.sub_issues)
    shown: Json = {
        "id": row.id,
        "node_id": node_id("I", row.id),
        "number": row.number,
        "title": row.title,
        "body": row.body,
        "state": row.state,
        "state_reason": row.state_reason,
        "user": user(state, row.user_id),
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
        "closed_by": user(state, row.closed_by) if row.closed_by is not None else None,
        "author_association": author_association(state, where, row.user_id),
        "performed_via_github_app": app_or_none(state, row.app_id),
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
    url = f"{repository_url(state, where)}/issues/comments/{row.id}"
    kind = "pull" if about.pull_id is not None else "issues"
    return {
        "id": row.id,
        "node_id": node_id("IC", row.id),
        "url": url,
        "html_url": f"{web_url(state, where)}/{kind}/{about.number}#issuecomment-{row.id}",
        "issue_url": f"{repository_url(state, where)}/issues/{about.number}",
        "user": user(state, row.user_id),
        "body": row.body,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        "author_association": author_association(state, where, row.user_id),
        "performed_via_github_app": app_or_none(state, row.app_id),
        "reactions": reaction_rollup(state, row.id, url),
    }


def issue_event(state: State, row: IssueEvent) -> Json:
    where = state.repositories[state.issues[row.issue_id].repository_id]
    shown: Json = {
        "id": row.id,
        "node_id": node_id("LE", row.id),
        "url": f"{repository_url(state, where)}/issues/events/{row.id}",
        "actor": user(state, row.actor_id),
        "event": row.event,
        "commit_id": None,
        "commit_url": None,
        "created_at": row.created_at,
        "performed_via_github_app": app_or_none(state, row.app_id),
    }
    if row.event in {"closed", "reopened"}:
        shown["state_reason"] = None
    extra = {"label": row.label, "rename": row.rename}
    return {**shown, **{name: value for name, value in extra.items() if value is not None}}
