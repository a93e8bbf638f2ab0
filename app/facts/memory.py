"""What was worked out about texts, kept by base; a base that moved takes along what its new commits leave alone."""

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from app.facts.tree import Listing, shown
from app.planning import model
from app.planning.evidence import named_files
from app.planning.tree import Tree
from shared.git import GitFailed, git
from shared.issue_text import IssueText
from shared.models import Touch

_VERSION = 3  # of what is kept and of how it is worked out, beside the numbers of the model
_MOST_BASES = 100  # of all repositories
_LOOKED_BACK = 3  # bases of the same repository
_PROBABLE = 0.1  # a file less probable than this may change without the text being looked at again
_MOST_COMMITS, _MOST_FILES = 50, 500  # a base that moved farther is another one
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


class Known(BaseModel):
    """Touches by text, the commit at which each was worked out, and what one of them cost then."""

    model_config = ConfigDict(frozen=True)

    touches: dict[str, tuple[Touch, ...]] = {}
    worked_out_at: dict[str, str] = {}
    milliseconds_each: float = 0.0

    def with_more(self, touches: Mapping[str, tuple[Touch, ...]], at: Mapping[str, str], milliseconds_each: float) -> "Known":
        """Both; the newer cost counts."""
        return Known(
            touches={**self.touches, **touches},
            worked_out_at={**self.worked_out_at, **at},
            milliseconds_each=milliseconds_each,
        )


@dataclass(frozen=True)
class Memory:
    """A folder of what is known; of a plain folder nothing is kept, for its state has no name."""

    folder: Path | None

    def file_for(self, listing: Listing) -> Path | None:
        """By the repository, then by the tree, the commit whose past counts, and the model."""
        if self.folder is None or not listing.in_git:
            return None
        said = hashlib.sha256(f"{_VERSION}\0{listing.head}\0{model.WEIGHTS}{model.SHAPE}{model.SHAPE_AT_0}\0".encode())
        said.update(
            "\0".join((*listing.tree.paths, *listing.places, *sorted(listing.tree.foreign))).encode("utf-8", "surrogateescape")
        )
        return self.folder / f"{_repository(listing)}-{said.hexdigest()[:40]}.json"

    def of(self, listing: Listing) -> Known:
        """What is known of this base."""
        return _load(self.file_for(listing))

    def carried(self, listing: Listing, known: Known, missing: Mapping[str, IssueText]) -> Known:
        """And what still holds of these texts that earlier bases know."""
        file = self.file_for(listing)
        if file is None or not listing.is_head:
            return known
        for earlier in self._earlier(file):
            missing = {key: text for key, text in missing.items() if key not in known.touches}
            if not missing:
                break
            old = _load(earlier)
            holding = list(_still_holding(listing, old, missing))
            known = known.with_more(
                {key: old.touches[key] for key in holding},
                {key: old.worked_out_at[key] for key in holding},
                known.milliseconds_each or old.milliseconds_each,
            )
        return known

    def _earlier(self, file: Path) -> list[Path]:
        """The last other bases of the same repository, the newest first."""
        repository = file.name.partition("-")[0]
        others = [other for other in file.parent.glob(f"{repository}-*.json") if other != file]
        return _newest_first(others)[:_LOOKED_BACK]

    def keep(self, listing: Listing, known: Known) -> None:
        """Whole or not at all; a folder that cannot be written to costs the next plan its time, nothing else."""
        file = self.file_for(listing)
        if file is None:
            return
        part = file.with_suffix(f".{os.getpid()}.part")
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            part.write_text(known.model_dump_json(), "utf-8")
            part.replace(file)
            for old in _newest_first(file.parent.glob("*.json"))[_MOST_BASES:]:
                old.unlink(missing_ok=True)
        except OSError:
            with suppress(OSError):
                part.unlink()


def _repository(listing: Listing) -> str:
    return hashlib.sha256(os.fsencode(listing.folder.resolve())).hexdigest()[:12]


def _newest_first(files: Iterable[Path]) -> list[Path]:
    return sorted(files, key=lambda one: one.stat().st_mtime_ns, reverse=True)


def _load(file: Path | None) -> Known:
    """Nothing is known where there is no file, or one that is not what we write."""
    try:
        return Known.model_validate_json(file.read_bytes()) if file else Known()
    except (OSError, ValidationError):
        return Known()


def _still_holding(listing: Listing, old: Known, texts: Mapping[str, IssueText]) -> Iterator[str]:
    """Texts that touch no file which changed since they were worked out, and name none that came."""
    moves: dict[str, _Move | None] = {}
    for key in sorted(texts.keys() & old.touches.keys() & old.worked_out_at.keys()):
        commit = old.worked_out_at[key]
        if commit not in moves:
            moves[commit] = _move(listing, commit)
        move = moves[commit]
        touched = {touch.path for touch in old.touches[key] if touch.probability >= _PROBABLE}
        if move and touched.isdisjoint(move.changed) and not named_files(texts[key], move.added):
            yield key


@dataclass(frozen=True)
class _Move:
    """What came between two bases."""

    changed: frozenset[str]
    added: Tree


def _move(listing: Listing, commit: str) -> _Move | None:
    """From that commit to the listing's; None where it went far, or not forward."""
    if not _COMMIT.fullmatch(commit):
        return None
    between = f"{commit}..{listing.head}"
    try:
        git("merge-base", "--is-ancestor", commit, listing.head, cwd=listing.folder)
        commits = int(git("rev-list", "--count", "--end-of-options", between, cwd=listing.folder))
        form = ("-r", "-z", "--no-renames", "--name-status", "--relative")
        changes = git("diff-tree", *form, commit, listing.head, cwd=listing.folder)
    except GitFailed:
        return None
    fields = changes.split("\0")[:-1]
    if commits > _MOST_COMMITS or len(fields) > 2 * _MOST_FILES:
        return None
    paths = [shown(name) for name in fields[1::2]]
    added = sorted(path for status, path in zip(fields[::2], paths, strict=True) if status == "A")
    return _Move(frozenset(paths), Tree(tuple(added)))
