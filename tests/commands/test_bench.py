"""`shoal bench` and the help, through the console command."""

from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from app.commands.bench import Wishes, run
from app.commands.bench_action import action_figures
from app.commands.bench_coordination import coordination_figures
from app.commands.bench_growth import GrowthFigures
from app.commands.bench_growth_picture import growth_svg
from app.commands.bench_start import start_figures
from shared.git import git
from tests.commands.shoal import shoal
from tests.planning.repositories import FILLER, commit

PROMISED = {"four_features": 52, "eight_bug_fixes": 36, "twelve_test_tasks": 24, "recorded_run": 27.9}


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What one run says, about a library of one instance too: three jobs on two units of one resource, best known 5."""
    folder = tmp_path_factory.mktemp("library")
    (folder / "J30_1.txt").write_text("5 1\n2\n0 0 3 2 3 4\n3 1 1 5\n2 1 1 5\n2 2 1 5\n0 0 0\n", "ascii")
    (folder / "bks.csv").write_text("RCPSP,PSPLIB-J30,J30_1.txt,5\n", "utf-8")
    return shoal("bench", "schedule", "--json", "--psplib", folder).document


def test_the_reference_scenarios_come_out_as_promised(document: Any) -> None:
    """No scenario takes longer than promised, nor longer than waves or FIFO; the machine is recorded."""
    assert {row["name"] for row in document["schedule"]} == PROMISED.keys()
    for row in document["schedule"]:
        minutes = row["minutes"]
        assert row["lower_bound"] <= minutes["planned"] <= minutes["online"] <= PROMISED[row["name"]]
        assert minutes["online"] <= min(minutes["waves"], minutes["fifo"])
    assert document["machine"].keys() >= {"cores", "memory_mib", "os", "python", "git"}


def test_simpler_strategies_are_no_better_on_random_batches(document: Any) -> None:
    """With right estimates and with estimates that are wrong by half; nothing is shorter than the bound."""
    for row in document["random_batches"]:
        ratio = row["ratio_to_bound"]
        assert min(ratio["online"], ratio["planned"]) >= 1
        assert max(ratio["online"], ratio["planned"]) < min(ratio["fifo"], ratio["waves"])


def test_four_architectures_stand_beside_what_was_projected(document: Any) -> None:
    """Only the merged one gains nothing from four slots; separated ones are no slower than barriers."""
    ways = {row["architecture"]: row for row in document["architectures"]}
    assert set(ways) == {"status quo", "merged", "partial", "separated"}
    assert all(value <= 1 for value in ways["merged"]["speedup"].values())
    for name, value in ways["separated"]["speedup"].items():
        assert value >= ways["status quo"]["speedup"][name]
    assert all(row["memory_mib"] > 0 and row["projected"] for row in ways.values())


def test_a_public_library_is_read_from_a_folder(document: Any) -> None:
    """Both modes reach the best known makespan."""
    [row] = document["library"]
    assert (row["family"], row["instances"]) == ("J30", 1)
    assert row["gap_percent"]["online"] == row["gap_percent"]["planned"] == 0


@pytest.mark.parametrize(("name", "text"), [("bks.csv", None), ("J30_1.txt", "5 1 2 0"), ("J30_1.txt", "words")])
def test_a_library_that_is_none_is_refused_by_name(tmp_path: Path, name: str, text: str | None) -> None:
    """Status 2, the file and what it should be."""
    if text:
        (tmp_path / "bks.csv").write_text("RCPSP,PSPLIB-J30,J30_1.txt,5\n", "utf-8")
        (tmp_path / name).write_text(text, "ascii")
    run = shoal("bench", "schedule", "--psplib", str(tmp_path))
    assert run.status == 2
    assert name in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.slow
def test_checkouts_are_measured_against_gits_own() -> None:
    """Each way on a repository of 300 files: seconds that were taken, and ratios to the pool's."""
    row = shoal("bench", "worktrees", "--files", "300", "--json").document["worktrees"]
    assert row["files"] == 300
    assert row["seconds"].keys() == row["ratio"].keys() == {"pool", "made_anew", "worktree_add", "clone_depth_1", "clone"}
    assert all(value > 0 for value in row["seconds"].values())
    assert row["ratio"]["pool"] == 1


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_start_of_attempts_and_of_the_action_is_measured() -> None:
    """Dispatch to agent, and the action's first step: seconds cold and warm, and their ratio. One mode: pip takes its time."""
    start = start_figures(2)
    assert start["tasks"] == 12
    assert 0 < start["first_seconds"] <= start["median_seconds"] <= start["last_seconds"]
    [row] = action_figures(["work"])
    assert (row["mode"], row["installer"] in {"uv", "pip"}) == ("work", True)
    assert row["starts"] > 0
    assert min(row["warm_seconds"], row["cold_seconds"], row["ratio"]) > 0


