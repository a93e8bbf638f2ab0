"""`shoal init`: the two files that a repository needs, written into a checkout of it."""

import json
import re
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit

from app.commands.console import print_json, print_line
from shared.errors import UserError

_ACTION = re.compile(r"[\w.-]+/[\w.-]+(?:/[\w./-]+)?@[\w./-]+")
_COMMIT = re.compile(r"@[0-9a-f]{40}$")
_LABEL = re.compile(r"[\w.-]{1,100}")
SETTINGS = ".github/shoal.yml"


def run(folder: Path, wanted: Mapping[str, str], *, workflow_file: str, overwrite: bool, as_json: bool) -> int:
    """Writes what is missing; a file that is there and differs stays, unless told otherwise."""
    if not (folder / ".git").exists():
        raise UserError(f"`{folder}` is no checkout of a repository: run `shoal init` in one, or name it")
    contents = {f".github/workflows/{workflow_file}": workflow(wanted), SETTINGS: _template("shoal.yml")}
    written = {path: _write(folder / path, text, overwrite=overwrite and path != SETTINGS) for path, text in contents.items()}
    if as_json:
        print_json(json.dumps({"files": written}, indent=2))
    else:
        for path, what in written.items():
            print_line(f"{path}: {what}")
        if not _COMMIT.search(wanted["action"]):
            print_line(f"{wanted['action']} can be moved by whoever owns it: pin it to a commit's 40 digits when this works")
        print_line("Commit them to the default branch and push; GitHub dispatches nothing from anywhere else.")
    return 0


def workflow(wanted: Mapping[str, str]) -> str:
    """The text, from `mode`, `action`, `runner_labels`, `label` and `app_url`; all are checked, since they become YAML."""
    mode, app_url, labels = wanted["mode"], wanted.get("app_url", ""), wanted["runner_labels"].split(",")
    if not _ACTION.fullmatch(wanted["action"]):
        raise UserError(f"--action {wanted['action']} must be OWNER/REPOSITORY@COMMIT: your copy of Shoal's repository")
    if wrong := [label for label in labels if not _LABEL.fullmatch(label.strip())]:
        raise UserError(f"--runner-labels: `{wrong[0]}` is no label of a runner: separate labels by commas")
    if mode == "work" and not (urlsplit(app_url).netloc and re.fullmatch(r"https?://[\w.:\[\]/-]+", app_url)):
        raise UserError("--app-url must be the address of your app as runners reach it, for example https://shoal.example.com")
    if not re.fullmatch(r"[^'\"\\\n$]{1,50}", wanted["label"]):
        raise UserError(f"--label {wanted['label']!r} cannot stand in a workflow file: use letters, digits, spaces and hyphens")
    values = {**wanted, "app_url": app_url.rstrip("/"), "labels": ", ".join(label.strip() for label in labels)}
    return re.sub(r"@(\w+)@", lambda found: values[found[1]], _template(f"{mode}.yml"))


def _template(name: str) -> str:
    return files("app.commands").joinpath("templates", name).read_text("utf-8")


def _write(path: Path, text: str, *, overwrite: bool) -> str:
    if path.exists():
        if path.read_text("utf-8", "replace") == text:
            return "is there already"
        if not overwrite:
            return "is there and differs: left alone"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return "written"
