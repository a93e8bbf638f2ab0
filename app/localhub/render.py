"""Accounts, repositories and Apps as GitHub's API shows them."""

import base64
from typing import Any

from app.localhub.records import Account, App, Installation, Repository
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


def node_id(kind: str, row_id: int) -> str:
    """An opaque global id: the kind's letters and the number, as GitHub's look."""
    return f"{kind}_{base64.urlsafe_b64encode(row_id.to_bytes(8, 'big')).decode().rstrip('=')}"


def row_of_node(kind: str, node: str) -> int | None:
    """The number in an id of that kind; None for any other text."""
    letters, _, coded = node.partition("_")
    if letters != kind:
        return None
    try:
        return int.from_bytes(base64.urlsafe_b64decode(coded + "=" * (-len(coded) % 4)), "big")
    except ValueError:
        return None


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
        "archived": row.archived,
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


def repository_of_installation(row: Repository) -> Json:
    """As events of an installation list it."""
    shown = {"id": row.id, "node_id": node_id("R", row.id), "name": row.name, "full_name": row.full_name}
    return {**shown, "private": row.private}


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
        "suspended_by": user(state, owner.id) if row.suspended_at else None,
        "suspended_at": row.suspended_at,
    }
