"""`shoal init`: the two files that a repository needs, written into a checkout of it, and the label on GitHub."""

import json
import re
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit

from app.commands import init_label
from app.commands.console import print_json, print_line
from app.settings import Settings, load, unregistered
from shared.errors import TransientError, UserError

_ACTION = re.compile(r"[\w.-]+/[\w.-]+(?:/[\w./-]+)?@[\w./-]+")
# Not an action but a workflow of another repository: the few lines that call it are written instead.
_SHARED = re.compile(r"[\w.-]+/[\w.-]+/\.github/workflows/[\w.-]+\.ya?ml@[\w./-]+")
_COMMIT = re.compile(r"@[0-9a-f]{40}$")
_LABEL = re.compile(r"[\w.-]{1,100}")
SETTINGS = ".github/shoal.yml"
_GITHUB = "https://github.com"
_NO_ACTION = "--action {} must be OWNER/REPOSITORY@COMMIT: your copy of Shoal's repository"


def run(folder: Path, said: Mapping[str, str], *, reusable: bool, overwrite: bool, as_json: bool) -> int:
    """Writes what is missing; a file that is there and differs stays, unless told otherwise. What is not said, the settings say.

    `reusable`: only the workflow that other repositories call.
    """
    settings = load() if unregistered() is None else None
    wanted = {name: value or _usual(name, settings) for name, value in said.items()}
    workflow_file = wanted.pop("workflow_file")
    if not re.fullmatch(r"[\w.-]+\.ya?ml", workflow_file):
        raise UserError(f"--workflow-file {workflow_file} is no name of a workflow file: it ends in .yml, and names no folder")
    if not (folder / ".git").exists():
        raise UserError(f"`{folder}` is no checkout of a repository: run `shoal init` in one, or name it")
    contents = {f".github/workflows/{workflow_file}": workflow(wanted, reusable=reusable)}
    if not reusable:
        contents[SETTINGS] = _own_settings(wanted["action"], settings.github_url if settings else _GITHUB)
    written = {path: _write(folder / path, text, overwrite=overwrite and path != SETTINGS) for path, text in contents.items()}
    label, failed = ("none here", False) if reusable else _label(folder, settings, wanted["label"])
    if as_json:
        print_json(json.dumps({"files": written, "label": label}, indent=2))
    else:
        for path, what in written.items():
            print_line(f"{path}: {what}")
        print_line(f"label `{wanted['label']}`: {label}")
        if not _COMMIT.search(wanted["action"]):
            print_line(f"{wanted['action']} can be moved by whoever owns it: pin it to a commit's 40 digits when this works")
        print_line("Commit them to the default branch and push; GitHub dispatches nothing from anywhere else.")
    return 1 if failed else 0


def _usual(name: str, settings: Settings | None) -> str:
    """What the app of this machine has been told, if there is one."""
    usual = {"runner_labels": "self-hosted", "label": "shoal", "workflow_file": "shoal.yml"}
    if settings is not None:
        told = {"app_url": settings.runner_url, "label": settings.label, "workflow_file": settings.workflow_file}
        usual |= {**told, "runner_labels": ",".join(settings.runner_labels)}
    return usual.get(name, "")


def _label(folder: Path, settings: Settings | None, label: str) -> tuple[str, bool]:
    """In words, and whether it went wrong; without an App there is nobody to make it."""
    if settings is None:
        return "not made, for no GitHub App is known here: make it on GitHub", False
    try:
        return init_label.make(folder, settings, label), False
    except (UserError, TransientError) as error:
        return f"not made: {error}", True


def workflow(wanted: Mapping[str, str], *, reusable: bool = False) -> str:
    """The text, from `mode`, `action`, `runner_labels`, `label` and `app_url`; all are checked, since they become YAML."""
    mode, app_url, labels = wanted["mode"], wanted.get("app_url", ""), wanted["runner_labels"].split(",")
    if not _ACTION.fullmatch(wanted["action"]):
        raise UserError(_NO_ACTION.format(wanted["action"]))
    is_shared = bool(_SHARED.fullmatch(wanted["action"]))
    if mode != "work" and (reusable or is_shared):
        raise UserError(
            "--mode orchestrate has no workflow that others call: name Shoal's repository by --action, and no --reusable"
        )
    if reusable and is_shared:
        raise UserError(f"--action {wanted['action']} is a workflow: with --reusable name Shoal's own repository")
    if wrong := [label for label in labels if not _LABEL.fullmatch(label.strip())]:
        raise UserError(f"--runner-labels: `{wrong[0]}` is no label of a runner: separate labels by commas")
    if mode == "work" and not (urlsplit(app_url).netloc and re.fullmatch(r"https?://[\w.:\[\]/-]+", app_url)):
        raise UserError("--app-url must be the address of your app as runners reach it, for example https://shoal.example.com")
    if not re.fullmatch(r"[^'\"\\\n$]{1,50}", wanted["label"]):
        raise UserError(f"--label {wanted['label']!r} cannot stand in a workflow file: use letters, digits, spaces and hyphens")
    labels = [label.strip() for label in labels]
    values = {**wanted, "app_url": app_url.rstrip("/"), "labels": ", ".join(labels), "labels_json": json.dumps(labels)}
    return _filled("reusable.yml" if reusable else "caller.yml" if is_shared else f"{mode}.yml", values)


def _own_settings(action: str, github_url: str) -> str:
    """Its first line is for editors; a workflow that others share does not tell where Shoal's repository is."""
    text = _filled("shoal.yml", {"schema": schema_address(action, github_url)})
    return text.partition("\n")[2] if _SHARED.fullmatch(action) else text


def schema_address(action: str, github_url: str) -> str:
    """Where an editor finds the schema of a repository's settings: beside the action, in the very version that is used."""
    if not _ACTION.fullmatch(action):
        raise UserError(_NO_ACTION.format(action))
    place, _, version = action.partition("@")
    owner, name, *folder = place.split("/")
    file = "/".join((version, *folder, "docs/shoal.schema.json"))
    if github_url == _GITHUB:
        return f"https://raw.githubusercontent.com/{owner}/{name}/{file}"
    return f"{github_url}/{owner}/{name}/raw/{file}"


def _filled(template: str, values: Mapping[str, str]) -> str:
    text = files("app.commands").joinpath("templates", template).read_text("utf-8")
    return re.sub(r"@(\w+)@", lambda found: values[found[1]], text)


def _write(path: Path, text: str, *, overwrite: bool) -> str:
    if path.exists():
        if path.read_text("utf-8", "replace") == text:
            return "is there already"
        if not overwrite:
            return "is there and differs: left alone"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return "written"
