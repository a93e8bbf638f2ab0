"""Runners that are stopped, killed, doubled or fenced off: the work stays, nothing is done twice."""

import json
import os
import signal
from pathlib import Path

import pytest

from shared.models import AgentSettings, AttemptLimits
from shared.process import started_at
from shared.repository_settings import RepositorySettings
from tests.runner.conftest import MakeStage
from tests.runner.stage import GOOD_PATCH, Stage
from tests.support.scripted_app import ScriptedApp, serving


def attempt(stage: Stage, number: int) -> ScriptedApp:
    return stage.scripted_app(stage.brief(attempt=number))


def killed_at(stage: Stage, call: str, times: int = 1) -> ScriptedApp:
    """The app of an attempt whose runner was killed with SIGKILL in the moment of this call."""
    app = attempt(stage, 1)
    with serving(app):
        runner = stage.start(app)

        def on_call(name: str) -> None:
            if name == call and app.calls.count(call) == times - 1:
                os.kill(runner.pid, signal.SIGKILL)

        app.on_call = on_call
        code, log = stage.wait(runner)
    assert code == -signal.SIGKILL, log
    return app


@pytest.mark.parametrize(
    ("call", "times", "redone"),
    [
        pytest.param("issue", 1, "issue", id="before the agent", marks=pytest.mark.slow),
        pytest.param("permit", 1, "pull_request", id="before the push"),
        pytest.param("permit", 2, "review", id="after the pull request", marks=pytest.mark.slow),
        pytest.param("finish", 1, "", id="before the last word", marks=pytest.mark.slow),
    ],
)
def test_after_kill_9_the_next_attempt_goes_on_where_it_was(make_stage: MakeStage, call: str, times: int, redone: str) -> None:
    """The same commit, one pull request, one review; proven phases are not run again."""
    stage = make_stage()
    stage.prepare(GOOD_PATCH)
    first = killed_at(stage, call, times)
    again = attempt(stage, 2)
    with serving(again):
        code, log = stage.run(again)
    assert code == 0, log
    assert again.report.verdict.name == "succeeded"
    ran = [json.loads(line)["phase"] for line in log.splitlines() if '"event": "phase"' in line]
    assert ran[:1] == ([redone] if redone else [])
    assert {request.head_sha for request in first.permits} <= {again.report.head_sha}
    assert [pull_request["head"]["sha"] for pull_request in stage.pull_requests()] == [again.report.head_sha]
    assert len(stage.reviews(stage.pull_requests()[0]["number"])) == 1


@pytest.mark.slow
def test_work_on_another_base_is_rescued_and_the_task_starts_afresh(make_stage: MakeStage) -> None:
    """Nothing an agent wrote is deleted unseen."""
    stage = make_stage()
    stage.prepare(GOOD_PATCH)
    killed_at(stage, "permit")
    stage.base_sha = stage.hub.commit(stage.full_name, "main", {"NEWS.md": "news\n"}, login=stage.person.login)
    again = attempt(stage, 2)
    with serving(again):
        code, log = stage.run(again)
    assert code == 0, log
    assert again.report.verdict.name == "succeeded"
    assert again.report.base_sha == stage.base_sha
    [bundle] = (stage.work_dir / "rescued").glob("*/work.bundle")
    assert bundle.read_bytes().startswith(b"# v2 git bundle")


def test_a_state_file_that_cannot_be_read_is_set_aside(make_stage: MakeStage) -> None:
    """One truncation does not end a task."""
    stage = make_stage()
    stage.prepare(GOOD_PATCH)
    killed_at(stage, "permit")
    state = stage.task_folder() / "state.json"
    state.write_bytes(state.read_bytes()[:100])
    again = attempt(stage, 2)
    with serving(again):
        code, log = stage.run(again)
    assert code == 0, log
    assert again.report.verdict.name == "succeeded"
    assert len(stage.pull_requests()) == 1
    assert list((stage.work_dir / "rescued").iterdir())


@pytest.mark.slow
def test_a_retry_after_a_verdict_starts_afresh(make_stage: MakeStage) -> None:
    """An agent that changed nothing gets a new try, it does not resume its failure."""
    stage = make_stage()
    stage.prepare("")
    first = attempt(stage, 1)
    with serving(first):
        stage.run(first)
    assert first.report.verdict.name == "no_change"
    (stage.patches / str(stage.number) / "change.patch").write_text(GOOD_PATCH)
    again = attempt(stage, 2)
    with serving(again):
        stage.run(again)
    assert again.report.verdict.name == "succeeded"


