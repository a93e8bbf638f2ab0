"""Stories about versions: what is locked is what pip gets, and known traps stay pinned."""

import importlib
import importlib.metadata
import tomllib

from scripts.locked_versions import constrained, differences, locked
from tests.house.documents import ROOT

_LOCK = (ROOT / "uv.lock").read_text("utf-8")
_CONSTRAINTS = (ROOT / "constraints.txt").read_text("utf-8")


def test_pip_and_uv_get_the_same_versions() -> None:
    """constraints.txt and uv.lock name the same packages, each once."""
    assert differences(_LOCK, _CONSTRAINTS) == []
    assert len(locked(_LOCK)) > 50


def test_a_drift_between_the_two_is_named() -> None:
    """A version that only one of them has is a line each."""
    drifted = _CONSTRAINTS.replace("githubkit==0.16.1", "githubkit==0.16.0")
    assert differences(_LOCK, drifted) == [
        "constraints.txt lacks githubkit==0.16.1, which uv.lock has",
        "constraints.txt has githubkit==0.16.0, which uv.lock has not",
    ]


def test_markers_do_not_count() -> None:
    """A package for some platform only is still one pair."""
    assert constrained("# head\ncolorama==0.4.6 ; sys_platform == 'win32'\n\n") == {"colorama==0.4.6"}


def test_hishel_stays_below_2() -> None:
    """githubkit allows hishel 2.0.0, with which it fails on import: asked for below 2, installed below 2, and it imports."""
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]["app"]
    assert any(line.startswith("hishel") and line.endswith(",<2") for line in asked)
    assert int(importlib.metadata.version("hishel").split(".")[0]) < 2
    assert importlib.import_module("githubkit").GitHub
