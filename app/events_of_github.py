"""What people and other programs did on GitHub, and what GitHub says when it is asked: a part of app.events."""

from datetime import datetime
from typing import Literal

from shared.models import IssueSnapshot, Wire


class RepositoryRef(Wire):
    """A repository as a webhook names it; every event belongs to one."""

    id: int
    full_name: str
    installation_id: int
    private: bool = True


class Event(Wire):
    """Something that happened to one repository."""

    repository_id: int


class IssueLabelled(Event):
    """Our label was put on an issue. A hint only: who, when and what text is read from GitHub before anything follows.

    `snapshot` is the text that the labeller saw (None when the sweep found the label).
    """

    kind: Literal["issue_labelled"] = "issue_labelled"
    repository: RepositoryRef
    issue: int
    label: str
    sender: str
    snapshot: IssueSnapshot | None = None


class IssueTouched(Event):
    """An issue lost a label, was edited, closed, reopened, deleted or transferred; what it is now is read from GitHub."""

    kind: Literal["issue_touched"] = "issue_touched"
    repository: RepositoryRef
    issue: int
    action: Literal["unlabeled", "edited", "closed", "reopened", "deleted", "transferred"]
    label: str = ""


class PullRequestChanged(Event):
    """A pull request was opened, closed, merged, reopened, edited or got a new head."""

    kind: Literal["pull_request_changed"] = "pull_request_changed"
    repository: RepositoryRef
    number: int
    action: str
    head_ref: str
    head_sha: str
    state: Literal["open", "closed"]
    merged: bool


class BaseMoved(Event):
    """A branch got a new commit (`push`)."""

    kind: Literal["base_moved"] = "base_moved"
    repository: RepositoryRef
    ref: str
    sha: str


class ButtonPressed(Event):
    """A person pressed a button on one of our check runs, or GitHub's own Re-run (`identifier` "rerun")."""

    kind: Literal["button_pressed"] = "button_pressed"
    repository: RepositoryRef
    external_id: str
    head_sha: str
    identifier: str
    sender: str


class ChecksTouched(Event):
    """Somebody else's check or status changed on a commit. A hint only: what it is now is read from GitHub."""

    kind: Literal["checks_touched"] = "checks_touched"
    repository: RepositoryRef
    head_sha: str
    # Whose check it is, where GitHub says that.
    app_slug: str = ""


class CiFailure(Wire):
    """A check or status of the repository's own CI that is red; `tail` is the end of what it printed, untrusted."""

    name: str
    url: str = ""
    tail: str = ""


class ChecksRead(Event):
    """What the repository's own CI says of a task's head now, and whether GitHub could merge that."""

    kind: Literal["checks_read"] = "checks_read"
    issue: int
    head_sha: str
    status: Literal["waiting", "green", "red", "none"]
    failures: tuple[CiFailure, ...] = ()
    mergeable: bool | None = None


class CheckFoundOpen(Event):
    """The sweep found a check run of ours that is not completed on an open pull request's head. A hint only."""

    kind: Literal["check_found_open"] = "check_found_open"
    repository: RepositoryRef
    check: int
    name: str
    head_sha: str
    external_id: str


class BlockersTouched(Event):
    """An issue was marked as blocked by another one, or no longer is. A hint only: its blockers are read from GitHub."""

    kind: Literal["blockers_touched"] = "blockers_touched"
    repository: RepositoryRef
    issue: int


class BlockersRead(Event):
    """The native blockers of an issue that are open now: its own repository's by number, others as `owner/name#number`."""

    kind: Literal["blockers_read"] = "blockers_read"
    issue: int
    open: tuple[int, ...] = ()
    elsewhere: tuple[str, ...] = ()


class CommandGiven(Event):
    """A new comment begins with `/shoal`. A hint only: author, role and words are read from GitHub."""

    kind: Literal["command_given"] = "command_given"
    repository: RepositoryRef
    number: int
    comment: int


class CommandRead(Event):
    """A command as it stands on GitHub; `number` is an issue's or a pull request's, `words` what follows the command's name."""

    kind: Literal["command_read"] = "command_read"
    number: int
    comment: int
    author: str
    permission: Literal["admin", "write", "read", "none"]
    command: str
    words: str = ""


class RepositoryGone(Event):
    """The App may not see it any more: it was `removed` from its installation, or that was `suspended` or `uninstalled`."""

    kind: Literal["repository_gone"] = "repository_gone"
    repository: RepositoryRef
    why: Literal["removed", "suspended", "uninstalled", "deleted"] = "removed"


class RepositoryBack(Event):
    """The App may see it: it was unsuspended or installed again, or given the repository again."""

    kind: Literal["repository_back"] = "repository_back"
    repository: RepositoryRef


class RepositoryChanged(Event):
    """It became read-only or writable again, everybody may read it now or no more, or it has another name or owner."""

    kind: Literal["repository_changed"] = "repository_changed"
    repository: RepositoryRef
    what: Literal["archived", "unarchived", "publicized", "privatized", "renamed"]


# They say something of a repository that is known already; of another one they are no news.
OF_KNOWN = (RepositoryGone, RepositoryBack, RepositoryChanged)


class LabelsSeen(Event):
    """The labels that a repository's settings file names beside the operator's, as they stand on its default branch now."""

    kind: Literal["labels_seen"] = "labels_seen"
    repository: RepositoryRef
    labels: tuple[str, ...] = ()


class IssueRead(Event):
    """What GitHub says of an issue now; the only basis of an approval.

    `label_event` is the id of the newest `labeled` event with one of the labels that start work, None when none is on the issue;
    `permission` is that actor's role on the repository. `own_labels` are those that the repository's settings file names.
    `edited_since`: the text was changed after the label. `edited_lately_by`: who changed it shortly before and may not write here;
    an empty name is somebody who is not known.
    """

    kind: Literal["issue_read"] = "issue_read"
    issue: int
    state: Literal["open", "closed", "gone"]
    is_pull_request: bool = False
    private: bool = True
    snapshot: IssueSnapshot | None = None
    labelled_snapshot: IssueSnapshot | None = None
    own_labels: tuple[str, ...] = ()
    label: str = ""
    label_event: int | None = None
    labelled_at: datetime | None = None
    edited_since: bool = False
    edited_lately_by: tuple[str, ...] = ()
    labeller: str = ""
    labeller_is_bot: bool = False
    permission: Literal["admin", "write", "read", "none"] = "none"


class PresserKnown(Event):
    """The role of somebody who pressed a button."""

    kind: Literal["presser_known"] = "presser_known"
    external_id: str
    identifier: str
    sender: str
    permission: Literal["admin", "write", "read", "none"]
