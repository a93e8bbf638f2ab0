"""What may leave this machine: the change is judged in the quarantine, from git's own records and never through a file system."""

from pathlib import Path
from typing import NamedTuple

from runner.rules.contents import judge_links, judge_sizes
from runner.rules.credentials import judge_text
from runner.rules.entries import Refusal, changed_entries
from runner.rules.paths import judge_bare_repositories, judge_collisions, judge_name, judge_protection
from shared.git import git
from shared.models import FileChange
from shared.repository_settings import RepositorySettings


class Judgement(NamedTuple):
    """`refusals`: never as a draft either. `needs_person`: protected files, whose change the operator may let become a draft."""

    refusals: tuple[Refusal, ...]
    needs_person: tuple[Refusal, ...] = ()


def inspect(quarantine: Path, start: str, head: str, settings: RepositorySettings) -> Judgement:
    """Everything that keeps the change from `start` to `head` from being published; both empty when it may leave."""
    entries = changed_entries(quarantine, start, head)
    needs_person = [refusal for entry in entries if (refusal := judge_protection(entry, settings.protected_paths))]
    refusals = [refusal for entry in entries if (refusal := judge_name(entry))]
    refusals += judge_sizes(quarantine, entries, settings)
    if not refusals:
        # Links and text are read, and the whole tree is listed, only when the change is known to be small.
        tree = git("ls-tree", "-r", "-z", "--name-only", head, cwd=quarantine).rstrip("\0").split("\0")
        refusals += judge_links(quarantine, entries) + judge_collisions(entries, tree) + judge_bare_repositories(entries)
        refusals += judge_text(quarantine, start, head, entries)
    return Judgement(tuple(refusals), tuple(needs_person))


def changed_lines(quarantine: Path, start: str, head: str) -> tuple[FileChange, ...]:
    raw = git("diff-tree", "-r", "--numstat", "-z", "--no-renames", start, head, cwd=quarantine)
    rows = [row.split("\t", 2) for row in raw.split("\0") if row]
    return tuple(FileChange(path=path, added=_number(added), removed=_number(removed)) for added, removed, path in rows)


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0
