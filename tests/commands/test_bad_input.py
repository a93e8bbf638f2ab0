"""What no planner should fall over, given to `shoal plan` and `shoal simulate` as a person would: processes, files, pipes."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from shared.git import git, identity
from tests.commands.shoal import Run, shoal
from tests.planning.repositories import commit as commit_files

AUTHOR = identity("Ada", "ada@example.com")
ON_A_FILE = {"number": 1, "title": "The total is wrong", "body": "See `src/total.py`."}


def planned(tree: Path, *issues: Any, options: tuple[str, ...] = ()) -> Run:
    """`shoal plan --json` on these issues, without a word on standard error."""
    run = shoal("plan", "--issues", "-", "--tree", tree, "--json", *options, stdin=json.dumps(issues))
    assert run.stderr == ""
    return run


def likely(run: Run) -> dict[str, float]:
    """The first task's files."""
    return {touch["path"]: touch["probability"] for touch in run.document["tasks"][0]["touches"]}


def refused(run: Run, *said: str) -> bool:
    """Ends with 2, one line on standard error that says these words, and no document."""
    assert all(word in run.stderr for word in said), run.stderr
    return (run.status, run.stdout, run.stderr.count("\n")) == (2, "", 1)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A checkout."""
    folder = tmp_path / "repository"
    commit_files(folder, "First", {"src/total.py": "def total():\n    return 0\n", "README.md": "Sums.\n"})
    return folder


def commit(folder: Path, *names: str) -> None:
    """One more commit, of these files as they lie there or of all."""
    git("add", "--", *(names or (".",)), cwd=folder)
    git("commit", "-qm", "More of it", cwd=folder, env=AUTHOR)


def test_what_is_no_json(repository: Path, tmp_path: Path) -> None:
    """Both commands, from a pipe: nothing, half a document, bytes of another encoding in a file."""
    for text in ("", '[{"number": 1,'):
        assert refused(shoal("plan", "--issues", "-", "--tree", repository, "--json", stdin=text), "is not JSON")
        assert refused(shoal("simulate", "-", "--json", stdin=text), "is not JSON")
    (tmp_path / "latin.json").write_bytes('{"caf\xe9": 1}'.encode("latin-1"))
    assert refused(shoal("simulate", tmp_path / "latin.json", "--json"), "latin.json", "is not UTF-8")


def test_missing_and_doubled_numbers_are_named_and_the_rest_is_planned(repository: Path) -> None:
    """The entry by its place, the number that two different issues have; one that is only there twice is planned once."""
    run = planned(
        repository,
        {"title": "No number"},
        {"number": None, "title": "None"},
        {"number": 3, "title": "One"},
        {"number": 3, "title": "Another"},
        {"number": 4, "title": "Twice"},
        {"number": 4, "title": "Twice"},
        ON_A_FILE,
    )
    said = [(problem["issue"], problem["what"]) for problem in run.document["problems"]]
    assert run.status == 0
    assert [task["issue"] for task in run.document["tasks"]] == [1, 4]
    assert [what.split(":")[0] for issue, what in said if issue is None] == ["entry 0", "entry 1"]
    assert (3, "#3 is there 2 times with different content") in said
    assert (4, "#4 is there 2 times: planned once") in said
    assert all(problem["fix"] for problem in run.document["problems"])


def test_a_body_of_ten_megabytes(repository: Path) -> None:
    """It is one task among others, and what it names at its beginning is still seen."""
    body = "See `src/total.py`.\n" + "at a.b.c (x/y.py:1)\n" * 500_000
    run = planned(repository, {"number": 1, "title": "Log", "body": body}, {"number": 2, "title": "Other"})
    assert (run.status, len(run.document["tasks"])) == (0, 2)
    assert likely(run)["src/total.py"] > 0.7


def test_a_tree_of_binaries(tmp_path: Path) -> None:
    """Their names count, their contents say nothing."""
    folder = tmp_path / "pictures"
    (folder / "src").mkdir(parents=True)
    git("init", "-q", cwd=folder)
    for number in range(20):
        (folder / f"src/picture{number}.png").write_bytes(b"\x89PNG\0total\0" + os.urandom(2000))
    commit(folder)
    run = planned(folder, {"number": 1, "title": "Replace it", "body": "`src/picture7.png` is ugly, like total"})
    assert run.status == 0
    assert max(likely(run), key=likely(run).__getitem__) == "src/picture7.png"


def test_a_submodule_is_somebody_elses(repository: Path, tmp_path: Path) -> None:
    """Neither its files, there or still to come, nor the folder itself are expected to change, whatever the text names."""
    commit_files(tmp_path / "inner", "First", {"total_of_all.py": "def total(): ...\n"})
    for place in ("vendored", "src/sub"):
        git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(tmp_path / "inner"), place, cwd=repository)
    commit(repository)
    body = """Scope: vendored/, src/sub/**, src/sub/new.py

        Bump vendored and `src/sub`: `total_of_all` is in `vendored/total_of_all.py` and `src/sub/total_of_all.py`; write
        `src/sub/x.py`, `src/sub/a/b/y.py`, vendored/z.py, ./src/sub/x.py, and `src/submit.py` beside it. vendored vendored"""
    run = planned(repository, {"number": 1, "title": "fix(vendored): total in `vendored` is wrong", "body": body})
    assert run.status == 0
    foreign = [path for path in likely(run) if f"{path}/".startswith(("vendored/", "src/sub/"))]
    assert (foreign, likely(run)["src/submit.py"]) == ([], 0.75)


def test_a_tree_without_git(repository: Path) -> None:
    """A plain folder is read too; it has no past."""
    (repository / ".git").rename(repository.parent / "elsewhere")
    run = planned(repository, ON_A_FILE)
    assert (run.status, max(likely(run), key=likely(run).__getitem__)) == (0, "src/total.py")


def test_a_shallow_clone(repository: Path, tmp_path: Path) -> None:
    """The past that it has counts; nothing is fetched."""
    (repository / "src/total.py").write_text("def total():\n    return 1\n")
    commit(repository)
    git("clone", "-q", "--depth", "1", f"file://{repository}", str(tmp_path / "shallow"), cwd=tmp_path)
    assert (tmp_path / "shallow/.git/shallow").exists()
    run = planned(tmp_path / "shallow", ON_A_FILE)
    assert (run.status, max(likely(run), key=likely(run).__getitem__)) == (0, "src/total.py")


def lose(folder: Path, name: str) -> str:
    """Takes an object out of a repository whose objects lie in files of their own; its id."""
    sha = git("rev-parse", name, cwd=folder).strip()
    (folder / ".git/objects" / sha[:2] / sha[2:]).unlink()
    return sha


@pytest.mark.parametrize(("name", "told"), [("HEAD", "HEAD"), ("HEAD^{tree}", "HEAD"), ("HEAD:src/total.py", "HEAD:src/total.py")])
def test_a_repository_whose_objects_were_lost(repository: Path, name: str, told: str) -> None:
    """Without the newest commit, a tree or a file's content nothing can be planned: one line, with git's words and the fix."""
    commit_files(repository, "Second", {"src/total.py": "def total():\n    return 1\n"})
    told = git("rev-parse", told, cwd=repository).strip()
    lose(repository, name)
    run = shoal("plan", "--issues", "-", "--tree", repository, "--json", stdin=json.dumps([ON_A_FILE]))
    assert refused(run, str(repository), "is damaged", told, "git fsck", "clone")


def test_a_repository_whose_index_or_objects_are_rubbish(repository: Path) -> None:
    """It is no plain folder for that."""
    asked = ("plan", "--issues", "-", "--tree", repository, "--json")
    (repository / ".git/index").write_bytes(b"rubbish" * 10)
    assert refused(shoal(*asked, stdin=json.dumps([ON_A_FILE])), "is damaged", "git fsck")
    (repository / ".git/objects").rename(repository / ".git/lost")
    assert refused(shoal(*asked, stdin=json.dumps([ON_A_FILE])), "is damaged", "git fsck")


@pytest.mark.parametrize("name", ["HEAD^", "HEAD^^{tree}", "HEAD:src"])
def test_a_history_that_was_lost(repository: Path, name: str) -> None:
    """The files are there: planned without the past, and a problem says so; what was replayed is only that past."""
    commit_files(repository, "Second", {"src/total.py": "def total():\n    return 1\n"})
    whole = planned(repository, ON_A_FILE)
    lose(repository, name)
    for _ in range(2):
        run = planned(repository, ON_A_FILE)
        assert (run.status, max(likely(run), key=likely(run).__getitem__)) == (0, "src/total.py")
        (problem,) = run.document["problems"]
        assert (problem["issue"], str(repository) in problem["what"], "git says" in problem["what"]) == (None, True, True)
        assert "without the past" in problem["what"]
        assert "git fsck" in problem["fix"]
    assert whole.document["problems"] == []
    assert refused(shoal("bench", "planning", "--repo", repository, "--json"), str(repository), "is damaged", "git fsck")


def test_a_partial_clone_lacks_contents_by_intent(repository: Path, tmp_path: Path) -> None:
    """They lie at its remote, which is not asked: the names count."""
    git("config", "uploadpack.allowFilter", "true", cwd=repository)
    git("clone", "-q", "--no-checkout", "--filter=blob:none", f"file://{repository}", str(tmp_path / "partial"), cwd=tmp_path)
    git("read-tree", "HEAD", cwd=tmp_path / "partial")
    repository.rename(tmp_path / "elsewhere")
    run = planned(tmp_path / "partial", ON_A_FILE)
    assert (run.status, max(likely(run), key=likely(run).__getitem__), run.document["problems"]) == (0, "src/total.py", [])


def test_no_issue_at_all(repository: Path) -> None:
    """A document that says so, and a status that nothing was planned; simulated nothing is no failure."""
    run = planned(repository)
    assert (run.status, run.document["tasks"], run.document["schedule"]["makespan_minutes"]) == (1, [], 0)
    assert shoal("simulate", "-", stdin='{"capacity": {"slots": 1}, "tasks": []}').status == 0


@pytest.mark.slow
def test_two_thousand_issues(repository: Path) -> None:
    """Every one is planned, each once in the schedule."""
    issues = [{"number": number, "title": f"Part {number} of `total`", "body": "It is slow."} for number in range(1, 2001)]
    run = planned(repository, *issues)
    assert (run.status, len(run.document["tasks"])) == (0, 2000)
    assert len({start["issue"] for start in run.document["schedule"]["starts"]}) == 2000


def test_paths_that_are_not_utf8(repository: Path) -> None:
    """Shown with their bytes escaped, in JSON and in tables, and named so in an issue."""
    Path(os.fsdecode(os.fsencode(repository) + b"/src/caf\xe9.py")).write_text("x = 1\n")
    commit(repository)
    issue = {"number": 1, "title": "Coffee", "body": "`src/caf\\xe9.py` is wrong"}
    run = planned(repository, issue)
    assert (run.status, "src/caf\\xe9.py" in likely(run)) == (0, True)
    assert shoal("plan", "--issues", "-", "--tree", repository, stdin=json.dumps([issue])).status == 0


def test_negative_and_zero_durations() -> None:
    """Zero is a task that is over at once; less, or no number at all, is a problem that names the task."""
    durations = {"zero": 0, "usual": 5, "negative": -1, "text": "5", "none": None}
    tasks = [{"id": name, "duration": duration} for name, duration in durations.items()]
    run = shoal("simulate", "-", "--json", stdin=json.dumps({"capacity": {"slots": 1}, "tasks": [*tasks, {"id": "without"}]}))
    assert (run.status, sorted(run.document["starts"])) == (0, ["usual", "zero"])
    assert {problem["task"] for problem in run.document["problems"]} == {"negative", "text", "none", "without"}


def test_infinite_durations_are_no_json_of_ours() -> None:
    """Python's own reader takes NaN and Infinity: they are problems too."""
    tasks = [{"id": name, "duration": float(duration)} for name, duration in (("a", "nan"), ("b", "inf"), ("c", "1"))]
    text = json.dumps({"capacity": {"slots": 1}, "tasks": tasks})
    assert "NaN" in text
    run = shoal("simulate", "-", "--json", stdin=text)
    assert (run.status, set(run.document["starts"])) == (0, {"c"})
    assert {problem["task"] for problem in run.document["problems"]} == {"a", "b"}


def test_a_need_greater_than_any_capacity(repository: Path) -> None:
    """Named, not waited for: simulated it is left out, in a plan it runs alone; the rest is there in both."""
    tasks = [{"id": "big", "duration": 1, "needs": {"slots": 1, "gib": 9}}, {"id": "small", "duration": 1}]
    run = shoal("simulate", "-", "--json", stdin=json.dumps({"capacity": {"slots": 1, "gib": 8}, "tasks": tasks}))
    assert (run.status, list(run.document["starts"])) == (0, ["small"])
    assert run.document["problems"][0]["what"] == "needs 9 gib where the capacity is 8"

    plan = planned(repository, ON_A_FILE, {"number": 2, "title": "Other"}, options=("--memory-mib", "1024", "--cores", "2"))
    assert plan.status == 0
    assert "#1 may need 2.0 GB of memory where there are 1.0 GB" in plan.document["problems"][0]["what"]
    first, second = plan.document["schedule"]["starts"]
    assert first["finish_minutes"] <= second["start_minutes"]
    assert plan.document["schedule"]["binding_limit"] == "memory"
