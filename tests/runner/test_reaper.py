"""What ended long ago goes, and nothing goes that is nowhere else."""

import json
import os
import shutil
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from runner import publish, rescue, worktree
from runner.folder import held
from runner.reaper import reap, reap_now_and_then
from runner.worktree import Desk
from shared.git import git
from tests.commands.test_doctor import doctor
from tests.runner.checkouts import Checkouts, play
from tests.runner.conftest import MakeStage
from tests.runner.stage import GOOD_PATCH
from tests.support.machine import path_without
from tests.support.scripted_app import serving

LATER = datetime.now(UTC) + timedelta(days=15)
MUCH_LATER = datetime.now(UTC) + timedelta(days=61)


@pytest.fixture
def checkouts(tmp_path: Path) -> Checkouts:
    return Checkouts(tmp_path / "work")


def changed(checkouts: Checkouts, branch: str) -> Desk:
    """A task whose agent has edited, and whose runner died before anything was recorded."""
    desk = checkouts.start(branch)
    play(desk, desk.folder.tree, "echo 'x = 3' > words.py; echo 'new = 1' > src/new.py")
    return desk


def restored(one: rescue.Rescue, place: Path) -> dict[str, str]:
    """What the command that people are shown brings back, file by file, in a clone of what GitHub has."""
    [ref] = [line.split()[1] for line in git("bundle", "list-heads", str(one.path / "work.bundle"), cwd=place).splitlines()]
    git(*one.restore.replace("'", "").split()[1:], cwd=place)
    kept = ref.replace("refs/shoal/", f"refs/rescued/{one.branch}/")
    names = git("diff", "--name-only", "main", kept, cwd=place).split()
    return {name: git("show", f"{kept}:{name}", cwd=place) for name in names}


def aged(path: Path, hours: int) -> None:
    """As if nothing had been written to it for so long."""
    then = (datetime.now(UTC) - timedelta(hours=hours)).timestamp()
    for one in (path, path / "state.json"):
        if one.exists():
            os.utime(one, (then, then))


def clone_of(checkouts: Checkouts, place: Path) -> Path:
    git("clone", "--quiet", "--bare", str(checkouts.folder("any").mirror), str(place), cwd=place.parent)
    git("update-ref", "refs/heads/main", checkouts.first, cwd=place)
    return place


def test_unpushed_work_survives_its_folder(checkouts: Checkouts, tmp_path: Path) -> None:
    """Two weeks after its runner died the folder goes; the work is in a bundle, and the command that is shown restores it."""
    clone = clone_of(checkouts, tmp_path / "clone")
    desk = changed(checkouts, "shoal/1-unpushed")
    assert reap(checkouts.work_dir, LATER) == ["task 7/shoal--1-unpushed"]
    assert not desk.folder.root.exists()
    [one] = rescue.listing(checkouts.work_dir)
    assert (one.repository, one.branch, one.issue, one.commits) == ("acme/words", "shoal/1-unpushed", 12, 1)
    assert restored(one, clone) == {"words.py": "x = 3\n", "src/new.py": "new = 1\n"}


def test_pushed_work_goes_without_a_trace(checkouts: Checkouts) -> None:
    """GitHub has it: nothing is left to rescue."""
    desk = changed(checkouts, "shoal/2-pushed")
    publish.open_quarantine(desk.folder)
    snapshot = publish.take_in(desk.folder, worktree.snapshot(desk))
    git("update-ref", "refs/shoal/pushed", snapshot, cwd=desk.folder.publish)
    assert reap(checkouts.work_dir, LATER) == ["task 7/shoal--2-pushed"]
    assert rescue.listing(checkouts.work_dir) == []


def test_what_was_written_to_lately_or_is_held_stays(checkouts: Checkouts) -> None:
    """Neither age nor want of room takes a folder from a runner that lives."""
    desk = changed(checkouts, "shoal/3-at-work")
    assert reap(checkouts.work_dir, datetime.now(UTC) + timedelta(days=13)) == []
    with held(desk.folder):
        assert reap(checkouts.work_dir, LATER) == []
    assert (desk.folder.tree / "src" / "new.py").exists()


def test_a_checkout_that_git_cannot_read_is_kept_as_it_is(checkouts: Checkouts) -> None:
    """Its start commit is gone from the mirror: no bundle can be made, so the files themselves are moved."""
    desk = changed(checkouts, "shoal/4-broken")
    broken = desk.about.model_copy(update={"start_sha": "1" * 40})
    desk.folder.about.write_text(broken.model_dump_json(), encoding="utf-8")
    reap(checkouts.work_dir, LATER)
    assert not desk.folder.root.exists()
    [one] = rescue.listing(checkouts.work_dir)
    assert (one.path / "folder" / "src" / "new.py").read_text() == "new = 1\n"


