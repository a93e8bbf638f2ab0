"""`/shoal …` in a comment: who wrote it is checked, every command is answered, and no other comment means anything."""

from typing import NamedTuple

from app.actions import AnswerCommand, ReadCommand, SyncReport
from app.decide.approval import WRITERS
from app.decide.buttons import cancel, retry, start_plan
from app.decide.draft import Draft
from app.decide.follow_up import can_follow_up, follow_up
from app.decide.hold import publish
from app.decide.refusals import may_answer
from app.decide.state import Task
from app.events import CommandGiven, CommandRead
from shared.messages import FollowUp

HELP = """What `/shoal` understands, from people with write access, at the beginning of a comment on an issue or its pull request:

- `/shoal retry`: try this issue again that ended without success
- `/shoal cancel`: stop the work on this issue
- `/shoal start`: start the plan that waits for it (`approval: plan`)
- `/shoal publish`: put finished work on GitHub that waits for that (`publish: hold`)
- `/shoal plan`: show where everything stands, written anew
- `/shoal fix <what is wanted>`: add to the open pull request; a person's commits on its branch are kept
- `/shoal help`: this text"""


class _Answer(NamedTuple):
    """What is said to a command: nothing beside a thumb up when it was done."""

    done: bool
    text: str = ""


def command_given(draft: Draft, event: CommandGiven) -> None:
    """A payload does not say what its sender may do: GitHub is asked, also for the words as they are now."""
    if _task_of(draft, event.number) is not None:
        draft.act(ReadCommand(repository_id=event.repository_id, number=event.number, comment=event.comment))


def command_read(draft: Draft, event: CommandRead) -> None:
    """Does what a person who may asks for; a stranger gets a reaction, once per issue, and nothing else."""
    task = _task_of(draft, event.number)
    if task is None:
        return
    if event.permission not in WRITERS:
        if may_answer(draft, task, "command"):
            _answer(draft, event, _Answer(done=False))
        return
    _answer(draft, event, _obey(draft, task, event))


def _obey(draft: Draft, task: Task, event: CommandRead) -> _Answer:
    match event.command:
        case "retry":
            return _Answer(retry(draft, task, event.author), f"#{task.issue} has not ended in a way that another try could change.")
        case "cancel":
            return _Answer(cancel(draft, task, event.author), f"There is no work on #{task.issue} that could be stopped.")
        case "start":
            started = task.orchestration in draft.orchestrations and start_plan(draft, task.orchestration)
            return _Answer(started, "No plan waits to be started here.")
        case "publish":
            return _Answer(publish(draft, task, event.author), f"Nothing of #{task.issue} waits to be published.")
        case "plan":
            draft.act(SyncReport(repository_id=event.repository_id, orchestration=task.orchestration, again=True))
            return _Answer(task.orchestration != "", "There is no plan yet.")
        case "fix":
            return _fix(draft, task, event)
        case "help":
            return _Answer(done=False, text=HELP)
    return _Answer(done=False, text=f"I do not know this command.\n\n{HELP}")


def _fix(draft: Draft, task: Task, event: CommandRead) -> _Answer:
    if not event.words.strip():
        return _Answer(done=False, text="Say what is wanted: `/shoal fix <what is wanted>`.")
    if not can_follow_up(task):
        waits = "work on it waits: say `/shoal publish` or `/shoal cancel` first" if task.waits_to_be_published else ""
        why = waits or ("it is being worked on" if task.live else "it has no open pull request")
        return _Answer(done=False, text=f"Nothing was started on #{task.issue}: {why}.")
    follow_up(draft, task.issue, FollowUp(source="person", head_sha=task.head_sha, asked_by=event.author, text=event.words))
    return _Answer(done=True)


def _answer(draft: Draft, event: CommandRead, answer: _Answer) -> None:
    asked_for_help = event.command == "help" and bool(answer.text)
    reaction = "+1" if answer.done or asked_for_help else "confused" if answer.text else "-1"
    draft.act(
        AnswerCommand(
            repository_id=event.repository_id,
            number=event.number,
            comment=event.comment,
            reaction=reaction,
            text="" if answer.done else answer.text,
        )
    )


def _task_of(draft: Draft, number: int) -> Task | None:
    """Of the issue, or of the issue whose pull request it is."""
    return draft.tasks.get(number) or next((task for task in draft.tasks.values() if task.pull_request == number), None)
