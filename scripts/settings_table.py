"""Writes the table of settings into docs/settings.md, so that the page cannot drift from the code; `--check` only compares."""

import sys
from pathlib import Path

from pydantic.fields import FieldInfo

from app.settings import PREFIX, Settings

PAGE = Path(__file__).parent.parent / "docs" / "settings.md"
BEGIN, END = "<!-- settings:begin -->", "<!-- settings:end -->"


def table() -> str:
    """One Markdown row per setting."""
    rows = [
        f"| `{PREFIX}{name.upper()}` | {_default(field)} | {field.description} |" for name, field in Settings.model_fields.items()
    ]
    return "\n".join(["| variable | default | meaning |", "|---|---|---|", *rows])


def updated(page: str) -> str:
    """`page` with the table between its markers replaced."""
    head, _, rest = page.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not end:
        raise SystemExit(f"{PAGE.name} has lost its markers: put `{BEGIN}` and `{END}` back")
    return f"{head}{BEGIN}\n{table()}\n{END}{tail}"


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
    """Exit status 1 when the page was stale and only a check was asked for."""
    page = PAGE.read_text()
    wanted = updated(page)
    if "--check" in arguments and page != wanted:
        print("docs/settings.md is stale: run `.venv/bin/python -m scripts.settings_table`", file=sys.stderr)
        return 1
    PAGE.write_text(wanted)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
