"""Reads `.github/shoal.yml`: every mistake names its line, the key, what is wrong and the fix."""

import json
from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from shared.github import SETTINGS_FILE
from shared.repository_settings import RepositorySettings

PATH = SETTINGS_FILE
_LIMIT = 16 * 1024
# PyYAML's time grows with the square of the depth: 30,000 brackets took it a minute.
_DEPTH = 4
_OPENING = (yaml.BlockSequenceStartToken, yaml.BlockMappingStartToken, yaml.FlowSequenceStartToken, yaml.FlowMappingStartToken)
Refused = Callable[[RepositorySettings], tuple[str, str] | None]
_CLOSING = (yaml.BlockEndToken, yaml.FlowSequenceEndToken, yaml.FlowMappingEndToken)


class SettingsMistake(Exception):
    """Something a person must mend in the file; `line` counts from 1."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(f"{PATH}, line {line}: {message}")
        self.line = line
        self.message = message


def parse(text: str, refused: Refused | None = None) -> RepositorySettings:
    """The settings, or a SettingsMistake; an empty file means all defaults. `refused` names what is not allowed."""
    if len(text) > _LIMIT:
        raise SettingsMistake(1, f"the file is larger than {_LIMIT // 1024} KiB; settings need a few lines")
    node = _compose(text)
    if node is None:
        return RepositorySettings()
    if not isinstance(node, yaml.MappingNode):
        raise SettingsMistake(
            node.start_mark.line + 1, "settings must be `key: value` lines, for example `test_command: make test`"
        )
    lines = _lines(node)
    try:
        found = RepositorySettings.model_validate_json(_json(node))
    except ValidationError as error:
        detail = error.errors()[0]
        raise SettingsMistake(lines.get(str(detail["loc"][0]), 1), _explain(detail)) from None
    if refused is not None and (why := refused(found)) is not None:
        key, message = why
        raise SettingsMistake(lines.get(key, 1), message)
    return found


def of_folder(folder: Path) -> RepositorySettings:
    """Those of a folder with a repository's files, or a SettingsMistake; without the file all defaults."""
    place = folder / PATH
    if place.is_symlink() or not place.is_file():
        return RepositorySettings()
    with place.open("rb") as file:
        return parse(file.read(_LIMIT + 1).decode("utf-8", "replace"))


def _compose(text: str) -> yaml.Node | None:
    try:
        _refuse_tricks(text)
        node: yaml.Node | None = yaml.compose(text, yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        raise _not_yaml(error) from None
    except yaml.YAMLError as error:
        raise SettingsMistake(1, f"this is not valid YAML: {str(error).splitlines()[0][:200]}") from None
    return node


def _refuse_tricks(text: str) -> None:
    """What no settings need and what could keep the app busy: aliases, tags, depth."""
    depth = 0
    for token in yaml.scan(text, yaml.SafeLoader):
        line = token.start_mark.line + 1
        if isinstance(token, yaml.AliasToken | yaml.TagToken):
            raise SettingsMistake(line, "YAML aliases (`*name`) and tags (`!name`) are not allowed here; write the value out")
        depth += isinstance(token, _OPENING) - isinstance(token, _CLOSING)
        if depth > _DEPTH:
            raise SettingsMistake(line, "this is nested too deeply; settings are `key: value` lines and flat lists")


def _not_yaml(error: yaml.MarkedYAMLError) -> SettingsMistake:
    mark = error.problem_mark or error.context_mark
    return SettingsMistake(mark.line + 1 if mark else 1, f"this is not valid YAML: {error.problem or error.context}")


def _lines(node: yaml.MappingNode) -> dict[str, int]:
    lines: dict[str, int] = {}
    for key, _ in node.value:
        name = str(key.value)
        if name in lines:
            raise SettingsMistake(key.start_mark.line + 1, f"`{name}` is set twice; keep one of them")
        lines[name] = key.start_mark.line + 1
    return lines


def _json(node: yaml.MappingNode) -> str:
    # Through JSON, so that dates and other YAML types become mistakes of type instead of Python objects.
    try:
        return json.dumps(yaml.SafeLoader("").construct_document(node), default=str)
    except yaml.MarkedYAMLError as error:
        raise _not_yaml(error) from None
    except (ValueError, TypeError) as error:  # a date that does not exist, a number of thousands of digits, an odd key
        raise SettingsMistake(node.start_mark.line + 1, f"a value cannot be read: {str(error)[:200]}; put it in quotes") from None


def _explain(detail: ErrorDetails) -> str:
    name = ".".join(str(part) for part in detail["loc"])
    if detail["type"] == "extra_forbidden":
        close = get_close_matches(name, RepositorySettings.model_fields, 1)
        hint = f"did you mean `{close[0]}`?" if close else f"known are: {', '.join(sorted(RepositorySettings.model_fields))}"
        return f"`{name}` is not a setting; {hint}"
    field = RepositorySettings.model_fields.get(str(detail["loc"][0]))
    meaning = f" ({field.description})" if field and field.description else ""
    return f"`{name}`: {detail['msg'][0].lower()}{detail['msg'][1:]}{meaning}"
