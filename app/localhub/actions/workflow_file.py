"""What a workflow file says, as far as a dispatch needs it."""

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
    )


def _dispatch_inputs(data: dict[Any, Any]) -> dict[str, dict[str, Any]] | None:
    triggers = data.get("on", data.get(True))  # YAML 1.1 reads `on` as a truth value
    if isinstance(triggers, str):
        triggers = [triggers]
    if isinstance(triggers, list):
        return {} if "workflow_dispatch" in triggers else None
    if not isinstance(triggers, dict) or "workflow_dispatch" not in triggers:
        return None
    wanted = (triggers["workflow_dispatch"] or {}).get("inputs") or {}
    return {str(name): dict(about or {}) for name, about in wanted.items()}


def _permissions(given: Any) -> dict[str, str]:
    """A repository's own default is the restricted one: contents and packages to read."""
    if given is None:
        return {"contents": "read"}
    levels = {str(name).replace("-", "_"): str(level) for name, level in dict(given).items()}
    return {name: level for name, level in levels.items() if level in {"read", "write"}}
