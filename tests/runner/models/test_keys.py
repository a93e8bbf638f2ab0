"""The models' keys: read where the operator put them, refused where others could read them, shown nowhere."""

import os
from pathlib import Path

import pytest

from runner.models.keys import Keys
from runner.models.prices import find_price
from shared.errors import FatalError

SECRET = "sk-secret"


def file_with(folder: Path, text: str, mode: int = 0o600) -> str:
    path = folder / "models.toml"
    path.write_text(text)
    path.chmod(mode)
    return str(path)


def test_a_file_names_keys_addresses_and_prices(tmp_path: Path) -> None:
    """And then the environment is not looked at."""
    text = f"""
[anthropic]
key = "{SECRET}"
[openai]
key = "other"
url = "https://gateway.example/openai/v1/"
[prices."house-model"]
input = 1
output = 2
"""
    keys = Keys.load(file_with(tmp_path, text), {"GEMINI_API_KEY": "unused"})
    assert keys.need("anthropic").url == "https://api.anthropic.com"
    assert keys.need("anthropic").key == SECRET
    assert keys.need("openai").url == "https://gateway.example/openai/v1"
    assert set(keys.upstreams) == {"anthropic", "openai"}
    price = find_price("House-Model-2", keys.prices)
    assert price is not None
    assert (price.input, price.output) == (1, 2)
    assert SECRET not in repr(keys) + str(keys.upstreams)


def test_without_a_file_the_environment_has_them() -> None:
    """By the names that the agents' own programs know."""
    keys = Keys.load("", {"GEMINI_API_KEY": SECRET, "GOOGLE_GEMINI_BASE_URL": "http://127.0.0.1:9/", "OPENAI_API_KEY": " "})
    assert keys.need("gemini") == keys.upstreams["gemini"]
    assert keys.need("gemini").url == "http://127.0.0.1:9"
    assert set(keys.upstreams) == {"gemini"}


def test_a_missing_key_is_named_with_both_ways_to_give_it(tmp_path: Path) -> None:
    """File and variable."""
    path = file_with(tmp_path, "")
    with pytest.raises(FatalError) as said:
        Keys.load(path, {}).need("openai")
    assert f"no model key for openai in {path}" in str(said.value)
    assert "OPENAI_API_KEY" in str(said.value)
    with pytest.raises(FatalError, match="no model key for anthropic in the runner's environment"):
        Keys.load("", {}).need("anthropic")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_file_that_others_can_reach_is_refused_by_name(tmp_path: Path, mode: int) -> None:
    """With the command that mends it."""
    path = file_with(tmp_path, f'[anthropic]\nkey = "{SECRET}"', mode)
    with pytest.raises(FatalError, match=f"chmod 600 {path}"):
        Keys.load(path, {})


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_somebody_elses_file_is_refused(tmp_path: Path) -> None:
    """He could change the address under us."""
    path = file_with(tmp_path, "")
    os.chown(path, 12345, 12345)
    with pytest.raises(FatalError, match="belongs to user 12345"):
        Keys.load(path, {})


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (f'[anthropic]\nkey = "{SECRET}"\nurl = "http://elsewhere"', "must be an https address"),
        (f'[anthropic]\nkey = "{SECRET}"\nurl = "https://user@elsewhere"', "must be an https address"),
        (f'[anthropic]\nkey = "{SECRET}\\n"\nkeys = 3', "a mistake at anthropic.keys"),
        (f'[anthropic]\nkey = ["{SECRET}"]', "a mistake at anthropic.key"),
        (f'[anthropic]\nkey = "{SECRET} x"', "characters that cannot stand in a header"),
        (f'[claude]\nkey = "{SECRET}"', "a mistake at claude"),
        (f"key = {SECRET}", "is not TOML"),
        ("[prices.x]\ninput = -1\noutput = 1", "a mistake at prices.x.input"),
    ],
)
def test_a_mistake_is_named_and_the_key_is_not(tmp_path: Path, text: str, named: str) -> None:
    """One line, with the place."""
    with pytest.raises(FatalError) as said:
        Keys.load(file_with(tmp_path, text), {})
    assert named in str(said.value)
    assert SECRET not in str(said.value)
    assert "\n" not in str(said.value)
    assert said.value.__cause__ is None


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """Nothing else is tried in its place."""
    with pytest.raises(FatalError, match=r"nothing\.toml, cannot be read"):
        Keys.load(str(tmp_path / "nothing.toml"), {"OPENAI_API_KEY": SECRET})
