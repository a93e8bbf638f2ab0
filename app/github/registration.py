"""What the GitHub App asks for when it is registered: the least that the app's and the runner's calls need."""

PERMISSIONS = {"metadata": "read", "contents": "write", "issues": "write", "pull_requests": "write", "checks": "write"}
# Besides these, GitHub tells every App when it is installed, suspended or removed.
EVENTS = ("issues", "pull_request", "push", "check_run", "check_suite")
