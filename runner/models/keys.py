"""The models' keys: read once from a file of the operator's or from the environment, and shown to nobody."""

import os
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from runner.agents.shape import Provider
from runner.models import anthropic, gemini, openai
from runner.models.prices import PRICES, Price
from runner.models.shapes import Api
from shared.errors import FatalError

APIS: Mapping[Provider, Api] = {"anthropic": anthropic, "openai": openai, "gemini": gemini}
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class _Variables(NamedTuple):
    key: str
    url: str


_VARIABLES: Mapping[Provider, _Variables] = {
    "anthropic": _Variables("ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL"),
    "openai": _Variables("OPENAI_API_KEY", "OPENAI_BASE_URL"),
    "gemini": _Variables("GEMINI_API_KEY", "GOOGLE_GEMINI_BASE_URL"),
}


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    key: SecretStr = Field(min_length=1)
    url: str = ""


class _PriceLine(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    input: float = Field(ge=0)
    output: float = Field(ge=0)
    cached: float | None = Field(default=None, ge=0)
    cache_write: float | None = Field(default=None, ge=0)
    long_factor: float = Field(default=1, ge=1)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    anthropic: _Section | None = None
    openai: _Section | None = None
    gemini: _Section | None = None
    prices: dict[str, _PriceLine] = {}


@dataclass(frozen=True)
class Upstream:
    """Where a provider's calls go, and with what; `url` has no trailing slash."""

    url: str
    key: str = field(repr=False)


@dataclass(frozen=True)
class Keys:
    """`source` says in errors where they came from."""

    upstreams: Mapping[Provider, Upstream]
    source: str
    prices: Mapping[str, Price] = field(default_factory=lambda: PRICES, repr=False)

    @classmethod
    def load(cls, path: str, environ: Mapping[str, str]) -> "Keys":
        """From the file at `path`, else, when that is empty, from the environment; raises FatalError."""
        return _from_file(Path(path)) if path else _from_environment(environ)

    @classmethod
    def none(cls) -> "Keys":
        return cls({}, "nowhere")

    def need(self, provider: Provider) -> Upstream:
        """Raises FatalError when there is no key for that provider."""
        if found := self.upstreams.get(provider):
            return found
        variable = _VARIABLES[provider].key
        raise FatalError(
            f"there is no model key for {provider} in {self.source}: add [{provider}] key = ... to the file with the model keys,"
            f" or set {variable} in the runner's environment and name no file"
        )


def _from_environment(environ: Mapping[str, str]) -> Keys:
    found: dict[Provider, Upstream] = {}
    for provider, names in _VARIABLES.items():
        if key := environ.get(names.key, "").strip():
            found[provider] = _upstream(provider, key, environ.get(names.url, "").strip(), names.url)
    return Keys(found, "the runner's environment")


def _from_file(path: Path) -> Keys:
    try:
        file = _File.model_validate(tomllib.loads(_read_private(path)))
    except OSError as error:
        raise FatalError(f"the file with the model keys, {path}, cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise FatalError(f"the file with the model keys, {path}, is not UTF-8 text") from None
    except tomllib.TOMLDecodeError as error:
        raise FatalError(f"the file with the model keys, {path}, is not TOML: {error}") from None
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(each) for each in first["loc"])
        raise FatalError(f"the file with the model keys, {path}, has a mistake at {place}: {first['msg']}") from None
    sections: dict[Provider, _Section | None] = {"anthropic": file.anthropic, "openai": file.openai, "gemini": file.gemini}
    found = {
        provider: _upstream(provider, section.key.get_secret_value().strip(), section.url, f"[{provider}] url in {path}")
        for provider, section in sections.items()
        if section is not None
    }
    ours = {name.lower(): Price(**line.model_dump()) for name, line in file.prices.items()}
    return Keys(found, str(path), {**PRICES, **ours})


def _read_private(path: Path) -> str:
    """Checks the very file that is read."""
    with path.open("rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise FatalError(f"{path} is not a regular file; it must be the TOML file with the model keys")
        if status.st_uid != os.geteuid():
            raise FatalError(f"{path} belongs to user {status.st_uid}, not to the runner's; run: chown {os.geteuid()} {path}")
        if status.st_mode & 0o077:
            raise FatalError(f"{path} holds model keys but others may read or write it; run: chmod 600 {path}")
        return file.read().decode()


def _upstream(provider: Provider, key: str, url: str, named: str) -> Upstream:
    url = (url or APIS[provider].PUBLIC_URL).rstrip("/")
    parts = urlsplit(url)
    plain = parts.scheme == "http" and parts.hostname in _LOOPBACK
    if not (parts.scheme == "https" or plain) or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise FatalError(f"{named} must be an https address (http only on loopback) without user, query and fragment")
    if not key.isascii() or not key.isprintable() or " " in key:
        raise FatalError(f"the model key for {provider} holds characters that cannot stand in a header; copy it again")
    return Upstream(url, key)