def test_a_second_runner_on_a_task_ends_with_a_clear_line(make_stage: MakeStage) -> None:
    """Two processes never share a folder, whatever the app believes."""
    stage = make_stage()
    stage.prepare(GOOD_PATCH)
    agent = AgentSettings(name="patch", folder=str(stage.patches), think_seconds=300)
    first = stage.scripted_app(stage.brief(agent=agent))
    second = attempt(stage, 2)
    with serving(first), serving(second):
        runner = stage.start(first)
        first.wait_for(lambda app: any(phase.name == "branch" for phase in app.phases))
        code, log = stage.run(second)
        runner.terminate()
        stage.wait(runner)
    assert code == 2
    assert "another runner works on" in log


def test_what_is_heard_after_the_last_word_stops_nothing(make_stage: MakeStage) -> None:
    """For the app an attempt is over with its verdict; the runner that just then sends a heartbeat still hands its checkout on."""
    stage = make_stage()
    stage.prepare(GOOD_PATCH)
    app = attempt(stage, 1)

    def on_call(name: str) -> None:
        if name == "finish":
            app.statuses["heartbeat"] = 409
            before = app.calls.count("heartbeat")
            app.wait_for(lambda app: app.calls.count("heartbeat") > before)

    app.on_call = on_call
    with serving(app):
        code, log = stage.run(app)
    assert code == 0, log
    assert app.report.verdict.name == "succeeded"
    assert len(list((stage.work_dir / "pool" / str(stage.repository["id"])).iterdir())) == 1, log
    assert not (stage.task_folder() / "checkout").exists()


def slow_escape(stage: Stage, **more: object) -> tuple[ScriptedApp, Path]:
    """An agent that leaves its session, ignores the polite signal and would run for ever, once it has changed something."""
    stage.root.joinpath("escaped").touch()
    inner = 'trap "" TERM; echo $$ > escaped; sleep 300'
    agent = stage.script(f"echo 'x = 1' >> words.py; setsid sh -c '{inner}' & trap '' TERM; sleep 300")
    return stage.scripted_app(stage.brief(agent=agent, **more)), stage.task_folder() / "checkout" / "tree" / "escaped"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("how", "isolation"),
    [
        ("heartbeat", "preferred"),
        pytest.param("heartbeat", "none", marks=pytest.mark.slow),
        pytest.param("signal", "preferred", marks=pytest.mark.slow),
        pytest.param("signal", "none", marks=pytest.mark.slow),
    ],
)
def test_a_stop_ends_everything_and_keeps_the_work(make_stage: MakeStage, isolation: str, how: str) -> None:
    """Whoever asks: the tree is gone, the change is still on disk, the app hears `cancelled` and why."""
    stage = make_stage()
    app, mark = slow_escape(stage, isolation=isolation)
    with serving(app):
        runner = stage.start(app)
        app.wait_for(lambda app: mark.exists() and bool(mark.read_text().strip()) if app.phases else False)
        if how == "heartbeat":
            app.stop = "the label was removed"
        else:
            runner.send_signal(signal.SIGTERM)
        code, log = stage.wait(runner)
    assert code == 0, log
    assert app.report.verdict.name == "cancelled"
    assert ("the label was removed" if how == "heartbeat" else "SIGTERM") in app.report.verdict.reason
    assert not agents_of(stage)
    assert "x = 1" in (mark.parent / "words.py").read_text()


@pytest.mark.slow
def test_kill_9_of_the_runner_ends_a_sandboxed_agent_with_it(make_stage: MakeStage) -> None:
    """Nobody has to come and clean up."""
    stage = make_stage()
    app, mark = slow_escape(stage)
    with serving(app):
        runner = stage.start(app)
        app.wait_for(lambda app: mark.exists() and bool(mark.read_text().strip()) if app.phases else False)
        runner.kill()
        stage.wait(runner)
    stage.hub.wait_for(lambda: not agents_of(stage))


@pytest.mark.slow
def test_a_full_disk_is_named(make_stage: MakeStage) -> None:
    """Whatever was being written: people read what to do, not a stack trace."""
    stage = make_stage()
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small file system")
    agent, limits = stage.script("head -c 30000000 /dev/urandom > words.py"), AttemptLimits(disk_free_mib=0)
    app = stage.scripted_app(stage.brief(agent=agent, limits=limits))
    stage.work_dir.mkdir()
    small = ["unshare", "--mount", "--", "sh", "-c", f'mount -t tmpfs -o size=8m small {stage.work_dir} && exec "$@"', "sh"]
    with serving(app):
        code, log = stage.wait(stage.start_with(app.launch(stage.work_dir).model_dump_json(), prefix=small))
    assert code == 0, log
    assert app.report.verdict.name == "limit_reached"
    assert app.report.verdict.limit == "disk_free_mib"
    assert "disk is full" in app.report.verdict.reason


