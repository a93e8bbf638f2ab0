"""The label that starts work, made in the repository of a checkout by the App."""

import asyncio
import re
from datetime import UTC, datetime
from pathlib import Path

from app.github.client import GitHubApp
from app.github.errors import Invalid, NotFound
from app.github.inspection import has_label
from app.settings import Settings
from shared.errors import FatalError, UserError
from shared.git import git

_NAME = re.compile(r"[/:]([\w.-]+/[\w.-]+?)(?:\.git)?/?$")
_ABOUT = {"color": "0e8a16", "description": "Shoal works on this issue and opens a pull request"}


def make(folder: Path, settings: Settings, label: str) -> str:
    """What became of it, in a few words; UserError when the App cannot get there."""
    return asyncio.run(_make(_repository(folder), settings, label))


def _repository(folder: Path) -> str:
    try:
        url = git("remote", "get-url", "origin", cwd=folder).strip()
    except (FatalError, UserError) as error:
        raise UserError(f"`{folder}` has no remote `origin`: add it, or make the label on GitHub") from error
    found = _NAME.search(url)
    if found is None:
        raise UserError(f"the remote `origin` of `{folder}` leads to no OWNER/NAME: make the label on GitHub")
    return found[1]


async def _make(name: str, settings: Settings, label: str) -> str:
    async with GitHubApp(settings, clock=lambda: datetime.now(UTC)) as github:
        try:
            installation = (await github.read_as_app(f"repos/{name}/installation")).json()["id"]
        except NotFound as error:
            raise UserError(f"the App is not installed on {name}: install it there, then run this again") from error
        where = github.repository(name, 0, installation)
        if await has_label(where, label):
            return "is there already"
        try:
            await where.calls.write("POST", f"repos/{name}/labels", {"name": label, **_ABOUT})
        except Invalid:  # somebody was faster
            if not await has_label(where, label):
                raise
        return "made"
