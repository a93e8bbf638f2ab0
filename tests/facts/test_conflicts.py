"""Which issues exclude each other in small repositories, from git to the plan: only those whose texts say so."""

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import pytest

from app.facts.analysis import analyse
from app.facts.tree import list_folder
from app.planning.conflicts import counting_conflicts
from app.planning.plan import make_plan
from shared.models import IssueSnapshot, Plan
from tests.planning.batches import conflicts, dependencies, free_text_batch, issue
from tests.planning.repositories import commit

SHOP = {
    "Makefile": "test:\n\tpytest\n",
    "README.md": "# Shop\n\nA shop that sells over the counter.\n",
    "docs/install.md": "# Installing\n\nCreate the database, then start the server.\n",
    "src/auth.py": "def check_password(user, password):\n    return user.password == password\n",
    "src/billing/invoice.py": "from src.billing import tax\n\n\ndef total(lines):\n    return sum(lines) + tax.of(lines)\n",
    "src/billing/tax.py": "RATE = 0.19\n\n\ndef of(lines):\n    return sum(lines) * RATE\n",
    "src/api/routes.py": "from src.billing import invoice\n\nROUTES = {'/invoices': invoice.total}\n",
    "src/api/client.py": "def fetch(url):\n    return url\n",
    "tests/test_auth.py": "from src import auth\n",
    "tests/test_invoice.py": "from src.billing import invoice\n",
}
CHANGES = (
    ("Hash passwords", ("src/auth.py", "tests/test_auth.py")),
    ("VAT rate", ("src/billing/tax.py",)),
    ("Round the total of an invoice", ("src/billing/invoice.py", "tests/test_invoice.py")),
    ("Retry when the server is busy", ("src/api/client.py",)),
    ("Explain the database", ("docs/install.md",)),
    ("Log out", ("src/auth.py", "tests/test_auth.py", "src/api/routes.py")),
    ("Lint", ("Makefile",)),
    ("Refunds", ("src/billing/invoice.py", "src/billing/tax.py", "tests/test_invoice.py")),
)
ENGLISH = ("Something is slow", "Nicer wording", "Add dark mode", "It crashes now and then", "Support Italian", "Make it prettier")
GERMAN = (
    "Es ruckelt neuerdings beim Blättern",
    "Schönere Schrift",
    "Dunkle Ansicht anbieten",
    "Manchmal stürzt alles ab",
    "Bitte auf Italienisch",
    "Die Übersicht ist verwirrend",
)
PLEA = "Users asked for this. Please make it work well."


def shop(folder: Path, past: str) -> Path:
    """With one commit, or with nine."""
    commit(folder, "Initial commit", SHOP)
    for message, files in CHANGES if past == "nine commits" else ():
        commit(folder, message, {name: (folder / name).read_text() + f"# {message}\n" for name in files})
    return folder


def planned(folder: Path, issues: Sequence[IssueSnapshot]) -> Plan:
    """As the app and `shoal plan` do it; what counts is the same in the plan and live."""
    listing = list_folder(folder)
    touches = analyse(listing, issues, None).touches
    plan = make_plan(issues, listing.tree, slots=len(issues), touches=touches)
    live = counting_conflicts(touches)
    assert set(conflicts(plan)) <= {(one, other) for one in live for other in live[one] if one < other}
    return plan


def pairs_that_count(folder: Path, issues: Sequence[IssueSnapshot]) -> list[tuple[int, int]]:
    """Also those that no list has room for."""
    live = counting_conflicts(analyse(list_folder(folder), issues, None).touches)
    return [(one, other) for one, other in combinations(sorted(live), 2) if other in live[one]]


@pytest.mark.parametrize("past", ["one commit", "nine commits"])
@pytest.mark.parametrize("titles", [ENGLISH, GERMAN], ids=["English", "German"])
@pytest.mark.parametrize("body", ["", PLEA], ids=["bare", "with a plea"])
def test_vague_issues_run_in_parallel(tmp_path: Path, past: str, titles: tuple[str, ...], body: str) -> None:
    """Nothing in them points to a place, so none waits for another: all start at once and end with the longest."""
    issues = [issue(number, body, title=title) for number, title in enumerate(titles, start=1)]
    folder = shop(tmp_path / "shop", past)
    assert pairs_that_count(folder, issues) == []
    plan = planned(folder, issues)
    assert {start.start_minutes for start in plan.schedule.starts} == {0.0}
    assert plan.schedule.makespan_minutes == max(task.estimate.minutes_p50 for task in plan.tasks)


