"""`mode: orchestrate` as the action starts it: what its job is told, and how it answers when somebody cancels."""

import json
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from shared.github import CHECK_NAME
from tests.support.job_files import Heard, heard
from tests.support.localhub import Hub
from tests.support.orchestrating import Yard, yard_in

pytestmark = pytest.mark.timeout(180)
HOME = "acme/quay"


@pytest.fixture
def yard(tmp_path: Path, hub: Hub) -> Yard:
    return yard_in(tmp_path, hub, HOME)


def test_outputs_and_summary_say_what_came_of_each_issue(yard: Yard) -> None:
    """The next step reads verdicts, pull requests and branches; the run's page shows what the check shows; the token is masked."""
    done, idle = yard.issue("Write a log"), yard.issue("Do nothing", implementation="true")
    with yard.step(issues=f"#{done}, {idle}") as step:
        assert step.ended() == 0, step.log
    [pull] = yard.pulls().values()
    assert step.outputs == {
        "verdict": f"{done}=succeeded {idle}=no_change",
        "conclusion": "neutral",
        "pull-request": str(pull["number"]),
        "branch": f"shoal/{done}-write-a-log",
    }
    [check] = [check for check in yard.checks(yard.main()) if check["name"].startswith(f"{CHECK_NAME} / ")]
    assert check["conclusion"] == "neutral"
    assert step.summary.splitlines()[0] == f"## {check['output']['title']}"
    assert check["output"]["summary"] in step.summary
    assert heard(step.log) == Heard(masks=[yard.token])
    assert step.log.count(yard.token) == 1


@pytest.mark.slow
def test_nothing_to_do_is_neutral(yard: Yard) -> None:
    """Empty outputs are there too, so that a later step need not guess; there is nothing to sum up."""
    with yard.step() as step:
        assert step.ended() == 0, step.log
    assert step.outputs == {"verdict": "", "conclusion": "neutral", "pull-request": "", "branch": ""}
    assert step.summary == ""


def slow_issue(yard: Yard, title: str = "Take your time") -> tuple[int, Path]:
    """Its agent changes something, leaves a mark, and then does not end by itself."""
    mark = yard.folder / f"{title.split(maxsplit=1)[0]}-is-at-work"
    return yard.issue(title, implementation=f'echo "half = 1" > half.py\ntouch "{mark}"\nsleep 300\n'), mark


def test_a_cancelled_job_ends_its_tasks_before_it_is_killed(yard: Yard) -> None:
    """What is done stays done; the rest ends as cancelled, its branch given back and its work kept; nothing runs on."""
    done, (slow, mark) = yard.issue("Write a log"), slow_issue(yard)
    with yard.step() as step:
        yard.hub.wait_for(lambda: yard.pulls() and f"#{done} succeeded" in step.log and mark.exists(), 120)
        assert signal.SIGKILL not in step.cancel(), step.log
        assert step.ended() == 1, step.log
        yard.hub.wait_for(lambda: not step.left())
    [pull] = yard.pulls().values()
    assert step.outputs == {
        "verdict": f"{done}=succeeded {slow}=cancelled",
        "conclusion": "neutral",
        "pull-request": str(pull["number"]),
        "branch": f"shoal/{done}-write-a-log",
    }
    assert yard.branches() == {f"shoal/{done}-write-a-log"}
    assert {check["name"]: check["status"] for check in yard.checks(yard.main()) if check["status"] != "completed"} == {}
    [whole] = [check for check in yard.checks(yard.main()) if check["name"].startswith(f"{CHECK_NAME} / ")]
    assert step.summary.startswith(f"## {whole['output']['title']}\n")
    assert "the job was cancelled" in "".join(yard.comments(slow))
    [half] = yard.work_dir.rglob("half.py")
    assert half.read_text() == "half = 1\n"


@pytest.mark.slow
def test_both_signals_at_once_change_nothing(yard: Yard) -> None:
    """On a machine so slow that SIGTERM comes before SIGINT was looked at the outputs are written all the same."""
    slow, mark = slow_issue(yard)
    with yard.step() as step:
        yard.hub.wait_for(mark.exists, 120)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGINT):
            step.process.send_signal(number)
        assert step.ended() == 1, step.log
        yard.hub.wait_for(lambda: not step.left())
    assert step.outputs["verdict"] == f"{slow}=cancelled"
    assert yard.branches() == set()


@pytest.mark.slow
def test_a_second_signal_while_it_ends_costs_no_output(yard: Yard) -> None:
    """GitHub's SIGTERM may come when nothing is left to do but to give branches back and to say what happened."""
    slow, mark = slow_issue(yard)
    with yard.step() as step:
        yard.hub.wait_for(mark.exists, 120)
        yard.hub.fault(r"/git/refs/heads/shoal", method="DELETE", latency_seconds=3)
        step.process.send_signal(signal.SIGINT)
        yard.hub.wait_for(lambda: f"#{slow} cancelled" in step.log, 30)
        while step.process.poll() is None:
            step.process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                step.process.wait(0.2)
        assert step.ended() == 1, step.log
    assert step.outputs["verdict"] == f"{slow}=cancelled"
    assert yard.branches() == set()


