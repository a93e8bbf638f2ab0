"""What a workflow file says, as far as a dispatch or a label needs it."""

import json
import re
from dataclasses import dataclass, field, replace
from typing import Any

import yaml

_INPUT = re.compile(r"\$\{\{\s*(?:inputs|github\.event\.inputs)\.([\w-]+)\s*\}\}")
_LABELS = re.compile(r"\$\{\{\s*fromJSON\(inputs\.([\w-]+)\)\s*\}\}")
# Source: GitHub's limit for a job on any runner when the file says nothing.
_DEFAULT_MINUTES = 360


@dataclass(frozen=True)
class WorkflowFile:
    """`inputs` is None when the workflow cannot be dispatched; of several jobs the first is shown."""

    name: str
    run_name: str
    inputs: dict[str, dict[str, Any]] | None
    job: str
    labels: tuple[str, ...]
    permissions: dict[str, str]
    minutes: float
    # The workflow that its job calls, `owner/repository/path@ref`, and what that is handed.
    calls: str = ""
    handed: dict[str, Any] = field(default_factory=dict)
    # Whether a label that is put on an issue starts it.
    on_label: bool = False

    def title(self, given: dict[str, str]) -> str:
        """The run's title, in which inputs may stand."""
        return _INPUT.sub(lambda found: given.get(found[1], ""), self.run_name)

    def with_called(self, text: str) -> "WorkflowFile":
        """The job as the called workflow has it: name, runners and time; its permissions are at most the caller's."""
        data = _read(text, self.calls)
        called = (_triggers(data).get("workflow_call") or {}).get("inputs") if "workflow_call" in _triggers(data) else None
        if called is None:
            raise ValueError(f"{self.calls} cannot be called: it has no inputs `on: workflow_call`")
        if unknown := sorted(set(self.handed) - set(called)):
            raise ValueError(f"Invalid input, {unknown[0]} is not defined in the referenced workflow.")
        values = {name: self.handed.get(name, (about or {}).get("default", "")) for name, about in called.items()}
        job_id, job = next(iter(data["jobs"].items()))
        asked = _LABELS.fullmatch(str(job.get("runs-on")))
        labels = json.loads(values[asked[1]]) if asked else _listed(job.get("runs-on"))
        wanted = _permissions(job.get("permissions", data.get("permissions")))
        if exceeding := sorted(set(wanted) - set(self.permissions)):
            raise ValueError(f"{self.calls} requests `{exceeding[0]}`, but the caller's job is only allowed {self.permissions}")
        return replace(
            self,
            job=f"{self.job} / {job.get('name') or job_id}",
            labels=tuple(map(str, labels)),
            permissions=wanted,
            minutes=float(job.get("timeout-minutes") or _DEFAULT_MINUTES),
        )


def parse(text: str, path: str) -> WorkflowFile:
    """Raises ValueError for what is no workflow."""
    data = _read(text, path)
    name = str(data.get("name") or path)
    job_id, job = next(iter(data["jobs"].items()))
    return WorkflowFile(
        name=name,
        run_name=str(data.get("run-name") or name),
        inputs=_dispatch_inputs(data),
        job=str(job.get("name") or job_id),
        labels=tuple(map(str, _listed(job.get("runs-on")))),
        permissions=_permissions(job.get("permissions", data.get("permissions"))),
        minutes=float(job.get("timeout-minutes") or _DEFAULT_MINUTES),
        calls=str(job.get("uses") or ""),
        handed=dict(job.get("with") or {}) if job.get("uses") else {},
        on_label=_on_label(_triggers(data)),
    )


def _read(text: str, path: str) -> dict[Any, Any]:
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(f"{path} is no YAML: {error}") from error
    if not isinstance(data, dict) or not isinstance(data.get("jobs"), dict) or not data["jobs"]:
        raise ValueError(f"{path} has no jobs")
    return data


def _listed(value: Any) -> list[Any]:
    return [value] if isinstance(value, str) else list(value or [])


def _dispatch_inputs(data: dict[Any, Any]) -> dict[str, dict[str, Any]] | None:
    triggers = _triggers(data)
    if "workflow_dispatch" not in triggers:
        return None
    wanted = triggers["workflow_dispatch"].get("inputs") or {}
    return {str(name): dict(about or {}) for name, about in wanted.items()}


def _triggers(data: dict[Any, Any]) -> dict[str, dict[str, Any]]:
    """What starts it, and what is said about that; written as a word, a list or a table."""
    told = data.get("on", data.get(True)) or {}  # YAML 1.1 reads `on` as a truth value
    if isinstance(told, str):
        told = [told]
    return {str(name): (told[name] or {}) if isinstance(told, dict) else {} for name in told}


def _on_label(triggers: dict[str, dict[str, Any]]) -> bool:
    """Without `types` every kind of activity counts."""
    return "issues" in triggers and "labeled" in (triggers["issues"].get("types") or ["labeled"])


def _permissions(given: Any) -> dict[str, str]:
    """A repository's own default is the restricted one: contents and packages to read."""
    if given is None:
        return {"contents": "read"}
    levels = {str(name).replace("-", "_"): str(level) for name, level in dict(given).items()}
    return {name: level for name, level in levels.items() if level in {"read", "write"}}
