"""Runners of the rehearsal as GitHub's: our own action of this checkout in a repository, its workflow file, a machine per slot."""

import fcntl
import os
import shutil
import sys
from base64 import b64decode
from hashlib import sha256
from pathlib import Path
from typing import Literal

import httpx

from app.commands.init import workflow
from app.demo.identity import MAINTAINER, OWNER, Identity
from app.demo.stage import LABEL, bearer, call, control
from shared.errors import FatalError, UserError
from shared.process import environment, run

_ROOT = Path(__file__).parents[2]
# What the action needs of this checkout; a tag of ours has more, and nothing of it is used.
_PARTS = (
    *("app", "runner", "shared", "scripts"),
    *("action.yml", "pyproject.toml", "uv.lock", "constraints.txt", "README.md", "LICENSE"),
)
_WORKFLOW = ".github/workflows/shoal.yml"
RUNNER_LABELS = f"self-hosted,{LABEL}"


def equip(folder: Path, who: Identity, slots: int) -> None:
    """Everything that dispatched jobs need; what an earlier run left, and is still right, stays."""
    _need_act()
    action = copy_of_action(folder / "action")
    tools = tool_cache(folder, action)
    name = f"shoal-{_hash_of(action)}"
    if _get(who, f"{OWNER}/{name}").status_code == httpx.codes.NOT_FOUND:
        control(who, "POST", "/repositories", {"owner": OWNER, "name": name, "folder": str(action), "private": False})
    _add_workflow(who, f"{OWNER}/{name}@main")
    machine = {"labels": RUNNER_LABELS.split(","), "online": True, "environment": {"RUNNER_TOOL_CACHE": str(tools)}}
    for number in range(1, slots + 1):
        control(who, "PUT", f"/repositories/{who.repository}/runners/quay-{number}", machine)


def copy_of_action(folder: Path) -> Path:
    """The files of this checkout that a tag of ours would have, as far as the action needs them."""
    if missing := [part for part in _PARTS if not (_ROOT / part).exists()]:
        raise UserError(f"`--backend actions` needs a checkout of Shoal; {_ROOT} has no {missing[0]}: clone it and run `make demo`")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for part in _PARTS:
        if (_ROOT / part).is_dir():
            shutil.copytree(_ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
        else:
            shutil.copy(_ROOT / part, folder / part)
    return folder


def _need_act() -> None:
    if not (Path(sys.executable).parent / "act").exists() and shutil.which("act") is None:
        raise UserError("`--backend actions` needs `act`, which stands in for GitHub's runners: `make setup` installs it")


def tool_cache(folder: Path, action: Path, mode: Literal["work", "orchestrate"] = "work") -> Path:
    """A runner's tool cache below `folder`, in which jobs of this copy of the action find their environment.

    That is made once per version of the sources and machine, in the user's cache: half a minute.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "shoal-demo"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:  # who comes second finds it instead of making another
        fcntl.flock(lock, fcntl.LOCK_EX)
        ready = _environment(folder, action, cache, mode)
    here = folder / "tools" / "shoal" / ready.name
    here.parent.mkdir(parents=True, exist_ok=True)
    if not here.is_symlink():
        here.symlink_to(ready)
    return folder / "tools"


def _environment(folder: Path, action: Path, cache: Path, mode: str) -> Path:
    """Where the action's own first step made it."""
    outputs = folder / "environment.outputs"
    outputs.write_text("")
    usual = {name: value for name, value in os.environ.items() if name == "HOME" or name.startswith("PIP_")}
    told = {**usual, "RUNNER_TOOL_CACHE": str(cache), "GITHUB_OUTPUT": str(outputs), "SHOAL_JOB_MODE": mode}
    log = folder / "environment.log"
    ended = run([str(action / "scripts/action/environment.sh")], cwd=folder, env=environment(told), log=log)
    if not ended.ok:
        raise FatalError(f"the action's environment could not be made: {ended.tail.strip()[-500:]} (see {log})")
    found = outputs.read_text().strip().rpartition("python=")[2]
    return Path(found).parent.parent


def _add_workflow(who: Identity, action: str) -> None:
    """What `shoal init` writes, on the default branch: the only one from which GitHub dispatches."""
    told = {"mode": "work", "action": action, "app_url": who.app_url, "runner_labels": RUNNER_LABELS, "label": LABEL}
    text, answer = workflow(told), _get(who, f"{who.repository}/contents/{_WORKFLOW}")
    if answer.is_error or b64decode(answer.json()["content"]).decode() != text:  # the app's port may be another one now
        commit = {"branch": "main", "files": {_WORKFLOW: text}, "login": MAINTAINER, "message": "Add Shoal's workflow"}
        control(who, "POST", f"/repositories/{who.repository}/commits", commit)


def _get(who: Identity, path: str) -> httpx.Response:
    return call("GET", f"{who.hub_url}/api/v3/repos/{path}", headers=bearer(who.maintainer_token))


def _hash_of(action: Path) -> str:
    said = sha256()
    for file in sorted(path for path in action.rglob("*") if path.is_file()):
        said.update(f"{file.relative_to(action)}\0".encode() + file.read_bytes() + b"\0")
    return said.hexdigest()[:12]
