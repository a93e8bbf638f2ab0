"""Stories about the wheel: it holds everything, and each side works with its own extra alone."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.house.documents import ROOT
from tests.house.test_clone import bare_environment, copy_sources

_PACKAGES = ("app", "runner", "shared")
_IMPORT_ALL = """
import importlib, pkgutil, sys
packages, absent = sys.argv[1].split(","), sys.argv[2].split(",")
names = []
for package in packages:
    found = importlib.import_module(package)
    names += [package, *(module.name for module in pkgutil.walk_packages(found.__path__, f"{package}."))]
# Alembic runs these, nobody imports them; the project that the demo works on is data.
names = [name for name in names if not name.startswith(("app.store.migrations.", "app.sample"))]
for name in names:
    importlib.import_module(name)
for name in absent:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError:
        continue
    sys.exit(f"{name} is installed")
print(len(names), importlib.import_module(packages[0]).__file__)
"""


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy of the sources, so that nothing of a build stays in them."""
    folder = tmp_path_factory.mktemp("wheel")
    _pip(_venv(folder / "builder", folder), folder, "wheel", "--no-deps", "-w", str(folder), str(copy_sources(folder / "sources")))
    return next(folder.glob("shoal-*.whl"))


def _venv(place: Path, home: Path) -> Path:
    subprocess.run([sys.executable, "-m", "venv", str(place)], check=True, env=bare_environment(home))
    return place / "bin" / "python"


def _pip(python: Path, home: Path, *arguments: str) -> None:
    argv = [str(python), "-m", "pip", *arguments, "-qq"]
    ended = subprocess.run(argv, env=bare_environment(home), capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_wheel_holds_every_file_and_nothing_else(wheel: Path) -> None:
    """Sample project and patches, migrations and figures of the benchmark are in it; tests and caches are not."""
    sources = wheel.parent / "sources"
    wanted = {str(path.relative_to(sources)) for name in _PACKAGES for path in (sources / name).rglob("*") if path.is_file()}
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert packed == wanted
    assert {"app/sample/expected.json", "app/store/migrations/script.py.mako", "app/commands/bench_data/schedules.json"} <= packed


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("extra", "packages", "absent"),
    [("runner", "runner,shared", "githubkit,starlette,sqlalchemy,typer,rich"), ("app", "app,shared", "github,psycopg,pytest")],
)
def test_each_side_works_with_its_own_extra_alone(wheel: Path, tmp_path: Path, extra: str, packages: str, absent: str) -> None:
    """Installed with the locked versions into an empty venv, every module imports, and the other side's libraries are not there."""
    python = _venv(tmp_path / "venv", tmp_path)
    _pip(python, tmp_path, "install", "-c", str(ROOT / "constraints.txt"), f"shoal[{extra}] @ {wheel.as_uri()}")
    argv = [str(python), "-I", "-c", _IMPORT_ALL, packages, absent]
    ended = subprocess.run(argv, cwd=tmp_path, env=bare_environment(tmp_path), capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    count, place = ended.stdout.split()
    assert int(count) > 20
    assert place.startswith(str(tmp_path / "venv"))


def test_nothing_can_be_uploaded_to_an_index() -> None:
    """Generic package names must never be published: the classifier that indexes refuse is there."""
    assert '"Private :: Do Not Upload"' in (ROOT / "pyproject.toml").read_text("utf-8")
