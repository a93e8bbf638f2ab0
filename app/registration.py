"""The GitHub App as GitHub handed it over at its registration: kept in the data directory, readable by this user only."""

import os
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError, field_serializer

from shared.errors import UserError

_FOLDER, _FILE, _KEY = "github-app", "registration.json", "private-key.pem"


class Registration(BaseModel):
    """Everything but the private key, which has a file of its own beside this one."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    app_id: str
    slug: str
    html_url: str
    client_id: str
    client_secret: SecretStr
    webhook_secret: SecretStr
    github_url: str
    github_api_url: str
    public_url: str

    @field_serializer("client_secret", "webhook_secret", when_used="json")
    def _told(self, secret: SecretStr) -> str:
        return secret.get_secret_value()

    def settings(self, work_dir: Path) -> dict[str, Any]:
        """What the operator would else have to set by hand."""
        values = self.model_dump(include={"app_id", "webhook_secret", "github_url", "github_api_url", "public_url"})
        return {**values, "private_key_path": folder(work_dir) / _KEY}


def folder(work_dir: Path) -> Path:
    """Where it lies."""
    return work_dir / _FOLDER


def read(work_dir: Path) -> Registration | None:
    """None on a machine where nothing was registered."""
    path = folder(work_dir) / _FILE
    try:
        return Registration.model_validate_json(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}): let this user read it") from error
    except ValidationError:  # its text would quote the file
        raise UserError(f"{path} is damaged: restore it from a backup, or move it away and register the App anew") from None


def keep(work_dir: Path, registration: Registration, private_key: str) -> None:
    """The key first: whoever finds the one file finds the other. On disk when this returns, for GitHub hands nothing out again."""
    place = prepare(work_dir)
    _write(place / _KEY, private_key)
    _write(place / _FILE, registration.model_dump_json(indent=2) + "\n")


def prepare(work_dir: Path) -> Path:
    """The folder, for this user only; made before anything is asked of GitHub that could then not be kept."""
    place = folder(work_dir)
    try:
        work_dir.mkdir(parents=True, exist_ok=True)
        place.mkdir(mode=0o700, exist_ok=True)
        place.chmod(0o700)
    except OSError as error:
        raise UserError(f"{place} cannot be made ({error.strerror}): let this user write there, or set SHOAL_WORK_DIR") from error
    if not os.access(place, os.W_OK | os.X_OK):
        raise UserError(f"{place} cannot be written: let this user write there, or set SHOAL_WORK_DIR")
    return place


def _write(path: Path, text: str) -> None:
    half = path.with_suffix(".new")
    half.unlink(missing_ok=True)
    with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    half.replace(path)
    parent = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(parent)
    finally:
        os.close(parent)