@pytest.mark.slow
def test_kill_9_of_the_runner_leaves_no_agent_behind_once_the_next_one_starts(make_stage: MakeStage) -> None:
    """In a sandbox it dies with the runner; without one the next runner of the task ends it first."""
    stage = make_stage()
    app, mark = slow_escape(stage, isolation="none")
    with serving(app):
        runner = stage.start(app)
        app.wait_for(lambda app: mark.exists() and bool(mark.read_text().strip()) if app.phases else False)
        runner.kill()
        stage.wait(runner)
    assert agents_of(stage)
    stage.prepare(GOOD_PATCH)
    again = attempt(stage, 2)
    with serving(again):
        stage.run(again)
    assert not agents_of(stage)
    assert again.report.verdict.name == "succeeded"


def agents_of(stage: Stage) -> list[int]:
    """Processes whose HOME is the task's, wherever they went."""
    wanted = f"HOME={stage.task_folder() / 'home'}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if wanted in (folder / "environ").read_bytes().split(b"\0") and started_at(int(folder.name)) is not None:
                found.append(int(folder.name))
        except OSError:
            continue
    return found


@pytest.mark.slow
def test_an_attempt_that_somebody_else_holds_is_left_alone(make_stage: MakeStage) -> None:
    """409 at the claim: exit code 3, nothing on disk."""
    stage = make_stage()
    stage.prepare(GOOD_PATCH)
    app = stage.scripted_app()
    with serving(app):
        assert stage.run(app)[0] == 0
        code, log = stage.run(app)
    assert (code, app.calls.count("claim")) == (3, 2), log


def test_a_runner_that_is_fenced_off_stops_before_it_writes(make_stage: MakeStage) -> None:
    """409 at the permit, as for a zombie that slept past its lease."""
    stage = make_stage()
    stage.prepare(GOOD_PATCH)
    app = stage.scripted_app()
    app.gone_at = "permit"
    with serving(app):
        code, log = stage.run(app)
    assert code == 3, log
    assert stage.branch_sha() == ""
    assert app.finished is None


@pytest.mark.slow
def test_versions_that_do_not_fit_are_named(make_stage: MakeStage) -> None:
    """One clear line."""
    stage = make_stage()
    app = stage.scripted_app()
    app.statuses["claim"] = 426
    with serving(app):
        code, log = stage.run(app)
    assert code == 2
    assert "different versions" in log


def test_a_launch_line_that_is_none_is_refused_without_repeating_it(make_stage: MakeStage) -> None:
    """The line may hold the secret."""
    stage = make_stage()
    runner = stage.start_with('{"app_url": "http://127.0.0.1:9", "secret": "shoal_secret_x"}')
    code, log = stage.wait(runner)
    assert code == 2
    assert "attempt_id" in log
    assert "shoal_secret" not in log


@pytest.mark.slow
def test_the_secret_is_in_no_log_and_no_file(make_stage: MakeStage) -> None:
    """Neither the attempt's nor GitHub's tokens are written anywhere."""
    stage = make_stage()
    stage.prepare(GOOD_PATCH)
    app = stage.scripted_app()
    tokens = stage.tokens_granted(app)
    with serving(app):
        _, log = stage.run(app, SHOAL_LOG_LEVEL="DEBUG")
    secrets = [*app.lent, "shoal_secret_for_one_attempt_only", *tokens]
    assert len(secrets) == 4
    files = [path for path in stage.work_dir.rglob("*") if path.is_file()]
    for secret in secrets:
        assert secret not in log
        assert not [path for path in files if secret.encode() in path.read_bytes()]


@pytest.mark.slow
def test_settings_reach_the_attempt(make_stage: MakeStage) -> None:
    """The repository's test command is used as it is written."""
    stage = make_stage()
    stage.prepare(GOOD_PATCH)
    command = "echo $((40 + 2)) && exit 0"
    app = stage.scripted_app(stage.brief(settings=RepositorySettings(test_command=command)))
    with serving(app):
        stage.run(app)
    assert app.report.tests_after is not None
    assert (app.report.tests_after.command, app.report.tests_after.tail) == (command, "42")
