"""What the stories about tables share."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection

from app.store.database import open_engine


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    """A fresh database."""
    engine = open_engine(database_url)
    with engine.connect() as connection:
        yield connection
    engine.dispose()
