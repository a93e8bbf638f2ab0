"""`publish: hold` from label to pull request: until a person says so GitHub shows nothing of the work, and then exactly that."""

import shutil
import stat
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from app.decide.state import Task
from shared.models import VerdictName
from tests.support.localhub import Hub, Json, running_localhub
from tests.support.proxy import running_proxy
from tests.support.workshop import FILES, Workshop, open_workshop, until

HOLDS = {**FILES, ".github/shoal.yml": FILES[".github/shoal.yml"] + "publish: hold\n"}
TOKEN = "the operator's own token"
AUTH = {"Authorization": f"Bearer {TOKEN}"}
_FINDING = '[{"path": "made.py", "line": 1, "must_fix": true, "text": "a bare number"}]'


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """One for all stories here; each has a repository and an App of its own."""
    with running_localhub(tmp_path_factory.mktemp("localhub")) as running:
        yield running


def scripts(folder: Path) -> dict[str, str]:
    """An agent that counts its passes; its reviewer finds something that must be mended."""
    passes = {
        "research": "echo 'a plan'",
        "implementation": "echo 'answer = 1' > made.py",
        "review": f"cat <<'END'\nFine but for one thing.\n\n```json\n{_FINDING}\n```\nEND",
        "fix": "echo 'answer = 2' > made.py",
    }
    return {name: f"echo {name} >> {folder}/passes\n{text}\n" for name, text in passes.items()}


def passes(folder: Path) -> list[str]:
    return (folder / "passes").read_text().split()


async def held(workshop: Workshop, folder: Path) -> int:
    """An issue whose work waits to be published."""
    issue = workshop.issue("Add a file", **scripts(folder))
    workshop.label(issue)
    assert name_of((await workshop.ended(issue))[0]) == "held"
    return issue


def name_of(task: Task) -> str:
    return task.verdict.name if task.verdict else ""


def branches(workshop: Workshop) -> list[str]:
    return sorted(branch["name"] for branch in workshop.get("/branches"))


def nothing_on_github(workshop: Workshop, issue: int) -> bool:
    return branches(workshop) == ["main"] and workshop.pulls(issue) == []


def whole_check(workshop: Workshop) -> Json:
    [check] = workshop.checks(str(workshop.get("/branches/main")["commit"]["sha"]))
    return check


def files(workshop: Workshop) -> list[str]:
    """What the app keeps."""
    return sorted(file.name for file in (workshop.folder / "work" / "held").glob("*"))


async def publish(workshop: Workshop, issue: int) -> Task:
    """A maintainer says so on the issue; how it ended."""
    workshop.maintainer.comment(workshop.full_name, issue, "/shoal publish")

    async def taken_up() -> bool:
        return len(await workshop.attempts(issue)) > 1

    await until(taken_up)
    return (await workshop.ended(issue))[0]


async def test_from_label_to_hold_to_pull_request(tmp_path: Path, hub: Hub) -> None:
    """The work waits, with its review; the base moves on; another machine publishes it, and no agent runs again."""
    async with open_workshop(tmp_path, hub, files=HOLDS, operator_token=TOKEN) as workshop:
        issue = await held(workshop, tmp_path)
        [attempt] = await workshop.attempts(issue)
        played = passes(tmp_path)
        assert nothing_on_github(workshop, issue)
        assert not attempt.holds_slot
        assert "fix" not in played
        check = whole_check(workshop)
        assert check["conclusion"] == "action_required"
        assert f"**#{issue} waits to be published**" in check["output"]["summary"]
        [comment] = workshop.comments(issue)
        assert "**Waiting to be published**" in comment
        assert "`made.py` +1 −0" in comment
        assert "/shoal publish" in comment

        folder = tmp_path / "work" / "held"
        assert files(workshop) == [f"{attempt.id}.bundle", f"{attempt.id}.diff"]
        assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        async with httpx.AsyncClient(base_url=workshop.app_url, trust_env=False) as client:
            shown = await client.get(f"/held/{attempt.id}.diff", headers=AUTH)
            assert "+answer = 1" in shown.text
            assert shown.headers["content-type"].startswith("text/plain")
            assert (await client.get(f"/held/{attempt.id}.diff")).status_code == 401
            assert (await client.get("/held/1-1-1-1.diff", headers=AUTH)).status_code == 404

        hub.commit(workshop.full_name, "main", {"other.py": "x = 1\n"}, login=workshop.maintainer.login)
        for place in ("tasks", "mirrors", "pool", "baselines"):
            shutil.rmtree(tmp_path / "work" / place, ignore_errors=True)
        kept = await workshop.task(issue)
        assert kept is not None
        assert kept.on_hold is not None
        task = await publish(workshop, issue)

        assert name_of(task) == "succeeded", task.verdict
        [pull] = workshop.pulls(issue)
        assert (pull["head"]["sha"], branches(workshop)) == (kept.on_hold.head_sha, ["main", task.branch])
        assert len(workshop.reviews(pull)) == 1
        assert passes(tmp_path) == played
        assert files(workshop) == []
        assert [one["conclusion"] for one in workshop.checks(pull["head"]["sha"])] == ["success"]


