"""Views to render: one busy orchestration, and any view at all for properties."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from app.report.view import HeldView, OrchestrationView, SettingsMistake, Span, TaskView
from shared.models import (
    Edge,
    Estimate,
    FileChange,
    Finding,
    Kind,
    PhaseName,
    PhaseResult,
    Plan,
    PlannedStart,
    PlannedTask,
    Problem,
    Schedule,
    TestRun,
    Touch,
    Usage,
    Verdict,
    VerdictName,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOSTILE = "a | b `c` <!-- x --> <script> @everyone [l](http://evil.example) other/repo#7 see #3 \u202e\u200b ```\n# fixes $x$"


STEPS = [
    {"name": "checkout for the tests", "seconds": 0.2, "cached": True},
    {"name": "tests and checks", "seconds": 0.9},
    {"name": "<script> `x`", "seconds": 0.1},
]
WORK = {"cpu_seconds": 1, "memory_mib": 120.4, "peak_memory_mib": 300.5, "read_bytes": 2**20, "written_bytes": 5_000}


def span(start: float, end: float | None = None) -> Span:
    """An attempt, in seconds after noon."""
    return Span(NOON + timedelta(seconds=start), None if end is None else NOON + timedelta(seconds=end))


def check(command: str, exit_code: int) -> TestRun:
    """One run of a linter or its like."""
    return TestRun(command=command, exit_code=exit_code, seconds=1, source="exit code")


def ran(passed: int, failing: tuple[str, ...] = (), flaky: tuple[str, ...] = ()) -> TestRun:
    """One run of the tests."""
    code = 1 if failing else 0
    return TestRun(
        command="python -m unittest",
        exit_code=code,
        seconds=1.5,
        source="unittest",
        passed=passed,
        failed=len(failing),
        failing=failing,
        flaky=flaky,
    )


def phases(last: PhaseName, status: str = "passed") -> tuple[PhaseResult, ...]:
    """All phases up to `last`, which ended with `status`."""
    names = list(PhaseName)[: list(PhaseName).index(last) + 1]
    return tuple(
        PhaseResult.model_validate(
            {
                "name": name,
                "status": status if name is last else "passed",
                "seconds": 1.25,
                **(WORK if name is PhaseName.IMPLEMENTATION else {}),
                **({"steps": STEPS, "saved_seconds": 0.7} if name is PhaseName.TESTING else {}),
            }
        )
        for name in names
    )


def busy() -> OrchestrationView:
    """Four tasks: one done, one red, one running, one waiting behind it."""
    tasks = (
        TaskView(
            issue=4,
            title="Show the season in quotes",
            status="waiting",
            waiting_for="#3 (it depends on it)",
            branch="shoal/4-show-the-season-in-quotes",
        ),
        TaskView(
            issue=1,
            title="Weekly discount",
            status="done",
            verdict=Verdict(name=VerdictName.SUCCEEDED, reason="1 commit, 42 tests pass"),
            branch="shoal/1-weekly-discount",
            phase=PhaseName.REVIEW,
            phases=phases(PhaseName.REVIEW),
            spans=(span(1, 61),),
            agent_seconds=30,
            usage=Usage(
                turns=12, input_tokens=40_500, cached_tokens=30_000, output_tokens=2_100, cost_usd=0.125, network_bytes=345_678
            ),
            pull_request=9,
            head_sha="a" * 40,
            tests_before=ran(40),
            tests_after=ran(42, flaky=("tests.test_stays.StaysTest.test_midnight",)),
            checks_before=(check("ruff check .", 1),),
            checks_after=(check("ruff check .", 0),),
            findings=(
                Finding(path="tidewater/invoice.py", line=12, must_fix=True, text="rounds | twice"),
                Finding(text="well tested"),
            ),
            review_answer="Rounded once now.",
            remarks=("2 HTML comments were removed from the issue's text",),
            changes=(FileChange(path="tidewater/invoice.py", added=12, removed=2),),
            isolation="bubblewrap",
            agent="patch",
        ),
        TaskView(
            issue=2,
            title=HOSTILE,
            status="done",
            verdict=Verdict(name=VerdictName.TESTS_FAILED, reason="1 test fails | that passed before", detail="boom\n```\n@all"),
            branch="shoal/2-a-b-c",
            phase=PhaseName.REVIEW,
            phases=phases(PhaseName.TESTING, "failed"),
            spans=(span(1, 30), span(31, 91)),
            agent_seconds=50,
            pull_request=10,
            draft=True,
            head_sha="b" * 40,
            stacked_on=(1,),
            cost_unknown=True,
            tests_before=ran(40),
            tests_after=ran(39, ("tests.test_money.MoneyTest.test_half_cents", "tests/test_tax.py::test_rate")),
        ),
        TaskView(
            issue=3,
            title="Season bands",
            status="running",
            branch="shoal/3-season-bands",
            phase=PhaseName.IMPLEMENTATION,
            phases=phases(PhaseName.RESEARCH),
            spans=(span(2),),
        ),
    )
    return OrchestrationView(
        id="7-1",
        repository_id=7,
        repository="octo/tidewater",
        status="running",
        base_sha="c" * 40,
        tasks=tasks,
        plan=plan((1, 2, 3, 4)),
        problems=(Problem(issue=4, what="names #99, which does not exist", fix="take the line out"),),
        slots=2,
        planned_at=NOON,
        counted_usd=4.125,
        budget_usd=20,
        details_url="https://shoal.example/orchestrations/7-1",
    )


def ended() -> OrchestrationView:
    """The same, at its end."""
    success = Verdict(name=VerdictName.SUCCEEDED, reason="1 commit, 41 tests pass")
    done = tuple(
        task
        if task.verdict
        else replace(task, status="done", verdict=success, spans=(span(20, 100),), pull_request=11 + task.issue, waiting_for="")
        for task in busy().tasks
    )
    return replace(busy(), status="done", tasks=done)


def plan(issues: tuple[int, ...]) -> Plan:
    """A plan with a dependency and a conflict."""
    estimate = Estimate(minutes_p50=18, minutes_p90=40, memory_mib_p90=600, source="prior for bug")
    return Plan(
        tasks=tuple(
            PlannedTask(
                issue=number,
                kind=Kind.BUG,
                branch=f"shoal/{number}-x",
                estimate=estimate,
                touches=(Touch(path="tidewater/invoice.py", probability=0.9, why="named in the text"),),
            )
            for number in issues
        ),
        edges=(
            Edge(kind="conflict", between=(1, 2), probability=0.81, evidence="path", why="both name tidewater/invoice.py"),
            Edge(kind="dependency", before=3, after=4, probability=1, evidence="text", why='"Depends on #3"'),
        )
        if issues
        else (),
        schedule=Schedule(
            slots=2,
            starts=tuple(PlannedStart(issue=number, start_minutes=0, finish_minutes=18) for number in issues),
            makespan_minutes=36,
            sequential_minutes=72,
            lower_bound_minutes=36,
            predicted_speedup=2,
            binding_limit="dependencies",
        ),
    )


_texts = st.one_of(st.text(max_size=400), st.just(HOSTILE), st.text(alphabet="`|@<#\n", max_size=9_000))
_many = st.sampled_from((1, 60))
_seconds = st.floats(min_value=0, max_value=10_000)


@st.composite
def task_views(draw: st.DrawFn, issue: int) -> TaskView:
    """Any task, also ones that the app would not make."""
    verdict = Verdict(name=draw(st.sampled_from(VerdictName)), reason=draw(_texts), detail=draw(_texts))
    failing = tuple(draw(st.lists(_texts, max_size=3))) * draw(st.sampled_from((1, 40)))
    return TaskView(
        issue=issue,
        title=draw(_texts),
        status=draw(st.sampled_from(("intake", "waiting", "running", "settling", "done"))),
        verdict=draw(st.sampled_from((None, verdict))),
        waiting_for=draw(_texts),
        waits_for_person=draw(st.booleans()),
        phase=draw(st.sampled_from((None, *PhaseName))),
        phases=phases(draw(st.sampled_from(PhaseName))),
        spans=tuple(span(start, start + draw(_seconds)) for start in draw(st.lists(_seconds, max_size=2))),
        pull_request=draw(st.none() | st.integers(1, 10**6)),
        branch=draw(_texts),
        tests_after=draw(st.sampled_from((None, ran(3, failing)))),
        changes=tuple(FileChange(path=path, added=1, removed=1) for path in draw(st.lists(_texts, max_size=3))),
        note=draw(_texts),
        findings=tuple(Finding(path=text, line=1, text=text) for text in draw(st.lists(_texts, max_size=2))) * draw(_many),
        review_answer=draw(_texts),
        remarks=tuple(draw(st.lists(_texts, max_size=2))) * draw(_many),
        usage=Usage(turns=draw(st.integers(0, 10**6)), cost_usd=draw(st.none() | _seconds)),
        cost_unknown=draw(st.booleans()),
        held=draw(st.sampled_from((None, HeldView("1-5-1-1", 10, NOON)))),
    )


@st.composite
def orchestration_views(draw: st.DrawFn) -> OrchestrationView:
    """Any orchestration, up to a thousand tasks."""
    tasks = [draw(task_views(issue)) for issue in range(1, draw(st.integers(1, 5)))]
    copies = draw(st.sampled_from((1, 1, 300)))
    many = tuple(replace(task, issue=index * 5 + task.issue) for index in range(copies) for task in tasks)
    mistake = SettingsMistake(draw(st.integers(-1, 99)), draw(_texts))
    return OrchestrationView(
        id=draw(st.text(max_size=20)),
        repository_id=1,
        repository=draw(_texts),
        status=draw(st.sampled_from(("intake", "planning", "running", "done"))),
        tasks=many,
        plan=draw(st.sampled_from((None, plan(()), plan(tuple(task.issue for task in many))))),
        problems=tuple(Problem(issue=None, what=what, fix=what) for what in draw(st.lists(_texts, max_size=2))),
        settings_mistake=draw(st.sampled_from((None, None, mistake))),
        planned_at=draw(st.sampled_from((None, NOON))),
        details_url="https://shoal.example/o/1",
    )
