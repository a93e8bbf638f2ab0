"""Stories about webhook bodies: what becomes an event, and what rightly does not."""

import json
from typing import Any

import pytest

from app.events import BaseMoved, ButtonPressed, IssueLabelled, IssueTouched, PullRequestChanged, RepositoryBack, RepositoryGone
from app.github.payloads import Unreadable, split, to_event
from shared.github import issue_hash

COMMON: dict[str, Any] = {
    "repository": {"id": 9, "full_name": "o/r", "private": False},
    "installation": {"id": 5},
    "sender": {"login": "ada"},
}
ISSUE = {"number": 3, "title": "Mend it", "body": "please", "user": {"login": "bob"}, "labels": [{"name": "bug"}]}
PULL = {"number": 8, "state": "closed", "merged": True, "head": {"ref": "shoal/3-x", "sha": "a" * 40, "repo": {"id": 9}}}
CHECK = {"head_sha": "b" * 40, "external_id": "o1:3"}


def event(kind: str, **payload: Any) -> Any:
    return to_event(kind, json.dumps({**COMMON, **payload}).encode())


def test_a_label_carries_who_where_and_the_text_that_was_seen() -> None:
    """The label is the payload's own, not the issue's list: labels at creation fire one event each."""
    found = event("issues", action="labeled", label={"name": "shoal"}, issue=ISSUE)
    assert isinstance(found, IssueLabelled)
    assert (found.label, found.sender, found.issue, found.repository_id) == ("shoal", "ada", 3, 9)
    assert (found.repository.installation_id, found.repository.private) == (5, False)
    assert found.snapshot is not None
    assert (found.snapshot.hash, found.snapshot.author) == (issue_hash("Mend it", "please"), "bob")


@pytest.mark.parametrize("action", ["unlabeled", "edited", "closed", "reopened", "deleted", "transferred"])
def test_what_touches_an_issue_is_only_a_hint_to_read_it(action: str) -> None:
    """One event for all six, with the label where there is one."""
    found = event("issues", action=action, issue=ISSUE, label={"name": "shoal"})
    assert isinstance(found, IssueTouched)
    assert (found.action, found.issue, found.label) == (action, 3, "shoal")


def test_a_merged_pull_request() -> None:
    """Number, head and state; lists and old servers say merged by its time only."""
    found = event("pull_request", action="closed", pull_request=PULL)
    assert isinstance(found, PullRequestChanged)
    assert (found.number, found.head_ref, found.merged, found.state) == (8, "shoal/3-x", True, "closed")
    by_time = event("pull_request", action="closed", pull_request={**PULL, "merged": None, "merged_at": "2026-01-01T00:00:00Z"})
    assert by_time.merged


@pytest.mark.parametrize("repo", [{"id": 10}, None])
def test_a_forks_pull_request_is_not_ours_whatever_its_branch_is_called(repo: dict[str, int] | None) -> None:
    """Anybody can name a branch `shoal/3-x`; a deleted fork has no repository at all."""
    head = {**PULL["head"], "repo": repo}  # type: ignore[dict-item]
    assert event("pull_request", action="opened", pull_request={**PULL, "head": head}) is None


def test_a_push_moves_a_branch_unless_it_deletes_it_or_is_a_tag() -> None:
    """Only commits on branches."""
    moved = event("push", ref="refs/heads/main", after="c" * 40)
    assert isinstance(moved, BaseMoved)
    assert (moved.ref, moved.sha) == ("refs/heads/main", "c" * 40)
    assert event("push", ref="refs/heads/main", after="0" * 40, deleted=True) is None
    assert event("push", ref="refs/tags/v1", after="c" * 40) is None


def test_buttons_and_rerun() -> None:
    """A button's identifier, `rerun` for GitHub's own; "re-run all" names only the commit."""
    pressed = event("check_run", action="requested_action", check_run=CHECK, requested_action={"identifier": "retry"})
    assert pressed == ButtonPressed(
        repository_id=9, repository=pressed.repository, external_id="o1:3", head_sha="b" * 40, identifier="retry", sender="ada"
    )
    assert event("check_run", action="rerequested", check_run=CHECK).identifier == "rerun"
    suite = event("check_suite", action="rerequested", check_suite={"head_sha": "b" * 40})
    assert (suite.external_id, suite.head_sha, suite.identifier) == ("", "b" * 40, "rerun")
    assert event("check_run", action="completed", check_run=CHECK) is None
    assert event("check_suite", action="requested", check_suite=CHECK) is None


