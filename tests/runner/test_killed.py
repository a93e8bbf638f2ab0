"""One task whose runners are killed again and again: in each phase, and around each effect that GitHub sees."""

import asyncio
import json
import signal
from collections.abc import Sequence
from functools import partial

import pytest

from runner.pull_request_text import answer_marker, review_marker
from shared.models import AgentSettings, PhaseName
from tests.runner.conftest import MakeStage
from tests.runner.stage import Stage
from tests.support.proxy import Proxy, Trap, running_proxy
from tests.support.scripted_app import ScriptedApp, serving

FINDING = json.dumps([{"path": "words.py", "line": 5, "must_fix": True, "text": "an empty text is not handled"}])
EFFECTS = "POST", r"/git-receive-pack$|/pulls"
REVIEW = "POST", r"/api/graphql$", "addPullRequestReview"
EDIT = "PATCH", r"/pulls"
pytestmark = pytest.mark.slow


def reviewed(stage: Stage) -> AgentSettings:
    """Its passes are counted in a file; its reviewer finds something, which it then mends."""
    add = "printf '\\n\\ndef longest(text: str) -> str:\\n    return max(text.split(), key=len)\\n' >> words.py"
    mend = "sed -i 's/key=len)/key=len, default=\"\")/' words.py; echo 'handled an empty text'"
    counted = f"echo $PASS >> {stage.root}/passes"
    lines = f'{counted}\ncase "$PASS" in\nfix)\n{mend}\n;;\ndocumentation) :;;\n*) {add};;\nesac'
    return stage.script(lines, review=f"{counted}; cat <<'END'\nMostly fine.\n\n```json\n{FINDING}\n```\nEND\n")


def attempt(stage: Stage, agent: AgentSettings, number: int) -> ScriptedApp:
    return stage.scripted_app(stage.brief(agent=agent, isolation="none", attempt=number, heartbeat_seconds=0.02))


def check_end(stage: Stage, app: ScriptedApp) -> list[str]:
    """Everything is there once; the passes that the agent played."""
    report = app.report
    assert report.verdict.name == "succeeded", report.verdict
    [pull_request] = stage.pull_requests()
    assert pull_request["head"]["sha"] == stage.branch_sha() == report.head_sha
    branches = stage.person.get(f"/repos/{stage.full_name}/branches")
    assert sorted(branch["name"] for branch in branches) == sorted(["main", stage.branch])
    bodies = [review["body"] for review in stage.reviews(pull_request["number"])]
    for marker in (review_marker(app.brief), answer_marker(app.brief)):
        assert sum(marker in body for body in bodies) == 1, bodies
    assert len(bodies) == 2
    return (stage.root / "passes").read_text().split()


def test_kill_9_in_each_phase_leaves_everything_once(make_stage: MakeStage) -> None:
    """Nine runners die, one in each phase; the tenth ends the task."""
    stage = make_stage()
    agent = reviewed(stage)
    for number, phase in enumerate(PhaseName, start=1):
        app = attempt(stage, agent, number)
        with serving(app):
            runner = stage.start(app)
            app.wait_for(partial(_has_come_to, phase))
            runner.kill()
            code, log = stage.wait(runner)
        assert code == -signal.SIGKILL, log
    last = attempt(stage, agent, len(PhaseName) + 1)
    with serving(last):
        code, log = stage.run(last)
    assert code == 0, log
    played = check_end(stage, last)
    assert played.count("implementation") <= 2, "only the pass that was cut off is played again"
    [research] = [phase for phase in last.report.phases if phase.name is PhaseName.RESEARCH]
    assert [(step.name, step.cached) for step in research.steps] == [("kept from an earlier attempt", True)]


def _has_come_to(phase: PhaseName, app: ScriptedApp) -> bool:
    """Or to a later one: a phase may be shorter than a heartbeat, and one that was proven is not run again."""
    order = list(PhaseName)
    return any(order.index(seen) >= order.index(phase) for seen in [*(x.phase for x in app.beats), *(x.name for x in app.phases)])


async def test_kill_9_around_each_effect_leaves_everything_once(make_stage: MakeStage) -> None:
    """Each runner dies at the next push, pull request, edit or review: one before GitHub hears of it, the next one after."""
    stage = make_stage()
    agent = reviewed(stage)
    edits = 2  # every attempt edits the text, which names it
    deaths = []
    async with running_proxy() as proxy:
        for number in range(1, 31):
            app = attempt(stage, agent, number)
            hold = proxy.hold_answer if number % 2 == 0 else proxy.hold
            traps = [hold(*EFFECTS), hold(*REVIEW), *([hold(*EDIT)] if edits else [])]
            sprung = await _killed_at(stage, app, proxy, traps)
            proxy.traps.clear()
            if sprung is None:
                break
            edits -= sprung.method == "PATCH"
            deaths.append((sprung.path, sprung.after_effect, app.calls))
    assert sprung is None, deaths
    assert number > 10, "two pushes, a pull request, its edit, a review and the answer: around each one or two have died"
    assert edits == 0
    assert sorted(check_end(stage, app)) == ["fix", "implementation", "review"]


async def _killed_at(stage: Stage, app: ScriptedApp, proxy: Proxy, traps: Sequence[Trap]) -> Trap | None:
    """The request at which the runner was killed; None when it went to its end."""
    with serving(app):
        # The app itself is reached directly.
        runner = stage.start(app, **{**proxy.environment, "no_proxy": app.url.removeprefix("http://")})
        reached = [asyncio.create_task(trap.reached.wait()) for trap in traps]
        ended = asyncio.create_task(asyncio.to_thread(stage.wait, runner))
        await asyncio.wait((*reached, ended), return_when=asyncio.FIRST_COMPLETED)
        sprung = next((trap for trap in traps if trap.reached.is_set()), None)
        if sprung is not None:
            runner.kill()
        for waiting in reached:
            waiting.cancel()
        code, log = await ended
    assert code == (0 if sprung is None else -signal.SIGKILL), log
    return sprung
