"""GitHub in trouble: outages before and after the effect, rate limits, cut connections; what people see is there once."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.github import CHECK_NAME
from shared.models import VerdictName
from tests.support.localhub import Hub, running_localhub
from tests.support.proxy import running_proxy
from tests.support.workshop import FILES, Workshop, open_workshop

# Minutes together: `.ci/run` runs them, `make test` does not.
pytestmark = pytest.mark.slow

# Issues this alike are in conflict by their words; one after the other, the first would meet all trouble alone.
SIDE_BY_SIDE = {**FILES, ".github/shoal.yml": FILES[".github/shoal.yml"] + "on_conflict: parallel\n"}
PUSH = ("POST", r"/git-receive-pack$")
_REVIEW = ("POST", r"/api/graphql$", "addPullRequestReview")
_WRITES = (
    ("POST", r"/pulls$", ""),
    _REVIEW,
    ("POST", r"/api/graphql$", ""),  # check runs and comments; and reads, as it comes
    ("POST", r"/access_tokens$", ""),
    ("DELETE", r"/installation/token$", ""),
    (*PUSH, ""),
)
_READS = (("GET", r"/collaborators/"), ("GET", r"/info/refs$"))
_LIMITED = ("POST", r"/pulls$", ""), ("POST", r"/api/graphql$", ""), _REVIEW
_RETRY_AFTER = {"retry-after": "1"}
TROUBLE: tuple[dict[str, Any], ...] = (
    *(
        {"method": m, "path_regex": p, "body_regex": b, "status": 502, "after_effect": after}
        for m, p, b in _WRITES
        for after in (False, True)
    ),
    *({"method": m, "path_regex": p, "status": 502} for m, p in _READS),
    *({"method": m, "path_regex": p, "body_regex": b, "status": 403, "headers": _RETRY_AFTER} for m, p, b in _LIMITED),
)


@pytest.fixture
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    with running_localhub(tmp_path_factory.mktemp("localhub")) as running:
        yield running


async def _assert_once(workshop: Workshop, *issues: int) -> int:
    """Every task has ended, nothing is there twice, and every check is concluded; how many tasks succeeded."""
    tasks = await workshop.ended(*issues)
    for task in tasks:
        assert task.verdict is not None
        pulls = workshop.pulls(task.issue)
        assert len(pulls) <= 1
        assert len(workshop.comments(task.issue)) == 1
        for pull in pulls:
            [check] = workshop.checks(pull["head"]["sha"])
            assert (check["name"], check["status"]) == (CHECK_NAME, "completed")
            assert len(workshop.reviews(pull)) <= 1
    on_base = workshop.checks(tasks[0].base_sha)
    assert sorted(check["name"] for check in on_base) == sorted(
        f"{CHECK_NAME} / {name}" for name in await workshop.orchestrations()
    )
    assert {check["status"] for check in on_base} == {"completed"}
    succeeded = [task for task in tasks if task.verdict is not None and task.verdict.name is VerdictName.SUCCEEDED]
    assert all(workshop.pulls(task.issue) for task in succeeded)
    return len(succeeded)


async def test_trouble_of_every_kind_leaves_everything_once(tmp_path: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every write of ours fails before and after its effect, is rate limited or cut off: all succeed, nothing is doubled."""
    async with running_proxy() as proxy:
        for name, value in proxy.environment.items():
            monkeypatch.setenv(name, value)
        async with open_workshop(tmp_path, hub, files=SIDE_BY_SIDE) as workshop:
            issues = [workshop.issue(f"Add file {number}") for number in range(4)]
            cut = [proxy.reset(*PUSH), proxy.reset(*PUSH, after_effect=True)]
            for trouble in TROUBLE:
                hub.fault(**trouble)
            workshop.label(*issues)

            assert await _assert_once(workshop, *issues) == len(issues)
            assert all(len(workshop.reviews(workshop.pulls(issue)[0])) == 1 for issue in issues)
            assert not hub.clear_faults()
            assert all(trap.reached.is_set() for trap in cut)


@pytest.mark.slow
@pytest.mark.timeout(1800)
async def test_random_trouble_over_several_orchestrations(
    tmp_path: Path, hub: Hub, record_property: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever strikes, and however often in a row: a task may fail with a reason, but nothing is doubled or left open."""
    chance = random.Random(20)
    succeeded, total = 0, 0
    async with open_workshop(tmp_path, hub, files=SIDE_BY_SIDE) as workshop:
        for _ in range(6):
            issues = [workshop.issue("Add a file") for _ in range(3)]
            for trouble in chance.choices(TROUBLE, k=12):
                hub.fault(**trouble, times=chance.choice((1, 1, 2)))
            workshop.label(*issues)
            succeeded += await _assert_once(workshop, *issues)
            total += len(issues)
            hub.clear_faults()
    record_property("succeeded", f"{succeeded} of {total}")
    with capsys.disabled():
        print(f"\nrandom trouble: {succeeded} of {total} tasks succeeded")
    assert succeeded > total / 2
