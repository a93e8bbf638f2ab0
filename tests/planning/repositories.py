"""Small real repositories with contents and a past, and what is predicted on them."""

from collections.abc import Mapping
from pathlib import Path

from app.facts.index import read_index
from app.facts.tree import list_commit
from app.planning.likely import Analyst, wanted
from shared.git import git, identity
from shared.issue_text import read_issue
from shared.models import Touch
from tests.planning.batches import issue

AUTHOR = identity("Ada", "ada@example.com")
FILLER = {f"src/part{number}.py": f"def part{number}():\n    return {number}\n" for number in range(12)}


def commit(folder: Path, message: str, files: Mapping[str, str]) -> None:
    """One change; the first one makes the repository."""
    if not (folder / ".git").exists():
        git("init", "-q", str(folder), cwd=folder.parent)
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    git("add", "-A", cwd=folder)
    git("commit", "-qm", message, cwd=folder, env=AUTHOR)


def likely(folder: Path, title: str, body: str = "") -> list[Touch]:
    """What is predicted for one issue on the newest commit."""
    listing = list_commit(folder, git("rev-parse", "HEAD", cwd=folder).strip())
    text = read_issue(issue(1, body, title=title))
    return Analyst(read_index(listing, wanted([text]))).touches(text)


def touch_of(touches: list[Touch], path: str) -> Touch | None:
    """The one of a file."""
    return next((touch for touch in touches if touch.path == path), None)
