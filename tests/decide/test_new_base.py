"""The default branch moves under a live plan: what will start from the new commit is looked at again, the rest stays as planned."""

from dataclasses import replace

from app.actions import LookAgain
from app.events import BaseMoved, PlanRevised, PresserKnown, RepositoryRef
from app.planning.plan import with_touches
from shared.models import Touch
from shared.repository_settings import RepositorySettings
from tests.decide.test_merges import merge
from tests.support.decisions import POLICY, Desk

WIDGETS = RepositoryRef(id=1, full_name="acme/widgets", installation_id=9)
ASKS = RepositorySettings(approval="plan")
Files = dict[str, float]


def touches(files: Files) -> tuple[Touch, ...]:
    """Expected files."""
    return tuple(Touch(path=path, probability=probability, source="named", why="w") for path, probability in files.items())


def move(desk: Desk, sha: str, ref: str = "refs/heads/main") -> None:
    """Somebody pushes."""
    desk.tell(BaseMoved(repository_id=1, repository=WIDGETS, ref=ref, sha=sha))


def answer(desk: Desk, sha: str, found: dict[int, Files]) -> None:
    """The planner looked at the newest commit, which is this one."""
    (orchestration,) = desk.state.orchestrations.values()
    assert orchestration.plan is not None
    plan = with_touches(orchestration.plan, {issue: touches(files) for issue, files in found.items()})
    desk.tell(PlanRevised(repository_id=1, orchestration=orchestration.id, base_sha=sha, plan=plan))


def told(desk: Desk) -> list[str]:
    """What changed since the plan."""
    (orchestration,) = desk.state.orchestrations.values()
    return [change.what for change in orchestration.changes]


def start(desk: Desk) -> None:
    """A writer presses Start plan."""
    (orchestration,) = desk.state.orchestrations
    press = {"external_id": orchestration, "identifier": "start", "sender": "ann", "permission": "write"}
    desk.tell(PresserKnown(repository_id=1, **press))


def proposed() -> Desk:
    """Three issues whose plan waits for a person; the first two conflict."""
    desk = Desk()
    bodies = {3: "Mend `src/auth.py`.", 5: "Change `src/auth.py`.", 7: "Bill `src/billing.py`."}
    desk.plan(*(desk.issue(number, body) for number, body in bodies.items()), settings=ASKS)
    assert (desk.task(3).conflicts, desk.running) == ((5,), [])
    return desk


def test_a_plan_that_waits_for_a_person_follows_the_default_branch() -> None:
    """Touches, conflicts, the plan that is shown and its schedule follow; it says what changed, and starts from the new commit."""
    desk = proposed()
    (before,) = desk.state.orchestrations.values()
    move(desk, "newer-commit")
    assert desk.asked("look_again") == [LookAgain(repository_id=1, orchestration=before.id)]
    login = {"src/login.py": 0.9}
    answer(desk, "newer-commit", {3: login, 5: {"src/auth.py": 0.9}, 7: {"src/billing.py": 0.9, **login}})

    assert [desk.task(issue).conflicts for issue in (3, 5, 7)] == [(7,), (), (3,)]
    (what,) = told(desk)
    assert what == (
        "the default branch moved from base to newer-co, where #3, #5, #7 will start:"
        " #3 now may also change src/login.py; #3 is no longer expected to change src/auth.py; #7 now may also change src/login.py;"
        " #3 and #5 no longer conflict; #3 and #7 now conflict"
    )
    (after,) = desk.state.orchestrations.values()
    assert after.plan is not None
    assert [edge.between for edge in after.plan.edges if edge.kind == "conflict" and edge.probability >= 0.5] == [(3, 7)]
    start(desk)
    assert desk.running == [3, 5]
    assert {desk.task(issue).base_sha for issue in desk.running} == {"newer-commit"}
    (started,) = desk.state.orchestrations.values()
    assert started.base_sha == "base", "its rules and its check stay where they were shown"


def test_a_move_that_changes_nothing_is_told_as_that_and_asked_for_once() -> None:
    """Another branch is nobody's base; the same commit told again, or seen by the planner before it was told, is no news."""
    desk = proposed()
    move(desk, "feature", "refs/heads/feature")
    assert desk.asked("look_again") == []
    move(desk, "second")
    move(desk, "second")
    assert len(desk.asked("look_again")) == 1
    answer(desk, "third", {})
    move(desk, "third")
    answer(desk, "third", {})
    (what,) = told(desk)
    assert what == "the default branch moved from base to third, where #3, #5, #7 will start: nothing changed for #3, #5, #7"
    start(desk)
    assert desk.task(3).base_sha == "third"


