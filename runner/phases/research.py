"""Phase 4: a written plan, before any file is edited."""

from runner import agent, prompt
from runner.agents.shape import Pass
from runner.endings import AttemptEnds
from runner.phase import Outcome, Work
from shared.log import redact
from shared.models import PhaseName, VerdictName

NAME = PhaseName.RESEARCH


def run(work: Work) -> Outcome:
    answer = agent.play(work, Pass.RESEARCH, prompt.research(prompt.request_of(work.brief, work.state.test_command)))
    work.state.plan_text = redact(answer.text if answer else "")
    if not work.state.plan_text:
        raise AttemptEnds(VerdictName.AGENT_FAILED, "the agent wrote no plan")
    return Outcome()


def missing(work: Work) -> str:
    return "" if work.state.plan_text.strip() else "there is no plan"
