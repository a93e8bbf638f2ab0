"""Commits, references and diffs as GitHub's API shows them."""

from typing import Any

from app.localhub import render
from app.localhub.bare import Author, Commit, FileDiff
from app.localhub.records import Account, Repository
from app.localhub.state import State

Json = dict[str, Any]


def author_of(account: Account) -> Author:
    """How commits made here in somebody's name are signed; a no-reply address as GitHub gives it."""
    return Author(account.name or account.login, account.email or f"{account.id}+{account.login}@users.noreply.github.com")


def _account_of(state: State, author: Author) -> Json | None:
    found = state.accounts.find(lambda row: author.email in {row.email or None, f"{row.id}+{row.login}@users.noreply.github.com"})
    return render.user(state, found.id) if found else None


def commit(state: State, where: Repository, row: Commit) -> Json:
    """GitHub's `commit`."""
    api, web = render.repository_url(state, where), render.web_url(state, where)
    return {
        "sha": row.sha,
        "node_id": render.node_id("C", int(row.sha[:15], 16)),
        "commit": {
            "author": {"name": row.author.name, "email": row.author.email, "date": row.authored_at},
            "committer": {"name": row.committer.name, "email": row.committer.email, "date": row.committed_at},
            "message": row.message,
            "tree": {"sha": row.tree, "url": f"{api}/git/trees/{row.tree}"},
            "url": f"{api}/git/commits/{row.sha}",
            "comment_count": 0,
        },
        "url": f"{api}/commits/{row.sha}",
        "html_url": f"{web}/commit/{row.sha}",
        "comments_url": f"{api}/commits/{row.sha}/comments",
        "author": _account_of(state, row.author),
        "committer": _account_of(state, row.committer),
        "parents": [{"sha": sha, "url": f"{api}/commits/{sha}", "html_url": f"{web}/commit/{sha}"} for sha in row.parents],
    }


def diff_entry(state: State, where: Repository, head: str, row: FileDiff) -> Json:
    """GitHub's `diff-entry`."""
    api, web = render.repository_url(state, where), render.web_url(state, where)
    shown: Json = {
        "sha": row.sha,
        "filename": row.path,
        "status": row.status,
        "additions": row.added,
        "deletions": row.removed,
        "changes": row.added + row.removed,
        "blob_url": f"{web}/blob/{head}/{row.path}",
        "raw_url": f"{web}/raw/{head}/{row.path}",
        "contents_url": f"{api}/contents/{row.path}?ref={head}",
    }
    if row.patch is not None:
        shown["patch"] = row.patch
    if row.previous is not None:
        shown["previous_filename"] = row.previous
    return shown


def reference(state: State, where: Repository, name: str, sha: str) -> Json:
    """GitHub's `git-ref`."""
    api = render.repository_url(state, where)
    return {
        "ref": name,
        "node_id": render.node_id("REF", int(sha[:15], 16)),
        "url": f"{api}/git/{name}",
        "object": {"type": "commit", "sha": sha, "url": f"{api}/git/commits/{sha}"},
    }


def pushed_commit(state: State, where: Repository, row: Commit, files: tuple[FileDiff, ...]) -> Json:
    """A commit in a `push` webhook, which has a shape of its own."""
    return {
        "id": row.sha,
        "tree_id": row.tree,
        "distinct": True,
        "message": row.message,
        "timestamp": row.committed_at,
        "url": f"{render.web_url(state, where)}/commit/{row.sha}",
        "author": {"name": row.author.name, "email": row.author.email},
        "committer": {"name": row.committer.name, "email": row.committer.email},
        "added": [file.path for file in files if file.status == "added"],
        "removed": [file.path for file in files if file.status == "removed"],
        "modified": [file.path for file in files if file.status not in {"added", "removed"}],
    }
