"""Writes into docs/ what the code knows: settings, action, metrics, shoal.yml, runner API; `--check` only compares."""

import json
import sys
from pathlib import Path
from typing import get_args

import yaml
from prometheus_client.metrics import MetricWrapperBase
from pydantic.fields import FieldInfo

from app.metrics import Metrics
from app.settings import PREFIX, Settings
from app.web import openapi
from shared.repository_settings import RepositorySettings

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGE = DOCS / "settings.md"
ACTION_PAGE = DOCS / "action.md"
SCHEMA = DOCS / "shoal.schema.json"
RUNNER_API = DOCS / "runner-api.json"
METRICS_PAGE = DOCS / "metrics.md"
# A name and no address: every copy of this repository publishes the same schema under its own.
_SCHEMA_ID = "urn:shoal:repository-settings"
_UNITS = {
    "writes_per_second": "calls per second",
    "content_per_minute": "items per minute",
    "content_per_hour": "items per hour",
    "points_per_minute": "points per minute",
    "_seconds": "seconds",
    "_minutes": "minutes",
    "_hours": "hours",
    "_days": "days",
    "_mib": "MiB",
    "_usd": "US dollars",
    "_turns": "model calls",
    "_tokens": "tokens",
    "_files": "files",
    "_passes": "passes",
    "_repairs": "attempts",
    "slots": "tasks",
    "port": "TCP port",
}


def table() -> str:
    """One Markdown row per setting of the operator."""
    fields = Settings.model_fields.items()
    rows = [
        f"| `{PREFIX}{name.upper()}` | {_default(field)} | {unit(name, field)} | {field.description} |" for name, field in fields
    ]
    return "\n".join(["| variable | default | unit | meaning |", "|---|---|---|---|", *rows])


def repository_table() -> str:
    """One Markdown row per key of a repository's own file."""
    fields = RepositorySettings.model_fields.items()
    rows = [f"| `{name}` | {_default(field)} | {unit(name, field)} | {field.description} |" for name, field in fields]
    return "\n".join(["| key | default | unit | meaning |", "|---|---|---|---|", *rows])


def unit(name: str, field: FieldInfo) -> str:
    """What a number counts, by its name; empty for what is no number."""
    if not {int, float} & {field.annotation, *get_args(field.annotation)}:
        return ""
    return next(words for ending, words in _UNITS.items() if name.endswith(ending))


def updated(page: str) -> str:
    """`page` with the tables between their markers replaced."""
    return _between("repository", repository_table(), _between("settings", table(), page))


def action_tables(page: str) -> str:
    """`page` with the tables of the action's inputs and outputs replaced."""
    action = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
    inputs = [f"| `{name}` | {_shown(about.get('default'))} | {about['description']} |" for name, about in action["inputs"].items()]
    outputs = [f"| `{name}` | {about['description']} |" for name, about in action["outputs"].items()]
    page = _between("inputs", "\n".join(["| input | default | meaning |", "|---|---|---|", *inputs]), page)
    return _between("outputs", "\n".join(["| output | meaning |", "|---|---|", *outputs]), page)


def _shown(default: str | None) -> str:
    return f"`{default}`" if default else "none"


def metrics_table(page: str) -> str:
    """`page` with the table of all metrics replaced."""
    suffix = {"counter": "_total"}
    rows = []
    for metric in (one for one in vars(Metrics()).values() if isinstance(one, MetricWrapperBase)):
        labels = ", ".join(f"`{label}`" for label in metric._labelnames) or "none"
        about = next(iter(metric.describe()))
        rows.append(f"| `{about.name}{suffix.get(about.type, '')}` | {about.type} | {labels} | {about.documentation} |")
    return _between("metrics", "\n".join(["| metric | type | labels | meaning |", "|---|---|---|---|", *rows]), page)


def schema() -> str:
    """JSON schema of `.github/shoal.yml`, for editors and for whoever checks the file before pushing it."""
    document = RepositorySettings.model_json_schema()
    document["description"] = RepositorySettings.__doc__
    about = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": _SCHEMA_ID}
    return json.dumps({**about, **document}, indent=2) + "\n"


def _between(name: str, text: str, page: str) -> str:
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    head, _, rest = page.partition(begin)
    _, found, tail = rest.partition(end)
    if not found:
        raise SystemExit(f"the page has lost its markers: put `{begin}` and `{end}` back")
    return f"{head}{begin}\n{text}\n{end}{tail}"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**required**"
    if field.default_factory is not None:
        return "computed"
    value = field.default
    if value is None or value == () or value == "":
        return "none"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def main(arguments: list[str]) -> int:
    """Exit status 1 when a file was stale and only a check was asked for."""
    wanted = {
        PAGE: updated(PAGE.read_text("utf-8")),
        ACTION_PAGE: action_tables(ACTION_PAGE.read_text("utf-8")),
        SCHEMA: schema(),
        RUNNER_API: json.dumps(openapi.description(), indent=2) + "\n",
        METRICS_PAGE: metrics_table(METRICS_PAGE.read_text("utf-8")),
    }
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text("utf-8") != text]
    if "--check" in arguments:
        for path in stale:
            print(f"docs/{path.name} is stale: run `.venv/bin/python -m scripts.settings_table`", file=sys.stderr)
        return 1 if stale else 0
    for path in stale:
        path.write_text(wanted[path], encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
