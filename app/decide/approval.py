"""Who may start work, on which text, and what ends it: labels, edits, closed issues."""

from app.actions import Acknowledge, ReadIssue, SyncComment
from app.decide.blockers import outdate
from app.decide.draft import Draft
from app.decide.intake import join
from app.decide.policy import Policy
from app.decide.refusals import may_answer
from app.decide.start import block_followers
from app.decide.state import AFRESH, Task, TaskStatus
from app.decide.stop import PUBLIC, stop_task
from app.decide.unblock import unblock
from app.events import IssueLabelled, IssueRead, IssueTouched, LabelsSeen
from shared.models import VerdictName

WRITERS = ("write", "admin")
_ARCHIVED = "This repository is archived: unarchive it, then label the issue again."


def issue_labelled(draft: Draft, event: IssueLabelled) -> None:
    """A label is a hint: GitHub is asked who put it there and what the text is."""
    if _starts(draft, event.label):
        draft.act(ReadIssue(repository_id=event.repository_id, issue=event.issue, labelled_snapshot=event.snapshot))


def labels_seen(draft: Draft, event: LabelsSeen) -> None:
    """Of the settings file, before anything is planned by it."""
    _remember(draft, event.labels)


def _starts(draft: Draft, label: str) -> bool:
    return label.lower() in {name.lower() for name in (draft.context.policy.label, *draft.repository.labels)}


def _remember(draft: Draft, labels: tuple[str, ...]) -> None:
    if labels != draft.repository.labels:
        draft.repository = draft.repository.model_copy(update={"labels": labels})


def issue_touched(draft: Draft, event: IssueTouched) -> None:
    """Only issues that we work on, or that work waits for, are read again."""
    if event.action == "unlabeled" and not _starts(draft, event.label):
        return
    waits = any(event.issue in problem_blockers(task) for task in draft.tasks.values())
    if event.issue in draft.tasks or waits:
        draft.act(ReadIssue(repository_id=event.repository_id, issue=event.issue))
    elif event.action == "closed":
        for orchestration in list(draft.orchestrations):
            outdate(draft, orchestration)  # it may wait for that one


def problem_blockers(task: Task) -> tuple[int, ...]:
    """The issues that a blocked task waits for."""
    blocked = task.verdict is not None and task.verdict.name is VerdictName.BLOCKED
    return task.after if blocked else ()


def issue_read(draft: Draft, event: IssueRead) -> None:
    """Brings our task in line with what GitHub says of the issue."""
    task = draft.tasks.get(event.issue)
    if event.state == "open":
        _remember(draft, event.own_labels)
    if task is not None and task.open and not event.private and not draft.context.policy.allow_public:
        stop_task(draft, task.issue, VerdictName.CANCELLED, PUBLIC)
        return
    if event.state != "open" or event.is_pull_request:
        _end(draft, task, f"issue #{event.issue} was closed")
        block_followers(draft)  # then they are unblocked as by any issue that is closed: planned anew, on the newest commit
        unblock(draft, event.issue)
    elif event.label_event is None:
        label = (task.label if task else "") or draft.context.policy.label
        what = "was taken off" if _starts(draft, label) else "starts nothing here any more"
        _end(draft, task, f"the label `{label}` {what}")
    elif task is not None and (task.label_event == event.label_event or _is_older(task, event)):
        _watch_text(draft, task, event)
    else:
        _new_approval(draft, task, event)


def _is_older(task: Task, event: IssueRead) -> bool:
    """Of several labels the newer one was taken off: what the older one approved has been used."""
    if task.labelled_at is None or event.labelled_at is None:
        return False
    # GitHub counts whole seconds, and an issue may be opened with all of them on.
    return event.labelled_at < task.labelled_at or (event.labelled_at == task.labelled_at and event.label != task.label)


def _end(draft: Draft, task: Task | None, reason: str) -> None:
    if task is not None and task.open:
        stop_task(draft, task.issue, VerdictName.CANCELLED, reason)


def _watch_text(draft: Draft, task: Task, event: IssueRead) -> None:
    if task.open and task.snapshot and event.snapshot and task.snapshot.hash != event.snapshot.hash:
        stop_task(
            draft,
            task.issue,
            VerdictName.EDITED_AFTER_APPROVAL,
            "the issue was edited after it was labelled; take the label off and put it on again to approve the new text",
        )


