"""`/shoal …`: heard from people who may write, answered every time, and never writing over a person's commits."""

from typing import Literal

import pytest

from app.actions import AnswerCommand, ReadCommand
from app.events import CommandGiven, CommandRead, RepositoryRef
from app.github.commands import is_command, read_command
from shared.models import VerdictName
from tests.support.decisions import Desk, replace_remote

WIDGETS = RepositoryRef(id=1, full_name="acme/widgets", installation_id=9)


def ended(verdict: VerdictName = VerdictName.SUCCEEDED) -> Desk:
    """One issue that ended, with pull request #11."""
    desk = Desk()
    desk.plan(desk.issue(5))
    desk.finish(5, verdict, pull=11)
    return desk


def say(
    desk: Desk, command: str, words: str = "", *, role: Literal["write", "read", "none"] = "write", number: int = 5
) -> AnswerCommand:
    """A comment by ann; the answer to it."""
    desk.tell(CommandRead(repository_id=1, number=number, comment=70, author="ann", permission=role, command=command, words=words))
    return [action for action in desk.actions if isinstance(action, AnswerCommand)][-1]


def test_a_comment_is_read_from_github_before_anything_follows() -> None:
    """Only on issues and pull requests of ours."""
    desk = ended()
    for number in (5, 11, 99):
        desk.tell(CommandGiven(repository_id=1, repository=WIDGETS, number=number, comment=70))
    assert [action.number for action in desk.actions if isinstance(action, ReadCommand)] == [5, 11]


def test_somebody_without_write_access_gets_a_reaction_and_nothing_else() -> None:
    """No words, so that a stranger cannot make us write."""
    desk = ended(VerdictName.NO_CHANGE)
    answer = say(desk, "retry", role="read")
    assert (answer.reaction, answer.text, desk.task(5).status) == ("-1", "", "done")


def test_retry_and_cancel_do_what_the_buttons_do() -> None:
    """A retry joins the next intake; what cannot be done is said."""
    desk = ended(VerdictName.TESTS_FAILED)
    assert say(desk, "retry").reaction == "+1"
    assert desk.task(5).status == "intake"
    assert say(desk, "cancel").reaction == "+1"
    assert desk.task(5).status == "done"
    again = say(desk, "cancel")
    assert (again.reaction, again.text) == ("confused", "There is no work on #5 that could be stopped.")


def test_fix_adds_to_the_open_pull_request() -> None:
    """On the issue or on the pull request; the words travel as they are, and the new head has the verdict."""
    desk = ended()
    assert say(desk, "fix", "say it in French, too", number=11).reaction == "+1"
    task = desk.task(5)
    assert task.follow_up is not None
    assert (task.follow_up.text, task.follow_up.asked_by, task.base_sha, task.status) == (
        "say it in French, too",
        "ann",
        "head-5",
        "running",
    )
    assert say(desk, "fix", "and more").text == "Nothing was started on #5: it is being worked on."


def test_fix_needs_words_and_an_open_pull_request() -> None:
    """Both are said."""
    desk = ended()
    assert "Say what is wanted" in say(desk, "fix").text
    desk = Desk()
    desk.plan(desk.issue(5))
    desk.finish(5, VerdictName.NO_CHANGE)
    assert say(desk, "fix", "more").text == "Nothing was started on #5: it has no open pull request."


def test_a_follow_up_builds_on_a_persons_commit_and_a_retry_does_not_write_over_it() -> None:
    """The permit expects their commit as long as the work builds on it; a plain retry is no longer offered."""
    desk = ended(VerdictName.TESTS_FAILED)
    desk.state.tasks[5] = desk.task(5).model_copy(update={"head_sha": "theirs"})
    say(desk, "fix", "mend it")
    task = desk.task(5)
    assert (task.base_sha, task.shared_branch) == ("theirs", True)
    desk.publish(5)
    desk.tell(replace_remote(desk.remote(5, task.attempt, 1), branch_sha="theirs"))
    assert (permit := desk.state.attempts[task.attempt].permit) is not None
    assert (permit.status, permit.refusal) == ("granted", None)
    desk.tell(CommandRead(repository_id=1, number=5, comment=71, author="ann", permission="write", command="cancel", words=""))
    assert say(desk, "retry").reaction == "confused"


def test_help_and_unknown_words_list_what_there_is() -> None:
    """In one reply."""
    desk = ended()
    assert say(desk, "help").reaction == "+1"
    assert "/shoal fix" in say(desk, "help").text
    assert say(desk, "dance").text.startswith("I do not know this command.")


@pytest.mark.parametrize(
    ("body", "command", "words"),
    [
        ("/shoal retry", "retry", ""),
        ("  /shoal   FIX  make it\nblue", "fix", "make it\nblue"),
        ("/shoal", "help", ""),
        ("please /shoal retry", "", ""),
        ("/shoaling retry", "", ""),
        ("> /shoal retry", "", ""),
    ],
)
def test_a_command_stands_at_the_beginning(body: str, command: str, words: str) -> None:
    """Not in a quote, not in the middle, not as part of another word."""
    assert read_command(body) == (command, words)
    assert is_command(body) == (command != "")
