"""What the app may ask of the runner's code without an attempt: `python -I -m runner QUESTION`, JSON in and out."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from runner import measure, measure_limits, probe, prompt, rescue
from shared.errors import FatalError
from shared.models import AgentSettings


class _Probe(BaseModel):
    model_config = ConfigDict(extra="forbid")
    agent: AgentSettings
    work_dir: Path | None = None


class _Rescues(BaseModel):
    model_config = ConfigDict(extra="forbid")
    work_dir: Path


def answer(question: str, request: bytes) -> str:
    """One JSON document; raises FatalError with the fix for a question or a request that nobody understands."""
    if question not in _ANSWERS:
        raise FatalError(f"{question!r} is no question for a runner: ask {', '.join(_ANSWERS)}, or start it without arguments")
    try:
        return _ANSWERS[question](request)
    except ValidationError as error:
        places = ", ".join(".".join(map(str, problem["loc"])) or "the document" for problem in error.errors())
        raise FatalError(f"`runner {question}` expects one JSON document on standard input, wrong: {places}") from None


def _probe(request: bytes) -> str:
    asked = _Probe.model_validate_json(request)
    return probe.as_json(asked, asked.work_dir)


def _rescues(request: bytes) -> str:
    found = rescue.listing(_Rescues.model_validate_json(request).work_dir)
    return json.dumps([{**one._asdict(), "when": one.when.isoformat(), "path": str(one.path)} for one in found])


def _checkouts(request: bytes) -> str:
    return measure.checkouts(measure.Checkouts.model_validate_json(request)).model_dump_json()


def _limits(request: bytes) -> str:
    return json.dumps(measure_limits.limit(measure_limits.Limit.model_validate_json(request)))


_ANSWERS: Mapping[str, Callable[[bytes], str]] = {
    "prompt": prompt.answer,
    "probe": _probe,
    "rescues": _rescues,
    "checkouts": _checkouts,
    "limits": _limits,
}
