"""The whole API as one table: endpoint, handler, the permission an installation needs, the role a person needs."""

from collections.abc import Callable
from typing import Literal, NamedTuple

from app.localhub import (
    api_apps,
    api_checks,
    api_comments,
    api_deliveries,
    api_dependencies,
    api_git,
    api_hooks,
    api_issues,
    api_pulls,
    api_repositories,
    api_search,
    api_statuses,
)
from app.localhub.actions import api as api_actions
from app.localhub.actions import fleet as api_fleet
from app.localhub.calls import Call, Reply
from app.localhub.records import Role

Who = Literal["app", "token", "any", "code"]


class Endpoint(NamedTuple):
    """`needs` are alternatives, empty outside a repository; `who` is then the kind of credential (`code`: the one in the path)."""

    method: str
    path: str
    handler: Callable[[Call], Reply]
    needs: tuple[str, ...] = ()
    role: Role = "read"
    who: Who = "token"


OF_REPOSITORY = _R = "/repos/{owner}/{repo}"
_METADATA = ("metadata:read",)
_READ_CODE, _WRITE_CODE = ("contents:read",), ("contents:write",)
_READ_ISSUES, _WRITE_ISSUES = ("issues:read",), ("issues:write",)
# A pull request's labels and comments are an issue's, and either permission opens them.
_READ_TALK, _WRITE_TALK = ("issues:read", "pull_requests:read"), ("issues:write", "pull_requests:write")
_READ_PULLS, _WRITE_PULLS = ("pull_requests:read",), ("pull_requests:write",)
_READ_CHECKS, _WRITE_CHECKS = ("checks:read",), ("checks:write",)
_READ_STATUSES, _WRITE_STATUSES = ("statuses:read",), ("statuses:write",)
_READ_ACTIONS, _WRITE_ACTIONS = ("actions:read",), ("actions:write",)

