"""Stories about what planning learns of a repository, from the embedded GitHub over real git."""

import asyncio
from pathlib import Path

import pytest

from app.approved import read_issue
from app.facts.repository import gather
from app.github.repository import RepositoryClient
from shared.errors import UserError
from shared.git import git
from tests.github.conftest import REPOSITORY, Home, client, github, home

__all__ = ["client", "github", "home"]  # fixtures


async def test_facts_follow_the_default_branch(home: Home, client: RepositoryClient, tmp_path: Path) -> None:
    """Files and settings are those of its newest commit, also when the mirror is there already; no token stays on the disk."""
    first = await gather(client, tmp_path / "work")
    assert (first.base_sha, first.default_branch, first.settings_text) == (home.sha, "main", None)
    assert set(first.listing.tree.paths) == {"README.md", "docs/grün.bin"}
    files = {".github/shoal.yml": "test_command: make test\n", "src/größe.py": "x = 1\n"}
    newer = home.hub.commit(REPOSITORY, "main", files, login="mona")
    second = await gather(client, tmp_path / "work")
    assert second.base_sha == newer
    assert second.settings_text == "test_command: make test\n"
    assert "src/größe.py" in second.listing.tree.paths
    assert not [f for f in (tmp_path / "work").rglob("*") if f.is_file() and b"ghs_" in f.read_bytes()]


async def test_batches_that_are_planned_at_once_share_the_mirror(home: Home, client: RepositoryClient, tmp_path: Path) -> None:
    """One of them makes it, the others wait; all see the same commit."""
    found = await asyncio.gather(*[gather(client, tmp_path / "work") for _ in range(6)])

    assert {facts.base_sha for facts in found} == {home.sha}


async def test_settings_of_another_branch_mean_nothing(home: Home, client: RepositoryClient, tmp_path: Path) -> None:
    """Anybody may push one, and an agent's change is one: neither plans nor labels follow it."""
    home.hub.commit(REPOSITORY, "feature", {".github/shoal.yml": "labels: [mine]\nsetup_command: ./evil\n"}, login="mona")
    number = home.mona.open_issue(REPOSITORY, "Mend it", labels=["mine"])["number"]

    assert (await gather(client, tmp_path / "work")).settings_text is None
    assert (await read_issue(client, number, "shoal", ())).label_event is None
    assert (await client.survey()).settings_text is None


async def test_an_empty_repository_is_said_to_be_empty(home: Home, client: RepositoryClient, tmp_path: Path) -> None:
    """Without a commit on the default branch nothing can be planned: the person is told what to do."""
    (bare,) = home.hub.folder.rglob("*.git")
    git("update-ref", "-d", "refs/heads/main", cwd=bare)
    with pytest.raises(UserError, match="no commit on its default branch `main`: push a first commit"):
        await gather(client, tmp_path / "work")
