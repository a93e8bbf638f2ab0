"""Giving installation tokens back: needs no GitHub client, so it may be done at any time."""

import httpx

from shared.github import API_VERSION


def revoke(api_url: str, token: str) -> bool:
    """True when GitHub says that the token is worth nothing now."""
    try:
        headers = {"Authorization": f"token {token}", "User-Agent": "shoal-runner", "X-GitHub-Api-Version": API_VERSION}
        response = httpx.delete(f"{api_url}/installation/token", headers=headers, timeout=10, trust_env=False)
    except httpx.HTTPError:
        return False
    return response.status_code in {httpx.codes.NO_CONTENT, httpx.codes.UNAUTHORIZED}
