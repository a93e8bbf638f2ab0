"""PURE: names. What is protected, what leaves the repository or enters a git directory, on any file system."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from runner.rules.entries import GITLINK, NOTHING, Entry, Refusal, shown

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
    "**/.husky/**",
    "**/.githooks/**",
    "**/.gitmodules",
    "**/.gitattributes",
    "**/.npmrc",
    ".devcontainer/**",
)
_BUILT_IN_SETTING, _OWN_SETTING = "protected_changes", "protected_paths"

# HFS+ ignores these in names, so that `.g\u200cit` is `.git` there (the list of git's own check, utf8.c).
_IGNORED = re.compile("[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]")
_SHORT_NAME = re.compile(r"git~\d+")


def judge_name(entry: Entry) -> Refusal | None:
    """What no setting lets through."""
    parts = re.split(r"[/\\]", entry.path)
    if ".." in parts or "" in parts or "." in parts or re.match(r"[A-Za-z]:", entry.path):
        return Refusal(entry.path, "a path that leaves the repository")
    if any(is_git_directory(part) for part in parts):
        return Refusal(entry.path, "a path that enters a git directory")
    if any(unicodedata.category(sign) == "Cc" for sign in entry.path):
        return Refusal(entry.path, "a name with control characters")
    if entry.mode == GITLINK:
        return Refusal(entry.path, "a nested repository or submodule")
    return None


def judge_protection(entry: Entry, own: Sequence[str]) -> Refusal | None:
    """What only a person may let through; deleting or renaming is a change as well."""
    for patterns, setting in ((PROTECTED, _BUILT_IN_SETTING), (own, _OWN_SETTING)):
        for pattern in patterns:
            if matches(entry.path, pattern):
                return Refusal(entry.path, f"protected by `{pattern}`", setting)
    return None


def is_git_directory(name: str) -> bool:
    """Whether some file system takes this name for `.git`: other letter cases, trailing dots and blanks, streams, short names."""
    plain = plain_name(name)
    return plain == ".git" or _SHORT_NAME.fullmatch(plain) is not None


def plain_name(name: str) -> str:
    """A name as the most forgiving file system reads it."""
    return unicodedata.normalize("NFC", _IGNORED.sub("", name)).casefold().split(":")[0].rstrip(". ") or name


def matches(path: str, pattern: str) -> bool:
    """Globs as in `.gitignore`: `**` crosses folders, `*` does not; letter case is ignored, as some file systems do."""
    return _matches(tuple(map(plain_name, path.split("/"))), tuple(pattern.casefold().strip("/").split("/")))


def _matches(path: tuple[str, ...], pattern: tuple[str, ...]) -> bool:
    if not pattern:
        return not path
    if pattern[0] == "**":
        return any(_matches(path[index:], pattern[1:]) for index in range(len(path) + 1))
    return bool(path) and fnmatchcase(path[0], pattern[0]) and _matches(path[1:], pattern[1:])


def judge_collisions(entries: Iterable[Entry], tree: Sequence[str]) -> list[Refusal]:
    """Added names that are one with another name where letter case does not count; `tree` is everything after the change.

    A link that takes the place of a folder has made git write outside of the repository.
    """
    added = [entry for entry in entries if entry.was == NOTHING and entry.is_kept]
    if not added:
        return []
    new = {entry.path for entry in added}
    # What collided before is its owners' business.
    old = {prefix for path in tree if path not in new for prefix in _prefixes(path)}
    names = {_folded(prefix): prefix for prefix in old}
    refusals = []
    for entry in added:
        for prefix in _prefixes(entry.path):
            if prefix not in old and (other := names.setdefault(_folded(prefix), prefix)) != prefix:
                refusals.append(Refusal(entry.path, f"the same name as `{shown(other)}` where letter case does not count"))
                break
    return refusals


def judge_bare_repositories(entries: Iterable[Entry]) -> list[Refusal]:
    """A folder that git would take for a repository of its own, with its configuration."""
    kept = {entry.path for entry in entries if entry.is_kept}
    refusals = []
    for path in sorted(kept):
        folder, separator, name = path.rpartition("/")
        if plain_name(name) == "head" and all(
            any(_is_below(other, f"{folder}{separator}{part}/") for other in kept) for part in ("objects", "refs")
        ):
            refusals.append(Refusal(path, "an embedded bare repository"))
    return refusals


def _is_below(path: str, folder: str) -> bool:
    return path.casefold().startswith(folder.casefold())


def _prefixes(path: str) -> list[str]:
    """The path and the folders above it."""
    parts = path.split("/")
    return ["/".join(parts[: index + 1]) for index in range(len(parts))]


def _folded(path: str) -> str:
    return unicodedata.normalize("NFC", _IGNORED.sub("", path)).casefold()
