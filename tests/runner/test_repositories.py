"""Repositories as they come: another default branch, submodules, large files elsewhere, nothing at all, or very many files."""

from pathlib import Path

import pytest

from shared.git import credentials, git, identity
from shared.models import AttemptReport
from shared.repository_settings import RepositorySettings
from tests.runner.conftest import MakeStage
from tests.runner.stage import FILES, GOOD_PATCH, Stage
from tests.support.scripted_app import serving

pytestmark = pytest.mark.slow
ADD = "echo 'x = 1' > more.py"


def attempt(stage: Stage, settings: RepositorySettings | None = None, script: str = ADD) -> AttemptReport:
    """A small change on whatever the repository holds now."""
    with serving(stage.scripted_app(stage.brief(agent=stage.script(script), settings=settings))) as app:
        code, log = stage.run(app)
    assert code == 0, log
    return app.report


def push(stage: Stage, entries: str) -> None:
    """A commit on the default branch, with these lines of `git update-index --index-info` added, becomes the base."""
    clone = stage.root / "clone"
    url, env = stage.repository["clone_url"], {**identity("a", "a@example.org")}
    env |= credentials(url, stage.person.token)
    git("clone", "--quiet", url, str(clone), cwd=stage.root, env=env)
    git("update-index", "--add", "--index-info", cwd=clone, stdin=entries.encode())
    git("commit", "--quiet", "-m", "More", cwd=clone, env=env)
    git("push", "--quiet", "origin", f"HEAD:{stage.default_branch}", cwd=clone, env=env)
    stage.base_sha = git("rev-parse", "HEAD", cwd=clone).strip()


def test_a_default_branch_of_another_name(make_stage: MakeStage) -> None:
    """The pull request goes to `trunk`, and nobody makes a `main`."""
    stage = make_stage(default_branch="trunk")
    stage.prepare(GOOD_PATCH)
    with serving(stage.scripted_app()) as app:
        stage.run(app)
    assert app.report.verdict.name == "succeeded", app.report.verdict
    assert [pull["base"]["ref"] for pull in stage.pull_requests()] == ["trunk"]
    branches = stage.person.get(f"/repos/{stage.full_name}/branches")
    assert {branch["name"] for branch in branches} == {"trunk", stage.branch}


def test_submodules_are_refused_by_name_or_left_empty(make_stage: MakeStage) -> None:
    """Their files are in other repositories; the change leaves them as they were."""
    stage = make_stage()
    push(stage, f"160000 {stage.base_sha} 0\tvendor/words\n")
    refused = attempt(stage).verdict
    assert refused.name == "setup_failed"
    assert "`vendor/words`" in refused.reason
    assert "`submodules: empty`" in refused.reason
    assert stage.pull_requests() == []
    allowed = attempt(stage, RepositorySettings(submodules="empty"))
    assert allowed.verdict.name == "succeeded", allowed.verdict
    assert [change.path for change in allowed.changes] == ["more.py"]
    assert any("`vendor/words`" in note for note in allowed.notes)


def test_large_files_kept_elsewhere_are_refused_by_name_or_stay_pointers(make_stage: MakeStage) -> None:
    """Git LFS is not fetched: whoever works with its pointers knows it."""
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 1000000\n"
    stage = make_stage(files={**FILES, "data/.gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n", "data/a.bin": pointer})
    refused = attempt(stage).verdict
    assert refused.name == "setup_failed"
    assert "`lfs: pointers`" in refused.reason
    allowed = attempt(stage, RepositorySettings(lfs="pointers"))
    assert allowed.verdict.name == "succeeded", allowed.verdict
    assert [change.path for change in allowed.changes] == ["more.py"]
    assert any("pointers" in note for note in allowed.notes)


def test_an_empty_repository_is_said_to_be_empty(make_stage: MakeStage) -> None:
    """There is no commit to begin with, and that is the reason."""
    stage = make_stage()
    stage.base_sha = "0" * 40
    verdict = attempt(stage).verdict
    assert verdict.name == "setup_failed"
    assert "is empty: push a first commit" in verdict.reason


@pytest.mark.timeout(1800)
def test_a_hundred_thousand_files(make_stage: MakeStage, tmp_path: Path) -> None:
    """It takes longer, and that is all; the second task finds the first one's checkout and writes only what differs."""
    stage = make_stage()
    blob = "0cfbf08886fca9a91cb753ec8734c84fcbe52c9f"  # `2` and a line end
    source = tmp_path / "two"
    source.write_text("2\n", "ascii")
    push_many = "".join(f"100644 {blob} 0\tpart{n // 1000}/deep{n % 10}/file{n}.txt\n" for n in range(100_000))
    clone = stage.root / "clone"
    git("init", "--quiet", str(clone), cwd=stage.root)
    assert git("hash-object", "-w", str(source), cwd=clone).strip() == blob
    url = stage.repository["clone_url"]
    env = {**identity("a", "a@example.org"), **credentials(url, stage.person.token)}
    git("fetch", "--quiet", url, "main", cwd=clone, env=env)
    git("read-tree", "FETCH_HEAD", cwd=clone)
    git("update-index", "--add", "--index-info", cwd=clone, stdin=push_many.encode())
    tree = git("write-tree", cwd=clone).strip()
    stage.base_sha = git("commit-tree", tree, "-p", "FETCH_HEAD", "-m", "Many", cwd=clone, env=env).strip()
    git("push", "--quiet", url, f"{stage.base_sha}:refs/heads/main", cwd=clone, env=env)
    report = attempt(stage)
    assert report.verdict.name == "succeeded", report.verdict
    assert [change.path for change in report.changes] == ["more.py"]
    [entry] = (stage.work_dir / "pool" / str(stage.repository["id"])).iterdir()
    untouched = next((entry / "tree").glob("part7/*/*"))
    before = untouched.stat()
    stage.number, stage.title = stage.person.open_issue(stage.full_name, "Another", "In `words.py`.")["number"], "Another"
    stage.body = "In `words.py`."
    second = attempt(stage, script="echo 'y = 2' > other.py")
    assert second.verdict.name == "succeeded", second.verdict
    after = next((entry.parent.parent.parent / "pool").rglob("part7/*/*")).stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