@pytest.mark.slow
def test_what_the_app_uses_while_attempts_are_under_way_is_measured() -> None:
    """A share of one core for each, while two agents think."""
    found = coordination_figures(2, 5)
    assert (found["tasks"], found["seconds"]) == (2, 5)
    assert 0 < found["percent_per_task"] < 100


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_planning_is_measured_for_small_and_large_batches(tmp_path: Path) -> None:
    """12, 50 and 1,000 issues on 10,000 files and 2,000 commits, with nothing known and with everything."""
    picture = tmp_path / "growth.svg"
    rows = shoal("bench", "planning", "--json", "--svg", picture).document["planning"]
    assert "10,000 files, cold" in picture.read_text("utf-8")
    assert [(row["issues"], row["files"]) for row in rows] == [(12, 10_000), (50, 10_000), (1_000, 10_000)]
    assert all(0 < row["cached_seconds"] < row["cold_seconds"] for row in rows)


def test_how_planning_grows_is_shown_and_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A table for people where no history is replayed, and a picture of what it says."""
    picture = tmp_path / "growth.svg"
    assert run("planning", Wishes(growth=((2, 3), (60,)), svg=picture), as_json=False) == 0
    shown = capsys.readouterr().out
    assert "Planning, from git to the finished plan" in shown
    assert "prediction" not in shown
    assert "60 files, cold" in picture.read_text("utf-8")


def test_a_picture_that_cannot_be_written_is_refused_before_minutes_are_spent(tmp_path: Path) -> None:
    """Status 2 and the file's name."""
    refused = shoal("bench", "planning", "--svg", tmp_path / "missing" / "growth.svg")
    assert refused.status == 2
    assert "growth.svg" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_the_picture_of_growth_has_a_line_for_each_size_and_state() -> None:
    """Whatever was measured, zero seconds and a single size too: well-formed, the machine in words, nothing out of the frame."""
    sizes = [(issues, files) for files in (1_000, 10_000) for issues in (12, 1_000)]
    for rows in (sizes, sizes[:1]):
        drawn = ET.fromstring(growth_svg([_figures(*row) for row in rows], "cores 2, <fast>"))
        lines = [line for line in drawn.iter() if line.tag.endswith("polyline")]
        assert len(lines) == 2 * len({files for _, files in rows})
        assert "cores 2, <fast>" in [text.text for text in drawn.iter() if text.tag.endswith("text")]
        right, bottom = map(float, drawn.attrib["viewBox"].split()[2:])
        points = [point.split(",") for line in lines for point in line.attrib["points"].split()]
        assert all(0 <= float(x) <= right and 0 <= float(y) <= bottom for x, y in points)


def _figures(issues: int, files: int) -> GrowthFigures:
    return GrowthFigures(
        issues=issues,
        files=files,
        commits=9,
        cold_seconds=issues * files / 1e6,
        cold_cpu_seconds=1,
        cached_seconds=0,
        edges=1,
        peak_memory_mib=50,
    )


@pytest.fixture(scope="module")
def replayed(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What the replay says of a repository whose messages name their part, given bare."""
    folder = tmp_path_factory.mktemp("history") / "parts"
    parts = ("router", "session", "encoder", "ledger")
    commit(folder, "Begin", {f"src/{part}.py": f"def open_{part}(): ...\n" for part in parts} | FILLER)
    for number in range(40):
        part = parts[number * number % 7 % 4]
        commit(folder, f"Make the {part} faster ({number})\n\nSigned-off-by: Ada", {f"src/{part}.py": f"# {number}\n"})
    return shoal("bench", "planning", "--repo", folder / ".git", "--windows", 3, "--json").document


def test_a_history_is_replayed_beside_simpler_planners(replayed: Any) -> None:
    """Every change is found where words lead to it; the conflicts come before the others, and better than by words alone."""
    [row] = replayed["prediction"]
    planners = row["planners"]
    assert (row["repository"], row["windows"], row["issues"]) == ("parts", 3, 24)
    assert planners["shoal"]["recall_at_5"] == 1
    assert planners["shoal"]["average_precision"] >= planners["paths"]["average_precision"]
    assert planners["shoal"]["calibration_error"] < planners["everything conflicts"]["calibration_error"]
    assert planners["nothing conflicts"]["best_f1"] == 0
    assert planners["everything conflicts"]["average_precision"] == row["conflicting"]


@pytest.mark.parametrize("what", ["a plain folder", "an empty repository", "a single commit"])
def test_what_has_no_history_is_refused_by_name(tmp_path: Path, what: str) -> None:
    """Status 2 and what is needed, no traceback."""
    if what == "a single commit":
        commit(tmp_path / "r", "Begin", FILLER)
    elif what == "an empty repository":
        git("init", "-q", str(tmp_path / "r"), cwd=tmp_path)
    else:
        (tmp_path / "r").mkdir()
    run = shoal("bench", "planning", "--repo", tmp_path / "r")
    assert run.status == 2
    assert str(tmp_path / "r") in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize("verb", ["plan", "simulate", "bench"])
def test_every_verb_explains_itself_with_an_example(verb: str) -> None:
    """Help names the verb as it is typed, and --json."""
    text = shoal(verb, "--help").stdout
    assert f"  shoal {verb} " in text
    assert "--json" in text


def test_a_wrong_verb_is_bad_usage() -> None:
    """Status 2 and a hint, no traceback."""
    run = shoal("plann")
    assert run.status == 2
    assert "Traceback" not in run.stderr