@pytest.mark.slow
def test_a_job_cancelled_at_its_start_gives_back_what_it_claimed(yard: Yard) -> None:
    """Issues that were claimed and not yet read become no tasks any more; another job can have them."""
    for number in range(3):
        slow_issue(yard, f"Begin{number} something")
    with yard.step() as step:
        yard.hub.wait_for(lambda: yard.hub.requests("POST", "/git/refs"), 60)
        assert signal.SIGKILL not in step.cancel(), step.log
        yard.hub.wait_for(lambda: not step.left())
    assert "succeeded" not in step.outputs["verdict"]
    assert yard.branches() == set()
    assert list(yard.folder.glob("*-is-at-work")) == []


@pytest.mark.slow
def test_a_job_cancelled_while_it_claims_claims_no_more(yard: Yard) -> None:
    """GitHub is slow, and every claim would have to be given back in the few seconds that are left."""
    for number in range(4):
        yard.issue(f"Begin {number}")
    yard.hub.fault("/git/refs$", method="POST", latency_seconds=2, times=4)
    with yard.step() as step:
        yard.hub.wait_for(lambda: yard.hub.requests("POST", "/git/refs"), 60)
        assert signal.SIGKILL not in step.cancel(), step.log
    assert len(yard.hub.requests("POST", "/git/refs")) < 4
    assert "succeeded" not in step.outputs["verdict"]
    assert yard.branches() == set()


def event_of(issue: int, action: str = "labeled") -> str:
    """As much of GitHub's event as counts, and what nobody may trust."""
    return json.dumps({"action": action, "issue": {"number": issue, "title": "`::error::`"}, "label": {"name": "shoal"}})


@pytest.mark.slow
def test_a_labels_event_is_about_one_issue(yard: Yard) -> None:
    """The others have events and jobs of their own; whoever names issues by the input means those."""
    first, second, third = (yard.issue(f"Write log {number}") for number in range(3))
    with yard.step("issues", event_of(second)) as step:
        assert step.ended() == 0, step.log
    assert step.outputs["verdict"] == f"{second}=succeeded"
    with yard.step("issues", event_of(first), issues=str(third)) as step:
        assert step.ended() == 0, step.log
    assert step.outputs["verdict"] == f"{third}=succeeded"
    assert not any(branch.startswith(f"shoal/{first}-") for branch in yard.branches())


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        (event_of(1, "opened"), "an issue that was 'opened'"),
        ('{"action": "labeled", "issue": {"number": -1}}', "wrong: issue.number"),
        pytest.param("[]", "wrong: the file", marks=pytest.mark.slow),
        pytest.param("{", "wrong: the file", marks=pytest.mark.slow),
        pytest.param('{"action": "labeled", "issue": "' + "x" * 2**22 + '"}', "larger than", marks=pytest.mark.slow),
    ],
)
def test_an_event_that_is_none_of_a_label_is_refused_on_the_runs_page(yard: Yard, payload: str, words: str) -> None:
    """Nothing is claimed, though an issue waits."""
    yard.issue("Write a log")
    with yard.step("issues", payload) as step:
        assert step.ended() == 2, step.log
    [said] = heard(step.log).commands
    assert said.startswith("::error title=Shoal::")
    assert words in said
    assert yard.branches() == set()


@pytest.mark.slow
def test_a_search_takes_only_what_is_labelled_here(yard: Yard, tmp_path: Path) -> None:
    """A number that it finds in another repository, an issue without the label, and a closed one are nothing to it."""
    yard.hub.repository("acme/other", tmp_path / "project")
    yard.hub.set_role("acme/other", "mona", "admin")
    for title in ("Count bollards", "Count ropes", "Count gulls"):
        yard.mona.open_issue("acme/other", title, "Please.")
    ropes, gulls, closed = yard.issue("Ropes"), yard.issue("Count gulls", label=""), yard.issue("Count boats")
    yard.mona.edit_issue(yard.name, closed, state="closed")
    wanted = yard.issue("Count berths")
    with yard.step(issues="count author:mona repo:acme/other") as step:
        assert step.ended() == 0, step.log
    assert step.outputs["verdict"] == f"{wanted}=succeeded"
    assert not any(branch.startswith((f"shoal/{ropes}-", f"shoal/{gulls}-")) for branch in yard.branches())
    with yard.step(issues="nothing author:nobody") as step:
        assert step.ended() == 0, step.log
    assert step.outputs["verdict"] == ""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("issues", "words"),
    [
        ("is:purple", "GitHub refuses the search `is:purple`"),
        ("author:" + "x" * 250, "at most 256"),
        ("12, twelve", "`twelve` is no number of an issue"),
    ],
)
def test_an_input_that_is_neither_numbers_nor_a_search_is_refused(yard: Yard, issues: str, words: str) -> None:
    """On the run's page, and nothing is claimed."""
    yard.issue("Write a log")
    with yard.step(issues=issues) as step:
        assert step.ended() == 2, step.log
    [said] = heard(step.log).commands
    assert words in said
    assert yard.branches() == set()
