"""What GitHub says of an issue that somebody labelled: who it was, what the text is, and who touched that shortly before."""

from datetime import timedelta

from app.events import IssueRead
from app.facts.settings_file import SettingsMistake, parse
from app.github.answers import Edit, LabelEvent
from app.github.errors import NotFound
from app.github.repository import RepositoryClient

# What was changed so shortly before the label may not be what the labeller read.
_LATELY = timedelta(minutes=5)
# GitHub counts whole seconds.
_SAME_MOMENT = timedelta(seconds=1)
_WRITERS = {"write", "admin"}


def start_labels(usual: str, text: str | None, known: tuple[str, ...]) -> tuple[str, ...]:
    """The operator's label and those of the repository's settings file; of one with a mistake what is `known` from before."""
    try:
        own = parse(text or "").labels
    except SettingsMistake:
        own = known
    return (usual, *own)


async def read_issue(client: RepositoryClient, issue: int, usual: str, known: tuple[str, ...]) -> IssueRead:
    """All that an approval is made of."""
    gone = IssueRead(repository_id=client.repository_id, issue=issue, state="gone")
    try:
        facts = await client.issue_facts(issue, history=True)
    except NotFound:
        return gone
    now, labels = facts.issue, start_labels(usual, facts.settings_text, known)
    if now.state != "open" or now.is_pull_request:
        return gone.model_copy(update={"state": "closed", "is_pull_request": now.is_pull_request})
    said = gone.model_copy(update={"state": "open", "snapshot": now.snapshot, "own_labels": labels[1:]})
    wanted = {label.casefold() for label in labels}
    on = [label for label in now.snapshot.labels if label.casefold() in wanted]
    event = await client.labelled(facts, *on) if on else None
    if event is None:
        return said
    return said.model_copy(
        update={
            "private": facts.private,
            "label": event.label,
            "label_event": event.id,
            "labelled_at": event.created_at,
            "labeller": event.actor,
            "labeller_is_bot": event.actor_type == "Bot",
            "permission": await client.permission(event.actor, hurried=False),
            "edited_since": event.created_at is not None and any(e.at > event.created_at + _SAME_MOMENT for e in facts.edits),
            "edited_lately_by": await _strangers(client, facts.edits, event),
        }
    )


async def _strangers(client: RepositoryClient, edits: tuple[Edit, ...], event: LabelEvent) -> tuple[str, ...]:
    """Who changed the text shortly before the label and may not write here; who has no account any more may not."""
    at = event.created_at
    if at is None:
        return ()
    names = {edit.actor or "" for edit in edits if at - _LATELY <= edit.at <= at + _SAME_MOMENT} - {event.actor, client.app_login}
    return tuple(sorted([name for name in names if not name or await client.permission(name) not in _WRITERS]))
