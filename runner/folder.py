"""Where one task's work lies on disk, and the lock that gives it to one process at a time."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from shared.errors import FatalError
from shared.messages import AttemptBrief


class About(BaseModel):
    """Whose folder this is and where its work began: what a reaper needs when nobody else is there to ask."""

    model_config = ConfigDict(frozen=True)

    repository_id: int
    repository: str
    branch: str
    issue: int
    isolation: Literal["required", "preferred", "none"]
    login: str
    email: str
    # What GitHub has, and the commit of ours that joins it.
    published: tuple[str, ...]
    start_sha: str


def read_about(folder: "TaskFolder") -> About | None:
    """None when it cannot be read."""
    try:
        return About.model_validate_json(folder.about.read_bytes())
    except (OSError, ValidationError):
        return None


def about(brief: AttemptBrief, start_sha: str) -> About:
    return About(
        repository_id=brief.repository.id,
        repository=brief.repository.full_name,
        branch=brief.branch,
        issue=brief.issue.number,
        isolation=brief.isolation,
        login=brief.app_login,
        email=brief.app_email,
        published=(brief.base_sha, *brief.merge_shas),
        start_sha=start_sha,
    )


@dataclass(frozen=True)
class TaskFolder:
    """The parts of one task's folder; what the agent may write is `tree`, `git`, `home` and `out`, nothing else."""

    work_dir: Path
    repository_id: int
    branch: str

    @property
    def root(self) -> Path:
        return self.work_dir / "tasks" / str(self.repository_id) / self.branch.replace("/", "--")

    @property
    def lock(self) -> Path:
        return self.root.with_name(f"{self.root.name}.lock")

    @property
    def mirror(self) -> Path:
        """All of the repository's commits, shared by its tasks; the agent may read its objects."""
        return self.work_dir / "mirrors" / f"{self.repository_id}.git"

    @property
    def state(self) -> Path:
        return self.root / "state.json"

    @property
    def plan(self) -> Path:
        """What an attempt planned, for the next attempt at this task; survives a fresh start, and no agent or test sees it."""
        return self.root / "plan.json"

    @property
    def checkout(self) -> Path:
        """What goes from task to task through the pool, as one folder, so that one rename hands it on."""
        return self.root / "checkout"

    @property
    def key(self) -> Path:
        """Names the sandbox's user to whom the files of `checkout` belong."""
        return self.checkout / "key"

    @property
    def about(self) -> Path:
        """Is there from the moment when `tree` is this task's; without it no agent of ours has been in it."""
        return self.checkout / "about.json"

    @property
    def indexes(self) -> Path:
        """Our own indexes of `tree` and `check`: no agent and no test sees them."""
        return self.checkout / "indexes"

    @property
    def tree(self) -> Path:
        """The agent's checkout."""
        return self.checkout / "tree"

    @property
    def git(self) -> Path:
        """The agent's private git directory."""
        return self.root / "git"

    @property
    def gitfile(self) -> Path:
        """Laid over `tree/.git` read-only, so that the agent cannot point its checkout elsewhere."""
        return self.root / "gitfile"

    @property
    def home(self) -> Path:
        return self.root / "home"

    @property
    def out(self) -> Path:
        """Where a sandboxed command leaves files for us."""
        return self.root / "out"

    @property
    def check(self) -> Path:
        """The tests' checkout, pristine before every run, so that evidence comes from commits and not from leftovers."""
        return self.checkout / "check"

    @property
    def check_home(self) -> Path:
        """The tests' own HOME: what an agent leaves in its own could decide how they come out."""
        return self.root / "check-home"

    @property
    def review_home(self) -> Path:
        """The reviewer's own HOME: it shall be another eye than the one that wrote the change."""
        return self.root / "review-home"

    @property
    def snapshot(self) -> Path:
        """Our own git directory over `tree`, which no agent pass sees: hooks and settings in it are ours."""
        return self.root / "snapshot.git"

    @property
    def publish(self) -> Path:
        """The quarantine: the only git directory that ever pushes."""
        return self.root / "publish.git"

    @property
    def prompts(self) -> Path:
        return self.root / "prompts"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"


def lock(path: Path) -> int | None:
    """Locks the file at `path` for as long as the returned handle is open; None while another process holds it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # A reaper may have removed the file between the two calls: then the lock guards nothing.
        if path.stat().st_ino == os.fstat(handle).st_ino:
            return handle
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(handle)
    return None


@contextmanager
def held(folder: TaskFolder) -> Iterator[None]:
    """Holds the task for as long as this process lives; a second runner is refused with a FatalError."""
    handle = lock(folder.lock)
    if handle is None:
        raise FatalError(f"another runner works on {folder.branch} in {folder.root}: end it first, or wait for it")
    try:
        folder.root.mkdir(parents=True, exist_ok=True)
        yield
    finally:
        os.close(handle)
