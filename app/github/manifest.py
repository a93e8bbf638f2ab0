"""Registration of the App by its manifest: what GitHub is asked for, and the exchange of its code for key and secrets."""

import time
from datetime import UTC, datetime
from typing import Any

import httpx
import jwt
from pydantic import BaseModel, SecretStr, ValidationError

from app.github.errors import NotFound, check
from app.github.registration import EVENTS, PERMISSIONS
from app.github.transport import LOOPBACK
from shared.errors import FatalError, TransientError, UserError
from shared.github import API_VERSION

NAME_LIMIT = 34
_TIMEOUT = httpx.Timeout(30, connect=10)


class Handed(BaseModel):
    """What GitHub hands over once."""

    id: int
    slug: str
    html_url: str
    client_id: str
    client_secret: SecretStr
    webhook_secret: SecretStr | None
    pem: SecretStr


def manifest(name: str, public_url: str, back_to: str) -> dict[str, Any]:
    """The App as it is asked for: private to its owner, and nothing but what PERMISSIONS and EVENTS say."""
    return {
        "name": name,
        "url": public_url,
        "description": "Turns labelled issues into pull requests.",
        "public": False,
        "hook_attributes": {"url": webhook_url(public_url), "active": True},
        "redirect_url": back_to,
        "setup_url": f"{public_url}/setup/installed",
        "default_permissions": PERMISSIONS,
        "default_events": list(EVENTS),
    }


def webhook_url(public_url: str) -> str:
    """Where GitHub sends its webhooks."""
    return f"{public_url.rstrip('/')}/webhook"


async def convert(api_url: str, code: str) -> Handed:
    """Key and secrets for the code, sent once: whether it took effect when the answer is lost, only GitHub knows."""
    try:
        answer = await _send(api_url, "POST", f"app-manifests/{code}/conversions")
    except NotFound as error:
        raise UserError(
            "GitHub does not know this code: it was used already, or is older than an hour. If the App stands in GitHub's settings "
            "now, delete it there, for its key is handed out only once; then register anew"
        ) from error
    try:
        return Handed.model_validate_json(answer.content)
    except ValidationError:  # its text would quote a key
        raise FatalError("GitHub's answer is not the one that its API describes: check SHOAL_GITHUB_API_URL") from None


async def set_webhook_secret(api_url: str, app_id: int, private_key: str, secret: str) -> None:
    """For a GitHub that made none."""
    now = int(time.time())
    token = jwt.encode({"iat": now - 60, "exp": now + 540, "iss": str(app_id)}, private_key, algorithm="RS256")
    await _send(
        api_url, "PATCH", "app/hook/config", {"Authorization": f"Bearer {token}"}, {"secret": secret, "content_type": "json"}
    )


async def _send(
    api_url: str, method: str, path: str, headers: dict[str, str] | None = None, body: dict[str, str] | None = None
) -> httpx.Response:
    sent = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": API_VERSION, "User-Agent": "shoal", **(headers or {})}
    direct = httpx.URL(api_url).host in LOOPBACK
    async with httpx.AsyncClient(timeout=_TIMEOUT, trust_env=not direct) as http:
        try:
            answer = await http.request(method, f"{api_url}/{path}", json=body, headers=sent)
        except httpx.HTTPError as error:
            raise TransientError(f"GitHub did not answer at {api_url} ({type(error).__name__})") from error
    return check(answer, datetime.now(UTC))
