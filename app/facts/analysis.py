"""Which files each issue of a batch will probably touch, worked out once per text and base tree."""

import gc
import hashlib
import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from app.facts.index import read_index
from app.facts.tree import Listing
from app.planning import model
from app.planning.likely import Analyst, wanted
from shared.issue_text import read_issue
from shared.models import IssueSnapshot, Touch

_VERSION = 1  # of what is kept and of how it is worked out, beside the numbers of the model
_MOST_BASES = 20
_TOUCHES = TypeAdapter(tuple[Touch, ...])


@dataclass(frozen=True)
class Analysis:
    """The touches of each issue; how many were known already, and the milliseconds that this took and saved."""

    touches: Mapping[int, tuple[Touch, ...]]
    hits: int
    misses: int
    milliseconds: float
    saved_milliseconds: float


def analyse(listing: Listing, issues: Sequence[IssueSnapshot], kept_in: Path | None) -> Analysis:
    """Reads the repository only for texts that were not analysed on this base; `kept_in` is the folder of what is known.

    A plain folder has no name for its state: nothing of it is kept.
    """
    begun = time.monotonic()
    file = kept_in / f"{_base_key(listing)}.json" if kept_in and listing.in_git else None
    known = _load(file)
    keys = {issue.number: _text_key(issue) for issue in issues}
    missing = [issue for issue in issues if keys[issue.number] not in known.touches]
    if missing:
        fresh = _work_out(listing, missing)
        taken = (time.monotonic() - begun) * 1000
        known = _Known({**known.touches, **{keys[number]: found for number, found in fresh.items()}}, taken / len(missing))
        _save(file, known)
    elapsed = (time.monotonic() - begun) * 1000
    hits = len(issues) - len(missing)
    saved = hits * known.milliseconds_each
    return Analysis({number: known.touches[key] for number, key in keys.items()}, hits, len(missing), elapsed, saved)


@dataclass(frozen=True)
class _Known:
    """Touches by text, and what one of them cost when it was worked out."""

    touches: Mapping[str, tuple[Touch, ...]]
    milliseconds_each: float


def _work_out(listing: Listing, issues: Sequence[IssueSnapshot]) -> dict[int, tuple[Touch, ...]]:
    texts = {issue.number: read_issue(issue) for issue in issues}
    with _without_collector():
        analyst = Analyst(read_index(listing, wanted(texts.values())))
        return {number: tuple(analyst.touches(text)) for number, text in texts.items()}


@contextmanager
def _without_collector() -> Iterator[None]:
    """Millions of small values that live to the end, without cycles: to look through them again and again costs a third more."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _base_key(listing: Listing) -> str:
    """The tree, the commit whose past counts, and the model."""
    said = hashlib.sha256(f"{_VERSION}\0{listing.head}\0{model.WEIGHTS}{model.SHAPE}{model.SHAPE_AT_0}\0".encode())
    said.update("\0".join((*listing.tree.paths, *listing.places)).encode("utf-8", "surrogateescape"))
    return said.hexdigest()[:40]


def _text_key(issue: IssueSnapshot) -> str:
    return hashlib.sha256(f"{issue.title}\0{issue.body}".encode("utf-8", "surrogatepass")).hexdigest()[:40]


def _load(file: Path | None) -> _Known:
    """Nothing is known where there is no file, or one that is not what we write."""
    try:
        kept = json.loads(file.read_bytes()) if file else {}
        touches = {str(key): _TOUCHES.validate_python(found) for key, found in kept.get("touches", {}).items()}
        return _Known(touches, float(kept.get("milliseconds_each", 0)))
    except (OSError, ValueError, AttributeError, TypeError, ValidationError):
        return _Known({}, 0.0)


def _save(file: Path | None, known: _Known) -> None:
    """Whole or not at all; a folder that cannot be written to costs the next plan its time, nothing else."""
    if file is None:
        return
    touches = {key: [touch.model_dump() for touch in found] for key, found in sorted(known.touches.items())}
    part = file.with_suffix(f".{os.getpid()}.part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps({"milliseconds_each": round(known.milliseconds_each, 3), "touches": touches}), "utf-8")
        part.replace(file)
        for old in sorted(file.parent.glob("*.json"), key=lambda one: one.stat().st_mtime, reverse=True)[_MOST_BASES:]:
            old.unlink(missing_ok=True)
    except OSError:
        with suppress(OSError):
            part.unlink()
