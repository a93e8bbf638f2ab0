"""A runner that is killed at any point: the next one goes on from what is saved, and GitHub shows everything once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.models import VerdictName
from tests.support.localhub import Hub, running_localhub
from tests.support.proxy import running_proxy
from tests.support.workshop import SIDE_BY_SIDE, open_workshop, until_there

BEFORE_PUSH = ("GET", r"/info/refs\?service=git-receive-pack")
PUSH = ("POST", r"/git-receive-pack$")
PULL_REQUEST = ("POST", r"/pulls$")
REVIEW = ("POST", r"/api/graphql$", "addPullRequestReview")
_SLOW = pytest.mark.slow


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """One for all stories here; each has a repository and an App of its own."""
    with running_localhub(tmp_path_factory.mktemp("localhub")) as running:
        yield running


def _scripts(folder: Path, stops_in: str) -> dict[str, str]:
    """An agent that counts its passes, and waits in one of them until it may go on."""
    wait = f"touch {folder}/there; until [ -e {folder}/go ]; do sleep 0.05; done\n"
    slow_test = f"import os, time\nopen('{folder}/there', 'w').close()\nwhile not os.path.exists('{folder}/go'): time.sleep(0.05)\n"
    passes = {
        "research": "echo 'a plan'",
        "implementation": "echo 'answer = 1' > made.py"
        + (f"\ncat > test_words.py <<'END'\n{slow_test}END\n" if stops_in == "testing" else ""),
        "review": "echo 'looks right'",
    }
    return {name: f"echo {name} >> {folder}/passes\n{wait if name == stops_in else ''}{text}\n" for name, text in passes.items()}


@pytest.mark.parametrize(
    ("stops_in", "again"),
    [
        pytest.param("research", {"research"}, marks=_SLOW),
        pytest.param("implementation", {"implementation"}),
        pytest.param("testing", set(), marks=_SLOW),
        pytest.param("review", {"review"}, marks=_SLOW),
    ],
)
async def test_killed_at_work(tmp_path: Path, hub: Hub, stops_in: str, again: set[str]) -> None:
    """Only the pass that was cut off is played again; a sibling that was at work beside it does not notice."""
    async with open_workshop(tmp_path, hub, files=SIDE_BY_SIDE) as workshop:
        issue = workshop.issue("Add a file", **_scripts(tmp_path, stops_in))
        waits = f"touch {tmp_path}/beside; until [ -e {tmp_path}/go ]; do sleep 0.05; done; echo 'sibling = 2' > beside.py"
        sibling = workshop.issue("Count the vowels", implementation=waits)
        workshop.label(issue, sibling)
        await until_there(tmp_path / "there")
        await until_there(tmp_path / "beside")
        (await workshop.runner(issue)).kill()
        (tmp_path / "go").touch()
        [task, untouched] = await workshop.ended(issue, sibling)

        assert untouched.verdict is not None
        assert (untouched.verdict.name, untouched.attempts) == (VerdictName.SUCCEEDED, 1), untouched.verdict
        [pull] = workshop.pulls(sibling)
        assert [file["filename"] for file in workshop.get(f"/pulls/{pull['number']}/files")] == ["beside.py"]
        assert len(workshop.reviews(pull)) == 1

        assert task.verdict is not None
        assert task.verdict.name is VerdictName.SUCCEEDED, task.verdict
        assert task.attempts == 2
        [pull] = workshop.pulls(issue)
        assert [check["conclusion"] for check in workshop.checks(pull["head"]["sha"])] == ["success"]
        assert len(workshop.reviews(pull)) == 1
        played = (tmp_path / "passes").read_text().split()
        assert {name for name in played if played.count(name) > 1} == again


@pytest.mark.parametrize(
    ("request_", "answered"),
    [
        pytest.param(BEFORE_PUSH, False),
        pytest.param(PUSH, False, marks=_SLOW),
        pytest.param(PUSH, True, marks=_SLOW),
        pytest.param(PULL_REQUEST, False, marks=_SLOW),
        pytest.param(PULL_REQUEST, True),
        pytest.param(REVIEW, False, marks=_SLOW),
        pytest.param(REVIEW, True, marks=_SLOW),
    ],
)
async def test_killed_while_it_publishes(
    tmp_path: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch, request_: tuple[str, ...], answered: bool
) -> None:
    """What reached GitHub is adopted, what did not is done, the review too; the agent has worked once."""
    async with running_proxy() as proxy:
        for name, value in proxy.environment.items():
            monkeypatch.setenv(name, value)
        async with open_workshop(tmp_path, hub) as workshop:
            held = proxy.hold_answer(*request_) if answered else proxy.hold(*request_)
            issue = workshop.issue("Add a file", **_scripts(tmp_path, ""))
            workshop.label(issue)
            await held.reached.wait()
            (await workshop.runner(issue)).kill()
            [task] = await workshop.ended(issue)

            assert task.verdict is not None
            assert task.verdict.name is VerdictName.SUCCEEDED, task.verdict
            assert task.attempts == 2
            [pull] = workshop.pulls(issue)
            assert [check["conclusion"] for check in workshop.checks(pull["head"]["sha"])] == ["success"]
            assert len(workshop.reviews(pull)) == 1
            assert (tmp_path / "passes").read_text().split().count("implementation") == 1
