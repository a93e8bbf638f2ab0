"""A job's proof of itself is worth one secret, whoever shows it a second time."""

from pathlib import Path

from app.store import rows
from tests.support.loops import open_loop


async def test_a_replayed_token_is_refused_until_it_has_expired_anyway(tmp_path: Path) -> None:
    """Even for an attempt that nobody knows the id of the token is used up; another token is asked about on its own."""
    async with open_loop(tmp_path, run=False) as loop:

        async def show(token_id: str, now: float) -> str:
            return await loop.database.write(lambda c: rows.identify(c, "1-5-1-1", "hash", token_id, 100.0, now))

        answers = [await show("one", 1.0), await show("one", 2.0), await show("two", 3.0), await show("one", 101.0)]
    assert ["used before" in answer for answer in answers] == [False, True, False, False]