@pytest.mark.parametrize("past", ["one commit", "nine commits"])
def test_a_vague_issue_runs_beside_one_that_names_its_file(tmp_path: Path, past: str) -> None:
    """That one knows its place; the other may be anywhere, which is no reason to wait."""
    named = [issue(number, f"`{path}` is wrong") for number, path in enumerate(("src/auth.py", "src/billing/tax.py"), start=1)]
    vague = [issue(number, title=title) for number, title in enumerate(ENGLISH, start=3)]
    assert pairs_that_count(shop(tmp_path / "shop", past), [*named, *vague]) == []


@pytest.mark.parametrize("past", ["one commit", "nine commits"])
@pytest.mark.parametrize(
    ("one", "other"),
    [
        (issue(1, "`src/auth.py` is slow"), issue(2, "See src/auth.py", title="Lock accounts")),
        (issue(1, title="Invoice shows a wrong total"), issue(2, "The invoice has no date.", title="The total of an invoice")),
    ],
    ids=["both name a file", "both say the same distinctive words"],
)
def test_issues_that_point_to_one_place_do_not_run_together(
    tmp_path: Path, past: str, one: IssueSnapshot, other: IssueSnapshot
) -> None:
    """Named or in the words of the file: these two exclude each other, and still nothing else."""
    vague = [issue(number, title=title) for number, title in enumerate(ENGLISH, start=3)]
    assert pairs_that_count(shop(tmp_path / "shop", past), [one, other, *vague]) == [(1, 2)]


@pytest.mark.parametrize("as_git", [False, True], ids=["plain folder", "git"])
def test_ordinary_issues_come_out_as_their_note_says_beside_vague_ones(tmp_path: Path, as_git: bool) -> None:
    """1 and 2 not at the same time, 6 after 4, everything else in parallel, also the three that say nothing."""
    batch, tree = free_text_batch()
    if as_git:
        commit(tmp_path / "r", "Initial commit", dict.fromkeys(tree.paths, ""))
    else:
        for path in tree.paths:
            (tmp_path / "r" / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "r" / path).touch()
    plan = planned(tmp_path / "r", [*batch, *(issue(number, title=title) for number, title in enumerate(ENGLISH[:3], start=7))])
    assert (conflicts(plan), dependencies(plan)) == ([(1, 2)], [(4, 6)])


def test_a_change_of_most_of_a_small_tree_is_a_sweep(tmp_path: Path) -> None:
    """Its import and a licence header in every file: neither makes all files belong together; a change of few files does."""
    folder = shop(tmp_path / "shop", "one commit")
    commit(folder, "Licence headers", {name: f"# MIT\n{text}" for name, text in SHOP.items()})
    [bare] = analyse(list_folder(folder), [issue(1, title="Something is slow")], None).touches.values()
    assert bare == ()
    commit(folder, "Log in", {name: f"# {text}" for name, text in SHOP.items() if "auth" in name})
    [touches] = analyse(list_folder(folder), [issue(1, "In `src/auth.py`")], None).touches.values()
    assert {touch.path for touch in touches} == {"src/auth.py", "tests/test_auth.py"}


def test_a_reason_says_likely_only_of_a_likely_file(tmp_path: Path) -> None:
    """Of a file that one of the two touches with less than 0.5 it says that both may change it, whatever the pair has."""
    issues = [
        issue(1, "`src/auth.py` is slow"),
        issue(2, "`src/auth.py` logs"),
        issue(3, title="Show VAT of the invoice in its total"),
        issue(4, title="Invoice total is wrong without VAT"),
    ]
    plan = planned(shop(tmp_path / "shop", "one commit"), issues)
    probability = {(task.issue, touch.path): touch.probability for task in plan.tasks for touch in task.touches}
    assert len(conflicts(plan)) == 2
    for edge in plan.edges:
        assert edge.between is not None
        [path] = {path for _, path in probability if f" {path}" in edge.why}
        likely = min(probability[number, path] for number in edge.between) >= 0.5
        assert ("are likely to change" in edge.why, "may both change" in edge.why) == (likely, not likely)
