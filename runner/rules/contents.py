"""Sizes, counts and symbolic links, read from git's objects."""

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from runner.rules.entries import SYMLINK, Entry, Refusal, shown
from runner.rules.paths import is_git_directory
from shared.git import git
from shared.repository_settings import RepositorySettings

_MIB = 1024 * 1024


def judge_sizes(quarantine: Path, entries: Sequence[Entry], settings: RepositorySettings) -> list[Refusal]:
    """How many files, how large each, how large all of them; what is deleted does not weigh."""
    if len(entries) > settings.max_changed_files:
        rule = f"{len(entries):,} files changed, more than {settings.max_changed_files:,}"
        return [Refusal(entries[settings.max_changed_files].path, rule, "max_changed_files")]
    kept = [entry for entry in entries if entry.is_kept]
    return too_large(dict(zip(kept, _sizes(quarantine, kept), strict=True)), settings)


def too_large(sizes: Mapping[Entry, int], settings: RepositorySettings) -> list[Refusal]:
    """Each file that is, else the largest of those that are it together."""
    limit = int(settings.max_file_mib * _MIB)
    refusals = [
        Refusal(entry.path, f"{size:,} bytes, more than {limit:,}", "max_file_mib") for entry, size in sizes.items() if size > limit
    ]
    limit, total = int(settings.max_change_mib * _MIB), sum(sizes.values())
    if not refusals and total > limit:
        largest = max(sizes, key=lambda entry: sizes[entry])
        rule = f"the changed files hold {total:,} bytes, more than {limit:,}; this is the largest"
        refusals.append(Refusal(largest.path, rule, "max_change_mib"))
    return refusals


def judge_links(quarantine: Path, entries: Sequence[Entry]) -> list[Refusal]:
    """By their targets; nothing is followed."""
    links = [entry for entry in entries if entry.mode == SYMLINK]
    targets = {entry: git("cat-file", "blob", entry.blob, cwd=quarantine) for entry in links}
    return [
        Refusal(entry.path, f"a symbolic link out of the repository, to '{shown(target[:100])}'")
        for entry, target in targets.items()
        if escapes(entry.path, target)
    ]


def escapes(path: str, target: str) -> bool:
    """Whether a link at `path` leads outside the repository or into a git directory, on any file system."""
    target = target.replace("\\", "/")
    if target.startswith("/") or "\0" in target or target[1:2] == ":":
        return True
    depth: list[str] = list(PurePosixPath(path).parent.parts)
    for part in target.split("/"):
        if part == "..":
            if not depth:
                return True
            depth.pop()
        elif part not in {"", "."}:
            if is_git_directory(part):
                return True
            depth.append(part)
    return False


def _sizes(quarantine: Path, entries: Sequence[Entry]) -> list[int]:
    asked = "".join(f"{entry.blob}\n" for entry in entries).encode()
    return [int(line) for line in git("cat-file", "--batch-check=%(objectsize)", cwd=quarantine, stdin=asked).split()]
