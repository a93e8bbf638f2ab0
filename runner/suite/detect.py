"""Finds the command that runs a repository's tests, and where that command leaves its reports."""

import json
import re
import tomllib
from collections.abc import Callable, Collection
from typing import Any, NamedTuple

_PYTEST_FILES = ("pytest.ini", "conftest.py", "tests/conftest.py")
_PACKAGE_MANAGERS = (("pnpm-lock.yaml", "pnpm"), ("yarn.lock", "yarn"), ("package.json", "npm"))
_GRADLE_FILES = ("build.gradle", "build.gradle.kts", "settings.gradle", "settings.gradle.kts")

# What build tools write on their own, in folders that nobody commits.
_BUILD_REPORTS = (
    "**/target/surefire-reports/TEST-*.xml",
    "**/target/failsafe-reports/TEST-*.xml",
    "**/build/test-results/**/TEST-*.xml",
)
# What jest-junit and vitest's reporter are mostly told to write.
_NODE_REPORTS = ("junit.xml", "reports/junit.xml", "test-results/junit.xml")


class Command(NamedTuple):
    """`source` tells people where the command came from; empty `line`: none was found."""

    line: str
    source: str


def detect(files: Collection[str], read: Callable[[str], str]) -> Command:
    """From the files of the pinned commit; `read` gives a file's text."""
    for finder in (_python, _node, _jvm, _named_file, _makefile):
        if found := finder(files, read):
            return found
    return Command("", "")


def report_globs(command: str) -> tuple[str, ...]:
    """Where in the checkout `command` may leave JUnit files (`**` crosses folders, none included).

    Only what the run itself wrote counts: the caller leaves out files that the commit holds. pytest is told by PYTEST_ADDOPTS.
    """
    if re.search(r"\b(?:npm|npx|yarn|pnpm|bun|jest|vitest|node)\b", command):
        return (*_NODE_REPORTS, *_BUILD_REPORTS)
    return _BUILD_REPORTS


def _python(files: Collection[str], read: Callable[[str], str]) -> Command | None:
    if any(name in files for name in _PYTEST_FILES) or _configures_pytest(files, read):
        return Command("python3 -m pytest", "detected: pytest is configured")
    if not any(re.fullmatch(r"(?:tests?/(?:.*/)?)?test_\w+\.py", name) for name in files):
        return None
    if _requires_pytest(files, read):
        return Command("python3 -m pytest", "detected: test_*.py files, and pytest is among the requirements")
    return Command(f"python3 -m unittest discover{_where(files)}", "detected: test_*.py files and no pytest settings")


def _node(files: Collection[str], read: Callable[[str], str]) -> Command | None:
    package = _object(read("package.json")) if "package.json" in files else {}
    script = _inner(package, "scripts").get("test", "")
    if isinstance(script, str) and script and "no test specified" not in script:
        manager = next(name for lock, name in _PACKAGE_MANAGERS if lock in files)
        return Command(f"{manager} test", "detected: a test script in package.json")
    needed = {**_inner(package, "dependencies"), **_inner(package, "devDependencies")}
    for name, line in (("vitest", "npx --no-install vitest run"), ("jest", "npx --no-install jest")):
        if name in needed:
            return Command(line, f"detected: {name} in package.json")
    return None


def _jvm(files: Collection[str], _read: Callable[[str], str]) -> Command | None:
    if "pom.xml" in files:
        return Command("mvn -q -B test", "detected: pom.xml")
    if build := next((name for name in _GRADLE_FILES if name in files), ""):
        program = "sh ./gradlew" if "gradlew" in files else "gradle"
        return Command(f"{program} --no-daemon --console=plain test", f"detected: {build}")
    return None


def _named_file(files: Collection[str], _read: Callable[[str], str]) -> Command | None:
    for name, line in (("go.mod", "go test ./..."), ("Cargo.toml", "cargo test --no-fail-fast")):
        if name in files:
            return Command(line, f"detected: {name}")
    return None


def _makefile(files: Collection[str], read: Callable[[str], str]) -> Command | None:
    if "Makefile" in files and re.search(r"^test\s*:(?!=)", read("Makefile"), re.MULTILINE):
        return Command("make test", "detected: a test target in the Makefile")
    return None


def _configures_pytest(files: Collection[str], read: Callable[[str], str]) -> bool:
    if "pyproject.toml" in files and "pytest" in _inner(_toml(read("pyproject.toml")), "tool"):
        return True
    return any(re.search(r"^\[(?:tool:)?pytest\]", read(name), re.MULTILINE) for name in ("setup.cfg", "tox.ini") if name in files)


def _requires_pytest(files: Collection[str], read: Callable[[str], str]) -> bool:
    """As a whole requirement: `pytest`, `pytest>=8`, `"pytest[x]"`, not `pytest-cov` alone."""
    lists = [
        name for name in files if re.fullmatch(r"pyproject\.toml|(?:requirements/)?[\w.-]*requirements[\w.-]*\.(?:txt|in)", name)
    ]
    return any(re.search(r"(?:^|[\s\"'])pytest(?=[\"'\s=<>!~\[;,]|$)", read(name), re.MULTILINE) for name in lists)


def _where(files: Collection[str]) -> str:
    for folder in ("tests", "test"):
        if any(re.fullmatch(rf"{folder}/(?:.*/)?test_\w+\.py", name) for name in files):
            return f" -s {folder}" + (" -t ." if f"{folder}/__init__.py" in files else "")
    return ""


def _toml(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return {}


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _inner(values: dict[str, Any], key: str) -> dict[str, Any]:
    found = values.get(key)
    return found if isinstance(found, dict) else {}
