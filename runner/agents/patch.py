"""Plays a prepared change in place of a model: for the demo and for tests. A real child process, a stated think time."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from runner.agents.shape import Call, Configured, Event, Order, Pass, Probe, Provider
from runner.endings import AttemptEnds
from runner.sandbox import Bind
from shared.models import VerdictName

# How the think time is split over the passes.
_SHARE = {Pass.RESEARCH: 0.2, Pass.IMPLEMENTATION: 0.6, Pass.REVIEW: 0.2, Pass.FOLLOW_UP: 0.6}
_WAIT = 'echo "patch agent: waiting $1 s in place of a model"; sleep "$1"; '
_SCRIPT = {
    Pass.RESEARCH: _WAIT + 'cp "$2/plan.md" "$SHOAL_ANSWER"',
    Pass.IMPLEMENTATION: _WAIT
    + '[ -s "$2/change.patch" ] || { echo "the prepared change is empty"; exit 0; }; git apply --verbose "$2/change.patch"',
    Pass.FOLLOW_UP: _WAIT + 'git apply --verbose "$2/follow-up.patch"',
    Pass.REVIEW: _WAIT + '[ ! -f "$2/review.md" ] || cp "$2/review.md" "$SHOAL_ANSWER"',
}
_NEEDED = {Pass.RESEARCH: "plan.md", Pass.IMPLEMENTATION: "change.patch", Pass.FOLLOW_UP: "follow-up.patch"}


providers: Sequence[Provider] = ()
says_result = False


def call(order: Order) -> Call | None:
    """Waits, then plays what lies in the folder of the issue's number."""
    brief, which = order.brief, order.which
    if which not in _SCRIPT:
        return None
    folder = Path(brief.agent.folder).resolve() / str(brief.issue.number)
    needed = folder / _NEEDED[which] if which in _NEEDED else folder
    if not needed.exists():
        raise AttemptEnds(
            VerdictName.AGENT_FAILED, f"the patch agent has nothing for issue #{brief.issue.number}: {needed} is missing"
        )
    seconds = f"{brief.agent.think_seconds * _SHARE[which]:g}"
    return Call(("sh", "-ec", _SCRIPT[which], "patch", seconds, str(folder)), binds=(Bind(folder),))


def read(_line: str) -> Iterable[Event]:
    """It has nothing to say of itself."""
    return ()


def probe(brief: Configured) -> Probe:
    """Whether there is a folder of prepared changes."""
    if not Path(brief.agent.folder).is_dir():
        return Probe(problem=f"{brief.agent.folder} is no folder: set SHOAL_AGENT_FOLDER to the prepared changes")
    return Probe(version="prepared changes")
