"""Stories about the shape of the code, measured and not promised."""

import ast
from collections.abc import Iterator
from pathlib import Path

from shared.repository_settings import RepositorySettings
from tests.house.documents import ROOT

# The project that the demo works on is not ours; a migration is a table of columns, frozen once it is released.
_NOT_MEASURED = (ROOT / "app" / "sample", ROOT / "app" / "store" / "migrations" / "versions")


def _modules() -> Iterator[tuple[str, str]]:
    for package in ("app", "runner", "shared", "scripts"):
        for path in sorted((ROOT / package).rglob("*.py")):
            if not any(path.is_relative_to(folder) for folder in _NOT_MEASURED):
                yield str(path.relative_to(ROOT)), path.read_text("utf-8")


def test_no_file_is_longer_than_400_lines() -> None:
    """One noun each."""
    lengths = {name: len(text.splitlines()) for name, text in _modules()}
    assert len(lengths) > 100
    assert {name: length for name, length in lengths.items() if length > 400} == {}


def test_no_function_is_longer_than_60_lines() -> None:
    """One thing each."""
    long = [
        f"{name}: {node.name} has {length} lines"
        for name, text in _modules()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (length := (node.end_lineno or 0) - node.lineno + 1) > 60
    ]
    assert long == []


def test_every_module_says_why_it_exists() -> None:
    """The first statement is a docstring."""
    assert [name for name, text in _modules() if not ast.get_docstring(ast.parse(text))] == []


def test_importing_a_package_does_nothing() -> None:
    """`__init__.py` holds a docstring and nothing else."""
    packages = [(Path(name), ast.parse(text)) for name, text in _modules() if name.endswith("__init__.py")]
    assert [str(path) for path, tree in packages if len(tree.body) != 1] == []


def test_every_key_of_a_repository_s_settings_is_read_by_something() -> None:
    """One that nothing reads would be a promise that is not kept."""
    read = {
        node.attr
        for name, text in _modules()
        if name != "shared/models.py"
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Attribute)
    }
    assert RepositorySettings.model_fields.keys() - read == set()