def _new_approval(draft: Draft, task: Task | None, event: IssueRead) -> None:
    refusal = _ARCHIVED if draft.repository.archived_since else _refusal(event, draft.context.policy)
    if refusal:
        if task is None or not task.open:
            _refuse(draft, task, event, refusal)
        return
    if task is not None and task.open:
        _approve_again(draft, task, event)
    elif task is None or task.status is TaskStatus.REFUSED:
        _begin(draft, Task(repository_id=event.repository_id, issue=event.issue), event)
    elif task.pull_request_state in {"merged", "closed"}:
        fresh = Task(repository_id=event.repository_id, issue=event.issue, generation=task.generation + 1)
        _begin(draft, fresh, event)
    elif task.verified:
        note = (
            f"Labelled again, but pull request #{task.pull_request} is still open, so nothing was started. Merge or close it first."
        )
        draft.change_task(task.issue, **_label_of(event), note=note)
        draft.act(SyncComment(repository_id=event.repository_id, issue=task.issue))
    else:
        _begin(draft, task, event)


def _approve_again(draft: Draft, task: Task, event: IssueRead) -> None:
    """The label came off and on again while work goes on or waits: same text, same work; other text, the work starts over."""
    if task.snapshot and event.snapshot and task.snapshot.hash == event.snapshot.hash:
        draft.change_task(task.issue, **_label_of(event))
    elif task.status in {TaskStatus.INTAKE, TaskStatus.WAITING} or task.waits_to_be_published:
        _begin(draft, task, event)
    else:
        # Once this one has ended the issue is read again, and the new label approves the new text.
        stop_task(draft, task.issue, VerdictName.EDITED_AFTER_APPROVAL, "the issue was edited and labelled again; work starts over")


def _begin(draft: Draft, task: Task, event: IssueRead) -> None:
    labelled = event.labelled_snapshot
    draft.drop_held(task)
    draft.tasks[task.issue] = task.model_copy(
        update={
            "snapshot": event.snapshot,
            **_label_of(event),
            "labeller": event.labeller,
            "refused": (),
            "approved_at": draft.context.now,
            "verdict": None,
            "note": _needs_start(event, draft.context.policy),
            **AFRESH,
            "started_at": None,
            "ended_at": None,
        }
    )
    join(draft, task.issue, needs_start=bool(_needs_start(event, draft.context.policy)))
    draft.act(Acknowledge(repository_id=event.repository_id, issue=task.issue))
    changed = labelled is not None and event.snapshot is not None and labelled.hash != event.snapshot.hash
    if changed or event.edited_since:
        _watch_text_at_label(draft, task.issue)


def _watch_text_at_label(draft: Draft, issue: int) -> None:
    stop_task(
        draft,
        issue,
        VerdictName.EDITED_AFTER_APPROVAL,
        "the issue was edited right after it was labelled; take the label off and put it on again to approve the new text",
    )


def _refuse(draft: Draft, task: Task | None, event: IssueRead, refusal: str) -> None:
    kept = task or Task(repository_id=event.repository_id, issue=event.issue, status=TaskStatus.REFUSED)
    seen = {**_label_of(event), "labeller": event.labeller, "snapshot": event.snapshot}
    draft.tasks[event.issue] = kept.model_copy(update=seen)
    if may_answer(draft, draft.tasks[event.issue], "label"):
        draft.change_task(event.issue, note=refusal)
        draft.act(SyncComment(repository_id=event.repository_id, issue=event.issue))


def _label_of(event: IssueRead) -> dict[str, object]:
    return {"label_event": event.label_event, "label": event.label, "labelled_at": event.labelled_at}


def _needs_start(event: IssueRead, policy: Policy) -> str:
    """Why the label alone is not enough, though whoever put it on may; empty when it is."""
    strangers = [name for name in event.edited_lately_by if name not in policy.allowed_bots]
    if not strangers:
        return ""
    who = " and ".join(name or "somebody whose account is gone" for name in strangers)
    return (
        f"{who}, without write access here, changed the issue within five minutes before it was labelled: "
        'read it once more, then press "Start plan" on the check, or comment "/shoal start".'
    )


def _refusal(event: IssueRead, policy: Policy) -> str:
    if not event.private and not policy.allow_public:
        return (
            "This repository is public, and the operator has not allowed work on public ones (`SHOAL_ALLOW_PUBLIC_REPOSITORIES`)."
        )
    if event.labeller_is_bot and event.labeller not in policy.allowed_bots:
        return (
            f"`{event.labeller}` is a bot that the operator has not allowed to start work (`SHOAL_ALLOWED_BOTS`). Nothing was run."
        )
    if event.permission not in WRITERS:
        return (
            f"`{event.labeller}` put the label on, but only people with write access can start work. "
            "Nothing was run. Somebody with write access can take the label off and put it on again."
        )
    if not policy.attended and _needs_start(event, policy):
        return (
            "The issue was changed, by somebody without write access, within five minutes before it was labelled. "
            "Nothing was run. Read it once more, take the label off and put it on again."
        )
    return ""
