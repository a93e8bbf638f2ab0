"""Each way in which an attempt can fail has a name of its own, and people read its last output where they look first."""

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from shared.models import VerdictName
from tests.support.far_machine import far_machines
from tests.support.localhub import Hub, running_localhub
from tests.support.workshop import FILES, SIDE_BY_SIDE, Workshop, open_workshop, until_there

# Minutes together: `.ci/run` runs them, `make test` does not.
pytestmark = pytest.mark.slow

_BROKEN_DIFF = """git apply <<'END'
--- a/words.py
+++ b/words.py
@@ -1,2 +1,2 @@
 def count(text: bytes) -> int:
-    return 0
+    return 1
END
"""


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """One for all stories here; each has a repository and an App of its own."""
    with running_localhub(tmp_path_factory.mktemp("localhub")) as running:
        yield running


async def _assert_told(workshop: Workshop, issue: int, name: VerdictName, *words: str) -> None:
    """The verdict, and its words in the one comment of an issue that has no pull request."""
    task = await workshop.task(issue)
    assert task is not None
    assert task.verdict is not None
    assert task.verdict.name is name, task.verdict
    assert not workshop.pulls(issue)
    [comment] = workshop.comments(issue)
    for part in words:
        assert part in comment


async def test_what_an_agent_does_wrong_is_told_apart(tmp_path: Path, hub: Hub) -> None:
    """Four bad siblings in one orchestration have a verdict each; the fifth, at work until they have ended, succeeds untouched."""
    async with open_workshop(tmp_path, hub, files=SIDE_BY_SIDE, slots=5) as workshop:
        broken = workshop.issue("Broken diff", implementation=_BROKEN_DIFF)
        gives_up = workshop.issue("Gives up", implementation="echo 'the model said no'; exit 1")
        killed = workshop.issue("Killed", implementation=f"echo 'thinking hard'; echo $$ > {tmp_path}/pid; exec sleep 100")
        red = workshop.issue("Red", implementation="sed -i 's/len(text.split())/41/' words.py")
        wait = f"touch {tmp_path}/begun; until [ -e {tmp_path}/go ]; do sleep 0.05; done; echo 'answer = 5' > made_5.py"
        good = workshop.issue("Does its work", implementation=wait)
        workshop.label(good, broken, gives_up, killed, red)
        await until_there(tmp_path / "begun")
        await until_there(tmp_path / "pid")
        psutil.Process(int((tmp_path / "pid").read_text())).kill()
        await workshop.ended(broken, gives_up, killed, red)
        (tmp_path / "go").touch()
        [untouched] = await workshop.ended(good)

        failed = VerdictName.AGENT_FAILED
        await _assert_told(workshop, broken, failed, "Agent failed", "exit code 1", "patch does not apply")
        await _assert_told(workshop, gives_up, failed, "Agent failed", "exit code 1", "the model said no")
        await _assert_told(workshop, killed, failed, "Agent failed", "killed by SIGKILL", "thinking hard")
        [pull] = workshop.pulls(red)
        [check] = workshop.checks(pull["head"]["sha"])
        assert pull["draft"]
        assert check["conclusion"] == "failure"
        assert "Tests failed" in check["output"]["title"]
        assert "AssertionError" in check["output"]["summary"]
        assert untouched.verdict is not None
        assert (untouched.verdict.name, untouched.attempts) == (VerdictName.SUCCEEDED, 1), untouched.verdict
        [pull] = workshop.pulls(good)
        assert not pull["draft"]
        assert [file["filename"] for file in workshop.get(f"/pulls/{pull['number']}/files")] == ["made_5.py"]
        assert [check["conclusion"] for check in workshop.checks(pull["head"]["sha"])] == ["success"]


@pytest.mark.parametrize(
    ("command", "words"),
    [("", ("no test command was found", "test_command")), ("no-such-tool --all", ("could not be started", "not found"))],
    ids=["none", "not installed"],
)
async def test_no_tests_is_said_before_the_agent_works(tmp_path: Path, hub: Hub, command: str, words: tuple[str, ...]) -> None:
    """Without evidence there is no success: nothing is spent."""
    settings = {".github/shoal.yml": f"test_command: {command}\n"} if command else {}
    async with open_workshop(tmp_path, hub, files={"words.py": FILES["words.py"], **settings}) as workshop:
        issue = workshop.issue("Add a file", research=f"touch {tmp_path}/spent")
        workshop.label(issue)
        await workshop.ended(issue)

        await _assert_told(workshop, issue, VerdictName.SETUP_FAILED, "Set-up failed", *words)
        assert not (tmp_path / "spent").exists()


@pytest.mark.parametrize(
    "script",
    ["head -c 64M /dev/zero > big", "head -c 64M /dev/zero > big || true"],
    ids=["the agent notices", "the runner notices"],
)
async def test_a_full_disk_is_named(tmp_path: Path, hub: Hub, script: str) -> None:
    """Whoever meets it first; the verdict leaves the machine although nothing can be written there any more."""
    async with (
        far_machines(tmp_path / "machines", disk_mib=24) as machines,
        open_workshop(tmp_path, hub, machines, disk_free_mib=0) as workshop,
    ):
        issue = workshop.issue("Fill the disk", implementation=script)
        workshop.label(issue)
        [task] = await workshop.ended(issue)

        await _assert_told(workshop, issue, VerdictName.LIMIT_REACHED, "Limit reached", "disk is full", "No space left on device")
        assert task.attempts == 1
