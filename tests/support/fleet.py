"""A harbour that works over GitHub Actions: an App registered in a browser, our own action, the real `act`."""

import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from app import registration
from app.demo.fleet import copy_of_action, tool_cache
from app.demo.world import settings as settings_of
from shared.process import environment
from tests.commands.shoal import SHOAL
from tests.support import journeys
from tests.support.browser import Browser
from tests.support.journeys import PROJECT, Harbour, running_harbour
from tests.support.serving_program import installed, registered

_ACTION = "tools/shoal@main"
RUNNERS = 6
# What `shoal serve` is not told: an empty variable counts as one that is not there.
CREDENTIALS = dict.fromkeys(("SHOAL_APP_ID", "SHOAL_PRIVATE_KEY_PATH", "SHOAL_WEBHOOK_SECRET"), "")


@contextmanager
def running_fleet(
    folder: Path,
    environment: Mapping[str, str],
    runners: int = RUNNERS,
    check: str = PROJECT["check.sh"],
    shared_by: str = "",
    **settings: str,
) -> Iterator[Harbour]:
    """Its runners have worked before and have `environment`; `check` is the project's own test, `settings` the app's.

    `shared_by`: the organisation whose the runners are, and the workflow, too; the repository has a few lines that call it.
    """
    action = copy_of_action(folder / "action")
    cache = tool_cache(folder, action)
    told = {"SHOAL_BACKEND": "actions", "SHOAL_RUNNER_LABELS": "self-hosted,linux", "SHOAL_SLOTS": str(runners), **settings}
    # The issues of so small a project look as if they touched the same file, and here six jobs are wanted at once.
    files = {".github/shoal.yml": PROJECT[".github/shoal.yml"] + "on_conflict: parallel\n", "check.sh": check}
    with running_harbour(folder, 0, files, registered_app, **told) as harbour:
        owner, name = _ACTION.partition("@")[0].split("/")
        harbour.hub.repository(f"{owner}/{name}", action)
        _add_workflow_file(harbour, _shared_workflow(harbour) if shared_by else _ACTION)
        for number in range(runners):
            own = {"RUNNER_TOOL_CACHE": str(cache), **environment}
            if shared_by:
                harbour.hub.shared_runner(shared_by, f"quay-{number}", "linux", environment=own)
            else:
                harbour.hub.runner(harbour.repository, f"quay-{number}", "linux", environment=own)
        yield harbour


def registered_app(harbour: Harbour) -> None:
    """`shoal serve` knows no App; a person registers one in a browser and installs it, and the same process goes on with it."""
    world = harbour.world
    world.ways = replace(world.ways, settings={**world.ways.settings, **CREDENTIALS})
    world.start_app()
    assert world.app is not None
    shown = re.compile(rf"{re.escape(world.identity.app_url)}/setup\?token=\S+")
    log = world.app.log
    page = journeys.wait_for(lambda: shown.search(log.read_text()))
    with Browser() as browser:
        done = registered(browser, page[0], name="Shoal")  # the account that journeys look for
        assert (done.status, len(done.links)) == (200, 1), done.text
        journeys.wait_for(lambda: world.status() is not None)
        installed(browser, done, harbour.repository)
    kept = registration.read(world.folder / "work")
    assert kept is not None
    told = {"app_id": kept.app_id, "webhook_secret": kept.webhook_secret.get_secret_value()}
    world.identity = world.identity.model_copy(update=told)


def _add_workflow_file(harbour: Harbour, action: str) -> None:
    """As the README says: `shoal init` in the maintainer's checkout, and a push to the default branch."""
    world, checkout = harbour.world, harbour.world.folder / "checkout"
    address = world.identity.hub_url.replace("://", f"://x:{harbour.maintainer.token}@")
    _run(harbour, "git", "clone", "-q", f"{address}/{harbour.repository}.git", str(checkout))
    _run(harbour, str(SHOAL), "init", str(checkout), "--action", action)
    _run(harbour, "git", "-C", str(checkout), "add", ".github")
    _run(harbour, "git", "-C", str(checkout), "commit", "-q", "-m", "Let Shoal work here")
    _run(harbour, "git", "-C", str(checkout), "push", "-q")


def _shared_workflow(harbour: Harbour) -> str:
    """What `shoal init --reusable` writes, in a repository that others call it from."""
    folder, name = harbour.world.folder / "ci", "tools/ci"
    _run(harbour, "git", "init", "-q", str(folder))
    _run(harbour, str(SHOAL), "init", str(folder), "--reusable", "--action", _ACTION, "--app-url", "https://shoal.invalid")
    (folder / ".git").rename(harbour.world.folder / "ci.git")
    harbour.hub.repository(name, folder)
    return f"{name}/.github/workflows/shoal.yml@main"


def _run(harbour: Harbour, *argv: str) -> None:
    world = harbour.world
    who = {f"GIT_{role}_{what}": "mona@example.com" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    env = environment({**settings_of(world.folder, world.ways, world.identity), **who})
    ended = subprocess.run(argv, cwd=world.folder, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 0, f"{argv[:2]}\n{ended.stdout}{ended.stderr}"


def finished_runs(fleet: Harbour) -> Any:
    """Every run, once none is at work: the last step of a job comes after the verdict."""

    def over() -> Any:
        runs = fleet.world.github("GET", "/actions/runs?per_page=100")["workflow_runs"]
        return runs if all(run["status"] == "completed" for run in runs) else None

    return journeys.wait_for(over)