def test_a_folder_that_may_only_be_read_in_a_sandbox_waits_for_one(checkouts: Checkouts, tmp_path: Path) -> None:
    """Git never runs on an agent's files in a weaker place than the agent did; another task goes meanwhile."""
    desk, other = changed(checkouts, "shoal/5-required"), changed(checkouts, "shoal/6-preferred")
    strict = desk.about.model_copy(update={"isolation": "required"})
    desk.folder.about.write_text(strict.model_dump_json(), encoding="utf-8")
    script = (
        "import sys; from datetime import datetime; from pathlib import Path; from runner.reaper import reap\n"
        "print(reap(Path(sys.argv[1]), datetime.fromisoformat(sys.argv[2])))"
    )
    env = {**os.environ, "PATH": path_without("bwrap", tmp_path / "bin")}
    argv = [sys.executable, "-c", script, str(checkouts.work_dir), LATER.isoformat()]
    told = subprocess.run(argv, env=env, capture_output=True, text=True, check=True).stdout
    assert "task 7/shoal--6-preferred" in told
    assert "5-required" not in told.splitlines()[-1]
    assert "isolation is required, but bwrap is not installed" in told
    assert not other.folder.root.exists()
    assert (desk.folder.tree / "src" / "new.py").exists()
    assert reap(checkouts.work_dir, LATER) == ["task 7/shoal--5-required"]


def test_mirrors_baselines_logs_and_trash_have_their_own_time(checkouts: Checkouts) -> None:
    """A mirror waits for every task and every rescued piece of work of its repository."""
    work_dir = checkouts.work_dir
    mirror = checkouts.folder("any").mirror
    for name in ("baselines/7-abc.json", "logs/a1.log", "trash/old/file", "probe-x/room/file"):
        (work_dir / name).parent.mkdir(parents=True, exist_ok=True)
        (work_dir / name).write_text("{}")
    changed(checkouts, "shoal/7-old")
    told = reap(work_dir, MUCH_LATER)
    assert told == ["task 7/shoal--7-old", "baseline 7-abc", "log a1"]
    assert mirror.exists(), "rescued work builds on its commits"
    assert not list((work_dir / "trash").iterdir())
    assert not (work_dir / "probe-x").exists()
    shutil.rmtree(work_dir / "rescued")
    assert reap(work_dir, MUCH_LATER) == ["mirror 7"]
    assert not mirror.exists()


def test_a_stop_is_heeded_and_loses_nothing(checkouts: Checkouts) -> None:
    """Whoever ends the runner while it clears up finds the work where it was."""
    desk = changed(checkouts, "shoal/8-stopped")
    stop = threading.Event()
    stop.set()
    assert reap(checkouts.work_dir, LATER, stop) == []
    assert (desk.folder.tree / "src" / "new.py").exists()


def test_runners_clear_up_once_an_hour(checkouts: Checkouts) -> None:
    """Eight that end together do not do it eight times."""
    work_dir = checkouts.work_dir
    (work_dir / "logs").mkdir()
    for hours, left in ((0, True), (2, False)):
        (work_dir / "logs" / "a1.log").touch()
        if hours:
            aged(work_dir / "reaper.lock", hours=hours)
        reap_now_and_then(work_dir, MUCH_LATER if hours else datetime.now(UTC), threading.Event())
        assert (work_dir / "logs" / "a1.log").exists() == left


@pytest.mark.slow
def test_a_runner_clears_up_after_its_last_word_and_doctor_lists_what_it_kept(make_stage: MakeStage, tmp_path: Path) -> None:
    """The real process: an old task of the same machine goes, its unpushed work is listed with the command that restores it."""
    stage = make_stage()
    checkouts = Checkouts(stage.work_dir)
    clone = clone_of(checkouts, tmp_path / "clone")
    old = changed(checkouts, "shoal/9-old").folder
    aged(old.root, hours=24 * 15)
    (stage.work_dir / "reaper.lock").touch()
    aged(stage.work_dir / "reaper.lock", hours=2)
    stage.prepare(GOOD_PATCH)
    app = stage.scripted_app()
    with serving(app):
        code, log = stage.run(app)
    assert code == 0, log
    assert app.report.verdict.name == "succeeded"
    assert not old.root.exists()
    assert any(json.loads(line).get("what") == "task 7/shoal--9-old" for line in log.splitlines() if '"reaped"' in line)
    (tmp_path / "app.pem").write_text(stage.app.private_key_pem)
    settings = {
        "SHOAL_WEBHOOK_SECRET": "s" * 20,
        "SHOAL_APP_ID": str(stage.app.id),
        "SHOAL_PRIVATE_KEY_PATH": str(tmp_path / "app.pem"),
        "SHOAL_GITHUB_API_URL": stage.hub.api_url,
        "SHOAL_WORK_DIR": str(stage.work_dir),
        "SHOAL_AGENT": "patch",
        "SHOAL_AGENT_FOLDER": str(stage.patches),
    }
    _, found = doctor(tmp_path, settings)
    [kept] = found["rescued work"]
    assert kept["ok"]
    assert kept["detail"].startswith("1 kept until somebody fetches or removes them\nacme/words shoal/9-old (")
    [one] = rescue.listing(stage.work_dir)
    assert kept["detail"].endswith(one.restore)
    assert restored(one, clone) == {"words.py": "x = 3\n", "src/new.py": "new = 1\n"}
