"""Workflows, runs, jobs and runners as GitHub's API shows them."""

from typing import Any

from app.localhub import bare, render
from app.localhub.records import Account, Repository, RunnerGroup, SelfHostedRunner, Workflow, WorkflowRun
from app.localhub.state import State

Json = dict[str, Any]


def workflow(state: State, where: Repository, row: Workflow, name: str) -> Json:
    api, web = render.repository_url(state, where), render.web_url(state, where)
    return {
        "id": row.id,
        "node_id": render.node_id("W", row.id),
        "name": name,
        "path": row.path,
        "state": row.state,
        "created_at": row.created_at,
        "updated_at": row.created_at,
        "url": f"{api}/actions/workflows/{row.id}",
        "html_url": f"{web}/blob/{where.default_branch}/{row.path}",
        "badge_url": f"{web}/workflows/{row.id}/badge.svg",
    }


def run(state: State, where: Repository, row: WorkflowRun) -> Json:
    url = f"{render.repository_url(state, where)}/actions/runs/{row.id}"
    actor, repository = render.user(state, row.actor_id), render.repository(state, where)
    return {
        "id": row.id,
        "name": row.workflow_name,
        "node_id": render.node_id("WFR", row.id),
        "head_branch": row.head_branch,
        "head_sha": row.head_sha,
        "path": row.path,
        "display_title": row.title,
        "run_number": row.number,
        "run_attempt": row.attempt,
        "event": row.event,
        "status": row.status,
        "conclusion": row.conclusion,
        "workflow_id": row.workflow_id,
        "check_suite_id": row.id,
        "check_suite_node_id": render.node_id("CS", row.id),
        "url": url,
        "html_url": html_url(state, where, row),
        "pull_requests": [],
        "created_at": row.created_at,
        "updated_at": row.completed_at or row.started_at or row.created_at,
        "run_started_at": row.created_at,
        "actor": actor,
        "triggering_actor": actor,
        "jobs_url": f"{url}/jobs",
        "logs_url": f"{url}/logs",
        "check_suite_url": f"{render.repository_url(state, where)}/check-suites/{row.id}",
        "artifacts_url": f"{url}/artifacts",
        "cancel_url": f"{url}/cancel",
        "rerun_url": f"{url}/rerun",
        "previous_attempt_url": None,
        "workflow_url": f"{render.repository_url(state, where)}/actions/workflows/{row.workflow_id}",
        "head_commit": _head(state, where, row),
        "repository": repository,
        "head_repository": repository,
    }


def html_url(state: State, where: Repository, row: WorkflowRun) -> str:
    return f"{render.web_url(state, where)}/actions/runs/{row.id}"


def job(state: State, where: Repository, row: WorkflowRun) -> Json:
    api = f"{render.repository_url(state, where)}/actions"
    runner = state.runners.get(row.runner_id) if row.runner_id is not None else None
    return {
        "id": row.job_id,
        "run_id": row.id,
        "run_url": f"{api}/runs/{row.id}",
        "run_attempt": row.attempt,
        "node_id": render.node_id("CR", row.job_id),
        "head_sha": row.head_sha,
        "head_branch": row.head_branch,
        "workflow_name": row.workflow_name,
        "name": row.job_name,
        "url": f"{api}/jobs/{row.job_id}",
        "html_url": f"{html_url(state, where, row)}/job/{row.job_id}",
        "status": row.status,
        "conclusion": row.conclusion,
        "created_at": row.created_at,
        "started_at": row.started_at or row.created_at,
        "completed_at": row.completed_at,
        "steps": [],
        "check_run_url": f"{render.repository_url(state, where)}/check-runs/{row.job_id}",
        "labels": row.labels,
        "runner_id": runner.id if runner else None,
        "runner_name": runner.name if runner else None,
        "runner_group_id": 1 if runner else None,
        "runner_group_name": "Default" if runner else None,
    }


def runner(row: SelfHostedRunner) -> Json:
    return {
        "id": row.id,
        "name": row.name,
        "os": "linux",
        "status": "online" if row.online else "offline",
        "busy": row.run_id is not None,
        "labels": [{"id": index, "name": name, "type": "custom"} for index, name in enumerate(row.labels, start=1)],
        "runner_group_id": row.group_id,
    }


def runner_group(state: State, owner: Account, row: RunnerGroup) -> Json:
    url = f"{state.api_url}/orgs/{owner.login}/actions/runner-groups/{row.id}"
    return {
        "id": row.id,
        "name": row.name,
        "visibility": "all" if row.repository_ids is None else "selected",
        "default": row.id == 1,
        "runners_url": f"{url}/runners",
        **({} if row.repository_ids is None else {"selected_repositories_url": f"{url}/repositories"}),
        "inherited": row.inherited,
        "allows_public_repositories": True,
        "restricted_to_workflows": False,
        "selected_workflows": [],
    }


def _head(state: State, where: Repository, row: WorkflowRun) -> Json | None:
    found = bare.log(state.git_dir(where), row.head_sha, limit=1)
    if not found:
        return None
    [commit] = found
    return {
        "id": commit.sha,
        "tree_id": commit.tree,
        "message": commit.message,
        "timestamp": commit.committed_at,
        "author": {"name": commit.author.name, "email": commit.author.email},
        "committer": {"name": commit.committer.name, "email": commit.committer.email},
    }
