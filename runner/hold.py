"""Work that a person must let out first: handed to the app instead of to GitHub, and taken back from it when it may leave."""

import base64
import hashlib
from pathlib import Path
from typing import Literal

from runner import publish, report, reviewing
from runner.endings import AttemptEnds
from runner.folder import about
from runner.phase import Work
from runner.state import commit_of
from shared.git import GitFailed, run_git
from shared.messages import HELD_LIMIT, PIECE_LIMIT, HeldWork
from shared.models import VerdictName

# Whoever forgets what it was handed so often (several apps that share no folder) will never have all of it.
_STEPS_BACK = 10
_ANEW = "`/shoal retry` does the work anew"


def handed_over(work: Work) -> AttemptEnds:
    """How the attempt ends once the app has everything that publishing needs, the review by another pass too."""
    change = commit_of(work.state)
    _reviewed(work)
    bundle, diff = work.folder.root / "held.bundle", work.folder.root / "held.diff"
    with work.meter.step("change handed over to the app"):
        publish.bundle_commit(work.folder, about(work.brief, work.state.start_sha), change.head_sha, bundle)
        diff.write_text(reviewing.diff(work), encoding="utf-8", errors="replace")
        sums = [_hand_over(work, "bundle", bundle), _hand_over(work, "diff", diff)]
    if problem := work.app.hold(change.head_sha, report.make(work.brief, work.state), *sums):
        return AttemptEnds(VerdictName.PUBLISH_FAILED, problem)
    publish.is_elsewhere(work.folder, change.head_sha)
    return AttemptEnds(VerdictName.HELD, "the work is done and waits to be published: say `/shoal publish` on the issue")


def take_back(work: Work, held: HeldWork) -> None:
    """The very commit that was handed over is in the quarantine afterwards, on the commit that this attempt starts from."""
    bundle = work.folder.root / "held.bundle"
    _fetch(work, held, bundle)
    try:
        head = publish.take_in_commit(work.folder, bundle)
    except GitFailed as error:
        raise _broken("git cannot read its bundle", error.stderr) from error
    parents = run_git("rev-parse", f"{head}^@", cwd=work.folder.publish)[1].split()
    if head != held.report.head_sha or parents != [work.state.start_sha]:
        raise _broken("its bundle holds another commit than the one that was shown")


def _reviewed(work: Work) -> None:
    """Before it waits, for who decides: afterwards no agent runs any more. One that fails is shown and holds up nothing."""
    if work.state.review_text:
        return
    try:
        reviewing.read_by_another(work)
    except AttemptEnds as ends:
        work.state.note(f"there is no review: {ends.verdict.reason}")


def _hand_over(work: Work, of: Literal["bundle", "diff"], file: Path) -> str:
    """Piece by piece, from wherever the app says that it is; the file's SHA-256."""
    size, there, back = file.stat().st_size, 0, 0
    if size > HELD_LIMIT:
        reason = f"the {of} of this change has {size:,} bytes, more than the {HELD_LIMIT:,} that are kept: make the issue smaller"
        raise AttemptEnds(VerdictName.PUBLISH_FAILED, reason)
    with file.open("rb") as opened:
        while there < size:
            opened.seek(there)
            now = work.app.piece(of, there, base64.b64encode(opened.read(PIECE_LIMIT)).decode())
            back += now <= there
            if back > _STEPS_BACK:
                reason = "the app does not keep what it is handed: several apps must share one SHOAL_HELD_DIR"
                raise AttemptEnds(VerdictName.PUBLISH_FAILED, reason)
            there = now
        opened.seek(0)
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _fetch(work: Work, held: HeldWork, place: Path) -> None:
    sum_so_far = hashlib.sha256()
    with place.open("wb") as file:
        while (there := file.tell()) < held.bytes:
            reply = work.app.held(there)
            if reply.problem:
                raise AttemptEnds(VerdictName.PUBLISH_FAILED, reply.problem)
            data = base64.b64decode(reply.data)
            if not data:
                raise _broken("its bundle is shorter than it was")
            file.write(data)
            sum_so_far.update(data)
    if sum_so_far.hexdigest() != held.sha256:
        raise _broken("its bundle is not what it was when it was handed over")


def _broken(what: str, detail: str = "") -> AttemptEnds:
    return AttemptEnds(VerdictName.PUBLISH_FAILED, f"the held work cannot be published, {what}; {_ANEW}", detail)
