"""Pages for people to look at: repository, issues, pull requests with diff, check runs; server-rendered, read-only."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from app.localhub import bare, issues, markdown, render_checks, render_pulls
from app.localhub.errors import Refused, not_found
from app.localhub.hub import Hub
from app.localhub.records import CheckRun, Issue, Pull, Repository

_HERE = Path(__file__).parent
_FILES_SHOWN = 500
_PATCH_LINES_SHOWN = 2000
# Nothing that somebody wrote can load or run anything; pictures are what Markdown may hold.
_POLICY = "default-src 'none'; style-src 'self'; img-src 'self' http: https: data:; base-uri 'none'; form-action 'none'"
_LINE_KINDS = {"+": "added", "-": "removed", "@": "hunk"}

Context = dict[str, Any]


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    # Markdown is made safe by its own renderer.
    environment.filters["markdown"] = lambda text: Markup(markdown.render(text))  # noqa: S704
    environment.filters["patch_lines"] = _patch_lines
    return environment


def _patch_lines(patch: str) -> list[tuple[str, str]]:
    """Each line of a diff with what it is."""
    return [(_LINE_KINDS.get(line[:1], "same"), line) for line in patch.split("\n")[:_PATCH_LINES_SHOWN]]


ENVIRONMENT = _environment()


def _home(hub: Hub, request: Request) -> tuple[str, Context]:
    return "home.html", {"title": "Localhub", "repositories": list(hub.state.repositories)}


def _repository(hub: Hub, request: Request) -> tuple[str, Context]:
    """The files of a branch (default: the default branch) and its README."""
    where = _where(hub, request)
    git_dir, ref = hub.state.git_dir(where), request.path_params.get("ref", where.default_branch)
    sha = _known(bare.resolve(git_dir, ref))
    files = bare.all_files(git_dir, sha)
    readme = next((blob for blob in files if blob.path.lower() == "readme.md"), None)
    text = bare.content(git_dir, readme.sha).decode(errors="replace") if readme else None
    branches = sorted(name.removeprefix("refs/heads/") for name in where.refs if name.startswith("refs/heads/"))
    shown = {"ref": ref, "sha": sha, "files": files[:_FILES_SHOWN], "count": len(files), "readme": text, "branches": branches}
    return "repository.html", {**_counts(hub, where, "code"), **shown, "title": where.full_name}


def _blob(hub: Hub, request: Request) -> tuple[str, Context]:
    where, path = _where(hub, request), request.path_params["path"]
    git_dir, sha = hub.state.git_dir(where), _known(bare.resolve(hub.state.git_dir(where), request.path_params["sha"]))
    found = bare.entries(git_dir, sha, path)
    if not found or found[0].type != "blob":
        raise not_found()
    raw = bare.content(git_dir, found[0].sha)
    lines = None if b"\0" in raw else raw.decode(errors="replace").splitlines()
    return "blob.html", {**_counts(hub, where, "code"), "title": path, "path": path, "lines": lines, "size": len(raw)}


def _issues(hub: Hub, request: Request) -> tuple[str, Context]:
    return _listing(hub, request, pulls=False)


def _pulls(hub: Hub, request: Request) -> tuple[str, Context]:
    return _listing(hub, request, pulls=True)


def _listing(hub: Hub, request: Request, *, pulls: bool) -> tuple[str, Context]:
    where = _where(hub, request)
    wanted = "closed" if request.query_params.get("state") == "closed" else "open"
    mine = [row for row in hub.state.issues if row.repository_id == where.id and (row.pull_id is not None) is pulls]
    rows = [_row(hub, row) for row in reversed(mine) if row.state == wanted]
    totals = {state: sum(1 for row in mine if row.state == state) for state in ("open", "closed")}
    tab = "pulls" if pulls else "issues"
    title = "Pull requests" if pulls else "Issues"
    return "issues.html", {**_counts(hub, where, tab), "title": title, "rows": rows, "wanted": wanted, "totals": totals}


def _issue(hub: Hub, request: Request) -> tuple[str, Context]:
    where = _where(hub, request)
    row = issues.find_issue(hub.state, where, int(request.path_params["number"]))
    if row.pull_id is not None:
        return _pull(hub, request)
    blockers = [hub.state.issues[row_id] for row_id in row.blocked_by]
    return "issue.html", {**_counts(hub, where, "issues"), **_talk(hub, row), "title": row.title, "blockers": blockers}


def _pull(hub: Hub, request: Request) -> tuple[str, Context]:
    """Description, checks, reviews, comments, commits and the diff."""
    where = _where(hub, request)
    issue = issues.find_issue(hub.state, where, int(request.path_params["number"]))
    pull = hub.state.pulls[_known(issue.pull_id)]
    git_dir = hub.state.git_dir(where)
    fork = render_pulls.fork_point(hub.state, pull)
    checks = hub.state.check_runs.where(lambda run: run.repository_id == where.id and run.head_sha == pull.head_sha)
    shown = {
        "title": issue.title,
        "pull": pull,
        "mergeable": render_pulls.pull(hub.state, pull, judged=True)["mergeable_state"],
        "checks": render_checks.latest(checks),
        "reviews": [(_login(hub, row.user_id), row) for row in hub.state.reviews if row.pull_id == pull.id],
        "commits": bare.log(git_dir, pull.head_sha, f"^{fork}")[::-1],
        "files": bare.diff(git_dir, fork, pull.head_sha),
    }
    return "pull.html", {**_counts(hub, where, "pulls"), **_talk(hub, issue), **shown}


def _commit(hub: Hub, request: Request) -> tuple[str, Context]:
    where = _where(hub, request)
    git_dir = hub.state.git_dir(where)
    sha = _known(bare.resolve(git_dir, request.path_params["sha"]))
    commit = bare.log(git_dir, sha, limit=1)[0]
    files = bare.diff(git_dir, commit.parents[0], sha) if commit.parents else ()
    checks = hub.state.check_runs.where(lambda run: run.repository_id == where.id and run.head_sha == sha)
    title = commit.message.partition("\n")[0]
    shown = {"title": title, "commit": commit, "files": files, "checks": render_checks.latest(checks)}
    return "commit.html", {**_counts(hub, where, "code"), **shown}


def _run(hub: Hub, request: Request) -> tuple[str, Context]:
    where = _where(hub, request)
    run: CheckRun = _known(hub.state.check_runs.get(int(request.path_params["run_id"])))
    pulls: list[Pull] = hub.state.pulls.where(lambda row: row.repository_id == where.id and row.head_sha == run.head_sha)
    shown = {
        "title": f"{run.name}: {run.title or run.status}",
        "run": run,
        "app": hub.state.apps[run.app_id].name,
        "run_pulls": pulls,
    }
    return "run.html", {**_counts(hub, where, "pulls"), **shown}


_PAGES: tuple[tuple[str, Callable[[Hub, Request], tuple[str, Context]]], ...] = (
    ("/", _home),
    ("/{owner}/{name}", _repository),
    ("/{owner}/{name}/tree/{ref:path}", _repository),
    ("/{owner}/{name}/blob/{sha}/{path:path}", _blob),
    ("/{owner}/{name}/issues", _issues),
    ("/{owner}/{name}/issues/{number:int}", _issue),
    ("/{owner}/{name}/pulls", _pulls),
    ("/{owner}/{name}/pull/{number:int}", _pull),
    ("/{owner}/{name}/commit/{sha}", _commit),
    ("/{owner}/{name}/runs/{run_id:int}", _run),
)


def routes(hub: Hub) -> list[BaseRoute]:
    """Everything that a browser may ask for."""
    static = Mount("/_localhub/static", StaticFiles(directory=_HERE / "static"))
    return [static, *(Route(path, _endpoint(hub, page), methods=["GET"]) for path, page in _PAGES)]


def _endpoint(hub: Hub, page: Callable[[Hub, Request], tuple[str, Context]]) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        def work() -> str:
            with hub.state.lock:
                template, context = page(hub, request)
                return ENVIRONMENT.get_template(template).render(context)

        try:
            text = await run_in_threadpool(work)
        except Refused as refused:
            return PlainTextResponse(f"{refused}\n", refused.status)
        return HTMLResponse(text, headers={"Content-Security-Policy": _POLICY})

    return answer


def _where(hub: Hub, request: Request) -> Repository:
    return hub.state.repository(request.path_params["owner"], request.path_params["name"])


def _known(value: Any) -> Any:
    """What was looked up, or 404."""
    if value is None:
        raise not_found()
    return value


def _login(hub: Hub, account_id: int) -> str:
    return hub.state.accounts[account_id].login


def _counts(hub: Hub, where: Repository, tab: str) -> Context:
    """What the head of every page of a repository needs."""
    open_rows = hub.state.issues.where(lambda row: row.repository_id == where.id and row.state == "open")
    pulls = sum(1 for row in open_rows if row.pull_id is not None)
    return {"repository": where, "tab": tab, "open_issues": len(open_rows) - pulls, "open_pulls": pulls}


def _row(hub: Hub, row: Issue) -> Context:
    pull = hub.state.pulls[row.pull_id] if row.pull_id is not None else None
    labels = [hub.state.labels[label_id].name for label_id in row.label_ids]
    return {"issue": row, "author": _login(hub, row.user_id), "labels": labels, "word": _word(row, pull)}


def _word(row: Issue, pull: Pull | None) -> str:
    """An issue's or pull request's state in one word."""
    if pull is not None and pull.merged_at is not None:
        return "merged"
    return "draft" if pull is not None and pull.draft and row.state == "open" else row.state


def _talk(hub: Hub, row: Issue) -> Context:
    """The issue itself, its comments and its history."""
    comments = [(_login(hub, comment.user_id), comment) for comment in hub.state.comments if comment.issue_id == row.id]
    history = [(_login(hub, event.actor_id), event) for event in hub.state.issue_events if event.issue_id == row.id]
    return {**_row(hub, row), "comments": comments, "history": history}
