"""Which command runs a repository's tests."""

import json

import pytest

from runner.suite.detect import detect, report_globs

SCRIPT = json.dumps({"scripts": {"test": "node --test"}})


@pytest.mark.parametrize(
    ("files", "line"),
    [
        ({"tests/test_a.py": ""}, "python3 -m unittest discover -s tests"),
        ({"tests/test_a.py": "", "tests/__init__.py": ""}, "python3 -m unittest discover -s tests -t ."),
        ({"test_a.py": ""}, "python3 -m unittest discover"),
        ({"tests/test_a.py": "", "pyproject.toml": "[tool.pytest.ini_options]\n"}, "python3 -m pytest"),
        ({"tests/test_a.py": "", "pyproject.toml": '[dependency-groups]\ndev = ["pytest>=8"]\n'}, "python3 -m pytest"),
        ({"test_a.py": "", "requirements-dev.txt": "coverage\npytest==8.1\n"}, "python3 -m pytest"),
        ({"test_a.py": "", "requirements.txt": "pytest-cov\n"}, "python3 -m unittest discover"),
        ({"tests/test_a.py": "", "tests/conftest.py": ""}, "python3 -m pytest"),
        ({"tests/test_a.py": "", "pyproject.toml": "not toml ["}, "python3 -m unittest discover -s tests"),
        ({"setup.cfg": "[tool:pytest]\n"}, "python3 -m pytest"),
        ({"package.json": SCRIPT}, "npm test"),
        ({"package.json": SCRIPT, "yarn.lock": ""}, "yarn test"),
        ({"package.json": SCRIPT, "pnpm-lock.yaml": ""}, "pnpm test"),
        ({"package.json": json.dumps({"devDependencies": {"vitest": "2"}})}, "npx --no-install vitest run"),
        ({"package.json": json.dumps({"devDependencies": {"jest": "29"}, "scripts": {"test": ""}})}, "npx --no-install jest"),
        ({"package.json": json.dumps({"scripts": {"test": "echo 'Error: no test specified'"}})}, ""),
        ({"package.json": json.dumps({"scripts": ["test"]})}, ""),
        ({"package.json": "[1]"}, ""),
        ({"package.json": "{"}, ""),
        ({"pom.xml": "<project/>"}, "mvn -q -B test"),
        ({"build.gradle.kts": "", "gradlew": ""}, "sh ./gradlew --no-daemon --console=plain test"),
        ({"build.gradle": ""}, "gradle --no-daemon --console=plain test"),
        ({"go.mod": "module x"}, "go test ./..."),
        ({"Cargo.toml": "[package]"}, "cargo test --no-fail-fast"),
        ({"Makefile": "all:\n\techo\ntest: all\n\techo\n"}, "make test"),
        ({"Makefile": "test := 5\n"}, ""),
        ({"Makefile": "testing:\n\techo\n"}, ""),
        ({"src/latest_a.py": ""}, ""),
    ],
)
def test_the_command_is_found_from_the_files(files: dict[str, str], line: str) -> None:
    """Nothing found is an answer too, and whatever is found says why."""
    command = detect(files, files.__getitem__)
    assert command.line == line
    assert bool(command.source) == bool(line)


def test_reports_are_looked_for_where_build_tools_put_them() -> None:
    """A `make test` may call any of them; only JavaScript's runners write beside the sources."""
    assert "**/target/surefire-reports/TEST-*.xml" in report_globs("make test")
    assert "junit.xml" in report_globs("CI=1 npm test")
    assert "junit.xml" not in report_globs("python3 -m pytest")
