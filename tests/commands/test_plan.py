"""`shoal plan` to its contract."""

import json
from pathlib import Path
from typing import Any

import pytest

from shared.models import Plan
from tests.commands.shoal import shoal
from tests.planning.batches import FREE_TEXT_ISSUES, conflicts, dependencies, free_text_batch


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The fixture's tree as a plain folder."""
    for path in free_text_batch()[1].paths:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("")
    return tmp_path


def written(folder: Path, document: Any) -> Path:
    """A file with this document."""
    file = folder / "issues.json"
    file.write_text(json.dumps(document))
    return file


def test_the_plan_is_one_document_of_the_contract(folder: Path) -> None:
    """The ordinary issues: schema, tasks, edges, schedule and problems as promised; twice the same bytes."""
    run = shoal("plan", "--issues", FREE_TEXT_ISSUES, "--tree", folder, "--json", "--slots", "6")
    assert (run.status, run.stderr) == (0, "")
    plan = Plan.model_validate(run.document)
    assert run.document["schema"] == 1
    assert [task.issue for task in plan.tasks] == [1, 2, 3, 4, 5, 6]
    known = {"minutes_p50", "minutes_p90", "memory_mib_p90", "source"}
    assert all(set(task["estimate"]) == known for task in run.document["tasks"])
    assert {name for task in run.document["tasks"] for touch in task["touches"] for name in touch} == {"path", "probability", "why"}
    assert (dependencies(plan), conflicts(plan)) == ([(4, 6)], [(1, 2)])
    assert plan.schedule.slots == 6
    assert plan.schedule.lower_bound_minutes <= plan.schedule.makespan_minutes < plan.schedule.sequential_minutes
    assert shoal("plan", "--issues", FREE_TEXT_ISSUES, "--tree", folder, "--json", "--slots", "6").stdout == run.stdout


def test_people_get_tables_with_reasons(folder: Path) -> None:
    """Without --json: tasks, edges and what the schedule comes to."""
    run = shoal("plan", "--issues", FREE_TEXT_ISSUES, "--tree", folder)
    assert run.status == 0
    assert "#1 ↔ #2" in run.stdout
    assert "6 tasks on 4 slots" in run.stdout


def test_a_list_from_standard_input_with_bad_entries_is_planned(folder: Path) -> None:
    """`-` reads what `gh api` pipes in; the entry without a number is a problem, terminal controls do not pass."""
    entries = [
        {"title": "no number"},
        {"number": 2, "title": "Reset \x1b[2J the screen", "body": None, "labels": [{"name": "bug"}]},
    ]
    run = shoal("plan", "--issues", "-", "--tree", folder, "--json", stdin=json.dumps(entries))
    assert run.status == 0
    assert [task["issue"] for task in run.document["tasks"]] == [2]
    assert "entry 0" in run.document["problems"][0]["what"]
    assert "\x1b" not in shoal("plan", "--issues", "-", "--tree", folder, stdin=json.dumps(entries)).stdout


@pytest.mark.parametrize("document", [[], {"issues": []}, [{"number": 1, "title": "", "body": None}]])
def test_nothing_planned_ends_with_1(folder: Path, document: Any) -> None:
    """No issue, or none that can be planned: still a document, and a status that says so."""
    run = shoal("plan", "--issues", written(folder, document), "--tree", folder, "--json")
    assert run.status == 1
    assert run.document["tasks"] == []
    assert run.document["schedule"]["predicted_speedup"] is None


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{not json", "is not JSON (line 1"),
        (b"\xff\xfe\x00", "is not UTF-8"),
        (b'"text"', "no list of issues"),
        (b"[" * 100_000, "not"),
        (b"[" + b"9" * 5000 + b"]", "not"),
        (b"", "is not JSON"),
    ],
)
def test_unreadable_input_ends_with_2_and_one_line(folder: Path, content: bytes, said: str) -> None:
    """Never a traceback; the file is named."""
    (folder / "bad.json").write_bytes(content)
    run = shoal("plan", "--issues", folder / "bad.json", "--tree", folder, "--json")
    assert (run.status, run.stdout) == (2, "")
    assert run.stderr.count("\n") == 1
    assert "bad.json" in run.stderr
    assert said in run.stderr


def test_missing_places_end_with_2(folder: Path) -> None:
    """A file or folder that is not there, and bad usage."""
    assert "nowhere.json" in shoal("plan", "--issues", folder / "nowhere.json", "--tree", folder).stderr
    missing_tree = shoal("plan", "--issues", FREE_TEXT_ISSUES, "--tree", folder / "nowhere")
    assert (missing_tree.status, "is not a folder" in missing_tree.stderr) == (2, True)
    assert shoal("plan", "--issues", FREE_TEXT_ISSUES, "--tree", folder, "--slots", "0").status == 2
    assert shoal("plan").status == 2


