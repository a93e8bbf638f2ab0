"""The whole rehearsal in bad weather: requests of every kind fail in every way, and no webhook ever arrives."""

from pathlib import Path
from typing import get_args

import pytest

from app.demo import sample
from app.demo.outcome import differences, outcome
from app.demo.rehearsal import opened, pulls, watch
from app.demo.stage import call
from app.demo.world import Ways, World
from app.localhub.storm import Way
from tests.support.journeys import doubled
from tests.support.localhub import Json

pytestmark = pytest.mark.slow
_WAYS = get_args(Way)
# At two of a hundred few requests fail in one rehearsal: three of them meet every way.
_THIRDS = (_WAYS[:3], _WAYS[3:6], _WAYS[6:])


def _door(world: World, method: str, path: str, body: object = None) -> Json:
    answer: Json = call(method, f"{world.identity.hub_url}/_localhub{path}", body).json()
    return answer


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("share", "ways"), [*((0.02, some) for some in _THIRDS), (0.05, _WAYS)])
def test_requests_fail_and_no_webhook_arrives(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], share: float, ways: tuple[Way, ...]
) -> None:
    """The result is the same: every expected verdict, exactly one pull request each, every check concluded, nothing twice."""
    with opened(tmp_path, Ways(slots=4, think_seconds=0.5), lambda _line: None) as world:
        _door(world, "PUT", "/webhooks", {"mode": "drop"})
        _door(world, "PUT", "/weather", {"share": share, "seed": 9, "ways": ways})
        world.label_all()
        status = watch(world, lambda _: None, 600)
        struck = _door(world, "GET", "/weather")
        _door(world, "PUT", "/weather", {"share": 0})
        found = outcome(status)
        assert found is not None
        assert differences(sample.expected(), found.tasks, pulls(world)) == ()
        assert doubled(world, *sample.expected()) == []
        assert set(struck["struck"]) == set(ways)
    with capsys.disabled():
        print(f"\nbad weather, {share:.0%}: {struck}")
