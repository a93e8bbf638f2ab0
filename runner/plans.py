"""A written plan serves later attempts at its own task, while all that it was made from is the same; no other task reads it."""

import hashlib
import json
import secrets

from pydantic import BaseModel, ConfigDict, ValidationError

from runner import instructions, probe, prompt
from runner.phase import Work
from shared.models import AttemptLimits, Usage, VerdictName
from shared.repository_settings import RepositorySettings

# After these the plan may be the reason, or nobody needs it any more.
_OVER = {VerdictName.SUCCEEDED, VerdictName.TESTS_FAILED, VerdictName.NO_CHANGE, VerdictName.UNSAFE_DIFF}
# A plan with which attempts end without evidence again and again is looked at anew, too.
_MOST_USES = 2


class KeptPlan(BaseModel):
    """`attempt` made it, which took `usage` of the model and `seconds` of the agent; `uses` counts the attempts that took it up."""

    model_config = ConfigDict(frozen=True)

    key: str
    attempt: int
    text: str
    usage: Usage = Usage()
    seconds: float = 0
    uses: int = 0


def key_of(work: Work) -> str:
    """Names the inputs: the commit, the text as it is told, the repository's instructions, our words around them, and the agent.

    Not the limits: that an attempt ran into one is a reason to raise it, and none to plan again.
    """
    brief, agent = work.brief, work.brief.agent
    request = prompt.request_of(brief, "", instructions.read(work.folder.mirror, brief)).model_copy(
        update={"touches": (), "limits": AttemptLimits(), "settings": RepositorySettings()}
    )
    fence = f"data-{secrets.token_hex(8)}"
    told = prompt.research(request, draw=lambda: fence).replace(fence, "")
    version = probe.probe_once(brief, work.folder.work_dir, work.stop).version
    inputs = [work.state.start_sha, brief.issue.hash, told, agent.name, agent.model, agent.command, agent.options, version]
    return hashlib.sha256(json.dumps(inputs).encode()).hexdigest()


def take_up(work: Work, key: str) -> KeptPlan | None:
    """The plan that was made from the same inputs, if there is one that may serve once more."""
    try:
        kept = KeptPlan.model_validate_json(work.folder.plan.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None
    if kept.key != key or kept.uses >= _MOST_USES:
        return None
    _write(work, kept.model_copy(update={"uses": kept.uses + 1}))
    return kept


def keep(work: Work, key: str, before: Usage, seconds_before: float) -> None:
    """The plan that this attempt has just made; `before` and `seconds_before` are what it had spent until then."""
    state = work.state
    usage = Usage(
        turns=state.usage.turns - before.turns,
        input_tokens=state.usage.input_tokens - before.input_tokens,
        output_tokens=state.usage.output_tokens - before.output_tokens,
    )
    seconds = round(state.agent_seconds - seconds_before, 3)
    _write(work, KeptPlan(key=key, attempt=work.brief.number, text=state.plan_text, usage=usage, seconds=seconds))


def settle(work: Work) -> None:
    """Once the verdict is known: what may be its reason serves nobody again."""
    if work.state.verdict is not None and work.state.verdict.name in _OVER:
        work.folder.plan.unlink(missing_ok=True)


def _write(work: Work, kept: KeptPlan) -> None:
    temporary = work.folder.plan.with_suffix(".new")
    temporary.write_text(kept.model_dump_json(), encoding="utf-8")
    temporary.replace(work.folder.plan)
