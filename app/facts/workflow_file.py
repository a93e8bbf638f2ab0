"""Whether a repository's workflow file still does what this app expects of it."""

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import yaml


def outdated(text: str, app_url: str, labels: Collection[str], said: str = "SHOAL_RUNNER_LABELS") -> tuple[str, ...]:
    """What is not as `shoal init` would write it now; a person may have changed everything else. `said`: what sets the labels."""
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError:
        return ("it is not valid YAML",)
    if not isinstance(data, Mapping):
        return ("it is no workflow",)
    return tuple(_differences(data, app_url, {label.lower() for label in labels}, said))


def _differences(data: Mapping[Any, Any], app_url: str, labels: set[str], said: str) -> Iterator[str]:
    # YAML reads the bare word `on` as true.
    triggers = _mapping(data.get("on", data.get(True)))
    if "attempt" not in _mapping(_mapping(triggers.get("workflow_dispatch")).get("inputs")):
        yield "it takes no input `attempt` by `workflow_dispatch`"
    found = [(job, _work_step(job) or _call(job)) for job in map(_mapping, _mapping(data.get("jobs")).values())]
    job, step = next(((job, step) for job, step in found if step), ({}, {}))
    if not step:
        yield "no step has `mode: work`, and no job calls a workflow for an `attempt`"
        return
    if _mapping(job.get("permissions")).get("id-token") != "write":
        yield "its job lacks `id-token: write`"
    if str(step.get("app-url", "")).rstrip("/") != app_url.rstrip("/"):
        yield f"its `app-url` is {step.get('app-url') or 'missing'}, this app is at {app_url}"
    asked = {str(label).lower() for label in _labels(job)}
    if asked != labels:
        yield f"it runs on {', '.join(sorted(asked)) or 'nothing'}, {said} says {', '.join(sorted(labels))}"


def _work_step(job: Mapping[Any, Any]) -> Mapping[Any, Any]:
    steps = job.get("steps")
    inputs = [_mapping(_mapping(step).get("with")) for step in (steps if isinstance(steps, list) else [])]
    return next((given for given in inputs if given.get("mode") == "work"), {})


def _call(job: Mapping[Any, Any]) -> Mapping[Any, Any]:
    """What is handed to a workflow that works on attempts for several repositories."""
    given = _mapping(job.get("with"))
    return given if "uses" in job and "attempt" in given else {}


def _labels(job: Mapping[Any, Any]) -> list[Any]:
    asked = job.get("runs-on") or _mapping(job.get("with")).get("runner-labels") or []
    if isinstance(asked, str) and "uses" in job:
        try:
            asked = json.loads(asked)
        except ValueError:
            return [asked]
    return asked if isinstance(asked, list) else [asked]


def _mapping(value: object) -> Mapping[Any, Any]:
    return value if isinstance(value, Mapping) else {}
