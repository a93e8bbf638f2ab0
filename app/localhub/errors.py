"""Refusals in GitHub's shape; the server turns them into answers."""

from collections.abc import Mapping
from typing import Any

_DOCS = "https://docs.github.com/rest"


class Refused(Exception):
    """An answer that is not a success: status, message and, for 422, the fields at fault."""

    def __init__(
        self, status: int, message: str, errors: list[dict[str, Any]] | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})
        self.body: dict[str, Any] = {"message": message, "documentation_url": _DOCS, "status": str(status)}
        if errors is not None:
            self.body["errors"] = errors


def not_found() -> Refused:
    """GitHub says the same for what is not there and for what one may not see."""
    return Refused(404, "Not Found")


def bad_credentials() -> Refused:
    """An unknown, expired or revoked token."""
    return Refused(401, "Bad credentials")


def not_for_integrations() -> Refused:
    """An App without the permission that an endpoint needs."""
    return Refused(403, "Resource not accessible by integration")


def moved(method: str, where: str) -> Refused:
    """To the address by id that a renamed repository keeps; only a read may become one."""
    return Refused(301 if method == "GET" else 307, "Moved Permanently", headers={"Location": where})


def archived() -> Refused:
    """Nothing is written to a repository that its admin has archived."""
    return Refused(403, "Repository was archived so is read-only.")


def suspended() -> Refused:
    """An installation that its account's owner has suspended."""
    return Refused(403, "This installation has been suspended")


def invalid(resource: str, field: str, message: str = "", code: str = "invalid") -> Refused:
    """422 Validation Failed for one field."""
    error: dict[str, Any] = {"resource": resource, "code": "custom" if message and code == "invalid" else code, "field": field}
    if message:
        error["message"] = message
    return Refused(422, "Validation Failed", [error])


def malformed(message: str) -> Refused:
    """422 for a body whose shape is wrong, as GitHub's schema check words it."""
    return Refused(422, f"Invalid request.\n\n{message}")
