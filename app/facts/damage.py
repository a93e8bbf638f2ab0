"""A repository that git itself cannot read: said in one line, with what git said and the fix, and never a traceback."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shared.errors import TransientError, UserError
from shared.git import GitFailed, run_git

FIX = "`git fsck` names what is lost; fetch it, or clone the repository again"
_MOST = 300


class Damaged(UserError):
    """Objects of this repository are missing or broken; `said` is git's own word for it."""

    def __init__(self, folder: Path, said: str) -> None:
        self.said = " ".join(said.split())[:_MOST]
        self.what = f"the repository {folder} is damaged, git says “{self.said}”"
        super().__init__(f"{self.what}: {FIX}")


class PastDamaged(Damaged):
    """Only its history: the files of the newest commit may be sound."""


@contextmanager
def reading(folder: Path, kind: type[Damaged] = Damaged) -> Iterator[None]:
    """Around what git reads on this disk alone, where nothing but the repository can be the reason of a failure."""
    try:
        yield
    except GitFailed as error:
        raise kind(folder, error.stderr) from error
    except TransientError as error:  # a pack that was cut short has the words of a connection that was
        raise kind(folder, str(error)) from error


def lacks_by_intent(folder: Path) -> bool:
    """A partial clone: what it lacks lies at its remote."""
    status, _ = run_git("config", "--get-regexp", r"^(remote\..*\.promisor|extensions\.partialclone)$", cwd=folder, accept=(0, 1))
    return status == 0
