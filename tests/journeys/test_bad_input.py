"""What strangers and mistakes send in: refused or named, and nothing else suffers."""

import json
import re

import pytest

from shared.github import WEBHOOK_BODY_LIMIT
from shared.models import VerdictName
from tests.support import journeys
from tests.support.journeys import PROJECT, Harbour
from tests.support.localhub import Json

_UNKNOWN = 999


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


def test_a_webhook_of_an_unknown_installation(harbour: Harbour) -> None:
    """It is signed, so GitHub gets its 202; the app asks once for that installation, logs what GitHub says, and that is all."""
    _swept(harbour)
    before = journeys.tasks(harbour.world)
    answer = harbour.post("issues", _labelled({"id": 777, "full_name": "nobody/knows", "private": True}, 1))
    assert (answer.status_code, answer.json()) == (202, {"status": "accepted"})
    said = rf"effect.failed .*reason='GitHub knows no installation {_UNKNOWN} of this App: .*repository=777"
    _logged(harbour, said)
    journeys.wait_for(lambda: journeys.is_idle(harbour.world))
    asked = [row["path"] for row in harbour.hub.requests() if f"/{_UNKNOWN}/" in row["path"] or "nobody/knows" in row["path"]]
    assert asked == [f"/api/v3/app/installations/{_UNKNOWN}/access_tokens"]
    assert journeys.tasks(harbour.world) == before
    assert journeys.inbox_statuses(harbour.world) == {"done"}


def test_an_unknown_installation_of_a_known_repository_is_forgotten_with_the_next_webhook(harbour: Harbour) -> None:
    """Nothing is believed of the issue meanwhile: a refused token does not mean that the issue is gone."""
    _swept(harbour)
    issue = harbour.issue("an anchor chain")
    repository = harbour.world.github("GET", "")
    harbour.post("issues", _labelled({name: repository[name] for name in ("id", "full_name", "private")}, issue))
    said = rf"effect.failed .*reason='GitHub knows no installation {_UNKNOWN} of this App: .*repository={repository['id']}"
    _logged(harbour, said)
    assert issue not in journeys.tasks(harbour.world)
    harbour.label(issue)
    journeys.wait_for(lambda: journeys.pulls_of(harbour.world, issue))
    journeys.settle(harbour.world, issue)
    assert journeys.tasks(harbour.world)[issue].verdict is VerdictName.SUCCEEDED
    assert journeys.doubled(harbour.world, issue) == []


def _swept(harbour: Harbour) -> None:
    """Waits for the app's first sweep: between webhook and effect it would find out first where the App is not installed."""
    journeys.wait_for(lambda: harbour.hub.requests("GET", f"/repos/{harbour.repository}/issues"))


def _labelled(repository: Json, number: int) -> bytes:
    """GitHub's words for our label on an issue there, by an installation that it never made."""
    label = {"name": "shoal"}
    issue = {"number": number, "title": "A buoy", "body": None, "user": {"login": "ada"}, "labels": [label]}
    about = {"repository": repository, "installation": {"id": _UNKNOWN}, "sender": {"login": "ada"}}
    return json.dumps({"action": "labeled", "label": label, "issue": issue, **about}).encode()


def _logged(harbour: Harbour, said: str) -> None:
    """Waits for a line of the app's log."""
    assert harbour.world.app is not None
    log = harbour.world.app.log
    journeys.wait_for(lambda: re.search(said, log.read_text()))


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
