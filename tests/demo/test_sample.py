"""The sample project, its issues and their prepared changes."""

import shutil
import sys
from itertools import permutations
from pathlib import Path

import pytest

from app.demo import sample
from app.planning.plan import make_plan
from app.planning.tree import Tree
from shared.git import git, identity
from shared.github import branch_name, issue_hash
from shared.models import IssueSnapshot, Plan, VerdictName
from shared.process import Ended, environment, run

_RED = [number for number, one in sample.expected().items() if one.verdict is VerdictName.TESTS_FAILED]
_GREEN = [number for number, one in sample.expected().items() if one.verdict is VerdictName.SUCCEEDED]
_BEFORE = {4: 3}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The sample project as a repository."""
    folder = tmp_path / "tidewater"
    shutil.copytree(sample.PROJECT, folder, ignore=shutil.ignore_patterns("__pycache__"))
    git("init", "--quiet", "--initial-branch=main", cwd=folder)
    _commit(folder, "First commit")
    return folder


def _commit(folder: Path, message: str) -> str:
    git("add", "--all", cwd=folder)
    git("commit", "--quiet", "--message", message, cwd=folder, env=identity("Sam", "sam@example.com"))
    return git("rev-parse", "HEAD", cwd=folder).strip()


def _apply(folder: Path, number: int) -> None:
    git("apply", str(sample.PATCHES / str(number) / "change.patch"), cwd=folder)


def _run_tests(folder: Path) -> Ended:
    return run([sys.executable, "-B", "-m", "unittest", "discover", "-s", "tests", "-t", "."], cwd=folder, env=environment())


def test_the_project_is_green_before_anything(checkout: Path) -> None:
    """Otherwise a red test would say nothing about a change."""
    assert _run_tests(checkout).ok


@pytest.mark.parametrize("number", _GREEN)
def test_a_change_that_should_succeed_is_green(checkout: Path, number: int) -> None:
    """On the base, or on the result of the issue that it depends on."""
    if before := _BEFORE.get(number):
        _apply(checkout, before)
    _apply(checkout, number)

    ended = _run_tests(checkout)

    assert ended.ok, ended.tail


@pytest.mark.parametrize("number", _RED)
def test_a_change_that_should_fail_is_red(checkout: Path, number: int) -> None:
    """It applies, and breaks tests that passed."""
    _apply(checkout, number)

    assert "FAILED" in _run_tests(checkout).tail


def test_a_dependent_change_needs_its_predecessor(checkout: Path) -> None:
    """On the bare base it does not even apply: the dependency is real."""
    with pytest.raises(Exception, match=r"docs/prices\.md|patch does not apply"):
        _apply(checkout, 4)


@pytest.mark.parametrize("order", list(permutations((1, 2))))
def test_the_two_that_share_a_function_apply_in_either_order(checkout: Path, order: tuple[int, int]) -> None:
    """A retry may turn their order round."""
    for number in order:
        _apply(checkout, number)

    assert _run_tests(checkout).ok


def test_all_that_succeed_are_green_together(checkout: Path) -> None:
    """Merged one after the other, the pull requests leave the project green."""
    for number in _GREEN:
        _apply(checkout, number)

    assert _run_tests(checkout).ok


def test_one_prepared_change_is_empty() -> None:
    """Its issue is solved already."""
    empty = [number for number in sample.expected() if not (sample.PATCHES / str(number) / "change.patch").read_bytes()]

    assert empty == [number for number, one in sample.expected().items() if one.verdict is VerdictName.NO_CHANGE]


def test_every_issue_has_what_its_rehearsal_needs() -> None:
    """Plan, change, review, and a verdict to expect."""
    numbers = range(1, len(sample.issues()) + 1)

    assert list(sample.expected()) == list(numbers)
    assert all(
        (sample.PATCHES / str(number) / name).is_file() for number in numbers for name in ("plan.md", "change.patch", "review.md")
    )


def test_no_issue_holds_a_diff() -> None:
    """Planning sees what people write."""
    assert not [issue.title for issue in sample.issues() if "diff --git" in issue.body or "@@" in issue.body]


def _plan(slots: int = 4) -> Plan:
    snapshots = [
        IssueSnapshot(number=number, title=one.title, body=one.body, labels=one.labels, hash=issue_hash(one.title, one.body))
        for number, one in enumerate(sample.issues(), start=1)
    ]
    files = sorted(str(path.relative_to(sample.PROJECT)) for path in sample.PROJECT.rglob("*") if path.is_file())
    return make_plan(snapshots, Tree(tuple(files)), slots=slots)


def test_the_plan_has_the_intended_edges_and_no_other() -> None:
    """One conflict over the shared function, one dependency from the text; everything else in parallel."""
    plan = _plan()

    assert {(edge.before, edge.after) for edge in plan.edges if edge.kind == "dependency"} == {(3, 4)}
    assert {edge.between for edge in plan.edges if edge.kind == "conflict"} == {(1, 2)}
    assert not plan.problems


def test_the_plan_takes_every_issue() -> None:
    """Also the one in German with two dots in its title: its branch is a name that git accepts."""
    plan = _plan()
    german = branch_name(8, sample.issues()[7].title)

    assert [task.issue for task in plan.tasks] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert german == "shoal/8-bericht-juli-august-die-letzte-nacht-feh"
    assert git("check-ref-format", "--branch", german, cwd=Path("/")).strip() == german