@pytest.mark.slow
async def test_the_button_lets_it_out(tmp_path: Path, hub: Hub) -> None:
    """Who may only read presses in vain."""
    async with open_workshop(tmp_path, hub, files=HOLDS) as workshop:
        issue = await held(workshop, tmp_path)
        check = int(whole_check(workshop)["id"])
        hub.person("passer-by", {workshop.full_name: "read"})
        hub.press(check, "passer-by", "publish")
        hub.press(check, workshop.maintainer.login, "publish")

        async def published() -> bool:
            return len(workshop.pulls(issue)) == 1

        await until(published)
        [task] = await workshop.ended(issue)
        assert (name_of(task), task.attempts) == ("succeeded", 2)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("harm", "words"),
    [
        ("missing", "its bundle is missing"),
        ("changed", "not what it was when it was handed over"),
        ("cut", "shorter than it was"),
    ],
)
async def test_a_bundle_that_is_not_whole_is_never_published(tmp_path: Path, hub: Hub, harm: str, words: str) -> None:
    """The verdict says so and names the way on, which does the work anew."""
    async with open_workshop(tmp_path, hub, files=HOLDS) as workshop:
        issue = await held(workshop, tmp_path)
        [bundle] = (tmp_path / "work" / "held").glob("*.bundle")
        content = bundle.read_bytes()
        if harm == "missing":
            bundle.unlink()
        else:
            bundle.write_bytes(content[:-1] + b"?" if harm == "changed" else content[: len(content) // 2])
        task = await publish(workshop, issue)
        assert task.verdict is not None
        assert task.verdict.name is VerdictName.PUBLISH_FAILED
        assert words in task.verdict.reason
        assert "`/shoal retry`" in task.verdict.reason
        assert nothing_on_github(workshop, issue)
        workshop.maintainer.comment(workshop.full_name, issue, "/shoal retry")

        async def again() -> bool:
            found = await workshop.task(issue)
            return found is not None and found.waits_to_be_published

        await until(again)
        assert passes(tmp_path).count("implementation") == 2


@pytest.mark.slow
async def test_an_edit_while_it_waits_ends_it(tmp_path: Path, hub: Hub) -> None:
    """The text that was approved is gone: the bundle goes too, and publish is answered with why not."""
    async with open_workshop(tmp_path, hub, files=HOLDS) as workshop:
        issue = await held(workshop, tmp_path)
        workshop.maintainer.edit_issue(workshop.full_name, issue, body="Something else, please.")

        async def noticed() -> bool:
            found = await workshop.task(issue)
            return found is not None and name_of(found) == "edited_after_approval" and not files(workshop)

        await until(noticed)
        workshop.maintainer.comment(workshop.full_name, issue, "/shoal publish")

        async def answered() -> bool:
            return any("waits to be published" in text for text in workshop.comments(issue))

        await until(answered)
        assert nothing_on_github(workshop, issue)


@pytest.mark.slow
async def test_its_time_runs_out_also_while_the_app_is_away(tmp_path: Path, hub: Hub) -> None:
    """It survives a restart; after a week the bundle is deleted, and the issue says so."""
    async with open_workshop(tmp_path, hub, files=HOLDS) as workshop:
        issue = await held(workshop, tmp_path)
        async with workshop.app_away(timedelta(days=6)):
            pass
        assert len(files(workshop)) == 2
        async with workshop.app_away(timedelta(days=2)):
            pass

        async def over() -> bool:
            return not files(workshop) and any("within 168 hours" in text for text in workshop.comments(issue))

        await until(over)
        assert name_of((await workshop.ended(issue))[0]) == "cancelled"
        assert nothing_on_github(workshop, issue)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("request_", "answered"),
    [(("POST", r"/git-receive-pack$"), False), (("POST", r"/git-receive-pack$"), True), (("POST", r"/pulls$"), True)],
)
async def test_kill_9_while_it_is_let_out(
    tmp_path: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch, request_: tuple[str, str], answered: bool
) -> None:
    """The next runner goes on: one branch, one pull request, one review, and the agent has worked once."""
    async with running_proxy() as proxy:
        for name, value in proxy.environment.items():
            monkeypatch.setenv(name, value)
        async with open_workshop(tmp_path, hub, files=HOLDS) as workshop:
            issue = await held(workshop, tmp_path)
            played = passes(tmp_path)
            trap = proxy.hold_answer(*request_) if answered else proxy.hold(*request_)
            workshop.maintainer.comment(workshop.full_name, issue, "/shoal publish")
            await trap.reached.wait()
            (await workshop.runner(issue)).kill()
            [task] = await workshop.ended(issue)
            assert (name_of(task), task.attempts) == ("succeeded", 3), task.verdict
            [pull] = workshop.pulls(issue)
            assert len(workshop.reviews(pull)) == 1
            assert passes(tmp_path) == played
            assert files(workshop) == []


@pytest.mark.slow
async def test_kill_9_before_it_is_handed_over(tmp_path: Path, hub: Hub) -> None:
    """Killed in the pass that reviews: the next attempt goes on from what is saved, and hands over once."""
    async with open_workshop(tmp_path, hub, files=HOLDS) as workshop:
        told = scripts(tmp_path)
        stops = f"touch {tmp_path}/there; until [ -e {tmp_path}/go ]; do sleep 0.05; done\n"
        issue = workshop.issue("Add a file", **{**told, "review": stops + told["review"]})
        workshop.label(issue)

        async def there() -> bool:
            return (tmp_path / "there").exists()

        await until(there)
        (await workshop.runner(issue)).kill()
        (tmp_path / "go").touch()
        [task] = await workshop.ended(issue)
        assert (name_of(task), task.attempts, len(files(workshop))) == ("held", 2, 2)
        assert passes(tmp_path).count("implementation") == 1
        assert nothing_on_github(workshop, issue)


@pytest.mark.slow
async def test_what_is_added_to_a_pull_request_waits_too(tmp_path: Path, hub: Hub) -> None:
    """`/shoal fix`: the branch stays as it is until that is published too; then it has one commit more."""
    async with open_workshop(tmp_path, hub, files=HOLDS) as workshop:
        issue = await held(workshop, tmp_path)
        await publish(workshop, issue)
        [before] = workshop.pulls(issue)
        more = tmp_path / "scripts" / str(issue) / "follow_up.sh"
        more.write_text(f"echo follow_up >> {tmp_path}/passes\necho 'more = 1' > more.py\n", encoding="utf-8")
        workshop.maintainer.comment(workshop.full_name, issue, "/shoal fix and another file")

        async def waits() -> bool:
            found = await workshop.task(issue)
            return found is not None and found.waits_to_be_published

        await until(waits)
        [same] = workshop.pulls(issue)
        assert same["head"]["sha"] == before["head"]["sha"]
        workshop.maintainer.comment(workshop.full_name, issue, "/shoal publish")

        async def added() -> bool:
            return bool(workshop.pulls(issue)[0]["head"]["sha"] != before["head"]["sha"])

        await until(added)
        [task] = await workshop.ended(issue)
        [after] = workshop.pulls(issue)
        compared = workshop.get(f"/compare/{before['head']['sha']}...{after['head']['sha']}")
        assert (name_of(task), compared["status"], compared["ahead_by"]) == ("succeeded", "ahead", 1)
        assert passes(tmp_path).count("follow_up") == 1
        assert files(workshop) == []
