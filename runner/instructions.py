"""What the repository tells agents: read from the default branch's pinned commit, never from a checkout or a stacked base."""

from pathlib import Path

from shared.git import run_git
from shared.github import INSTRUCTION_FILES
from shared.messages import AttemptBrief, Instructions


def read(mirror: Path, brief: AttemptBrief) -> tuple[Instructions, ...]:
    """Those that are there; a second file with the same text is left out."""
    at = brief.pinned_sha or brief.base_sha
    found: dict[str, Instructions] = {}
    for name in INSTRUCTION_FILES:
        status, text = run_git("cat-file", "blob", f"{at}:{name}", cwd=mirror, accept=(0, 128))
        if status == 0 and text.strip():
            found.setdefault(text, Instructions(path=name, text=text))
    return tuple(found.values())