ENDPOINTS = (
    Endpoint("GET", "/app", api_apps.app, who="app"),
    Endpoint("GET", "/app/hook/deliveries", api_deliveries.listing, who="app"),
    Endpoint("POST", "/app/hook/deliveries/{delivery_id}/attempts", api_deliveries.redeliver, who="app"),
    Endpoint("POST", "/app-manifests/{code}/conversions", api_apps.convert_manifest, who="code"),
    Endpoint("GET", "/app/hook/config", api_hooks.config, who="app"),
    Endpoint("PATCH", "/app/hook/config", api_hooks.change_config, who="app"),
    Endpoint("GET", "/app/installations", api_apps.installations, who="app"),
    Endpoint("GET", "/app/installations/{installation_id}", api_apps.installation, who="app"),
    Endpoint("POST", "/app/installations/{installation_id}/access_tokens", api_apps.create_token, who="app"),
    Endpoint("GET", _R + "/installation", api_apps.repository_installation, who="app"),
    Endpoint("DELETE", "/installation/token", api_apps.revoke_token),
    Endpoint("GET", "/installation/repositories", api_apps.installation_repositories),
    Endpoint("GET", "/search/issues", api_search.issues),
    Endpoint("GET", "/rate_limit", api_apps.rate_limit, who="any"),
    Endpoint("GET", "/apps/{app_slug}", api_apps.app_by_slug, who="any"),
    Endpoint("GET", "/user", api_apps.me),
    Endpoint("GET", "/users/{username}", api_apps.user, who="any"),
    Endpoint("GET", _R, api_repositories.repository, _METADATA),
    Endpoint("GET", _R + "/collaborators/{username}/permission", api_repositories.permission, _METADATA),
    Endpoint("GET", _R + "/labels", api_repositories.labels, _READ_TALK),
    Endpoint("POST", _R + "/labels", api_repositories.create_label, _WRITE_TALK, "triage"),
    Endpoint("GET", _R + "/labels/{name:path}", api_repositories.label, _READ_TALK),
    Endpoint("GET", _R + "/branches", api_git.branches, _READ_CODE),
    Endpoint("GET", _R + "/branches/{branch:path}", api_git.branch, _READ_CODE),
    Endpoint("GET", _R + "/rules/branches/{branch:path}", api_git.rules, _METADATA),
    Endpoint("GET", _R + "/commits", api_git.commits, _READ_CODE),
    Endpoint("GET", _R + "/commits/{ref:path}/check-runs", api_checks.for_reference, _READ_CHECKS),
    Endpoint("GET", _R + "/commits/{ref:path}/check-suites", api_checks.suites_for_reference, _READ_CHECKS),
    Endpoint("GET", _R + "/commits/{ref:path}/status", api_statuses.combined, _READ_STATUSES),
    Endpoint("POST", _R + "/statuses/{sha}", api_statuses.create, _WRITE_STATUSES, "write"),
    Endpoint("GET", _R + "/commits/{ref:path}", api_git.commit, _READ_CODE),
    Endpoint("GET", _R + "/compare/{basehead:path}", api_git.compare, _READ_CODE),
    Endpoint("GET", _R + "/contents/{path:path}", api_git.contents, _READ_CODE),
    Endpoint("GET", _R + "/git/ref/{ref:path}", api_git.reference, _READ_CODE),
    Endpoint("GET", _R + "/git/matching-refs/{ref:path}", api_git.matching_references, _READ_CODE),
    Endpoint("POST", _R + "/git/refs", api_git.create_reference, _WRITE_CODE, "write"),
    Endpoint("DELETE", _R + "/git/refs/{ref:path}", api_git.delete_reference, _WRITE_CODE, "write"),
    Endpoint("GET", _R + "/issues", api_issues.listing, _READ_TALK),
    Endpoint("POST", _R + "/issues", api_issues.create, _WRITE_ISSUES),
    Endpoint("GET", _R + "/issues/comments/{comment_id}", api_comments.comment, _READ_TALK),
    Endpoint("PATCH", _R + "/issues/comments/{comment_id}", api_comments.edit, _WRITE_TALK),
    Endpoint("DELETE", _R + "/issues/comments/{comment_id}", api_comments.delete, _WRITE_TALK),
    Endpoint("POST", _R + "/issues/comments/{comment_id}/reactions", api_comments.react_to_comment, _WRITE_TALK),
    Endpoint("GET", _R + "/issues/{issue_number}", api_issues.issue, _READ_TALK),
    Endpoint("PATCH", _R + "/issues/{issue_number}", api_issues.edit, _WRITE_TALK),
    Endpoint("GET", _R + "/issues/{issue_number}/labels", api_issues.labels, _READ_TALK),
    Endpoint("POST", _R + "/issues/{issue_number}/labels", api_issues.add_labels, _WRITE_TALK, "triage"),
    Endpoint("DELETE", _R + "/issues/{issue_number}/labels/{name:path}", api_issues.remove_label, _WRITE_TALK, "triage"),
    Endpoint("GET", _R + "/issues/{issue_number}/comments", api_comments.listing, _READ_TALK),
    Endpoint("POST", _R + "/issues/{issue_number}/comments", api_comments.create, _WRITE_TALK),
    Endpoint("POST", _R + "/issues/{issue_number}/reactions", api_comments.react_to_issue, _WRITE_TALK),
    Endpoint("GET", _R + "/issues/{issue_number}/events", api_issues.events, _READ_TALK),
    Endpoint("GET", _R + "/issues/{issue_number}/dependencies/blocked_by", api_dependencies.blocked_by, _READ_ISSUES),
    Endpoint("POST", _R + "/issues/{issue_number}/dependencies/blocked_by", api_dependencies.add_blocker, _WRITE_ISSUES, "triage"),
    Endpoint(
        "DELETE",
        _R + "/issues/{issue_number}/dependencies/blocked_by/{issue_id}",
        api_dependencies.remove_blocker,
        _WRITE_ISSUES,
        "triage",
    ),
    Endpoint("GET", _R + "/issues/{issue_number}/dependencies/blocking", api_dependencies.blocking, _READ_ISSUES),
    Endpoint("GET", _R + "/issues/{issue_number}/sub_issues", api_dependencies.sub_issues, _READ_ISSUES),
    Endpoint("POST", _R + "/issues/{issue_number}/sub_issues", api_dependencies.add_sub_issue, _WRITE_ISSUES, "triage"),
    Endpoint("GET", _R + "/issues/{issue_number}/parent", api_dependencies.parent, _READ_ISSUES),
    Endpoint("GET", _R + "/pulls", api_pulls.listing, _READ_PULLS),
    Endpoint("POST", _R + "/pulls", api_pulls.create, _WRITE_PULLS),
    Endpoint("GET", _R + "/pulls/{pull_number}", api_pulls.pull, _READ_PULLS),
    Endpoint("PATCH", _R + "/pulls/{pull_number}", api_pulls.edit, _WRITE_PULLS),
    Endpoint("GET", _R + "/pulls/{pull_number}/files", api_pulls.files, _READ_PULLS),
    Endpoint("GET", _R + "/pulls/{pull_number}/commits", api_pulls.commits, _READ_PULLS),
    Endpoint("PUT", _R + "/pulls/{pull_number}/merge", api_pulls.merge, _WRITE_CODE, "write"),
    Endpoint("GET", _R + "/pulls/{pull_number}/reviews", api_pulls.reviews, _READ_PULLS),
    Endpoint("POST", _R + "/pulls/{pull_number}/reviews", api_pulls.create_review, _WRITE_PULLS),
    Endpoint("POST", _R + "/check-runs", api_checks.create, _WRITE_CHECKS, "write"),
    Endpoint("GET", _R + "/check-runs/{check_run_id}", api_checks.check_run, _READ_CHECKS),
    Endpoint("PATCH", _R + "/check-runs/{check_run_id}", api_checks.edit, _WRITE_CHECKS, "write"),
    Endpoint("GET", _R + "/check-runs/{check_run_id}/annotations", api_checks.annotations, _READ_CHECKS),
    Endpoint("POST", _R + "/check-runs/{check_run_id}/rerequest", api_checks.rerequest, _WRITE_CHECKS, "write"),
    Endpoint("GET", _R + "/actions/workflows", api_actions.workflows, _READ_ACTIONS),
    Endpoint("GET", _R + "/actions/workflows/{workflow_id}", api_actions.workflow, _READ_ACTIONS),
    Endpoint("POST", _R + "/actions/workflows/{workflow_id}/dispatches", api_actions.dispatch, _WRITE_ACTIONS, "write"),
    Endpoint("GET", _R + "/actions/workflows/{workflow_id}/runs", api_actions.runs_of_workflow, _READ_ACTIONS),
    Endpoint("GET", _R + "/actions/runs", api_actions.all_runs, _READ_ACTIONS),
    Endpoint("GET", _R + "/actions/runs/{run_id}", api_actions.run, _READ_ACTIONS),
    Endpoint("GET", _R + "/actions/runs/{run_id}/jobs", api_actions.jobs, _READ_ACTIONS),
    Endpoint("POST", _R + "/actions/runs/{run_id}/cancel", api_actions.cancel, _WRITE_ACTIONS, "write"),
    Endpoint("POST", _R + "/actions/runs/{run_id}/force-cancel", api_actions.force_cancel, _WRITE_ACTIONS, "write"),
    Endpoint("POST", _R + "/actions/runs/{run_id}/rerun", api_actions.rerun, _WRITE_ACTIONS, "write"),
    Endpoint("GET", _R + "/actions/runners", api_actions.runners, ("administration:read",), "admin"),
    Endpoint("GET", "/orgs/{org}/actions/runners", api_fleet.runners),
    Endpoint("GET", "/orgs/{org}/actions/runner-groups", api_fleet.groups),
    Endpoint("GET", "/orgs/{org}/actions/runner-groups/{runner_group_id}/runners", api_fleet.runners_of_group),
)
