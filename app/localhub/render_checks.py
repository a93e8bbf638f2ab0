"""Check runs and suites as GitHub's API shows them."""

from typing import Any

from app.localhub import bare, render, render_pulls
from app.localhub.records import CheckRun, CheckSuite, Repository
from app.localhub.state import State

Json = dict[str, Any]

# The first that any run has is the suite's.
_WORST = ("failure", "timed_out", "cancelled", "action_required", "stale", "neutral", "skipped", "success")


def check_run(state: State, row: CheckRun) -> Json:
    """GitHub's `check-run`."""
    where = state.repositories[row.repository_id]
    url = f"{render.repository_url(state, where)}/check-runs/{row.id}"
    return {
        "id": row.id,
        "node_id": render.node_id("CR", row.id),
        "name": row.name,
        "head_sha": row.head_sha,
        "external_id": row.external_id,
        "url": url,
        "html_url": f"{render.web_url(state, where)}/runs/{row.id}",
        "details_url": row.details_url or f"{state.url}/apps/{state.apps[row.app_id].slug}",
        "status": row.status,
        "conclusion": row.conclusion,
        "started_at": row.started_at,
        "completed_at": row.completed_at,
        "output": {
            "title": row.title,
            "summary": row.summary,
            "text": row.text,
            "annotations_count": len(row.annotations),
            "annotations_url": f"{url}/annotations",
        },
        "check_suite": {"id": row.suite_id},
        "app": render.app(state, state.apps[row.app_id]),
        "pull_requests": _pulls(state, where, row.head_sha),
    }


def check_suite(state: State, row: CheckSuite) -> Json:
    """GitHub's `check-suite`; its conclusion is the worst of its runs."""
    where = state.repositories[row.repository_id]
    api = render.repository_url(state, where)
    runs = latest(state.check_runs.where(lambda run: run.suite_id == row.id))
    done = all(run.status == "completed" for run in runs)
    conclusions = {run.conclusion for run in runs}
    head = bare.log(state.git_dir(where), row.head_sha, limit=1)[0]
    branch = next((ref for ref, sha in where.refs.items() if sha == row.head_sha and ref.startswith("refs/heads/")), None)
    return {
        "id": row.id,
        "node_id": render.node_id("CS", row.id),
        "head_branch": branch.removeprefix("refs/heads/") if branch else None,
        "head_sha": row.head_sha,
        "status": "completed" if runs and done else "queued",
        "conclusion": next((worst for worst in _WORST if worst in conclusions), None) if runs and done else None,
        "url": f"{api}/check-suites/{row.id}",
        "check_runs_url": f"{api}/check-suites/{row.id}/check-runs",
        "before": head.parents[0] if head.parents else None,
        "after": row.head_sha,
        "pull_requests": _pulls(state, where, row.head_sha),
        "app": render.app(state, state.apps[row.app_id]),
        "created_at": row.created_at,
        "updated_at": row.created_at,
        "latest_check_runs_count": len(runs),
        "repository": render.repository(state, where),
        "head_commit": {
            "id": head.sha,
            "tree_id": head.tree,
            "message": head.message,
            "timestamp": head.committed_at,
            "author": head.author._asdict(),
            "committer": head.committer._asdict(),
        },
    }


def latest(runs: list[CheckRun]) -> list[CheckRun]:
    """The newest run of each name in each suite."""
    return list({(run.suite_id, run.name): run for run in runs}.values())


def _pulls(state: State, where: Repository, sha: str) -> list[Json]:
    mine = state.pulls.where(
        lambda row: row.repository_id == where.id and row.head_sha == sha and state.issues[row.issue_id].state == "open"
    )
    return [render_pulls.minimal(state, row) for row in mine]
