"""Phase 4: a written plan, before any file is edited."""

from runner import agent, prompt
from runner.agents.shape import Pass
from runner.endings import AttemptEnds
from runner.phase import Outcome, Work
from shared.log import redact
from shared.models import Kind, PhaseName, VerdictName

NAME = PhaseName.RESEARCH
# Their issue says already what is to be done where, so that a pass of its own would only repeat it.
_PLANNED_BY_ISSUE = {Kind.DOCS, Kind.CHORE}


def run(work: Work) -> Outcome:
    if work.brief.follow_up is not None:
        work.state.plan_text = f"What was asked for:\n\n{redact(work.brief.follow_up.text)}"
        return Outcome("skipped", "the change is there; what is asked for says what to do")
    if work.brief.kind in _PLANNED_BY_ISSUE:
        work.state.plan_text = _from_issue(work)
        return Outcome("skipped", f"kind {work.brief.kind}: the issue itself is the plan")
    answer = agent.play(work, Pass.RESEARCH, prompt.research)
    work.state.plan_text = redact(answer.text if answer else "")
    if not work.state.plan_text:
        raise AttemptEnds(VerdictName.AGENT_FAILED, "the agent wrote no plan", answer.printed if answer else "")
    return Outcome()


def missing(work: Work) -> str:
    return "" if work.state.plan_text.strip() else "there is no plan"


def _from_issue(work: Work) -> str:
    brief = work.brief
    places = [f"- look at `{touch.path}` ({touch.why})" for touch in brief.touches[:10]]
    return "\n".join([f"Do what issue #{brief.issue.number} says.", *places])
