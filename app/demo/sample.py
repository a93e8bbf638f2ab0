"""What is rehearsed: a small project, eight issues, the prepared changes and the verdict that each should come to."""

import json
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter

from shared.models import VerdictName

FOLDER = Path(__file__).parent.parent / "sample"
PROJECT = FOLDER / "project"
PATCHES = FOLDER / "patches"


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SampleIssue(_Value):
    """An issue as somebody wrote it; numbers follow the order."""

    title: str
    body: str
    labels: tuple[str, ...]
    author: str


class Expected(_Value):
    """What should become of an issue, and why that is worth rehearsing."""

    verdict: VerdictName
    pull_request: bool
    draft: bool
    why: str


def issues() -> tuple[SampleIssue, ...]:
    """In the order in which they are opened: the first becomes #1."""
    return TypeAdapter(tuple[SampleIssue, ...]).validate_python(_read("issues.json"))


def expected() -> dict[int, Expected]:
    """By issue number."""
    return TypeAdapter(dict[int, Expected]).validate_python(_read("expected.json"))


def _read(name: str) -> object:
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))