def test_others_checks_and_statuses_are_a_hint_to_read_them() -> None:
    """A suite or run that ended, a status that is no longer pending; our own dispatches end a job and nothing else."""
    suite = {"head_sha": "b" * 40, "app": {"slug": "other-ci"}}
    found = event("check_suite", action="completed", check_suite=suite)
    assert (found.head_sha, found.app_slug) == ("b" * 40, "other-ci")
    assert event("status", sha="c" * 40, state="success").head_sha == "c" * 40
    assert event("status", sha="c" * 40, state="pending") is None
    run = {"id": 1, "event": "pull_request", "head_sha": "d" * 40}
    assert event("workflow_run", action="completed", workflow_run=run).head_sha == "d" * 40
    assert event("workflow_run", action="requested", workflow_run=run) is None


def test_a_new_comment_that_begins_with_the_command_is_one() -> None:
    """An edited one and every other comment mean nothing."""
    said = {"id": 70, "body": "/shoal retry"}
    found = event("issue_comment", action="created", issue=ISSUE, comment=said)
    assert (found.number, found.comment) == (ISSUE["number"], 70)
    assert event("issue_comment", action="edited", issue=ISSUE, comment=said) is None
    assert event("issue_comment", action="created", issue=ISSUE, comment={"id": 70, "body": "use /shoal retry"}) is None


def test_the_end_of_an_installation_is_one_event_per_repository() -> None:
    """Uninstalled, suspended or taken away one by one."""
    gone = [{"id": 1, "full_name": "o/a", "private": True}, {"id": 2, "full_name": "o/b"}]
    bodies = {
        "installation": {"action": "suspend", "installation": {"id": 5}, "repositories": gone},
        "installation_repositories": {"action": "removed", "installation": {"id": 5}, "repositories_removed": gone},
    }
    for kind, body in bodies.items():
        events = [to_event(kind, part) for part in split(kind, json.dumps(body).encode())]
        assert all(isinstance(found, RepositoryGone) for found in events)
        assert [found.repository_id for found in events if found] == [1, 2]
    stray = json.dumps({"action": "new_permissions_accepted", "installation": {"id": 5}, "repositories": gone}).encode()
    assert split("installation", stray) == []
    assert isinstance(event("repository", action="deleted"), RepositoryGone)
    assert event("repository", action="edited") is None
    known = ("archived", "unarchived", "publicized", "privatized", "renamed")
    assert [event("repository", action=what).what for what in (*known, "transferred")] == [*known, "renamed"]


@pytest.mark.parametrize(
    ("kind", "action", "field"),
    [
        ("installation", "created", "repositories"),
        ("installation", "unsuspend", "repositories"),
        ("installation_repositories", "added", "repositories_added"),
    ],
)
def test_being_let_in_is_one_event_per_repository(kind: str, action: str, field: str) -> None:
    """Installed, unsuspended, or given one by one; where GitHub lists none the sweep finds them."""
    body = {"action": action, "installation": {"id": 5}}
    let_in = [{"id": 1, "full_name": "o/a", "private": True}, {"id": 2, "full_name": "o/b"}]
    events = [to_event(kind, part) for part in split(kind, json.dumps({**body, field: let_in}).encode())]
    assert [(type(found), found.repository_id) for found in events if found] == [(RepositoryBack, 1), (RepositoryBack, 2)]
    assert split(kind, json.dumps(body).encode()) == []


def test_a_job_says_who_took_it_and_how_it_ended() -> None:
    """Its wait in the queue is no news, nor is its success: the runner itself has told that, or the run's own end does."""
    taken = event("workflow_job", action="in_progress", workflow_job={"run_id": 70, "runner_name": "quay-1"})
    assert (taken.kind, taken.run_id, taken.runner) == ("job_taken", 70, "quay-1")
    ended = event("workflow_job", action="completed", workflow_job={"run_id": 70, "conclusion": "cancelled"})
    assert (ended.kind, ended.run_id, ended.conclusion) == ("job_ended", 70, "cancelled")
    for action, conclusion in (("queued", None), ("waiting", None), ("completed", "success"), ("completed", "skipped")):
        assert event("workflow_job", action=action, workflow_job={"run_id": 70, "conclusion": conclusion}) is None


def test_fields_may_come_and_go() -> None:
    """Everything GitHub might leave out or add, without a crash and without an event made of guesses."""
    bare = {"number": 3}
    found = event("issues", action="labeled", label={"name": "shoal", "archived_at": None}, issue=bare, new_field=[1])
    assert (found.snapshot.title, found.snapshot.body, found.snapshot.author) == ("", "", "")
    for missing in ("repository", "installation"):
        assert event("issues", action="labeled", label={"name": "x"}, issue=ISSUE, **{missing: None}) is None
    assert event("issues", action="labeled", issue=ISSUE) is None
    assert event("issues", action="closed", issue="not an object") is None
    with pytest.raises(Unreadable):
        event("issues", action="labeled", label={"name": "x"}, issue={**ISSUE, "title": "\ud800"})
