"""What a workflow file says, as far as a dispatch or a label needs it."""

import re
from dataclasses import dataclass
from typing import Any

import yaml

_INPUT = re.compile(r"\$\{\{\s*(?:inputs|github\.event\.inputs)\.([\w-]+)\s*\}\}")
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
    # Whether a label that is put on an issue starts it.
    on_label: bool

    def title(self, given: dict[str, str]) -> str:
        """The run's title, in which inputs may stand."""
        return _INPUT.sub(lambda found: given.get(found[1], ""), self.run_name)


def parse(text: str, path: str) -> WorkflowFile:
    """Raises ValueError for what is no workflow."""
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(f"{path} is no YAML: {error}") from error
    if not isinstance(data, dict) or not isinstance(data.get("jobs"), dict) or not data["jobs"]:
        raise ValueError(f"{path} has no jobs")
    name = str(data.get("name") or path)
    job_id, job = next(iter(data["jobs"].items()))
    runs_on = job.get("runs-on") or []
    return WorkflowFile(
        name=name,
        run_name=str(data.get("run-name") or name),
        inputs=_dispatch_inputs(data),
        job=str(job.get("name") or job_id),
        labels=tuple(str(label) for label in ([runs_on] if isinstance(runs_on, str) else runs_on)),
        permissions=_permissions(job.get("permissions", data.get("permissions"))),
        minutes=float(job.get("timeout-minutes") or _DEFAULT_MINUTES),
        on_label=_on_label(_triggers(data)),
    )


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
