"""What the GitHub App asks for when it is registered: the least that the app's and the runner's calls need."""

# `statuses` and the events of checks tell how the repository's own CI ends.
# `actions` starts and cancels the jobs; `administration` reads which runners are online, before a job waits for none, and
# ORGANISATION those that the organisation shares; installed on a person's account an App never gets it.
ORGANISATION = "organization_self_hosted_runners"
PERMISSIONS = {
    "actions": "write",
    "administration": "read",
    "checks": "write",
    "contents": "write",
    "issues": "write",
    "metadata": "read",
    ORGANISATION: "read",
    "pull_requests": "write",
    "statuses": "read",
}
# Besides these, GitHub tells every App when it is installed, suspended or removed.
EVENTS = (
    "issues",
    "issue_comment",
    "issue_dependencies",
    "sub_issues",
    "pull_request",
    "push",
    "check_run",
    "check_suite",
    "status",
    "workflow_run",
    "workflow_job",
    # Renamed, archived, made public.
    "repository",
)