def test_a_plan_that_runs_stays_on_its_commit_and_says_so() -> None:
    """One base for all of a batch; what runs is not even mentioned."""
    desk = Desk(policy=replace(POLICY, slots=1))
    desk.plan(desk.issue(5), desk.issue(6))
    before = desk.task(5)
    move(desk, "newer")
    move(desk, "newer")
    assert desk.asked("look_again") == []
    (what,) = told(desk)
    stays = "#6 stays on base, as planned; open pull requests are checked against the new commit"
    assert what == f"the default branch moved from base to newer: {stays}"
    assert desk.task(5) == before
    desk.finish(5, pull=11)
    assert desk.task(6).base_sha == "base"
    move(desk, "newest")
    assert len(told(desk)) == 1, "nothing waits any more"


def test_what_waited_for_work_that_was_merged_is_looked_at_again() -> None:
    """It will start from the new commit: its conflicts are those of that; the attempt that runs meanwhile is left alone."""
    desk = Desk(policy=replace(POLICY, slots=1))
    bodies = {1: "It breaks.", 2: "Depends on #1. See `src/auth.py`.", 3: "Mend `src/billing.py`."}
    desk.plan(*(desk.issue(number, body) for number, body in bodies.items()), settings=RepositorySettings(stack=False))
    desk.finish(1, pull=11)
    assert desk.running == [3]
    busy = desk.task(3)
    attempts = dict(desk.state.attempts)
    merge(desk, 1, 11)
    assert len(desk.asked("look_again")) == 1
    answer(desk, "newer", {2: {"src/billing.py": 0.9}, 3: {"README.md": 0.9}})

    assert (desk.task(2).conflicts, desk.task(2).touches[0].path) == ((3,), "src/billing.py")
    assert (desk.task(3), desk.state.attempts) == (busy, attempts)
    assert told(desk)[-1] == (
        "the default branch moved from base to newer, where #2 will start: #2 now may also change src/billing.py;"
        " #2 is no longer expected to change src/auth.py; #2 and #3 now conflict"
    )
    desk.finish(3, pull=13)
    assert (desk.running, desk.task(2).base_sha, desk.task(2).stacked_on) == ([2], "head-3", (3,))


def test_a_conflict_that_is_gone_lets_both_run() -> None:
    """Whichever of the two knew of it; what was merged before stays known, for it decides where work starts."""
    desk = Desk(policy=replace(POLICY, slots=2))
    bodies = {1: "See `docs/install.md`", 2: "Depends on #1. See `src/auth.py`.", 3: "Mend `src/auth.py`.", 4: "Bill it"}
    desk.plan(*(desk.issue(number, body) for number, body in bodies.items()), settings=RepositorySettings(stack=False))
    assert desk.running == [1, 3]
    desk.finish(1, pull=11)
    merge(desk, 1, 11)
    assert 2 not in desk.running, "it conflicts with what runs"
    desk.finish(4, pull=14)
    answer(desk, "newer", {2: {"src/billing.py": 0.9}})
    assert (desk.running, desk.task(2).base_sha) == ([2, 3], "newer")
    assert told(desk)[-2].endswith("#2 and #3 no longer conflict")
    assert told(desk)[-1] == "#2 starts from the default branch as it is now: what it waited for was merged"


def test_an_answer_that_comes_too_late_changes_nothing() -> None:
    """All of it runs by then, on the commit that it had when it was started."""
    desk = proposed()
    move(desk, "newer")
    start(desk)
    desk.finish(3, pull=13)
    desk.finish(7, pull=17)
    assert desk.running == [5]
    before = desk.state
    answer(desk, "newer", {5: {"README.md": 0.9}})
    assert desk.state.tasks == before.tasks
    assert desk.state.orchestrations == before.orchestrations


def test_a_later_label_says_which_earlier_work_it_conflicts_with() -> None:
    """The edge goes across two orchestrations: obeyed, and among what the plan says."""
    desk = Desk()
    desk.plan(desk.issue(5, "Mend `src/auth.py`."))
    desk.plan(desk.issue(6, "Change `src/auth.py`."), desk.issue(7, "Bill `src/billing.py`."))
    _, later = desk.state.orchestrations.values()
    assert [(problem.issue, problem.what.partition(" (")[0]) for problem in later.problems] == [
        (6, "#5 and #6 are likely to change src/auth.py, and #5 was planned before: they do not run at the same time")
    ]
    assert desk.running == [5, 7]
    parallel = Desk()
    parallel.plan(parallel.issue(5, "Mend `src/auth.py`."))
    parallel.plan(parallel.issue(6, "Change `src/auth.py`."), settings=RepositorySettings(on_conflict="parallel"))
    assert [o.problems for o in parallel.state.orchestrations.values()] == [(), ()]
