"""Which files each issue of a batch will probably touch, worked out once per text and base tree."""

import gc
import hashlib
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from app.facts.damage import FIX, PastDamaged
from app.facts.index import read_index
from app.facts.memory import Memory
from app.facts.tree import Listing
from app.planning.contents import Wanted
from app.planning.likely import Analyst, Index, wanted
from shared.issue_text import IssueText, read_issue
from shared.models import IssueSnapshot, Problem, Touch


@dataclass(frozen=True)
class Analysis:
    """The touches of each issue; how many were known already, and the milliseconds that this took and saved.

    `problems`: the past could not be read, so it says nothing here.
    """

    touches: Mapping[int, tuple[Touch, ...]]
    hits: int
    misses: int
    milliseconds: float
    saved_milliseconds: float
    problems: tuple[Problem, ...] = ()


def analyse(listing: Listing, issues: Sequence[IssueSnapshot], kept_in: Path | None, *, past_needed: bool = True) -> Analysis:
    """Reads the repository only for texts of which nothing is known on this base; `kept_in` is the folder of what is known.

    Raises Damaged for files, and unless it is not `past_needed` PastDamaged for a history, that git cannot read.
    """
    begun = time.monotonic()
    memory = Memory(kept_in)
    keys = {issue.number: _text_key(issue) for issue in issues}
    known = memory.of(listing)
    unknown = {keys[issue.number]: read_issue(issue) for issue in issues if keys[issue.number] not in known.touches}
    known = memory.carried(listing, known, unknown)
    missing = {key: text for key, text in unknown.items() if key not in known.touches}
    problems: tuple[Problem, ...] = ()
    if missing:
        index, problems = _read(listing, wanted(missing.values()), past_needed=past_needed)
        fresh = _work_out(index, missing)
        taken = (time.monotonic() - begun) * 1000
        at = dict.fromkeys(fresh, listing.head) if listing.is_head else {}
        known = known.with_more(fresh, at, taken / len(missing))
    if unknown and not problems:  # else a mended repository would be planned as if it had no past
        memory.keep(listing, known)
    elapsed = (time.monotonic() - begun) * 1000
    misses = sum(key in missing for key in keys.values())
    hits = len(issues) - misses
    saved = hits * known.milliseconds_each
    return Analysis({number: known.touches[key] for number, key in keys.items()}, hits, misses, elapsed, saved, problems)


@contextmanager
def _without_collector() -> Iterator[None]:
    """Millions of small values that live to the end, without cycles: looking through them again and again costs a third more."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@_without_collector()
def _read(listing: Listing, words: Wanted, *, past_needed: bool) -> tuple[Index, tuple[Problem, ...]]:
    try:
        return read_index(listing, words), ()
    except PastDamaged as damage:
        if past_needed:
            raise
        problem = Problem(what=f"planned without the past: {damage.what}", fix=FIX)
        return read_index(replace(listing, head=""), words), (problem,)


@_without_collector()
def _work_out(index: Index, texts: Mapping[str, IssueText]) -> dict[str, tuple[Touch, ...]]:
    analyst = Analyst(index)
    return {key: tuple(analyst.touches(text)) for key, text in texts.items()}


def _text_key(issue: IssueSnapshot) -> str:
    return hashlib.sha256(f"{issue.title}\0{issue.body}".encode("utf-8", "surrogatepass")).hexdigest()[:40]
