"""Branches, commits, comparisons, files and references."""

import base64

from pydantic import BaseModel

from app.localhub import bare, pull_requests, render, render_git
from app.localhub.bare import Blob
from app.localhub.calls import Call, Json, Reply
from app.localhub.errors import Refused, not_found

_HEADS = "refs/heads/"


def branches(call: Call) -> Reply:
    names = [ref for ref in call.repository.refs if ref.startswith(_HEADS)]
    return call.listing(names, lambda ref: _short_branch(call, ref))


def branch(call: Call) -> Reply:
    """One branch with its commit."""
    where, name = call.repository, call.path["branch"]
    sha = where.refs.get(_HEADS + name)
    if sha is None:
        raise Refused(404, "Branch not found")
    url = f"{render.repository_url(call.state, where)}/branches/{name}"
    shown = {
        **_short_branch(call, _HEADS + name),
        "commit": _commit(call, sha),
        "_links": {"self": url, "html": f"{render.web_url(call.state, where)}/tree/{name}"},
        "protection": {"enabled": False},
    }
    return Reply(200, shown)


def rules(call: Call) -> Reply:
    """What guards a branch; here only the default branch is ever guarded."""
    where = call.repository
    guarding = where.rules if call.path["branch"] == where.default_branch else []
    source = {"ruleset_source_type": "Repository", "ruleset_source": where.full_name, "ruleset_id": where.id}
    return call.listing(guarding, lambda kind: {"type": kind, **source})


def _short_branch(call: Call, ref: str) -> Json:
    api, sha, name = render.repository_url(call.state, call.repository), call.repository.refs[ref], ref.removeprefix(_HEADS)
    return {
        "name": name,
        "commit": {"sha": sha, "url": f"{api}/commits/{sha}"},
        "protected": False,
        "protection_url": f"{api}/branches/{name}/protection",
    }


def commits(call: Call) -> Reply:
    """The history of `sha` (default: the default branch), newest first."""
    query, git_dir = call.query, call.state.git_dir(call.repository)
    start = bare.resolve(git_dir, query.get("sha") or call.repository.default_branch)
    if start is None:
        raise not_found()
    found = bare.log(git_dir, start, limit=1000, path=query.get("path", ""))
    return call.listing(found, lambda row: render_git.commit(call.state, call.repository, row))


def commit(call: Call) -> Reply:
    """One commit with its files."""
    sha, git_dir = _resolved(call, call.path["ref"]), call.state.git_dir(call.repository)
    row = bare.log(git_dir, sha, limit=1)[0]
    files = bare.diff(git_dir, row.parents[0], sha) if row.parents else ()
    stats = {"additions": sum(file.added for file in files), "deletions": sum(file.removed for file in files)}
    shown = {
        **render_git.commit(call.state, call.repository, row),
        "stats": {**stats, "total": stats["additions"] + stats["deletions"]},
        "files": [render_git.diff_entry(call.state, call.repository, sha, file) for file in files],
    }
    return Reply(200, shown)


def compare(call: Call) -> Reply:
    """`base...head`: what the head has that the base has not."""
    base_name, dots, head_name = call.path["basehead"].partition("...")
    if not dots:
        raise not_found()
    git_dir, where = call.state.git_dir(call.repository), call.repository
    base, head = (_resolved(call, name.removeprefix(f"{where.owner}:"), 404) for name in (base_name, head_name))
    fork = bare.merge_base(git_dir, base, head)
    if fork is None:
        raise Refused(404, f"No common ancestor between {base_name} and {head_name}.")
    ahead, behind = bare.ahead_behind(git_dir, base, head)
    own = bare.log(git_dir, head, f"^{base}")[::-1]
    url = f"{render.repository_url(call.state, where)}/compare/{base_name}...{head_name}"
    page = f"{render.web_url(call.state, where)}/compare/{base_name}...{head_name}"
    shown = {
        "url": url,
        "html_url": page,
        "permalink_url": page,
        "diff_url": f"{page}.diff",
        "patch_url": f"{page}.patch",
        "base_commit": _commit(call, base),
        "merge_base_commit": _commit(call, fork),
        "status": _relation(ahead, behind),
        "ahead_by": ahead,
        "behind_by": behind,
        "total_commits": ahead,
        "commits": [render_git.commit(call.state, where, row) for row in own],
        "files": [render_git.diff_entry(call.state, where, head, file) for file in bare.diff(git_dir, fork, head)],
    }
    return Reply(200, shown)


