"""Where one task's work lies on disk, and the lock that gives it to one process at a time."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from shared.errors import FatalError


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
    def mirror(self) -> Path:
        """All of the repository's commits, shared by its tasks; the agent may read its objects."""
        return self.work_dir / "mirrors" / f"{self.repository_id}.git"

    @property
    def state(self) -> Path:
        return self.root / "state.json"

    @property
    def tree(self) -> Path:
        """The agent's checkout."""
        return self.root / "tree"

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
        """A fresh checkout for every run of the tests, so that evidence comes from commits and not from leftovers."""
        return self.root / "check"

    @property
    def check_home(self) -> Path:
        """The tests' own HOME: what an agent leaves in its own could decide how they come out."""
        return self.root / "check-home"

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

    def log(self, name: str) -> Path:
        return self.root / "logs" / f"{name}.log"


@contextmanager
def held(folder: TaskFolder) -> Iterator[None]:
    """Holds the task for as long as this process lives; a second runner is refused with a FatalError."""
    folder.root.mkdir(parents=True, exist_ok=True)
    lock = os.open(folder.root.with_name(f"{folder.root.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FatalError(f"another runner works on {folder.branch} in {folder.root}: end it first, or wait for it") from None
        yield
    finally:
        os.close(lock)
