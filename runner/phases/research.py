"""Phase 4: a written plan, before any file is edited."""

from runner import agent, plans, prompt
from runner.agents.shape import Pass
from runner.endings import AttemptEnds
from runner.phase import Outcome, Work
from runner.plans import KeptPlan
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
    with work.meter.step("earlier plan looked for") as step:
        key = plans.key_of(work)
        kept = plans.take_up(work, key)
        step.cached = kept is not None
    if kept is not None:
        work.state.plan_text = kept.text
        return Outcome(reason=_serves_again(kept))
    _planned(work, key)
    return Outcome()


def _planned(work: Work, key: str) -> None:
    """By a pass of the agent; kept for a later attempt."""
    usage, seconds = work.state.usage, work.state.agent_seconds
    answer = agent.play(work, Pass.RESEARCH, prompt.research)
    work.state.plan_text = redact(answer.text if answer else "")
    if not work.state.plan_text:
        raise AttemptEnds(VerdictName.AGENT_FAILED, "the agent wrote no plan", answer.printed if answer else "")
    plans.keep(work, key, usage, seconds)


def _serves_again(kept: KeptPlan) -> str:
    tokens = kept.usage.input_tokens + kept.usage.output_tokens
    spared = f"{tokens:,} tokens and {kept.seconds:.1f} s" if tokens else f"{kept.seconds:.1f} s"
    return f"the plan of attempt {kept.attempt} serves again: {spared} of the agent not spent once more"


def missing(work: Work) -> str:
    return "" if work.state.plan_text.strip() else "there is no plan"


def _from_issue(work: Work) -> str:
    brief = work.brief
    places = [f"- look at `{touch.path}` ({touch.why})" for touch in brief.touches[:10]]
    return "\n".join([f"Do what issue #{brief.issue.number} says.", *places])