def _relation(ahead: int, behind: int) -> str:
    if ahead and behind:
        return "diverged"
    if ahead:
        return "ahead"
    return "behind" if behind else "identical"


def contents(call: Call) -> Reply:
    """A file with its bytes in base64, or a folder's entries."""
    path = call.path["path"].strip("/")
    commit_sha = _resolved(call, call.query.get("ref") or call.repository.default_branch, 404)
    git_dir = call.state.git_dir(call.repository)
    found = bare.entries(git_dir, commit_sha, path)
    if path and not found:
        raise not_found()
    if not path or found[0].type == "tree":
        inside = bare.entries(git_dir, commit_sha, f"{path}/" if path else "")
        return Reply(200, [_entry(call, row, commit_sha) for row in inside])
    text = base64.encodebytes(bare.content(git_dir, found[0].sha)).decode()
    return Reply(200, {**_entry(call, found[0], commit_sha), "encoding": "base64", "content": text})


def _entry(call: Call, row: Blob, commit_sha: str) -> Json:
    api, web = render.repository_url(call.state, call.repository), render.web_url(call.state, call.repository)
    url = f"{api}/contents/{row.path}?ref={commit_sha}"
    page, blob = f"{web}/blob/{commit_sha}/{row.path}", f"{api}/git/{row.type}s/{row.sha}"
    return {
        "type": "dir" if row.type == "tree" else "file",
        "name": row.path.rpartition("/")[2],
        "path": row.path,
        "sha": row.sha,
        "size": row.size,
        "url": url,
        "html_url": page,
        "git_url": blob,
        "download_url": None if row.type == "tree" else f"{web}/raw/{commit_sha}/{row.path}",
        "_links": {"self": url, "git": blob, "html": page},
    }


def reference(call: Call) -> Reply:
    name = f"refs/{call.path['ref']}"
    if name not in call.repository.refs:
        raise not_found()
    return Reply(200, render_git.reference(call.state, call.repository, name, call.repository.refs[name]))


def matching_references(call: Call) -> Reply:
    """Every reference that begins so; none is an empty list."""
    names = sorted(name for name in call.repository.refs if name.startswith(f"refs/{call.path['ref']}"))
    return call.listing(names, lambda name: render_git.reference(call.state, call.repository, name, call.repository.refs[name]))


class NewReference(BaseModel):
    """Body of a reference's creation."""

    ref: str
    sha: str


def create_reference(call: Call) -> Reply:
    wanted, git_dir = call.parse(NewReference), call.state.git_dir(call.repository)
    if not bare.is_ref_name(wanted.ref) or wanted.ref.count("/") < 2:
        raise Refused(422, f"{wanted.ref} is not a valid ref name.")
    if wanted.ref in call.repository.refs:
        raise Refused(422, "Reference already exists")
    if bare.resolve(git_dir, wanted.sha) != wanted.sha:
        raise Refused(422, "Object does not exist")
    bare.update_ref(git_dir, wanted.ref, wanted.sha)
    pull_requests.follow_refs(call.hub, call.repository, call.by)
    return Reply(201, render_git.reference(call.state, call.repository, wanted.ref, wanted.sha))


def delete_reference(call: Call) -> Reply:
    name = f"refs/{call.path['ref']}"
    if name not in call.repository.refs:
        raise Refused(422, "Reference does not exist")
    if name == _HEADS + call.repository.default_branch:
        raise Refused(422, "Cannot delete the default branch")
    bare.delete_ref(call.state.git_dir(call.repository), name)
    pull_requests.follow_refs(call.hub, call.repository, call.by)
    return Reply(204)


def _commit(call: Call, sha: str) -> Json:
    row = bare.log(call.state.git_dir(call.repository), sha, limit=1)[0]
    return render_git.commit(call.state, call.repository, row)


def _resolved(call: Call, name: str, status: int = 422) -> str:
    sha = bare.resolve(call.state.git_dir(call.repository), name)
    if sha is None:
        raise Refused(status, f"No commit found for SHA: {name}" if status == 422 else "Not Found")
    return sha
