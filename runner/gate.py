"""What may leave this machine: the change is judged in the quarantine, from git's own records and never through a file system."""

import re
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from shared.git import git
from shared.models import FileChange

PROTECTED = (
    ".github/**",
    "action.yml",
    "action.yaml",
    "**/CODEOWNERS",
    "**/AGENTS.md",
    "**/CLAUDE.md",
    "**/GEMINI.md",
    "**/.claude/**",
    "**/.codex/**",
    "**/.gemini/**",
    "**/opencode.json",
    "**/.mcp.json",
    "**/.envrc",
    ".husky/**",
    "**/.gitmodules",
    "**/.gitattributes",
    "**/.npmrc",
    ".devcontainer/**",
)
FILE_BYTES = 5 * 1024 * 1024
ALL_BYTES = 20 * 1024 * 1024
FILE_COUNT = 500
_SECRETS = (
    ("a private key", re.compile(r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----")),
    ("an AWS access key", re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b")),
    ("a GitHub token", re.compile(r"\bgh[pousr]_[A-Za-z0-9]{30,}|\bgithub_pat_[A-Za-z0-9_]{30,}")),
    ("a model provider's key", re.compile(r"\bsk-[A-Za-z0-9_-]{24,}|\bAIza[A-Za-z0-9_-]{35}\b")),
)
_GITLINK, _SYMLINK = "160000", "120000"


class Entry(NamedTuple):
    """One changed path; `mode` and `blob` as they are after the change, mode "000000" when it is deleted."""

    path: str
    mode: str
    blob: str


class Refusal(NamedTuple):
    """`setting` is what a person could change to let it through; empty: nothing could."""

    path: str
    rule: str
    setting: str = ""

    def __str__(self) -> str:
        return f"{self.path}: {self.rule}" + (f" (setting: {self.setting})" if self.setting else "")


class Judgement(NamedTuple):
    refusals: tuple[Refusal, ...]
    needs_person: tuple[Refusal, ...] = ()


def inspect(quarantine: Path, start: str, head: str, protected: tuple[str, ...]) -> Judgement:
    return Judgement(tuple(_inspect(quarantine, start, head, protected)))


def _inspect(quarantine: Path, start: str, head: str, protected: tuple[str, ...]) -> list[Refusal]:
    """Everything that keeps the change from being published; empty when it may leave."""
    entries = changed_entries(quarantine, start, head)
    refusals = [refusal for entry in entries if (refusal := judge_path(entry, (*PROTECTED, *protected)))]
    refusals += _judge_sizes(quarantine, entries) + _judge_links(quarantine, entries)
    # The text is read only when it is known to be small.
    return refusals or _judge_text(quarantine, start, head)


def changed_entries(quarantine: Path, start: str, head: str) -> list[Entry]:
    raw = git("diff-tree", "-r", "--raw", "-z", "--no-renames", "--no-abbrev", start, head, cwd=quarantine)
    fields = raw.split("\0")
    records = [(fields[index].split(), fields[index + 1]) for index in range(0, len(fields) - 1, 2)]
    return [Entry(path, mode=columns[1], blob=columns[3]) for columns, path in records]


def changed_lines(quarantine: Path, start: str, head: str) -> tuple[FileChange, ...]:
    raw = git("diff-tree", "-r", "--numstat", "-z", "--no-renames", start, head, cwd=quarantine)
    rows = [row.split("\t", 2) for row in raw.split("\0") if row]
    return tuple(FileChange(path=path, added=_number(added), removed=_number(removed)) for added, removed, path in rows)


def judge_path(entry: Entry, protected: tuple[str, ...]) -> Refusal | None:
    """By its name and kind alone."""
    parts = entry.path.split("/")
    if ".." in parts or entry.path.startswith("/") or any(part.lower().rstrip(". ") == ".git" for part in parts):
        return Refusal(entry.path, "a path that leaves the repository or enters its git directory")
    if entry.mode == _GITLINK:
        return Refusal(entry.path, "a nested repository or submodule")
    for pattern in protected:
        if matches(entry.path, pattern):
            return Refusal(entry.path, f"protected by `{pattern}`", "protected_paths")
    return None


def matches(path: str, pattern: str) -> bool:
    """Globs as in `.gitignore`: `**` crosses folders, `*` does not; letter case is ignored, as some file systems do."""
    return _matches(tuple(path.lower().split("/")), tuple(pattern.lower().strip("/").split("/")))


def _matches(path: tuple[str, ...], pattern: tuple[str, ...]) -> bool:
    if not pattern:
        return not path
    if pattern[0] == "**":
        return any(_matches(path[index:], pattern[1:]) for index in range(len(path) + 1))
    return bool(path) and fnmatchcase(path[0], pattern[0]) and _matches(path[1:], pattern[1:])


def _judge_sizes(quarantine: Path, entries: list[Entry]) -> list[Refusal]:
    if len(entries) > FILE_COUNT:
        return [Refusal(entries[FILE_COUNT].path, f"{len(entries)} files changed, more than {FILE_COUNT}")]
    kept = _kept(entries)
    sizes = _sizes(quarantine, kept)
    large = [(entry.path, size) for entry, size in zip(kept, sizes, strict=True) if size > FILE_BYTES]
    refusals = [Refusal(path, f"{size:,} bytes, more than {FILE_BYTES:,}") for path, size in large]
    total = sum(sizes)
    if not refusals and total > ALL_BYTES:
        refusals.append(Refusal(entries[0].path, f"the changed files hold {total:,} bytes, more than {ALL_BYTES:,}"))
    return refusals


def _judge_links(quarantine: Path, entries: list[Entry]) -> list[Refusal]:
    refusals = []
    for entry in entries:
        if entry.mode == _SYMLINK:
            target = git("cat-file", "blob", entry.blob, cwd=quarantine)
            if escapes(entry.path, target):
                refusals.append(Refusal(entry.path, f"a symbolic link out of the repository, to {target[:100]!r}"))
    return refusals


def escapes(path: str, target: str) -> bool:
    """Whether a link at `path` leads outside the repository or into its git directory."""
    if target.startswith("/") or "\0" in target:
        return True
    depth: list[str] = list(PurePosixPath(path).parent.parts)
    for part in target.split("/"):
        if part == "..":
            if not depth:
                return True
            depth.pop()
        elif part not in {"", "."}:
            depth.append(part)
    return any(part.lower() == ".git" for part in depth)


def _judge_text(quarantine: Path, start: str, head: str) -> list[Refusal]:
    """Added lines only: what the repository holds already is its owners' business."""
    arguments = ("--text", "--unified=0", "--no-color", "--no-ext-diff", "--no-textconv", "--no-renames")
    patch = git("-c", "core.quotePath=false", "diff-tree", "-r", "-p", *arguments, start, head, cwd=quarantine)
    refusals: dict[str, Refusal] = {}
    path = ""
    for line in patch.split("\n"):  # not splitlines: it also splits at signs that git takes for text
        if line.startswith("+++ "):
            path = line[4:].removeprefix("b/").rstrip("\t")
        if line.startswith("+"):
            for what, shape in _SECRETS:
                if shape.search(line):
                    refusals.setdefault(path, Refusal(path, f"holds {what}"))
    return list(refusals.values())


def _kept(entries: list[Entry]) -> list[Entry]:
    return [entry for entry in entries if entry.mode not in {"000000", _GITLINK}]


def _sizes(quarantine: Path, entries: list[Entry]) -> list[int]:
    asked = "".join(f"{entry.blob}\n" for entry in entries).encode()
    return [int(line) for line in git("cat-file", "--batch-check=%(objectsize)", cwd=quarantine, stdin=asked).split()]


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0
