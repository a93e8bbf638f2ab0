"""Where settings come from besides the environment and `.env`: a TOML file, and the App that was registered by the set-up page."""

import os
import tomllib
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from app import registration
from shared.errors import UserError

CONFIG = "SHOAL_CONFIG"
_USUAL = Path("shoal.toml")


class ConfigFile(PydanticBaseSettingsSource):
    """`shoal.toml` in the working folder, or the file that SHOAL_CONFIG names: settings in lower case, without the prefix."""

    def __init__(self, settings_cls: type[BaseSettings], known: frozenset[str]) -> None:
        super().__init__(settings_cls)
        self._known = known

    def __call__(self) -> dict[str, Any]:
        path, values = config_file()
        for key, value in values.items():
            if key not in self._known:
                near = get_close_matches(key.lower().removeprefix("shoal_"), self._known, n=1)
                raise UserError(
                    f"{path}: `{key}` is not a setting"
                    + (f": did you mean `{near[0]}`?" if near else ": remove it, or correct its name")
                )
            if isinstance(value, dict):
                raise UserError(f"{path}: `{key}` is a table: write `{key} = VALUE`")
        return values

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        raise AssertionError("the whole file is read at once")


class Registered(PydanticBaseSettingsSource):
    """The App in the data directory, unless the operator names another one, or another GitHub."""

    def __call__(self) -> dict[str, Any]:
        said = self.current_state
        work_dir = Path(said.get("work_dir") or ".shoal")
        found = registration.read(work_dir)
        if found is None or any(said.get(name, getattr(found, name)) != getattr(found, name) for name in ("app_id", "github_url")):
            return {}
        return {name: value for name, value in found.settings(work_dir).items() if name in self.settings_cls.model_fields}

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        raise AssertionError("the whole registration is read at once")


def config_file() -> tuple[Path, dict[str, Any]]:
    """The file and what it sets; one that was not asked for need not exist."""
    named = os.environ.get(CONFIG, "")
    path = Path(named) if named else _USUAL
    if not named and not path.exists():
        return path, {}
    try:
        return path, tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        where = f"{CONFIG}: `{path}`" if named else str(path)
        raise UserError(f"{where} cannot be read ({error.strerror}): name a readable TOML file, or remove it") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not TOML ({error}): correct that line; settings are `name = value`, texts in quotes") from error
