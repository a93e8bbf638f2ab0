"""What a sweep finds on GitHub: values that reading makes and deciding looks at."""

from dataclasses import dataclass
from datetime import datetime

from app.events import RepositoryRef


@dataclass(frozen=True, slots=True)
class Installed:
    """What the App may see, by the installations that there are; of the `suspended` and the `unread` nothing could be listed."""

    repositories: tuple[RepositoryRef, ...] = ()
    archived: tuple[RepositoryRef, ...] = ()
    installations: frozenset[int] = frozenset()
    suspended: frozenset[int] = frozenset()
    unread: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class DeliverySeen:
    """One attempt to tell us of an event, as GitHub's log has it; all attempts of one delivery share `guid`."""

    id: int
    guid: str
    delivered_at: datetime
    arrived: bool
    redelivery: bool
    event: str


@dataclass(frozen=True, slots=True)
class BranchFound:
    """A branch with our prefix, and whether any pull request was ever opened from it."""

    name: str
    has_pull: bool


@dataclass(frozen=True, slots=True)
class PullFound:
    """An open pull request of our account."""

    number: int
    branch: str


@dataclass(frozen=True, slots=True)
class CheckFound:
    """A check run of ours that is not completed, on the head of an open pull request."""

    id: int
    name: str
    head_sha: str
    external_id: str


@dataclass(frozen=True, slots=True)
class RunNow:
    """One run of the workflow; `conclusion` is empty until it is completed."""

    id: int
    name: str
    status: str
    conclusion: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Survey:
    """Everything of ours that is open in a repository, and the text of its settings file, None where there is none."""

    branches: tuple[BranchFound, ...]
    pulls: tuple[PullFound, ...]
    checks: tuple[CheckFound, ...]
    settings_text: str | None = None
