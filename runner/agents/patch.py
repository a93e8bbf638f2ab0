"""Plays a prepared change in place of a model: for the demo and for tests. A real child process, a stated think time."""

from pathlib import Path

from runner.agents.shape import Call, Pass
from runner.endings import AttemptEnds
from runner.sandbox import Bind
from shared.models import AttemptBrief, VerdictName

# How the think time is split over the passes.
_SHARE = {Pass.RESEARCH: 0.2, Pass.IMPLEMENTATION: 0.6, Pass.REVIEW: 0.2}
_WAIT = 'echo "patch agent: waiting $1 s in place of a model"; sleep "$1"; '
_SCRIPT = {
    Pass.RESEARCH: _WAIT + 'cp "$2/plan.md" "$SHOAL_ANSWER"',
    Pass.IMPLEMENTATION: _WAIT
    + '[ -s "$2/change.patch" ] || { echo "the prepared change is empty"; exit 0; }; git apply --verbose "$2/change.patch"',
    Pass.REVIEW: _WAIT + '[ ! -f "$2/review.md" ] || cp "$2/review.md" "$SHOAL_ANSWER"',
}
_NEEDED = {Pass.RESEARCH: "plan.md", Pass.IMPLEMENTATION: "change.patch"}


def call(brief: AttemptBrief, which: Pass, prompt: Path) -> Call | None:
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
