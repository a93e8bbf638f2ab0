"""What the app tells a backend about earlier tries to start the same attempt."""

from pathlib import Path

from tests.support.localhub import Hub
from tests.support.nowhere import Nowhere
from tests.support.workshop import open_workshop


async def test_only_the_very_first_try_is_said_to_be_one(tmp_path: Path, hub: Hub) -> None:
    """The secret in the database tells, also after a crash: whoever finds one there looks before starting anything."""
    nowhere = Nowhere(refusals=1)
    async with open_workshop(tmp_path, hub, nowhere) as workshop:
        workshop.label(workshop.issue("Add a file"))
        first, second = await nowhere.launch(0), await nowhere.launch(1)
        assert first.attempt_id == second.attempt_id
        assert first.secret != second.secret
    assert nowhere.again == [False, True]
