"""What strangers and mistakes send in: refused or named, and nothing else suffers."""

import pytest

from shared.github import WEBHOOK_BODY_LIMIT
from shared.models import VerdictName
from tests.support import journeys
from tests.support.journeys import PROJECT, Harbour


@pytest.mark.parametrize(
    ("event", "body", "secret", "status", "says"),
    [
        pytest.param("issues", b"{}", "not-the-secret", 401, "X-Hub-Signature-256", id="bad signature"),
        pytest.param("issues", b" " * (WEBHOOK_BODY_LIMIT + 1), None, 413, "larger than", id="oversized body"),
        pytest.param("star", b'{"action": "created"}', None, 202, "ignored", id="unknown event"),
    ],
)
def test_a_webhook_that_is_none_of_ours(
    harbour: Harbour, event: str, body: bytes, secret: str | None, status: int, says: str
) -> None:
    """Answered as it deserves; no row is written."""
    before = journeys.inbox_size(harbour.world)
    answer = harbour.post(event, body, secret=secret)
    assert answer.status_code == status
    assert says in answer.text
    assert journeys.inbox_size(harbour.world) == before


def test_a_label_by_somebody_without_write_access(harbour: Harbour) -> None:
    """Triage may label, but not start work: the comment says why, once, and nothing runs."""
    visitor = harbour.hub.person("visitor", {harbour.repository: "triage"})
    issue = harbour.issue("a ship's bell")
    visitor.label(harbour.repository, issue, "shoal")
    (comment,) = journeys.wait_for(lambda: journeys.bot_comments(harbour.world, issue))
    assert "**Nothing was started.** `visitor` put the label on, but only people with write access can start work." in comment
    visitor.unlabel(harbour.repository, issue, "shoal")
    visitor.label(harbour.repository, issue, "shoal")
    journeys.wait_for(lambda: journeys.is_idle(harbour.world))
    assert journeys.bot_comments(harbour.world, issue) == [comment]
    assert journeys.attempts(harbour.world, issue) == []
    assert issue not in journeys.tasks(harbour.world)


def test_a_cycle_and_an_empty_issue_are_named_while_the_others_run(harbour: Harbour) -> None:
    """In the check, in the plan and below each of the issues; the fourth one succeeds."""
    good, left, right, empty = (harbour.issue(title) for title in ("a log book", "the left lock", "the right lock", "\u200b"))
    for number, body in ((left, f"Depends on #{right}"), (right, f"Depends on #{left}"), (empty, "<!-- what is wrong? -->")):
        harbour.maintainer.edit_issue(harbour.repository, number, body=body)
    harbour.hold()
    harbour.label(good, left, right, empty)
    harbour.release_all()
    journeys.settle(harbour.world, good, left, right, empty)
    tasks = journeys.tasks(harbour.world)
    assert [tasks[n].verdict for n in (good, left, right, empty)] == [VerdictName.SUCCEEDED, *[VerdictName.NOT_PLANNED] * 3]
    (orchestration,) = {attempt.orchestration for attempt in journeys.attempts(harbour.world, good)}
    (whole,) = (
        run for run in journeys.whole_checks(harbour.world, journeys.main_sha(harbour.world)) if orchestration in run["name"]
    )
    for number in (left, right, empty):
        (comment,) = journeys.bot_comments(harbour.world, number)
        assert "**Not planned**" in comment
        assert f"#{number}: " in whole["output"]["text"]
    assert f"#{left}" in journeys.bot_comments(harbour.world, right)[0]
    assert whole["conclusion"] == "neutral"


def test_a_mistake_in_the_settings_file(harbour: Harbour) -> None:
    """A red check on the commit that holds it, with line and fix; once it is mended the label starts work."""
    issue = harbour.issue("a foghorn")
    file, right = ".github/shoal.yml", PROJECT[".github/shoal.yml"]
    sha = harbour.hub.commit(harbour.repository, "main", {file: f"{right}test_comand: sh check.sh\n"}, login="harbourmaster")
    harbour.label(issue)
    journeys.settle(harbour.world, issue)
    (check,) = journeys.whole_checks(harbour.world, sha)
    assert check["conclusion"] == "failure"
    assert f"`{file}`, line 2: " in check["output"]["summary"]
    (remark,) = harbour.world.github("GET", f"/check-runs/{check['id']}/annotations")
    assert (remark["path"], remark["start_line"]) == (file, 2)
    assert remark["message"] == "`test_comand` is not a setting; did you mean `test_command`?"
    assert "line 2" in journeys.bot_comments(harbour.world, issue)[0]
    assert journeys.attempts(harbour.world, issue) == []
    harbour.hub.commit(harbour.repository, "main", {file: right}, login="harbourmaster")
    harbour.relabel(issue)
    journeys.wait_for(lambda: journeys.pulls_of(harbour.world, issue))
    journeys.settle(harbour.world, issue)
    assert journeys.tasks(harbour.world)[issue].verdict is VerdictName.SUCCEEDED
