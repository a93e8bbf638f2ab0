"""Fixtures that more than one part's tests use."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.localhub import Hub, running_localhub


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    """A fresh embedded GitHub."""
    with running_localhub(tmp_path / "localhub") as running:
        yield running
