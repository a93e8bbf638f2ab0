"""What only the doctor asks GitHub: its clock, the webhook's fate, and how a repository is set up."""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

import httpx

from app.github.client import GitHubApp
from app.github.errors import NotFound
from app.github.repository import RepositoryClient
from app.github.transport import LOOPBACK


@dataclass(frozen=True, slots=True)
class Hook:
    """The App's webhook as GitHub has it; the secret itself is never told."""

    url: str
    is_json: bool
    has_secret: bool
    checks_certificate: bool


@dataclass(frozen=True, slots=True)
class Delivered:
    """One webhook and what was answered; 0 where nobody answered."""

    ok: bool
    status: str
    status_code: int


def clock_ahead(api_url: str) -> float | None:
    """By how many seconds this machine's clock is ahead of GitHub's; None when GitHub does not answer. Needs no credential."""
    direct = httpx.URL(api_url).host in LOOPBACK
    try:
        answer = httpx.get(f"{api_url}/rate_limit", timeout=10, trust_env=not direct)
        theirs = parsedate_to_datetime(answer.headers["date"])
    except (httpx.HTTPError, KeyError, ValueError):
        return None
    return (datetime.now(UTC) - theirs).total_seconds()


async def hook(github: GitHubApp) -> Hook:
    """Where GitHub sends webhooks."""
    data = (await github.read_as_app("app/hook/config")).json()
    return Hook(
        url=data.get("url") or "",
        is_json=data.get("content_type") == "json",
        has_secret=bool(data.get("secret")),
        checks_certificate=str(data.get("insecure_ssl", "0")) == "0",
    )


async def latest_deliveries(github: GitHubApp) -> tuple[Delivered, ...]:
    """The newest first, at most thirty."""
    data: list[dict[str, Any]] = (await github.read_as_app("app/hook/deliveries", {"per_page": 30})).json()
    # GitHub's own rule: whatever is not OK has failed, also what got no answer.
    return tuple(Delivered(item.get("status") == "OK", str(item.get("status")), item.get("status_code") or 0) for item in data)


async def workflow(where: RepositoryClient, file: str) -> tuple[str, str] | None:
    """State and text of a workflow on the default branch; None when it is not there."""
    try:
        found = await where.calls.get(f"repos/{where.full_name}/actions/workflows/{file}")
    except NotFound:
        return None
    text = await where.file_text(f".github/workflows/{file}")
    return None if text is None else (found["state"], text)


async def has_label(where: RepositoryClient, name: str) -> bool:
    """Whether the repository knows the label."""
    try:
        await where.calls.get(f"repos/{where.full_name}/labels/{quote(name, safe='')}")
    except NotFound:
        return False
    return True


async def is_protected(where: RepositoryClient, branch: str) -> bool:
    """Whether a ruleset or the older protection guards a branch."""
    root = f"repos/{where.full_name}"
    if (await where.calls.get(f"{root}/branches/{quote(branch)}")).get("protected"):
        return True
    try:
        return bool(await where.calls.get(f"{root}/rules/branches/{quote(branch)}"))
    except NotFound:  # servers without rulesets
        return False
