"""A harbour whose work is done by six runners of GitHub Actions: our own action, in the real `act`, on this machine."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from app.commands.init import workflow
from app.demo.identity import Identity
from tests.support import journeys
from tests.support.action import copy_of_action, environment_step
from tests.support.journeys import PROJECT, Harbour, running_harbour

_ACTION = "tools/shoal@main"
RUNNERS = 6


@contextmanager
def running_fleet(
    folder: Path, environment: Mapping[str, str], check: str = PROJECT["check.sh"], **settings: str
) -> Iterator[Harbour]:
    """Its runners have worked before and have `environment`; `check` is the project's own test, `settings` the app's."""
    action, cache = copy_of_action(folder / "action"), folder / "tools"
    made = environment_step(action, cache, "work")
    assert made.returncode == 0, made.stdout + made.stderr
    told = {"SHOAL_BACKEND": "actions", "SHOAL_RUNNER_LABELS": "self-hosted,linux", "SHOAL_SLOTS": str(RUNNERS), **settings}
    with running_harbour(folder, 0, _files(check), **told) as harbour:
        owner, name = _ACTION.partition("@")[0].split("/")
        harbour.hub.repository(f"{owner}/{name}", action)
        for number in range(RUNNERS):
            own = {"RUNNER_TOOL_CACHE": str(cache), **environment}
            harbour.hub.runner(harbour.repository, f"quay-{number}", "linux", environment=own)
        yield harbour


def _files(check: str) -> Callable[[Identity], dict[str, str]]:
    """What `shoal init` writes, and the project's own."""

    def files(who: Identity) -> dict[str, str]:
        labels = {"runner_labels": "self-hosted,linux", "label": "shoal"}
        made = workflow({"mode": "work", "action": _ACTION, "app_url": who.app_url, **labels})
        # The issues of so small a project look as if they touched the same file, and here six jobs are wanted at once.
        together = PROJECT[".github/shoal.yml"] + "on_conflict: parallel\n"
        return {".github/workflows/shoal.yml": made, ".github/shoal.yml": together, "check.sh": check}

    return files


def finished_runs(fleet: Harbour) -> Any:
    """Every run, once none is at work: the last step of a job comes after the verdict."""

    def over() -> Any:
        runs = fleet.world.github("GET", "/actions/runs?per_page=100")["workflow_runs"]
        return runs if all(run["status"] == "completed" for run in runs) else None

    return journeys.wait_for(over)