def test_a_huge_body_and_many_issues_are_planned(folder: Path) -> None:
    """Ten megabytes in one body beside six hundred issues on one file."""
    many = [{"number": number, "title": f"Part {number}", "body": "`src/auth.py`"} for number in range(2, 602)]
    document = [{"number": 1, "title": "Log", "body": "at a.b.c (x/y.py:1) `" * 500_000}, *many]
    run = shoal("plan", "--issues", written(folder, document), "--tree", folder, "--json")
    assert run.status == 0
    assert len(run.document["tasks"]) == 601


def test_the_prompt_of_one_issue_can_be_read_before_anything_is_spent(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The runner's own words, with the repository's instructions and what was removed; nothing of it is a real attempt."""
    issues = written(tmp_path_factory.mktemp("issues"), [{"number": 7, "title": "Count", "body": "Words.<!-- hidden -->"}])
    (folder / "AGENTS.md").write_text("Run `make format`.")
    (folder / "CLAUDE.md").symlink_to("/etc/passwd")
    run = shoal("plan", "--issues", issues, "--tree", folder, "--prompt", "7", "--json")
    assert (run.status, run.stderr) == (0, "")
    assert "Count\n\nWords.\n" in run.document["research"]
    assert "Run `make format`." in run.document["implementation"]
    assert "root:" not in run.document["implementation"]
    assert run.document["removed"] == ["removed from the issue before the agent read it: 1 HTML comment"]
    people = shoal("plan", "--issues", issues, "--tree", folder, "--prompt", "7").stdout
    assert "== Research ==" in people
    assert "Words." in people


def test_no_prompt_for_an_issue_that_is_not_planned(folder: Path) -> None:
    """The command that tells why is named."""
    run = shoal("plan", "--issues", FREE_TEXT_ISSUES, "--tree", folder, "--prompt", "999")
    assert run.status == 2
    assert "#999 is not planned" in run.stderr


def on_conflict(folder: Path, settings: str) -> Path:
    """The folder with these settings of its own."""
    (folder / ".github").mkdir()
    (folder / ".github/shoal.yml").write_text(settings)
    return folder


def starts_of(folder: Path) -> dict[int, float]:
    """When each of the ordinary issues is predicted to start, with a slot for each."""
    run = shoal("plan", "--issues", FREE_TEXT_ISSUES, "--tree", folder, "--json", "--slots", "6")
    return {start["issue"]: start["start_minutes"] for start in run.document["schedule"]["starts"]}


def test_the_repository_decides_whether_conflicts_wait(folder: Path) -> None:
    """With `on_conflict: parallel` #1 and #2 are predicted at once, and both forms for people say so; #6 still follows #4."""
    assert starts_of(folder)[1] != starts_of(folder)[2]
    on_conflict(folder, "on_conflict: parallel\n")
    starts = starts_of(folder)
    assert (starts[1], starts[2]) == (0, 0)
    assert starts[6] > starts[4]
    plain = shoal("plan", "--issues", FREE_TEXT_ISSUES, "--tree", folder)
    assert "Conflicts run at once all the same (on_conflict: parallel)." in plain.stdout
    markdown = shoal("plan", "--issues", FREE_TEXT_ISSUES, "--tree", folder, "--markdown")
    assert "- #1 and #2 at the same time all the same (`on_conflict: parallel`): " in markdown.stdout
    assert "not at the same time" not in markdown.stdout


@pytest.mark.parametrize(
    ("settings", "causes", "line"),
    [
        ("on_conflict: after_merge", "`on_conflict: after_merge`", "waits until the other's pull request is merged or closed: "),
        ("stack: false", "`stack: false`", "- #6 after #4 is merged: "),
        ("stack: false\non_conflict: after_merge", "`stack: false`, `on_conflict: after_merge`", "- #6 after #4 is merged: "),
    ],
)
def test_a_wait_for_people_is_left_out_and_said(folder: Path, settings: str, causes: str, line: str) -> None:
    """Nobody knows when they merge: the minutes are those without it, and the plan says so in both forms."""
    usual = starts_of(folder)
    on_conflict(folder, settings)
    assert starts_of(folder) == usual
    said = f"Not in these minutes: the wait until people have merged or closed pull requests ({causes})"
    markdown = shoal("plan", "--issues", FREE_TEXT_ISSUES, "--tree", folder, "--markdown").stdout
    assert f"- {said}\n" in markdown
    assert line in markdown
    assert f"{said.replace('`', '')}." in shoal("plan", "--issues", FREE_TEXT_ISSUES, "--tree", folder).stdout


def test_settings_that_the_app_would_refuse_are_refused(folder: Path) -> None:
    """By line, as the app does: a plan by other rules than the repository's would mislead."""
    run = shoal("plan", "--issues", FREE_TEXT_ISSUES, "--tree", on_conflict(folder, "\non_conflict: never\n"))
    assert run.status == 2
    assert ".github/shoal.yml, line 2: `on_conflict`" in run.stderr
