"""What the repository tells agents: read from the default branch's pinned commit, never from a checkout or a stacked base."""

from pathlib import Path

from runner.prompt import Instructions
from shared.git import run_git
from shared.models import AttemptBrief

_FILES = ("AGENTS.md", "CLAUDE.md", ".github/copilot-instructions.md")
_LIMIT = 30_000


def read(mirror: Path, brief: AttemptBrief) -> tuple[Instructions, ...]:
    """Those that are there, each at most 30,000 characters; a second file with the same text is left out."""
    at = brief.pinned_sha or brief.base_sha
    found: dict[str, Instructions] = {}
    for name in _FILES:
        status, text = run_git("cat-file", "blob", f"{at}:{name}", cwd=mirror, accept=(0, 128))
        if status == 0 and text.strip():
            found.setdefault(text, Instructions(name, text[:_LIMIT]))
    return tuple(found.values())
